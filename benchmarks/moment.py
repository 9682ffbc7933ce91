"""Points in time that also know how long a program had waited for a core by then.

On a machine that others use, a wall clock tells as much about them as about the program. Linux counts for each thread the
time it was ready and had no core; without that time a span is about what it would be alone. It knows no screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Span:
    """Seconds by the clock, and without the waiting for a core."""

    wall: float
    alone: float


@dataclass(frozen=True)
class Moment:
    """`at`: seconds on perf_counter's clock; `waited`: seconds for which the program had waited for a core until then."""

    at: float
    waited: float = 0.0

    def __sub__(self, begin: Moment) -> Span:
        wall = self.at - begin.at
        return Span(wall, max(0.0, wall - max(0.0, self.waited - begin.waited)))


def later(first: Moment, second: Moment) -> Moment:
    """The later one of two."""
    return first if first.at >= second.at else second


def waits(pids: Iterable[int | str]) -> float:
    """Seconds for which the main threads of these processes were ready and had no core; 0 where the system counts none."""
    return sum(_waited(Path(f"/proc/{pid}/schedstat")) for pid in pids)


def _waited(file: Path) -> float:
    try:
        return int(file.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed (nearest rank); nan where there is none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def of(spans: Sequence[Span], take: Callable[[Sequence[float]], float]) -> tuple[float, float]:
    """`take` of the walls and `take` of the others."""
    return take([span.wall for span in spans]), take([span.alone for span in spans])
