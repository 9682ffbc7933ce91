"""Which part of an x axis is shown: the whole, or a window that is narrowed, widened and moved.

Frozen numbers; no widget is known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FACTOR = 2.0
"""How much narrower one step of zooming makes the window."""


@dataclass(frozen=True)
class Zoom:
    """A window on the axis from `low` to `high`; both None: the whole of it, however far it grows."""

    low: float | None = None
    high: float | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is shown."""
        return self.low is None

    def within(self, start: float, end: float) -> tuple[float, float]:
        """The part of start..end that is shown."""
        if self.low is None or self.high is None:
            return start, end
        return max(start, min(self.low, end)), min(end, max(self.high, start))

    def narrowed(self, around: float, start: float, end: float, smallest: float) -> Zoom:
        """Closer, with `around` staying where it stands. The window never becomes smaller than `smallest`."""
        low, high = self.within(start, end)
        span = max((high - low) / FACTOR, smallest)
        if span >= high - low:
            return self
        share = (around - low) / (high - low)
        low = around - share * span
        return Zoom(low, low + span)._kept(start, end)

    def widened(self, around: float, start: float, end: float) -> Zoom:
        """Further away; the whole again where that is all there is."""
        low, high = self.within(start, end)
        span = (high - low) * FACTOR
        if self.whole or span >= (end - start) * 0.999:
            return Zoom()
        share = (around - low) / (high - low) if high > low else 0.5
        low = around - share * span
        return Zoom(low, low + span)._kept(start, end)

    def moved(self, by: float, start: float, end: float) -> Zoom:
        """The window `by` further right (negative: left), stopping at the ends."""
        if self.low is None or self.high is None:
            return self
        return Zoom(self.low + by, self.high + by)._kept(start, end)

    def showing(self, x: float, start: float, end: float) -> Zoom:
        """Moved so far that `x` is within it."""
        low, high = self.within(start, end)
        return self.moved(min(0.0, x - low) + max(0.0, x - high), start, end)

    def _kept(self, start: float, end: float) -> Zoom:
        """Pushed back where it went beyond an end, its width kept."""
        assert self.low is not None and self.high is not None
        span = min(self.high - self.low, end - start)
        low = min(max(self.low, start), end - span)
        return replace(self, low=low, high=low + span)
