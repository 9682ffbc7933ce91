"""`--json` prints one document also where a command fails: what went wrong, and nothing where it printed one already."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goemo_tui.cli import main
from tests.unit.command_line import finished, one_document


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["runs", "show", "nobody"], 3, "nobody"),
        (["runs", "show"], 3, "there is no run yet"),
        (["runs", "list", "nobody"], 2, "takes no id"),
        (["eval", "--split", "sunday", "--model", "/nowhere"], 3, "/nowhere"),
        (["predict", "hello", "--model", "/nowhere"], 3, "/nowhere"),
        (["data", "stats", "/nowhere"], 3, "/nowhere"),
        (["data", "check", "--split", "dev"], 2, "--split"),
        (["train", "--set", "epochs=none"], 2, "epochs"),
    ],
)
def test_a_failure_is_the_document(
    arguments: list[str], code: int, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == code
    out, err = capsys.readouterr()
    told = one_document(out)
    assert set(told) == {"error"} and part in told["error"]
    assert part in err, "people read it too"
    assert main(arguments) == code
    assert capsys.readouterr().out == "", "without --json stdout is data alone"


def test_a_command_line_that_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["runs", "shwo", "--json"],
        ["eval", "--json", "--modle", "x"],
        ["data", "--top", "ten", "--json"],
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        out, err = capsys.readouterr()
        assert end.value.code == 2 and one_document(out)["error"] in err and "usage:" in err
    with pytest.raises(SystemExit):
        main(["runs", "shwo"])
    assert capsys.readouterr().out == ""


def test_a_document_that_is_printed_already_stays_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["data", "check", str(tmp_path / "nowhere"), "--json"]) == 3
    assert set(one_document(capsys.readouterr().out)) == {"splits", "problems", "warnings"}


def test_what_nobody_foresaw_is_a_document_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished()

    def broken() -> None:
        raise ZeroDivisionError("\x1b[2Jhow odd")

    before = sys.stdout
    monkeypatch.setattr("trainer.runs.run.list_runs", broken)
    assert main(["runs", "--json"]) == 1
    out, _ = capsys.readouterr()
    assert "how odd" in one_document(out)["error"] and "\x1b" not in out
    assert sys.stdout is before


def test_a_document_of_success_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    run = finished()
    assert main(["runs", "show", run.id, "--json"]) == 0
    assert one_document(capsys.readouterr().out)["run"] == run.id
