"""`goemo-tui eval` without a model: which corpus is taken, and what is said about it before the report."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goemo_tui.cli import main
from goemo_tui.commands import evaluate as command
from trainer.infer import evaluate as work

asked_more: list[dict[str, Any]] = []
NOTES: list[str] = []


class First(str):
    """Stands for the model, which lies in no run's folder."""

    folder = SimpleNamespace(path=Path("/no/such/model"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """The (data, split) pairs that were to be evaluated."""
    calls: list[tuple[str, str | None]] = []

    def evaluate(predictor: object, data: str, split: str | None, threshold: str, **more: Any) -> dict[str, Any]:
        calls.append((data, split))
        asked_more.append(more)
        return {"split": split or "test", "notes": NOTES}

    asked_more.clear()
    monkeypatch.setattr(command, "load", lambda options, model=None: model or First("first"))
    monkeypatch.setattr(work, "evaluate", evaluate)
    return calls


def write(path: Path, good: int, bad: int = 0) -> Path:
    """A file of the official layout whose bad rows come first."""
    rows = ["no label here"] * bad + [f"comment {n}, I love it\t18\tid{n}" for n in range(good)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "corpus"
    made.mkdir()
    write(made / "train.tsv", 40, bad=3)
    write(made / "dev.tsv", 40)
    write(made / "test.tsv", 40)
    return made


def test_the_corpus_of_the_whole_program_is_that_of_the_command(
    folder: Path, asked: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(folder), "eval", "--json"]) == 0
    assert main(["--data", "/no/such", "eval", "--data", str(folder), "--json"]) == 0
    assert main(["eval", "--json"]) == 0
    assert [data for data, _ in asked] == [str(folder), str(folder), "sample"]
    assert capsys.readouterr().err == ""
    assert main(["--data", "/no/such", "eval", "--json"]) == 3


def test_skipped_rows_are_said_where_they_matter(
    folder: Path, asked: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--data", str(folder), "--split", "dev", "--json"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["eval", "--data", str(folder), "--split", "train", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"split": "train", "notes": []}
    assert "3 rows skipped" in err and f"{folder / 'train.tsv'}:1:" in err and "data check" in err


def test_a_refused_split_is_said(
    folder: Path, asked: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / "test.tsv", 10, bad=30)
    assert main(["eval", "--data", str(folder), "--json"]) == 0
    err = capsys.readouterr().err
    assert "30 of 40 rows cannot be used" in err and "of its other rows" in err and asked


def test_a_file_that_was_divided_is_said_with_its_bad_rows(
    tmp_path: Path, asked: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "all.tsv", 100, bad=1)
    assert main(["eval", "--data", str(file), "--json"]) == 0
    err = capsys.readouterr().err
    assert "chosen at random" in err and "1 row skipped" in err and asked


def test_bootstrap_and_the_second_model_are_passed_on(folder: Path, asked: list[tuple[str, str | None]]) -> None:
    assert main(["eval", "--data", str(folder), "--json"]) == 0
    assert main(["eval", "--data", str(folder), "--json", "--bootstrap", "7", "--compare", "other"]) == 0
    assert asked_more == [{"bootstrap": 1000, "against": None}, {"bootstrap": 7, "against": "other"}] and asked


def test_what_must_be_known_of_the_figures_is_said_once(
    folder: Path,
    asked: list[tuple[str, str | None]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{__name__}.NOTES", ["they were fitted on\x1b[2J these rows"])
    assert main(["eval", "--data", str(folder), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err.count("note: they were fitted on") == 1 and "\x1b" not in err and len(json.loads(out)["notes"]) == 1
    both = {"notes": ["same"], "against": {"model": "B", "notes": ["same", "own"]}}
    assert command.notes(both) == ["same", "B: own"]


def test_each_report_that_is_asked_for_is_written(
    folder: Path, asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from goemo_tui.services import report_file

    written: list[Path] = []
    monkeypatch.setattr(report_file, "_write", lambda path, text: written.append(path))
    for name in ("markdown", "html"):
        monkeypatch.setattr(f"goemo_tui.services.report_{name}.{name}", lambda report: "")
    both = [str(tmp_path / name) for name in ("a.md", "b.html")]
    assert main(["eval", "--data", str(folder), "--json", "--report", both[0], "--report", both[1]]) == 0
    assert [str(path) for path in written] == both and asked


@pytest.mark.parametrize(
    ("name", "says"), [("report.pdf", ".md"), ("report", ".html"), ("no/such/report.md", "folder"), (".", ".md")]
)
def test_a_report_that_cannot_be_written_is_said_before_the_work(
    folder: Path, asked: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    assert main(["eval", "--data", str(folder), "--report", str(folder / name)]) == 2
    assert says in capsys.readouterr().err and not asked
