"""`goemo-tui data stats` and `data similar`: documents, exit codes, and nothing hostile on the terminal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.commands import data
from trainer.errors import ConfigError, NotFoundError

TRAIN = [
    ("I love the sea", "17,18", "a1"), ("so sad", "25", "a2"), ("I love the sea", "18", "a3"), ("one\x1b[2J two", "3", "a4"),
]  # fmt: skip
DEV = [("so sad", "25", "b1"), ("I love you", "18", "b2")]


def run(*arguments: str) -> int:
    top = argparse.ArgumentParser()
    data.add(top.add_subparsers())
    options = top.parse_args(["data", *arguments])
    code: int = options.run(options)
    return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    for name, rows in (("train", TRAIN), ("dev", DEV)):
        (made / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    return made


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(*arguments, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_figures_of_every_split(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "stats", str(folder))
    assert list(found["splits"]) == ["train", "dev"]
    train = found["splits"]["train"]
    assert (train["rows"], train["several_labels"]) == (4, 1)
    assert {name: n for name, n in train["labels"].items() if n} == {"annoyance": 1, "joy": 1, "love": 2, "sadness": 1}
    assert train["groups"]["ekman"] == {
        "anger": 1, "disgust": 0, "fear": 0, "joy": 2, "sadness": 1, "surprise": 0, "neutral": 0,
    }  # fmt: skip
    assert train["groups"]["sentiment"] == {"positive": 2, "negative": 2, "ambiguous": 0, "neutral": 0}
    assert train["pairs"] == [{"labels": ["joy", "love"], "rows": 1, "lift": 2.0}]
    assert train["imbalance"]["most"] == "love" and "grief" in train["imbalance"]["absent"]
    assert train["lengths"]["unit"] == "tokens" and train["lengths"]["longest"] >= 6
    assert train["cut"] == {"max_length": 64, "comments": 0, "tokens": 0, "of_tokens": train["lengths"]["total"]}
    assert [(g["text"], g["leak"], g["labels_that_differ"]) for g in found["duplicates"]] == [
        ("I love the sea", False, ["joy"]), ("so sad", True, []),
    ]  # fmt: skip
    assert found["duplicates"][1]["rows"] == [
        {"split": "train", "line": 2, "labels": ["sadness"]}, {"split": "dev", "line": 1, "labels": ["sadness"]},
    ]  # fmt: skip


def test_one_split_and_the_cut_of_the_setting(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEMO_MAX_LENGTH", "5")
    found = document(capsys, "stats", str(folder), "--split", "dev")
    assert list(found["splits"]) == ["dev"]
    assert [group["text"] for group in found["duplicates"]] == ["so sad"]
    train = document(capsys, "stats", str(folder), "--split", "train")["splits"]["train"]
    assert train["cut"]["comments"] == 3 and train["cut"]["tokens"] >= 3


def test_without_a_tokenizer_lengths_are_words_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEMO_ENCODER", "no-such-encoder")
    assert run("stats", str(folder), "--json") == 0
    out, err = capsys.readouterr()
    train = json.loads(out)["splits"]["train"]
    assert train["lengths"]["unit"] == "words" and train["cut"] is None
    assert "lengths are in words" in err


def test_for_people_and_nothing_hostile(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "emotions.txt").write_text("\n".join(f"label\x1b[31m{i}" for i in range(28)), "utf-8")
    assert run("stats", str(folder)) == 0
    out = capsys.readouterr().out
    assert "train: 4 comments, 1 with several labels" in out
    assert "by ekman" not in out  # labels of one's own have no such groups
    assert "2 texts stand on several rows: 1 with different labels, 1 in several splits" in out
    assert run("similar", str(folder), "one two") == 0
    out += capsys.readouterr().out
    assert "one␛[2J two" in out and "\x1b" not in out


def test_similar_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "similar", str(folder), "I love the sea", "--top", "3")
    assert found["split"] == "train"
    assert [(r["line"], r["id"], r["labels"], r["same_text"]) for r in found["results"]] == [
        (1, "a1", ["joy", "love"], True), (3, "a3", ["love"], True),
    ]  # fmt: skip
    assert document(capsys, "similar", str(folder), "love you", "--split", "dev")["results"][0]["line"] == 2
    assert run("similar", str(folder), "zebra") == 0
    out, err = capsys.readouterr()
    assert out == "" and "no comment shares a word" in err
    assert run("similar", str(folder), "so sad now") == 0
    assert capsys.readouterr().out.split()[1:] == ["2", "sadness", "so", "sad"]


def test_usage(folder: Path) -> None:
    for arguments in (
        ["similar", str(folder)],
        ["similar", str(folder), "x", "--top", "0"],
        ["stats", "a", "b"],
        ["check", "a", "b"],
    ):
        with pytest.raises(ConfigError):
            run(*arguments)
    for arguments in (["stats", str(folder), "--split", "test"], ["similar", str(folder / "gone"), "x"]):
        with pytest.raises(NotFoundError):
            run(*arguments)
    (folder / "train.tsv").write_text("bad\n")
    (folder / "dev.tsv").write_text("bad\n")
    with pytest.raises(NotFoundError, match="no usable row"):
        run("stats", str(folder))
