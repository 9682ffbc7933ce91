"""Rows written into files: our own reader finds the same texts, labels and ids in them, whatever the comments hold."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from goemo_tui.services import export as module
from goemo_tui.services.corpus import SplitColumns, columns_of
from goemo_tui.services.export import AlreadyThere, ExportError, export, target
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.read import read_split
from trainer.corpus.split import Split
from trainer.labels import EMOTIONS, OFFICIAL, LabelSet, from_names, read_label_file

FORMATS = ("tsv", "csv", "jsonl", "parquet")

NASTY = [
    'plain words, with a comma and a "quote" inside',
    '"all of it is quoted"',
    '"opens and never closes',
    'tab\there, "and" there\tagain',
    "\x1b]52;c;eA==\x07\x1b[2J hostile \u202e \x9b2J",
    "مرحبا يا عالم 😂 ünlü",
    "  blanks at both ends  ",
    "text",
    "carriage\rreturn\r",
    "\ufeffa mark first",
    "line\u2028separator \x0b \x85 next line",
    '""',
    "labels",
    "nan",
    "{}[],:;|",
]
BREAKS = "one line\nand another\r\nand \n\n more"


def columns_with(texts: list[str], labels: LabelSet = OFFICIAL, file: Path | None = None) -> SplitColumns:
    n = len(texts)
    ids = [f"id{i}" for i in range(n)]
    if n > 3:
        ids[1], ids[2], ids[3] = 'quoted "id"', "tab\tid", "id\r"
    kinds = [(i % len(labels),) if i % 3 else tuple(sorted({0, i % len(labels)})) for i in range(n)]
    split = Split("train", texts, kinds, ids, list(range(1, n + 1)), file=file)
    return columns_of(Corpus("own", Path("own"), labels, {"train": split}), "train")


def same(columns: SplitColumns, rows: list[int], path: Path) -> None:
    """The file holds exactly these rows, in this order."""
    names = read_label_file(path.parent / "emotions.txt") if (path.parent / "emotions.txt").exists() else None
    read = read_split(path, "train", names or from_names(EMOTIONS, "the official list"))
    assert read.problems == ()
    assert read.text == [columns.split.text[i] for i in rows]
    assert read.labels == [columns.split.labels[i] for i in rows]
    assert read.ids == [columns.split.ids[i] for i in rows]


@pytest.mark.parametrize("ending", FORMATS)
def test_the_sample_comes_back_in_the_order_shown(tmp_path: Path, ending: str) -> None:
    columns = columns_of(load_corpus("sample"), "train")
    rows = columns.sorted_by(columns.all_rows(), 1, True)[:700]
    done = export(columns, rows, tmp_path / f"rows.{ending}")
    assert (done.rows, done.size, done.note) == (700, done.path.stat().st_size, "")
    same(columns, rows.tolist(), done.path)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_written_file_opens_as_a_corpus(tmp_path: Path, ending: str) -> None:
    columns = columns_of(load_corpus("sample"), "dev")
    path = export(columns, columns.all_rows(), tmp_path / f"dev.{ending}").path
    corpus = load_corpus(path)
    assert sum(map(len, corpus.splits.values())) == len(columns)
    assert not corpus.problems


@pytest.mark.parametrize("ending", FORMATS)
def test_nasty_comments_come_back_letter_for_letter(tmp_path: Path, ending: str) -> None:
    columns = columns_with(NASTY)
    rows = list(range(len(NASTY)))
    same(columns, rows, export(columns, np.array(rows), tmp_path / f"rows.{ending}").path)
    for row in rows:  # each on the first line too, where a header is looked for
        same(columns, [row], export(columns, np.array([row]), tmp_path / f"row{row}.{ending}").path)


def test_line_breaks_are_refused_where_a_line_is_a_row_and_kept_elsewhere(tmp_path: Path) -> None:
    columns = columns_with([*NASTY, BREAKS])
    rows = columns.all_rows()
    for ending in ("tsv", "csv"):
        with pytest.raises(ExportError, match=r"line 16 .*write \.jsonl or \.parquet"):
            export(columns, rows, tmp_path / f"rows.{ending}")
    assert list(tmp_path.iterdir()) == []
    for ending in ("jsonl", "parquet"):
        same(columns, rows.tolist(), export(columns, rows, tmp_path / f"rows.{ending}").path)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    "names",
    [
        ("too hot", "cold", "very cold"),
        ("a,b", "a", "b", "c;d", "e|f"),
        ("12", "1", "0", "x"),
        ('quo"te', "'single'", "[list]", "joy"),
        tuple(sorted(EMOTIONS))[:20],
    ],
)
def test_labels_of_ones_own_come_back(tmp_path: Path, ending: str, names: tuple[str, ...]) -> None:
    columns = columns_with([f"comment {i}" for i in range(3 * len(names))], LabelSet(names))
    done = export(columns, columns.all_rows(), tmp_path / f"rows.{ending}")
    assert "emotions.txt, written beside it, names them" in done.note
    same(columns, columns.all_rows().tolist(), done.path)


def test_no_label_file_is_written_where_it_would_change_other_files(tmp_path: Path) -> None:
    tmp_path.joinpath("train.tsv").write_text("so nice\t17\tx\n", encoding="utf-8")
    columns = columns_with(["a", "b"], LabelSet(("hot", "cold")))
    done = export(columns, columns.all_rows(), tmp_path / "rows.tsv")
    assert "put the corpus's emotions.txt beside it" in done.note
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.tsv", "train.tsv"]


def test_another_label_file_in_the_folder_is_said(tmp_path: Path) -> None:
    tmp_path.joinpath("labels.txt").write_text("hot\ncold\n", encoding="utf-8")
    columns = columns_with(["a", "b"])
    assert "names other labels" in export(columns, columns.all_rows(), tmp_path / "rows.tsv").note
    own = columns_with(["a", "b"], LabelSet(("hot", "cold")))
    assert export(own, own.all_rows(), tmp_path / "own.tsv").note == ""


def test_files_are_private_and_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    columns = columns_with(["first", "second"])
    path = tmp_path / "rows.tsv"
    before = os.umask(0o000)
    try:
        export(columns, columns.all_rows(), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    with pytest.raises(AlreadyThere, match="is there already"):
        export(columns, columns.all_rows()[:1], path)
    assert path.read_text(encoding="utf-8") == text
    export(columns, columns.all_rows()[:1], path, overwrite=True)
    assert "second" not in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["rows.tsv"]


def test_the_file_that_was_read_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "train.tsv"
    source.write_text("so nice\t17\tx\n", encoding="utf-8")
    columns = columns_of(load_corpus(tmp_path), "train")
    link = tmp_path / "other.tsv"
    link.symlink_to(source)
    for path in (source, link):
        with pytest.raises(ExportError, match="these rows were read from"):
            export(columns, columns.all_rows(), path, overwrite=True)
    assert source.read_text(encoding="utf-8") == "so nice\t17\tx\n"


def test_what_goes_wrong_leaves_the_old_file_and_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_with(["first", "second"])
    path = export(columns, columns.all_rows(), tmp_path / "rows.tsv").path
    text = path.read_text(encoding="utf-8")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(ExportError, match="cannot be written: No space left"):
        export(columns, columns.all_rows()[:1], path, overwrite=True)
    monkeypatch.undo()
    assert path.read_text(encoding="utf-8") == text
    assert [p.name for p in tmp_path.iterdir()] == ["rows.tsv"]
    half = replace(columns, split=replace(columns.split, text=["broken \ud800", "second"]))
    with pytest.raises(ExportError, match="surrogate"):
        export(half, half.all_rows(), tmp_path / "half.tsv")
    assert [p.name for p in tmp_path.iterdir()] == ["rows.tsv"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "name a file"),
        ("a\0.tsv", "name a file"),
        ("rows", "the ending says the format"),
        ("rows.doc", "one of .tsv, .csv, .jsonl, .parquet"),
        ("nowhere/rows.tsv", "is no folder"),
        (".", "is a folder"),
        ("there/", "is a folder"),
        ("~nobody-of-that-name/rows.tsv", "nobody here is called ~nobody-of-that-name"),
    ],
)
def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExportError) as error:
        target(path)
    assert said in str(error.value)
