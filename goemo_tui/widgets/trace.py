"""The points of one curve, thinned while they arrive, so that a long run costs no more to draw than a short one.

Plain numbers: it knows neither widget nor screen. What it keeps of a bucket is its lowest, its highest and its last
smoothed value, so no spike is thinned away.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

LIMIT = 2048
"""Buckets kept at most; beyond, two neighbours become one."""


class Trace:
    """A growing curve. `smoothing` in 0..1 is the share that each new point takes from those before it."""

    def __init__(self, smoothing: float = 0.0, limit: int = LIMIT) -> None:
        self.smoothing = smoothing
        self.limit = limit
        self.version = 0
        """Another number after each change: what was drawn of an equal one need not be drawn again."""
        self.generation = 0
        """Another number where points that were there are not as they were: all but the newest else stay the same."""
        self.clear()

    def clear(self) -> None:
        """Forget every point."""
        self.x: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.smooth: list[float] = []
        self.last: float | None = None
        self._seen = 0
        self._end: tuple[float, float] | None = None
        self._per = 1
        self._in_bucket = 0
        self._average = 0.0
        self._weight = 1.0
        self.version += 1
        self.generation += 1

    def __len__(self) -> int:
        return len(self.x)

    def feed(self, xs: Sequence[float], ys: Sequence[float | None]) -> bool:
        """Take the whole series as it now is; only what is new is worked on. True where anything changed.

        A series that does not continue the one seen so far (a run resumed from an earlier step) starts afresh.
        Values that are missing or not finite are left out.
        """
        count = len(xs)
        seen = self._seen
        if seen > count or (seen and self._end != _point(xs[seen - 1], ys[seen - 1])):
            self.clear()
            seen = 0
        if seen == count:
            return False
        for i in range(seen, count):
            y = ys[i]
            if y is not None and math.isfinite(y):
                self._add(float(xs[i]), float(y))
        self._seen, self._end = count, _point(xs[count - 1], ys[count - 1])
        self.version += 1
        return True

    def nearest(self, x: float) -> int | None:
        """The number of the point that lies nearest to `x`; None without a point."""
        if not self.x:
            return None
        right = bisect_left(self.x, x)
        around = [i for i in (right - 1, right) if 0 <= i < len(self.x)]
        return min(around, key=lambda i: abs(self.x[i] - x))

    def _add(self, x: float, y: float) -> None:
        self.last = y
        self._average = self.smoothing * self._average + (1 - self.smoothing) * y
        self._weight *= self.smoothing
        smooth = self._average / (1 - self._weight)  # as Adam does: the first points are not pulled towards zero
        if self.x and self._in_bucket < self._per:
            self.low[-1] = min(self.low[-1], y)
            self.high[-1] = max(self.high[-1], y)
            self.x[-1], self.smooth[-1] = x, smooth
            self._in_bucket += 1
            return
        if len(self.x) >= self.limit:
            self._halve()
        self.x.append(x)
        self.low.append(y)
        self.high.append(y)
        self.smooth.append(smooth)
        self._in_bucket = 1

    def _halve(self) -> None:
        pairs = range(0, len(self.x) - 1, 2)
        odd = [-1] if len(self.x) % 2 else []
        self.low = [min(self.low[i], self.low[i + 1]) for i in pairs] + [self.low[i] for i in odd]
        self.high = [max(self.high[i], self.high[i + 1]) for i in pairs] + [self.high[i] for i in odd]
        self.smooth = [self.smooth[i + 1] for i in pairs] + [self.smooth[i] for i in odd]
        self.x = [self.x[i + 1] for i in pairs] + [self.x[i] for i in odd]
        self._per *= 2
        self.generation += 1


def _point(x: float, y: float | None) -> tuple[float, float]:
    """A point that equals itself, also where its value is NaN or missing."""
    return (float(x), float(y) if y is not None and math.isfinite(y) else -math.inf)
