"""Curves as rows of braille: two dots across and four down in every cell, with numbered axes.

A pure function from numbers to rows of (text, name) spans; the widget paints them. Two drawings of the same numbers
are equal, which is what lets the widget repaint only the rows that changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from goemo_tui.widgets.lines import Row, Span
from goemo_tui.widgets.trace import Trace

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_MARK = -1


@dataclass(frozen=True)
class Layer:
    """One curve: a band of lowest to highest values, a line of smoothed ones, marks joined by a line, or bare points.

    `style` is the name its spans carry; `mark` the character of a marked point. Later layers lie on top.
    """

    trace: Trace
    kind: Literal["band", "line", "marks", "points"]
    style: str
    mark: str = "●"


@dataclass(frozen=True)
class Axes:
    """What the edges of the drawing stand for. `whole` ticks the x axis at whole numbers only."""

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

    def down(self, y: float, dots: int) -> int:
        """Row of dots that y falls in, 0 at the top; what lies outside is put on the edge."""
        low, high = self.y_low, self.y_high
        if self.log:
            low, high, y = math.log10(low), math.log10(high), math.log10(max(y, low))
        share = (y - low) / (high - low) if high > low else 0.5
        return min(dots - 1, max(0, round((1 - share) * (dots - 1))))


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


def value_range(layers: list[Layer]) -> tuple[float, float] | None:
    """Lowest and highest value worth showing, or None without a point.

    Of a band the outermost 2% are left to the edges: one wild batch must not flatten the curve.
    """
    lows: list[float] = []
    highs: list[float] = []
    for layer in layers:
        if not len(layer.trace):
            continue
        low, high = sorted(layer.trace.low), sorted(layer.trace.high)
        if layer.kind == "line":
            low = high = sorted(layer.trace.smooth)
        spare = 0 if layer.kind in ("marks", "points") else len(low) // 50
        lows.append(low[spare])
        highs.append(high[-1 - spare])
    return (min(lows), max(highs)) if lows else None


def number(value: float, step: float | None = None) -> str:
    """A short number: `.18`, `1.2`, `812`, `54k`. With `step`, as many decimals as tell ticks apart."""
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


def ticks(low: float, high: float, parts: int) -> tuple[list[float], float]:
    """Round numbers within the range and the step between them."""
    step = nice_step(high - low, parts)
    first = math.ceil(low / step - 1e-6)
    last = math.floor(high / step + 1e-6)
    return [i * step for i in range(first, last + 1)], step


def draw(layers: list[Layer], axes: Axes, width: int, height: int) -> list[Row]:
    """The curves in `width` x `height` cells, the y axis at the left and the x axis in the last row."""
    y_ticks, y_step = ticks(axes.y_low, axes.y_high, max(1, (height - 1) // 3))
    labels = [number(value, y_step) for value in y_ticks]
    gutter = max((len(label) for label in labels), default=1)
    columns, lines = width - gutter - 1, height - 1
    if columns < 4 or lines < 1:
        return []
    left = {axes.down(v, lines * 4) // 4: label for v, label in zip(y_ticks, labels, strict=True)}
    cells = [_layer_cells(layer, axes, columns, lines) for layer in layers]
    rows: list[Row] = []
    for y in range(lines):
        label = left.get(y)
        edge = (f"{label or '':>{gutter}}" + ("┤" if label else "│"), "plot--axis")
        rows.append((edge, *_row_spans(y, columns, layers, cells)))
    rows.append(_x_axis(axes, gutter, columns))
    return rows


def _row_spans(y: int, columns: int, layers: list[Layer], cells: list[dict[tuple[int, int], int]]) -> list[Span]:
    spans: list[Span] = []
    text, style = "", ""
    for x in range(columns):
        char, name = " ", ""
        for layer, drawn in zip(layers, cells, strict=True):
            dots = drawn.get((x, y))
            if dots is not None:
                char, name = (layer.mark if dots == _MARK else chr(0x2800 + dots)), layer.style
        if name != style and text:
            spans.append((text, style))
            text = ""
        text, style = text + char, name
    if text.strip():
        spans.append((text, style))
    return spans


def _layer_cells(layer: Layer, axes: Axes, columns: int, lines: int) -> dict[tuple[int, int], int]:
    """(column, row) -> the dots set in that cell, or _MARK."""
    trace, wide, high = layer.trace, columns * 2, lines * 4
    cells: dict[tuple[int, int], int] = {}

    def dot(x: int, y: int) -> None:
        cell = (x // 2, y // 4)
        cells[cell] = cells.get(cell, 0) | _DOTS[x % 2][y % 4]

    tops: dict[int, int] = {}
    bottoms: dict[int, int] = {}
    ends: dict[int, int] = {}
    lows, highs = (trace.low, trace.high) if layer.kind == "band" else (trace.smooth, trace.smooth)
    for x, low, top in zip(trace.x, lows, highs, strict=True):
        if not axes.x_low <= x <= axes.x_high:
            continue
        column = axes.across(x, wide)
        a, b = axes.down(top, high), axes.down(low, high)
        tops[column] = min(a, tops.get(column, a))
        bottoms[column] = max(b, bottoms.get(column, b))
        ends[column] = b
    if layer.kind == "points":
        return {(x // 2, ends[x] // 4): _MARK for x in ends}
    before: int | None = None
    for column in sorted(tops):
        if before is not None:
            start, end = ends[before], (tops[column] + bottoms[column]) // 2
            for x in range(before + 1, column):
                dot(x, round(start + (end - start) * (x - before) / (column - before)))
            if layer.kind != "marks" and column == before + 1:  # no gap between neighbours
                for y in range(min(start, tops[column]), max(start, bottoms[column]) + 1):
                    dot(column, y)
        for y in range(tops[column], bottoms[column] + 1):
            dot(column, y)
        before = column
    if layer.kind == "marks":
        cells.update({(x // 2, ends[x] // 4): _MARK for x in ends})
    return cells


def _x_axis(axes: Axes, gutter: int, columns: int) -> Row:
    """The bottom line with the numbers set into it: `└────400────800──── step`."""
    name = f" {axes.x_name}" if axes.x_name else ""
    line = ["─"] * (columns - len(name)) + list(name)
    room = len(line) - len(name)
    values, step = ticks(axes.x_low, axes.x_high, max(1, columns // 9))
    if axes.whole and step < 1:
        values, step = [float(v) for v in range(math.ceil(axes.x_low), math.floor(axes.x_high) + 1)], 1.0
    free = 0
    for value in values:
        label = number(value, step)
        at = min(axes.across(value, columns * 2) // 2 - len(label) // 2, room - len(label))
        if at >= free and at + len(label) <= room:
            line[at : at + len(label)] = label
            free = at + len(label) + 2
    return ((" " * gutter + "└" + "".join(line), "plot--axis"),)
