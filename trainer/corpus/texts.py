"""Strings of a large corpus as Arrow columns: five million comments take their bytes, not five million objects.

Read like a list of strings; who works on whole columns takes `chunks`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, overload

import numpy as np

PAGE = 4_096
"""Strings made at a time while all are gone through."""


class Texts(Sequence[str]):
    """The strings of Arrow string arrays (without nulls), one array after the other. Never changed."""

    def __init__(self, chunks: Sequence[Any]) -> None:
        self.chunks = tuple(chunk for chunk in chunks if len(chunk))
        self._ends = list(accumulate(map(len, self.chunks)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __repr__(self) -> str:
        return f"<{len(self):,} texts>"

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._between(start, stop) if step == 1 else [self[i] for i in range(start, stop, step)]
        row = int(at) + len(self) if at < 0 else int(at)
        if not 0 <= row < len(self):
            raise IndexError(f"row {at} of {len(self)}")
        chunk = bisect_right(self._ends, row)
        return str(self.chunks[chunk][row - self._start(chunk)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self.chunks:
            for start in range(0, len(chunk), PAGE):
                yield from chunk.slice(start, PAGE).to_pylist()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: Sequence[int]) -> Sequence[str]:
        """The strings at these places; where they ascend they stay columns."""
        places = np.asarray(rows, dtype=np.int64)
        if not len(places) or (np.diff(places) < 0).any() or places[0] < 0:
            return [self[i] for i in rows]
        cuts = np.searchsorted(places, [0, *self._ends])
        if cuts[-1] != len(places):
            raise IndexError(f"row {rows[-1]} of {len(self)}")
        parts = [places[a:b] - self._start(n) for n, (a, b) in enumerate(pairwise(cuts))]
        import pyarrow as pa

        return Texts([c.take(pa.array(part)) for c, part in zip(self.chunks, parts, strict=True) if len(part)])

    def _start(self, chunk: int) -> int:
        return self._ends[chunk - 1] if chunk else 0

    def _between(self, start: int, stop: int) -> Texts:
        found = []
        for number, chunk in enumerate(self.chunks):
            low = max(0, start - self._start(number))
            high = min(len(chunk), stop - self._start(number))
            if low < high:
                found.append(chunk.slice(low, high - low))
        return Texts(found)
