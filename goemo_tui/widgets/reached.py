"""Which dots of each column a curve reaches, worked out point by point as the points come.

A long run has thousands of points and an update brings a few: what those before them reached is kept. Plain numbers; no
widget is known here.
"""

from __future__ import annotations

from goemo_tui.widgets.scale import Axes
from goemo_tui.widgets.trace import Trace

Columns = dict[int, tuple[int, int, int]]
"""Column of dots -> its highest dot, its lowest and that of its last point, counted from the top."""


class Reached:
    """Of `trace` on `axes` of `wide` x `high` dots; with `band` from lowest to highest value, else the smoothed ones."""

    def __init__(self, trace: Trace, axes: Axes, wide: int, high: int, band: bool = False) -> None:
        self.trace, self.axes, self.wide, self.high, self.band = trace, axes, wide, high, band
        self._generation = trace.generation
        self._done: Columns = {}
        self._taken = 0

    def columns(self) -> Columns:
        """As the curve now is."""
        trace = self.trace
        if trace.generation != self._generation:
            self._generation, self._done, self._taken = trace.generation, {}, 0
        last = len(trace) - 1  # the newest bucket may still grow: it is never counted among those that are done
        for i in range(self._taken, last):
            self._add(self._done, i)
        self._taken = max(self._taken, last)
        found = dict(self._done)
        if last >= 0:
            self._add(found, last)
        return found

    def _add(self, found: Columns, i: int) -> None:
        trace, axes = self.trace, self.axes
        x = trace.x[i]
        if not axes.x_low <= x <= axes.x_high:
            return
        column = axes.across(x, self.wide)
        bottom = axes.down(trace.low[i] if self.band else trace.smooth[i], self.high)
        top = axes.down(trace.high[i], self.high) if self.band else bottom
        known = found.get(column)
        found[column] = (top, bottom, bottom) if known is None else (min(top, known[0]), max(bottom, known[1]), bottom)
