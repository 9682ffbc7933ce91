"""The lines of a stream, and the records that they make: TSV, CSV. Nothing here knows what a column means."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, takewhile
from typing import IO, Any

from trainer.corpus.fields import split_fields
from trainer.errors import CorpusError

FIELD = 1 << 22
"""Characters of a field, a hundred times what a spreadsheet's cell holds. A longer one is a quote that was never closed."""

AHEAD = 200
"""Lines of a TSV file that are looked at for the end of a quote."""

LONGEST = 1 << 24
"""Bytes of a line (16 MB). A longer one is no row of a table, and as a whole it would fill the memory: its beginning is kept."""

BEGINNING = 1 << 10

NOT_UTF8 = "not UTF-8 text"
TOO_LONG = f"a line of more than {LONGEST:,} bytes: only its beginning is kept"

Line = tuple[str, str]
"""A line without its line feed, and what is wrong with it: nothing, NOT_UTF8 or TOO_LONG."""

Record = tuple[list[str], str]
"""The fields of a row, and what is wrong with its lines."""


def lines_of(stream: IO[bytes], where: str) -> Iterator[Line]:
    """The lines of a stream. Raises CorpusError for one that is UTF-16, that has no line feed, or that cannot be read on."""
    number = 0
    while raw := _read(stream, where, number):
        if not number:
            if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise CorpusError(f"{where} is UTF-16, not UTF-8: save it again as UTF-8")
            raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.endswith(b"\n") and b"\r" in raw.rstrip():
                raise CorpusError(
                    f"{where}: the lines end in carriage returns alone: save the file again with line feeds"
                )
        number += 1
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            while (rest := _read(stream, where, number)) and not rest.endswith(b"\n"):
                pass
            # without quotes: one that is open here would take the rows behind it into its field
            yield raw[:BEGINNING].decode("utf-8", "ignore").replace('"', ""), TOO_LONG
            continue
        raw = raw.removesuffix(b"\n")
        try:
            yield raw.decode(), ""
        except UnicodeDecodeError:
            yield raw.decode("utf-8", "replace"), NOT_UTF8


def _read(stream: IO[bytes], where: str, number: int) -> bytes:
    """A line, or as much of a long one. Raises CorpusError."""
    try:
        return stream.readline(LONGEST + 1)
    except OSError as error:
        raise CorpusError(f"{where} cannot be read on behind line {number:,}: {error.strerror or error}") from None


def bare(lines: Iterator[Line]) -> Iterator[Line]:
    """Without the carriage returns that Windows ends lines with."""
    return ((line.removesuffix("\r"), wrong) for line, wrong in lines)


def comma_records(lines: Iterator[Line], delimiter: str = ",") -> Iterator[Record]:
    """Rows of CSV, also with another `delimiter`, with line breaks inside quotes. Where quotes do not close as they should, a line
    is a row and the quote is text, as in a corpus: no stray quote swallows the rows behind it."""
    csv.field_size_limit(FIELD)
    feed = _Feed(lines)
    while True:
        feed.taken.clear()
        try:
            fields = next(csv.reader(feed, delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error:
            fields = split_fields(feed.only_first().removesuffix("\r"), delimiter)
        yield fields, next((wrong for _, wrong in feed.taken if wrong), "")


class _Feed:
    """Lines as a reader of CSV wants them. `taken` are those of the row at hand, which can be given back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        self.taken.append(self._back.popleft() if self._back else next(self._lines))
        return f"{self.taken[-1][0]}\n"

    def only_first(self) -> str:
        """The first line of the row; the others come again."""
        self._back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        return self.taken[0][0]


def tab_records(lines: Iterator[Line]) -> Iterator[Record]:
    """Rows of TSV. A line is a row: in comments quotes stand anywhere. Only where a line has a quote that is open, and it has too
    few fields or the next line has, those behind it are looked at for what closes it."""
    held: deque[Line] = deque()
    count = 0
    while True:
        line, wrong = held.popleft() if held else next(lines, (None, ""))
        if line is None:
            return
        bare_line = line.removesuffix("\r")
        fields = split_fields(bare_line, "\t")
        open_at_end = count > 1 and fields[-1].startswith('"') and bare_line.rpartition("\t")[2] == fields[-1]
        if count and (len(fields) != count or open_at_end):
            plain = bare_line.split("\t")
            if len(fields) != count and len(plain) == count:  # two stray quotes looked like one quoted field
                fields = plain
            elif len(fields) <= count and (line.startswith('"') or '\t"' in line):
                held.extend(islice(lines, AHEAD - len(held)))
                # a line with all of its fields is a row, and not the rest of a last field
                behind = held if len(fields) < count else list(takewhile(partial(_shorter, count), held))
                joined, more = _closed(line, behind, count)
                if more:
                    fields = joined
                    for _ in range(more):
                        wrong = held.popleft()[1] or wrong
        count = count or len(fields)
        yield fields, wrong


def _shorter(count: int, line: Line) -> bool:
    return line[0].count("\t") < count - 1


def _closed(line: str, held: Sequence[Line], count: int) -> tuple[list[str], int]:
    """The fields of `line` and as many lines behind it as make `count` of them; none where they do not."""
    for more, (ahead, _) in enumerate(held, 1):
        line += f"\n{ahead}"
        if '"' in ahead:
            fields = split_fields(line.removesuffix("\r"), "\t")
            over = ['"{}"'.format(f.replace('"', '""')) for f in fields if "\n" in f]
            if len(fields) == count and all(quoted in line for quoted in over):
                return fields, more
        if len(line) > FIELD:
            break
    return [], 0


def without_last_blank(rows: Iterator[Any], blank: Callable[[Any], bool]) -> Iterator[Any]:
    """A blank line at the very end is no row."""
    held: list[Any] = []
    for row in rows:
        yield from held
        held = [row] if blank(row) else []
        if not held:
            yield row
