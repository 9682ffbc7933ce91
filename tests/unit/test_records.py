"""Lines that are none: without an end, without line feeds, or from a disk that gives no more. Each is told, and no row behind is lost."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.unit.test_source import rows, source
from trainer.errors import CorpusError, NotFoundError
from trainer.tables.places import files_of
from trainer.tables.records import TOO_LONG, lines_of


@pytest.mark.parametrize(
    ("name", "line"),
    [("a.txt", "{}"), ("a.tsv", "{}\t3\tid"), ("a.csv", "{},3"), ("a.jsonl", '{{"text": "{}"}}')],
)
def test_a_line_that_is_too_long_is_one_bad_row_and_the_next_is_read(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.tables.records.LONGEST", 2_000)
    head = "text\tn\tid\n" if name.endswith("tsv") else "text,n\n" if name.endswith("csv") else ""
    quote = "" if name.endswith("jsonl") else '"'  # one that is open in the long line, and one behind it
    texts = ["first", quote + "long " * 900, "x" * 1_900, f"last{quote}"]
    lines = [line.format(text) for text in texts]
    found = rows(source(tmp_path, name, head + "\n".join(lines) + "\n"))
    assert [text for text, error in found if not error] == [texts[0], *texts[2:]]
    assert [error for _, error in found if error] == [TOO_LONG]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.jsonl"])
def test_lines_that_end_in_carriage_returns_alone_are_no_lines(name: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="carriage returns alone: save the file again"):
        rows(source(tmp_path, name, "text,n\rso glad,1\rso sad,2\r"))
    assert [text for text, _ in rows(source(tmp_path, "b.txt", "so\rglad\nso sad"))] == ["so\rglad", "so sad"]


def test_a_disk_that_gives_no_more_is_named_with_the_place() -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readline(size)

    lines = lines_of(Broken(b"one\ntwo\n"), "here.txt")
    assert next(lines) == ("one", "")
    with pytest.raises(CorpusError, match=r"here\.txt cannot be read on behind line 1: Input/output error"):
        next(lines)


def test_a_name_that_no_file_can_have_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="too long"):
        files_of(["x" * 5_000], None)
