"""How far a download is, how fast, and how long it will take: numbers from what the downloader tells, nothing drawn.

`told` may be called from the downloading thread while the screen reads: each number is replaced, never half written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

WINDOW = 5.0
"""Seconds that the rate looks back."""


def at_hand(sizes: Mapping[str, int], folder: Path) -> dict[str, int]:
    """Bytes of each file that are in `folder`: of the whole file, else of the part that came before."""
    found = {}
    for name, size in sizes.items():
        for path in (folder / name, folder / f"{name}.part"):
            try:
                found[name] = min(size, path.stat().st_size)
                break
            except OSError:
                continue
    return found


@dataclass
class Transfer:
    """`sizes`: bytes of each file. `done`: bytes of each that are there, at first those of an earlier download."""

    sizes: Mapping[str, int]
    done: dict[str, int]
    began: float
    """When it started, on the clock that `told` is told with."""
    file: str = ""
    before: int = field(init=False)
    """Bytes that an earlier download left."""
    last: float = field(init=False)
    """When the last byte came."""
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))

    def __post_init__(self) -> None:
        self.before = self.so_far
        self.last = self.began
        self._marks.append((self.began, self.so_far))

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())

    @property
    def so_far(self) -> int:
        """Bytes that are there."""
        return sum(self.done.get(name, 0) for name in self.sizes)

    def told(self, file: str, done: int, now: float) -> None:
        """The downloader has `done` bytes of `file`."""
        self.file = file
        if done != self.done.get(file):
            self.done = {**self.done, file: done}
            self.last = now
            self._marks.append((now, self.so_far))

    def rate(self, now: float) -> float | None:
        """Bytes a second over the last seconds; None before there is anything to tell."""
        marks = [mark for mark in list(self._marks) if now - mark[0] <= WINDOW]
        if len(marks) < 2 or marks[-1][0] <= marks[0][0]:
            return None
        return max(0.0, (marks[-1][1] - marks[0][1]) / (now - marks[0][0]))

    def seconds_left(self, now: float) -> float | None:
        """Seconds until all is there at the present rate; None where that cannot be told."""
        rate = self.rate(now)
        return (self.total - self.so_far) / rate if rate else None

    def silent(self, now: float) -> float:
        """Seconds since the last byte."""
        return now - self.last
