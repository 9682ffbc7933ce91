"""Whether a corpus's files are as they were read: told by size and time, for every file that was read and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from goemo_tui.services.corpus_loader import open_corpus
from goemo_tui.services.freshness import difference, look
from trainer.corpus import Corpus, load_corpus


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("train", "dev"):
        folder.joinpath(f"{name}.tsv").write_text("I love it\t0\ta\n" * 3, "utf-8")
    folder.joinpath("emotions.txt").write_text("good\nbad\n", "utf-8")
    folder.joinpath("spare.csv").write_text("text,labels\n", "utf-8")
    return folder


def read(path: Path) -> tuple[Corpus, dict[Path, tuple[int, int]]]:
    opened = open_corpus(str(path), "minilm")
    return opened.corpus, dict(opened.files)


def later(file: Path) -> None:
    """The same bytes, written a second later."""
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def test_nothing_changed(folder: Path) -> None:
    corpus, files = read(folder)
    assert difference(corpus, files) == ""


@pytest.mark.parametrize("name", ["train.tsv", "dev.tsv", "emotions.txt"])
def test_each_file_that_was_read_is_looked_at(folder: Path, name: str) -> None:
    corpus, files = read(folder)
    later(folder / name)
    assert difference(corpus, files) == f"{name} was changed"
    folder.joinpath(name).unlink()
    assert difference(corpus, files) == f"{name} is gone"


def test_a_file_that_was_not_read_is_no_matter(folder: Path) -> None:
    corpus, files = read(folder)
    later(folder / "spare.csv")
    folder.joinpath("notes.md").write_text("x", "utf-8")
    assert difference(corpus, files) == ""


def test_a_change_during_the_reading_counts(folder: Path) -> None:
    files = look(folder)
    folder.joinpath("train.tsv").write_text("I love it\t0\ta\n" * 4, "utf-8")
    assert difference(load_corpus(folder), files) == "train.tsv was changed"


def test_one_file_a_relative_path_and_a_corpus_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, files = read(folder / "train.tsv")
    later(folder / "dev.tsv")
    assert difference(corpus, files) == ""
    monkeypatch.chdir(folder.parent)
    corpus, files = read(Path("mine"))
    assert difference(corpus, files) == ""
    later(folder / "train.tsv")
    assert difference(corpus, files) == "train.tsv was changed"
    opened = open_corpus("sample", "minilm")
    assert opened.files and difference(opened.corpus, opened.files) == ""


@pytest.mark.parametrize("path", ["", "~nobody-is-called-so/x", "a\0b", "/nowhere/at/all"])
def test_what_cannot_be_looked_at_is_left_out(path: str) -> None:
    assert look(path) == {} or path == ""
