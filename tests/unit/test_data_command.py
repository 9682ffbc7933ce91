"""`goemo-tui data`: its documents to the letter, its exit codes, and nothing hostile on the terminal."""

from __future__ import annotations

import argparse
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.commands import data
from trainer.corpus.download import FILES, Pinned
from trainer.errors import ConfigError, CorpusError, GoemoError, NotFoundError

GOOD = "that was lovely of you\t17\tx\n"


def run(*arguments: str, **more: Any) -> int:
    """What the command line does after parsing."""
    top = argparse.ArgumentParser()
    data.add(top.add_subparsers())
    options = top.parse_args(["data", *arguments], argparse.Namespace(**more))
    code: int = options.run(options)
    return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    (made / "train.tsv").write_text(GOOD * 19 + "bad\n")
    (made / "dev.tsv").write_text(GOOD * 5)
    return made


def test_check_json_to_the_letter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(folder), "--json") == 0
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 1
    assert json.loads(out) == {
        "splits": {"train": {"rows": 19}, "dev": {"rows": 5}},
        "problems": [{"file": str(folder / "train.tsv"), "line": 20, "what": "missing column: 1 found, 3 expected"}],
        "warnings": [],
    }


def test_a_refused_file_is_exit_1_and_the_document_is_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "test.tsv").write_text("bad\n" * 300 + GOOD)
    assert run("check", str(folder), "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["splits", "problems", "warnings"]
    assert document["splits"] == {"train": {"rows": 19}, "dev": {"rows": 5}, "test": {"rows": 1}}
    assert len(document["problems"]) == 301
    assert any("test.tsv" in warning and "refused" in warning for warning in document["warnings"])


def test_a_corpus_that_cannot_be_told_apart_is_a_document_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(tmp_path), "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["splits"] == {} and document["warnings"] == []
    assert [(p["file"], p["line"]) for p in document["problems"]] == [(str(tmp_path), 0)]
    assert "train.tsv" in document["problems"][0]["what"]


def test_check_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "validation.tsv").write_text(GOOD)
    assert run("check", str(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["train", "19", "rows"] and lines[1].split() == ["dev", "5", "rows"]
    assert lines[2] == f"{folder / 'train.tsv'}:20: missing column: 1 found, 3 expected"
    assert lines[3].startswith("warning: ") and "validation.tsv" in lines[3]


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a\x1b]0;owned\x07b"
    folder.mkdir()
    (folder / "labels.txt").write_text("1\x1b[31mred\n2\u202eder\n", "utf-8")
    (folder / "train.tsv").write_text("a b\t0\tx\n" * 20 + "c\t\x1b[2J\tx\n", "utf-8")
    (folder / "train.csv").write_text("")
    assert run("check", str(folder)) == 0
    shown = capsys.readouterr().out
    assert "owned" in shown and not set(shown) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert run("check", str(folder), "--json") == 0
    document = capsys.readouterr().out
    assert document.isascii() and document.strip().isprintable()


def test_the_language_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.tsv").write_text("هذا يوم جميل جدا\t17\tx\n" * 50, "utf-8")
    assert run("check", str(tmp_path), "--json") == 0
    assert any("not Latin" in warning for warning in json.loads(capsys.readouterr().out)["warnings"])


def test_which_corpus_is_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json", app_data=str(folder)) == 0
    assert json.loads(capsys.readouterr().out)["splits"]["train"] == {"rows": 19}
    assert run("check", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)["splits"]) == ["train", "dev", "test"]


def test_what_is_not_there_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (str(tmp_path / "gone"), "goemotions"):
        with pytest.raises(NotFoundError) as error:
            run("check", name, "--json")
        assert error.value.exit_code == 3
        told = json.loads(capsys.readouterr().out)  # whole, also where nothing is there
        assert told["splits"] == {} and told["problems"][0]["file"] == name
        with pytest.raises(NotFoundError):
            run("check", name)
        assert capsys.readouterr().out == ""


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["list", "here"],
        ["check", "--url", "http://x/"],
        ["check", "--filter", "joy"],
        ["list", "--split", "dev"],
        ["export", "--limit", "3", "--out", "a.tsv"],
        ["show", "--out", "a.tsv"],
        ["show", "--limit", "0"],
        ["show", "--overwrite"],
        ["export"],
        ["show", "--filter", "label:nothing"],
        ["show", "--filter", "/(/"],
    ):
        with pytest.raises(ConfigError) as error:
            run(*arguments)
        assert error.value.exit_code == 2
    with pytest.raises(SystemExit) as stopped:
        run("burn")
    assert stopped.value.code == 2


HOSTILE = "\x1b]52;c;eA==\x07 so \x9b2J\u202e nice"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    made = tmp_path / "rows"
    made.mkdir()
    made.joinpath("train.tsv").write_text(
        f"so nice\t17\tx1\nwhat now\t7,0\tx2\n{HOSTILE}\t17,18\tx3\n", encoding="utf-8"
    )
    made.joinpath("dev.tsv").write_text("not so nice\t3\ty1\n", encoding="utf-8")
    return made


def test_show_prints_the_rows_that_a_filter_finds(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(rows), "--filter", "label:joy or what") == 0
    out, err = capsys.readouterr()
    assert [line.split(maxsplit=2)[0] for line in out.splitlines()] == ["1", "2", "3"]
    assert out.splitlines()[1].split() == ["2", "admiration", "curiosity", "what", "now"]
    assert "3 of 3 rows of train" in err
    assert not set(out) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "␛]52;c;eA==␇" in out
    assert run("show", str(rows), "--split", "dev", "--filter", "so") == 0
    out, err = capsys.readouterr()
    assert out.split() == ["1", "annoyance", "not", "so", "nice"]
    assert run("show", str(rows), "--limit", "1") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "3 of 3 rows of train, the first 1 shown" in err


def test_show_json_to_the_letter(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(rows), "--filter", "label:love or not nice", "--json", "--limit", "5") == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and out.isascii()
    assert 'in quotes, "not" is the word' in err
    assert json.loads(out) == {
        "split": "train",
        "filter": "label:love or not nice",
        "rows": 2,
        "of": 3,
        "results": [
            {"line": 2, "id": "x2", "text": "what now", "labels": ["admiration", "curiosity"]},
            {"line": 3, "id": "x3", "text": HOSTILE, "labels": ["joy", "love"]},
        ],
    }


def test_tokens_are_counted_where_a_filter_asks(
    rows: Path, minilm: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("show", str(rows), "--filter", "tokens:>4", "--json") == 0
    assert [row["line"] for row in json.loads(capsys.readouterr().out)["results"]] == [3]
    monkeypatch.setenv("GOEMO_ENCODER", str(rows / "nowhere"))
    with pytest.raises(NotFoundError, match="tokens: cannot be counted"):
        run("show", str(rows), "--filter", "tokens:>4")
    assert run("show", str(rows), "--filter", "label:joy") == 0


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
def test_export_writes_the_same_rows(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    from trainer.corpus import load_corpus

    out = tmp_path / f"out.{ending}"
    assert run("export", str(rows), "--filter", "label:joy", "--out", str(out), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "path": str(out), "split": "train", "rows": 2, "bytes": out.stat().st_size, "of": 3, "note": "",
    }  # fmt: skip
    back = load_corpus(out).splits["train"]
    assert (back.text, back.labels, back.ids) == (["so nice", HOSTILE], [(17,), (17, 18)], ["x1", "x3"])


def test_export_refuses_what_it_should(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.tsv"
    assert run("export", str(rows), "--out", str(out)) == 0
    assert capsys.readouterr().out.strip() == str(out)
    with pytest.raises(GoemoError, match="--overwrite writes over it"):
        run("export", str(rows), "--out", str(out), "--filter", "what")
    assert run("export", str(rows), "--out", str(out), "--filter", "what", "--overwrite") == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    with pytest.raises(GoemoError, match="nothing was written"):
        run("export", str(rows), "--out", str(tmp_path / "none.tsv"), "--filter", "zebra")
    with pytest.raises(GoemoError, match="ending says the format"):
        run("export", str(rows), "--out", str(tmp_path / "rows.doc"))
    with pytest.raises(GoemoError, match="read from"):
        run("export", str(rows), "--out", str(rows / "train.tsv"), "--overwrite")
    with pytest.raises(NotFoundError, match="has no test split: there are train, dev"):
        run("export", str(rows), "--split", "test", "--out", str(tmp_path / "none.tsv"))
    assert not (tmp_path / "none.tsv").exists()


def test_list(goemo_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert "sample" in capsys.readouterr().out
    assert run("list") == 0
    assert "goemo-tui data download" in capsys.readouterr().out
    folder = goemo_home / "corpora" / "goemotions"
    folder.mkdir(parents=True)
    for name in ("train", "dev"):
        (folder / f"{name}.tsv").write_text(GOOD * 12)
    assert run("list", "--json") == 0
    sample, downloaded = json.loads(capsys.readouterr().out)["corpora"]
    assert sample["name"] == "sample" and sample["origin"] == "sample"
    assert downloaded == {
        "name": "goemotions", "path": str(folder), "splits": {"train": 12, "dev": 12}, "origin": "downloaded",
    }  # fmt: skip
    assert run("list") == 0
    shown = capsys.readouterr().out
    assert "train 12" in shown and "not whole" in shown and "not here yet" not in shown
    (folder / "test.tsv").write_text(GOOD * 12)
    assert run("list") == 0
    assert "data download" not in capsys.readouterr().out


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Callable[[str, str], int]]]:
    served = tmp_path / "served"
    served.mkdir()
    contents = {"train.tsv": GOOD * 30, "dev.tsv": GOOD * 4, "test.tsv": GOOD * 3, "emotions.txt": "joy\nanger\n"}
    for name, content in contents.items():
        (served / name).write_text(content)
        monkeypatch.setitem(FILES, name, Pinned(hashlib.sha256(content.encode()).hexdigest(), len(content)))
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", lambda name, content: (served / name).write_text(content)
    server.shutdown()
    thread.join()
    server.server_close()


def test_download(
    mirror: tuple[str, Callable[[str, str], int]], goemo_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, _ = mirror
    assert run("download", "--url", url) == 0
    out, err = capsys.readouterr()
    folder = goemo_home / "corpora" / "goemotions"
    assert out.strip() == str(folder) and sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    assert all(name in err for name in FILES)
    assert run("download", "--url", url, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"path": str(folder), "files": {name: {"bytes": file.size} for name, file in FILES.items()}}


def test_download_elsewhere_and_a_wrong_file(
    mirror: tuple[str, Callable[[str, str], int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, write = mirror
    write("train.tsv", GOOD * 29 + GOOD.replace("lovely", "horrid"))
    with pytest.raises(CorpusError, match="sha256"):
        run("download", str(tmp_path / "there"), "--url", url, "--json")
    assert capsys.readouterr().out == ""
    write("train.tsv", GOOD * 30)
    assert run("download", str(tmp_path / "there"), "--url", url) == 0
    assert (tmp_path / "there" / "train.tsv").read_text() == GOOD * 30


def test_download_of_a_strange_address() -> None:
    with pytest.raises(ConfigError) as error:
        run("download", "--url", "file:///etc")
    assert error.value.exit_code == 2
