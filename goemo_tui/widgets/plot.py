"""Curves as rows of braille: two dots across and four down in every cell, with numbered axes.

A pure function from numbers to rows of (text, name) spans; the widget paints them. Two drawings of the same numbers
are equal, which is what lets the widget repaint only the rows that changed.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from goemo_tui.widgets.lines import Row, Span
from goemo_tui.widgets.reached import Columns, Reached
from goemo_tui.widgets.scale import Axes, number, ticks, y_labels
from goemo_tui.widgets.trace import Trace

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_MASKS = tuple(
    tuple(tuple(sum(dots[y] for y in range(first, last + 1)) for last in range(4)) for first in range(4))
    for dots in _DOTS
)
"""Left or right half of a cell -> first dot -> last dot -> the bits of those from first to last."""

Cells = dict[tuple[int, int], int | str]
"""(column, row) -> the dots set in that cell, or the sign that stands there."""


@dataclass(frozen=True)
class Layer:
    """One curve: a band of lowest to highest values, a line of smoothed ones, marks joined by a line, or bare points.

    `style` is the name its spans carry; `mark` the character of a marked point; `end` a letter at the end of a line.
    Later layers lie on top.
    """

    trace: Trace
    kind: Literal["band", "line", "marks", "points"]
    style: str
    mark: str = "●"
    end: str = ""


@dataclass
class Drawn:
    """What was worked out for a layer in one `place` (axes, columns and lines), as its trace was at `version`."""

    place: tuple[Axes, int, int]
    reached: Reached
    version: int = -1
    cells: Cells = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """Where the drawing lies in its cells: `gutter` for the numbers, one for the axis, then `columns` x `lines`."""

    gutter: int
    columns: int
    lines: int
    labels: tuple[tuple[int, str], ...]

    def x_at(self, cell: int, axes: Axes) -> float:
        """The x of a cell, counted from the left edge of the widget."""
        column = min(self.columns - 1, max(0, cell - self.gutter - 1))
        return axes.x_at(column * 2 + 0.5, self.columns * 2)

    def cell_at(self, x: float, axes: Axes) -> int:
        """The column of cells in the drawing that x falls in."""
        return axes.across(x, self.columns * 2) // 2


def frame(axes: Axes, width: int, height: int) -> Frame | None:
    """How the cells are divided; None where there is too little room."""
    lines = height - 1
    if lines < 1:
        return None
    labels = y_labels(axes, lines)
    gutter = max((len(label) for label in labels.values()), default=1)
    columns = width - gutter - 1
    return Frame(gutter, columns, lines, tuple(labels.items())) if columns >= 4 else None


def value_range(
    layers: Sequence[Layer], x_low: float = -math.inf, x_high: float = math.inf
) -> tuple[float, float] | None:
    """Lowest and highest value worth showing between two x, or None without a point.

    Of a band the outermost 2% are left to the edges: one wild batch must not flatten the curve.
    """
    lows: list[float] = []
    highs: list[float] = []
    for layer in layers:
        trace = layer.trace
        seen = slice(bisect_left(trace.x, x_low), bisect_right(trace.x, x_high))
        if not trace.x[seen]:
            continue
        if layer.kind == "line":
            low = high = sorted(trace.smooth[seen])
        else:
            low, high = sorted(trace.low[seen]), sorted(trace.high[seen])
        spare = 0 if layer.kind in ("marks", "points") else len(low) // 50
        lows.append(low[spare])
        highs.append(high[-1 - spare])
    return (min(lows), max(highs)) if lows else None


def draw(
    layers: Sequence[Layer], axes: Axes, width: int, height: int, cursors: Sequence[float] = (),
    known: dict[Layer, Drawn] | None = None,
) -> list[Row]:  # fmt: skip
    """The curves in `width` x `height` cells, the y axis at the left and the x axis in the last row.

    `cursors` are x at which an upright line stands. `known` keeps what was worked out for layers that did not change.
    """
    parts = frame(axes, width, height)
    if parts is None:
        return []
    labels = dict(parts.labels)
    known = {} if known is None else known
    for gone in known.keys() - set(layers):
        del known[gone]
    cells: list[Cells] = []
    for layer in layers:
        drawn, place = known.get(layer), (axes, parts.columns, parts.lines)
        if drawn is None or drawn.place != place:
            reached = Reached(layer.trace, axes, parts.columns * 2, parts.lines * 4, layer.kind == "band")
            drawn = known[layer] = Drawn(place, reached)
        if drawn.version != layer.trace.version:
            drawn.version = layer.trace.version
            drawn.cells = _layer_cells(layer, drawn.reached.columns(), parts.columns)
        cells.append(drawn.cells)
    upright = {parts.cell_at(x, axes) for x in cursors if axes.x_low <= x <= axes.x_high}
    rows: list[Row] = []
    for y in range(parts.lines):
        label = labels.get(y)
        edge = (f"{label or '':>{parts.gutter}}" + ("┤" if label else "│"), "plot--axis")
        rows.append((edge, *_row_spans(y, parts.columns, layers, cells, upright)))
    rows.append(_x_axis(axes, parts.gutter, parts.columns))
    return rows


def _row_spans(y: int, columns: int, layers: Sequence[Layer], cells: list[Cells], upright: set[int]) -> list[Span]:
    chars, names = [" "] * columns, [""] * columns
    for x in upright:
        chars[x], names[x] = "│", "plot--cursor"
    signs: set[int] = set()
    for layer, drawn in zip(layers, cells, strict=True):
        for x in range(columns) if drawn else ():
            dots = drawn.get((x, y))
            if dots is None:
                continue
            if isinstance(dots, str):
                signs.add(x)
                chars[x] = dots
            elif x in signs:  # a sign is not lost under the line of a later layer
                continue
            else:
                chars[x] = chr(0x2800 + dots)
            if x not in upright:
                names[x] = layer.style
    spans = [("".join(chars[x] for x in part), name) for name, part in groupby(range(columns), names.__getitem__)]
    return spans if not spans or spans[-1][0].strip() else spans[:-1]


def _layer_cells(layer: Layer, reached: Columns, columns: int) -> Cells:
    if layer.kind == "points":
        return {(x // 2, end // 4): layer.mark for x, (_, _, end) in reached.items()}
    drawn: dict[tuple[int, int], int] = {}
    before: int | None = None
    start = 0
    for column in sorted(reached):
        top, bottom, end = reached[column]
        if before is not None:
            middle = (top + bottom) // 2
            for x in range(before + 1, column):
                y = round(start + (middle - start) * (x - before) / (column - before))
                _fill(drawn, x, y, y)
            if layer.kind != "marks" and column == before + 1:  # no gap between neighbours
                top, bottom = min(start, top), max(start, bottom)
        _fill(drawn, column, top, bottom)
        before, start = column, end
    cells: Cells = dict(drawn)
    if layer.kind == "marks":
        cells.update({(x // 2, end // 4): layer.mark for x, (_, _, end) in reached.items()})
    elif layer.end and before is not None:
        cells[min(columns - 1, before // 2 + 1), start // 4] = layer.end
    return cells


def _fill(drawn: dict[tuple[int, int], int], x: int, top: int, bottom: int) -> None:
    """Set the dots of column `x` from `top` to `bottom`, cell by cell."""
    column, masks = x // 2, _MASKS[x % 2]
    for row in range(top // 4, bottom // 4 + 1):
        first, last = max(0, top - 4 * row), min(3, bottom - 4 * row)
        drawn[column, row] = drawn.get((column, row), 0) | masks[first][last]


def _x_axis(axes: Axes, gutter: int, columns: int) -> Row:
    """The bottom line with the numbers set into it: `└────400────800──── step`."""
    name = f" {axes.x_name}" if axes.x_name else ""
    line = ["─"] * (columns - len(name)) + list(name)
    room = len(line) - len(name)
    values, step = ticks(axes.x_low, axes.x_high, max(1, columns // 8))
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
