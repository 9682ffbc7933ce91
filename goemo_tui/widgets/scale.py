"""Where a value stands on an axis, and which round numbers are written beside it: straight or logarithmic.

Plain numbers in and out; no widget and no colour is known here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axes:
    """What the edges of the drawing stand for. `whole` ticks the x axis at whole numbers only; `log` is the y axis.

    With `log`, `y_low` is above 0.
    """

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    x_name: str = ""
    whole: bool = True
    log: bool = False

    def across(self, x: float, dots: int) -> int:
        """Column of dots that x falls in."""
        span = self.x_high - self.x_low
        return round((x - self.x_low) / span * (dots - 1)) if span > 0 else 0

    def x_at(self, column: float, dots: int) -> float:
        """The x that a column of dots stands for."""
        return self.x_low + column / max(1, dots - 1) * (self.x_high - self.x_low)

    def down(self, y: float, dots: int) -> int:
        """Row of dots that y falls in, 0 at the top; what lies outside is put on the edge."""
        low, high = self.y_low, self.y_high
        if self.log:
            low, high, y = math.log10(low), math.log10(high), math.log10(max(y, low))
        row = round((high - y) / (high - low) * (dots - 1)) if high > low else dots // 2
        return 0 if row < 0 else row if row < dots else dots - 1


def nice_step(span: float, parts: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides `span` into about `parts`."""
    if span <= 0 or not math.isfinite(span):
        return 1.0
    rough = span / max(1, parts)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1, 2, 5) if m * power >= rough * 0.999), 10 * power)


def nice_range(low: float, high: float, parts: int = 4) -> tuple[float, float]:
    """The range widened to round numbers, so that it stays put while the values move a little."""
    if high <= low:
        pad = abs(high) * 0.1 or 0.1
        low, high = low - pad, high + pad
    step = nice_step(high - low, parts)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def log_range(low: float, high: float) -> tuple[float, float]:
    """A range of values above 0 widened to whole multiples of powers of ten: .083 to .21 becomes .08 to .3."""

    def rounded(value: float, up: bool) -> float:
        power = 10.0 ** math.floor(math.log10(value) + 1e-9)
        head = value / power
        return float(math.ceil(head - 1e-9) if up else max(1, math.floor(head + 1e-9))) * power

    low, high = rounded(low, False), rounded(high, True)
    return (low, high) if high > low else (low, low + 10.0 ** math.floor(math.log10(low) + 1e-9))


def ticks(low: float, high: float, parts: int) -> tuple[list[float], float]:
    """Round numbers within the range and the step between them."""
    step = nice_step(high - low, parts)
    first = math.ceil(low / step - 1e-6)
    last = math.floor(high / step + 1e-6)
    return [i * step for i in range(first, last + 1)], step


def number(value: float, step: float | None = None) -> str:
    """A short number: `.18`, `1.2`, `812`, `54k`, `2.5e8`. With `step`, as many decimals as tell ticks apart."""
    if abs(value) >= 1e6:
        head, _, power = f"{value:.1e}".partition("e")
        return f"{head.removesuffix('.0')}e{int(power)}"
    if abs(value) >= 10_000:
        return f"{value / 1000:.0f}k" if step is None or step >= 1000 else f"{value / 1000:.1f}k"
    if step is not None:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    else:
        decimals = 0 if value == round(value) and abs(value) >= 10 else 3 if abs(value) < 1 else 2
    text = f"{value:.{decimals}f}"
    if text.startswith("0."):
        return text[1:]
    return "-" + text[2:] if text.startswith("-0.") else text


def y_labels(axes: Axes, lines: int) -> dict[int, str]:
    """Row of cells -> the number that stands beside it, never two in neighbouring rows of a logarithmic axis."""
    if not axes.log:
        values, step = ticks(axes.y_low, axes.y_high, max(1 if lines < 4 else 2, lines // 3))
        if len(values) < 2:  # one number is no scale
            values, step = [axes.y_low, axes.y_high], nice_step((axes.y_high - axes.y_low) / 2, 1)
        return {axes.down(value, lines * 4) // 4: number(value, step) for value in values}
    found: dict[int, str] = {}
    first, last = math.floor(math.log10(axes.y_low)), math.ceil(math.log10(axes.y_high))
    for heads in ((1,), (5,), (2,), (3, 7), (4, 6, 8, 9)):  # the roundest first; others only where there is room
        for power in range(first, last + 1):
            for head in heads:
                value = head * 10.0**power
                row = axes.down(value, lines * 4) // 4
                within = axes.y_low * (1 - 1e-9) <= value <= axes.y_high * (1 + 1e-9)
                if within and not any(abs(row - other) < 2 for other in found):
                    found[row] = number(value, 10.0**power)
    return found
