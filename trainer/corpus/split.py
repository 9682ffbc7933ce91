"""A split: the usable rows of one file in file order, and the rows of it that were skipped.

Rows may stand in lists or, where there are millions, in columns (`Texts`, `LabelRows`): both are read as sequences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """A row that was skipped. `line` counts from 1 (rows, in Parquet); 0 speaks of the whole file."""

    file: str
    line: int
    what: str


@dataclass(frozen=True)
class Split:
    """The usable rows of one split, in file order: `text[i]`, `labels[i]` (ids of the corpus's label set, sorted, at
    least one), `ids[i]` and `lines[i]` (the line it stands on, from 1) belong together.

    `sha256` is that of the file's bytes, or of the rows where the split was cut out of a file. `refused` says why it
    may not be trained on. `numbered`: labels were given as numbers, so that the order of the label file matters.
    """

    name: str
    text: Sequence[str]
    labels: Sequence[tuple[int, ...]]
    ids: Sequence[str]
    lines: Sequence[int]
    problems: tuple[Problem, ...] = ()
    file: Path | None = None
    sha256: str = ""
    refused: str | None = None
    numbered: bool = False

    def __len__(self) -> int:
        return len(self.text)

    def label_counts(self, labels: int) -> list[int]:
        """In how many rows each of so many labels occurs."""
        counted = getattr(self.labels, "counts", None)
        if counted is not None:
            return list(counted(labels))
        counts = [0] * labels
        for row in self.labels:
            for i in row:
                counts[i] += 1
        return counts

    def take(self, name: str, rows: Iterable[int]) -> Split:
        """The rows with these indexes as a split of their own, without the file's problems; `sha256` is theirs."""
        chosen = list(rows)
        text, labels = chosen_of(self.text, chosen), chosen_of(self.labels, chosen)
        ids, lines = chosen_of(self.ids, chosen), [self.lines[i] for i in chosen]
        return Split(name, text, labels, ids, lines, (), self.file, rows_sha256(text, labels, ids), None, self.numbered)


def chosen_of(values: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    """`values` at these places, in their order; columns stay columns."""
    take = getattr(values, "take", None)
    return take(rows) if take is not None else [values[i] for i in rows]


def rows_sha256(text: Sequence[str], labels: Sequence[tuple[int, ...]], ids: Sequence[str]) -> str:
    """A fingerprint of rows and their order, in hex. NUL separates: no row holds one."""
    digest, rows = hashlib.sha256(), zip(text, labels, ids, strict=True)
    while some := list(islice(rows, 10_000)):
        digest.update("".join(f"{i}\0{','.join(map(str, ls))}\0{t}\0" for t, ls, i in some).encode())
    return digest.hexdigest()
