"""Points in time that also know how long a program had waited for a core by then.

On a machine that others use, a wall clock tells as much about them as about the program. Linux counts for each thread the
time it was ready and had no core; without that time a span is about what it would be alone. It knows no screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Span:
    """Seconds by the clock, and without the waiting for a core."""

    wall: float
    alone: float


@dataclass(frozen=True)
class Moment:
    """`at`: seconds on perf_counter's clock. `waited`: seconds for which each process had waited for a core until then.

    `lag`: seconds between what is meant and whoever measured having a core to see it.
    """

    at: float
    waited: Mapping[int, float] = field(default_factory=dict)
    lag: float = 0.0

    def __sub__(self, begin: Moment) -> Span:
        """What one process waited counts, not the sum: they wait beside each other as well as one after the other."""
        wall = self.at - begin.at
        waited = max((seconds - begin.waited.get(pid, 0.0) for pid, seconds in self.waited.items()), default=0.0)
        return Span(wall, max(0.0, wall - max(0.0, waited) - self.lag))


def later(first: Moment, second: Moment) -> Moment:
    """The later one of two."""
    return first if first.at >= second.at else second


def waits(pid: int | str) -> float:
    """Seconds for which a process's main thread was ready and had no core; 0 where the system does not count them."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed (nearest rank); nan where there is none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def of(spans: Sequence[Span], take: Callable[[Sequence[float]], float]) -> tuple[float, float]:
    """`take` of the walls and `take` of the others."""
    return take([span.wall for span in spans]), take([span.alone for span in spans])
