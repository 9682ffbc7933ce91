"""What is wrong with a corpus as entries, and the lines of real files they are about."""

from __future__ import annotations

from pathlib import Path

from goemo_tui.services.problem_lines import BEGINNING, Entry, beginning, entries_of, matching
from trainer.corpus import load_corpus

GOOD = "that was lovely\t17\tx\n"


def test_refusals_come_first_then_warnings_then_rows(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text(GOOD * 20 + "bad\n")
    (tmp_path / "dev.tsv").write_text("bad\n" * 9 + GOOD)
    (tmp_path / "valid.tsv").write_text(GOOD)
    found = entries_of(load_corpus(tmp_path))
    assert [entry.kind for entry in found] == ["refused", "warning", *["problem"] * 10]
    assert "dev.tsv is refused" in found[0].what
    assert (found[2].place, found[2].line) == ("train.tsv:21", 21)
    assert found[2].text == f"{tmp_path / 'train.tsv'}:21: {found[2].what}"
    assert found[1].text == found[1].what


def test_every_word_must_be_there() -> None:
    texts = ["a/train.tsv:3: empty text", "a/dev.tsv:3: label 'nine'"]
    assert matching(texts, "") == [0, 1]
    assert matching(texts, " TSV:3 ") == [0, 1]
    assert matching(texts, "dev nine") == [1]
    assert matching(texts, "dev empty") == []


def test_the_line_as_the_file_has_it(tmp_path: Path) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes(b"one\r\n\xff two\n\n" + b"x" * 1_000 + b"\nlast")

    def shown(line: int, name: str = "train.tsv") -> str:
        return beginning(Entry("problem", str(tmp_path / name), line, "w"))

    assert [shown(line) for line in (1, 2, 3, 5)] == ["one", "\\xff two", "(an empty line)", "last"]
    assert shown(4) == "x" * BEGINNING + "…"
    assert "has no line 6 any more" in shown(6)
    assert "cannot be read any more" in shown(1, "gone.tsv")
    assert "Parquet" in shown(1, "train.parquet")
    assert "not of a line" in shown(0)
    assert "not of a line" in beginning(Entry("warning", "", 0, "w"))
