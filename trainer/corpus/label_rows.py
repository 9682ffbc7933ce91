"""The labels of a large corpus as two flat arrays: what a tuple for each of five million rows would cost is saved.

Read like a list of tuples; who counts takes `flat` and `starts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, overload

import numpy as np
import numpy.typing as npt

PAGE = 4_096
"""Rows made at a time while all are gone through."""


class LabelRows(Sequence[tuple[int, ...]]):
    """`flat[starts[i]:starts[i + 1]]` are the label ids of row i. Never changed.

    `flat`: int32 (labels of all rows); `starts`: int64 (rows + 1), from any number on.
    """

    def __init__(self, flat: npt.NDArray[np.int32], starts: npt.NDArray[np.int64]) -> None:
        self._flat, self.starts = flat, starts

    @classmethod
    def of(cls, rows: Sequence[tuple[int, ...]]) -> LabelRows:
        """Any rows as columns."""
        if isinstance(rows, cls):
            return rows
        numbers = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers)])
        return cls(np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(starts[-1])), starts)

    @classmethod
    def joined(cls, parts: Sequence[LabelRows]) -> LabelRows:
        """The rows of several, one after the other."""
        ends, behind = [np.zeros(1, np.int64)], 0
        for part in parts:
            ends.append(part.starts[1:] + (behind - part.starts[0]))
            behind = int(ends[-1][-1]) if len(part) else behind
        flat = [part.flat for part in parts]
        return cls(np.concatenate(flat) if flat else np.zeros(0, np.int32), np.concatenate(ends))

    @property
    def flat(self) -> npt.NDArray[np.int32]:
        """Label ids of these rows, one after the other."""
        return self._flat[self.starts[0] : self.starts[-1]]

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """(rows): how many labels a row has."""
        return np.diff(self.starts)

    def counts(self, labels: int) -> list[int]:
        """In how many rows each of so many labels occurs."""
        return [int(count) for count in np.bincount(self.flat, minlength=labels)]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __repr__(self) -> str:
        return f"<labels of {len(self):,} rows>"

    @overload
    def __getitem__(self, at: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, ...]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, ...] | Sequence[tuple[int, ...]]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step == 1:
                return LabelRows(self._flat, self.starts[start : max(start, stop) + 1])
            return [self[i] for i in range(start, stop, step)]
        row = int(at) + len(self) if at < 0 else int(at)
        if not 0 <= row < len(self):
            raise IndexError(f"row {at} of {len(self)}")
        return tuple(self._flat[self.starts[row] : self.starts[row + 1]].tolist())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for first in range(0, len(self), PAGE):
            starts = self.starts[first : first + PAGE + 1]
            flat = self._flat[starts[0] : starts[-1]].tolist()
            ends = (starts - starts[0]).tolist()
            yield from (tuple(flat[a:b]) for a, b in pairwise(ends))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> LabelRows:
        """The rows at these places, in their order."""
        places = np.asarray(rows, dtype=np.int64)
        return LabelRows(*gathered(self._flat, self.starts[:-1][places], self.numbers[places]))


def gathered(
    flat: npt.NDArray[Any], begins: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Stretches of `flat` (where each begins and how long it is) one after the other, and where each starts there."""
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers)])
    places = np.repeat(begins - starts[:-1], numbers) + np.arange(int(starts[-1]), dtype=np.int64)
    return flat[places], starts
