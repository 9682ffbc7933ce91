"""The lines of a stream, and the records that they make: TSV, CSV. Nothing here knows what a column means."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import IO, Any

from trainer.corpus.fields import split_fields
from trainer.errors import CorpusError

FIELD = 1 << 20
"""Characters of a field. A longer one is a quote that was never closed."""

AHEAD = 200
"""Lines of a TSV file that are looked at for the end of a quote."""

Record = tuple[list[str] | str, bool]
"""The fields of a line, or what is wrong with it; and whether it was not UTF-8."""


class Lines:
    """The lines of a stream as text, with their ends."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first = True
        self._broken = False

    def broken(self) -> bool:
        """Whether one of those that were read since the last call was not UTF-8."""
        found, self._broken = self._broken, False
        return found

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            if self._first:
                if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise CorpusError("the text is UTF-16, not UTF-8: save it again as UTF-8")
                self._first, raw = False, raw.removeprefix(b"\xef\xbb\xbf")
            try:
                line = raw.decode()
            except UnicodeDecodeError:
                line, self._broken = raw.decode("utf-8", "replace"), True
            yield line

    def bare(self) -> Iterator[str]:
        """Without their ends."""
        for line in self:
            yield line.removesuffix("\n").removesuffix("\r")


class Unpacked(io.RawIOBase):
    """A stream that is unpacked as it is read; damage in it is told as ours."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream, self._where = stream, where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._stream.read(len(buffer))
        except (OSError, EOFError, ValueError) as error:
            raise CorpusError(f"{self._where} cannot be unpacked: {error}") from None
        buffer[: len(found)] = found
        return len(found)


def comma_records(lines: Lines) -> Iterator[Record]:
    reader = csv.reader(iter(lines))
    while True:
        try:
            fields: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fields = f"not CSV: {error}"
        yield fields, lines.broken()


def tab_records(lines: Lines) -> Iterator[Record]:
    """A line is a row: in comments quotes stand anywhere. Only where a line has too few fields and a quote that is open,
    the next ones are looked at for what closes it."""
    coming = ((line, lines.broken()) for line in lines.bare())
    held: deque[tuple[str, bool]] = deque()
    count = 0
    while True:
        line, broken = held.popleft() if held else next(coming, (None, False))
        if line is None:
            return
        fields = split_fields(line, "\t")
        if count and len(fields) != count:
            plain = line.split("\t")
            if len(plain) == count:  # two stray quotes looked like one quoted field
                fields = plain
            elif len(fields) < count and (line.startswith('"') or '\t"' in line):
                held.extend(islice(coming, AHEAD - len(held)))
                joined, more = _closed(line, held, count)
                if more:
                    fields = joined
                    for _ in range(more):
                        broken |= held.popleft()[1]
        count = count or len(fields)
        yield fields, broken


def _closed(line: str, held: Sequence[tuple[str, bool]], count: int) -> tuple[list[str], int]:
    """The fields of `line` and as many lines behind it as make `count` of them; none where they do not."""
    for more, (ahead, _) in enumerate(held, 1):
        line += f"\n{ahead}"
        if '"' in ahead:
            fields = split_fields(line, "\t")
            broken = ['"{}"'.format(f.replace('"', '""')) for f in fields if "\n" in f]
            if len(fields) == count and all(quoted in line for quoted in broken):
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
