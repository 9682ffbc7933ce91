"""Small curves beside their newest value: learning rate, gradient norm, processor, memory, GPU.

As many stand beside each other as there is room for, none is cut; with more room each has two rows of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.cells import cell_len

from goemo_tui.widgets.lines import Lines, Row

LEVELS = " ▁▂▃▄▅▆▇█"
NARROWEST = 24
"""Cells of one entry at least: a name, a value and some cells of its curve."""
GAP = 2
SHORTEST_CURVE = 4
TALL = 3
"""Rows of an entry where there is room: name and value, and two rows of curve below."""


@dataclass(frozen=True)
class Spark:
    """One curve. `values` are 0..1 (NaN: not known), oldest first; `anchored` ones fill their width from the left."""

    name: str
    value: str
    values: tuple[float, ...] = ()
    anchored: bool = False
    style: str = "spark--curve"


class Sparks(Lines):
    """A grid of them. `show` takes them in order of importance: what does not fit in `most_rows` is left out."""

    COMPONENT_CLASSES = {"spark--curve", "spark--machine", "spark--gpu"}
    DEFAULT_CSS = """
    Sparks { height: 2; width: 1fr; }
    Sparks > .spark--curve { color: $primary; }
    Sparks > .spark--machine { color: $secondary; }
    Sparks > .spark--gpu { color: $success; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sparks: tuple[Spark, ...] = ()
        self.most_rows = 2

    def show(self, sparks: Sequence[Spark], most_rows: int = 2) -> int:
        """Draw these in at most so many rows. Returns how many rows were painted again."""
        self.sparks, self.most_rows = tuple(sparks), most_rows
        rows = needed(len(self.sparks), self.size.width, most_rows)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.display = rows > 0
        return self.redraw()

    def on_resize(self) -> None:
        """Another width takes other rows; before the first layout there was none to go by."""
        self.show(self.sparks, self.most_rows)

    def rows(self, width: int, height: int) -> list[Row]:
        """The grid, row by row."""
        return grid(self.sparks, width, min(height, self.most_rows))


def _columns(count: int, width: int) -> int:
    return max(1, min(count, (width + GAP) // (NARROWEST + GAP)))


def _tall(count: int, width: int, rows: int) -> bool:
    return math.ceil(count / _columns(count, width)) * TALL <= rows


def needed(count: int, width: int, most_rows: int) -> int:
    """Rows that so many entries take, at most `most_rows`."""
    if not count:
        return 0
    lines = math.ceil(count / _columns(count, width))
    return lines * TALL if _tall(count, width, most_rows) else min(lines, most_rows)


def grid(sparks: Sequence[Spark], width: int, rows: int) -> list[Row]:
    """The entries in `width` x `rows` cells."""
    columns = _columns(len(sparks), width)
    cell = (width + GAP) // columns - GAP
    tall = _tall(len(sparks), width, rows)
    made: list[Row] = []
    for start in range(0, len(sparks), columns):
        beside = sparks[start : start + columns]
        lines = [_entry(spark, cell, tall) for spark in beside]
        for parts in zip(*lines, strict=True):
            spans: Row = ()
            for i, part in enumerate(parts):
                spans = (*spans, *((" " * GAP, ""),) * (i > 0), *part)
            made.append(spans)
    return made[:rows]


def _entry(spark: Spark, width: int, tall: bool) -> list[Row]:
    """The rows of one entry, each exactly `width` cells."""
    head: Row = ((f"{spark.name} {spark.value}", ""),)  # in one colour: these change all the time
    taken = cell_len(spark.name) + 1 + cell_len(spark.value)
    if taken > width:  # a name is given up before a value is cut
        head, taken = ((spark.value, ""),), cell_len(spark.value)
    if taken > width:
        head, taken = (), 0
    if tall:
        upper, lower = curve(spark, width, 2)
        return [(*head, (" " * (width - taken), "")), ((upper, spark.style),), ((lower, spark.style),)]
    room = width - taken - 1
    if room < SHORTEST_CURVE:
        return [(*head, (" " * (width - taken), ""))]
    # values change their length all the time: the curves stand below each other all the same
    (line,) = curve(spark, min(room, max(SHORTEST_CURVE, width - FIGURES)), 1)
    return [(*head, (" " * (width - taken - len(line)), ""), (line, spark.style))]


FIGURES = 15
"""Cells that name and value have for themselves before they take from their curve."""


def curve(spark: Spark, width: int, rows: int) -> list[str]:
    """The newest `width` values (all of them, if anchored) in blocks of eighths, the upper row first."""
    values = spread(spark.values, width) if spark.anchored else [math.nan] * width + list(spark.values)
    values = values[-width:]
    top = 8 * rows
    heights = [0 if math.isnan(v) else max(1, min(top, round(v * top))) for v in values]
    return ["".join(LEVELS[max(0, min(8, h - 8 * row))] for h in heights) for row in reversed(range(rows))]


def spread(values: Sequence[float], width: int) -> list[float]:
    """As many values as cells: the mean of those that fall into each, or each in several cells where there is room."""
    found: list[float] = []
    for i in range(width if values else 0):
        part = values[i * len(values) // width : max((i + 1) * len(values) // width, i * len(values) // width + 1)]
        known = [v for v in part if not math.isnan(v)]
        found.append(sum(known) / len(known) if known else math.nan)
    return found


def scaled(values: Sequence[float | None], top: float | None = None) -> tuple[float, ...]:
    """Values from 0 to `top` (else to the largest of them) as shares; what is missing is NaN."""
    numbers = [math.nan if v is None or not math.isfinite(v) else v for v in values]
    known = [v for v in numbers if not math.isnan(v)]
    top = max(known, default=0.0) if top is None else top
    return tuple(v if math.isnan(v) else min(1.0, max(0.0, v / top)) if top > 0 else 0.0 for v in numbers)


def along(steps: Sequence[int], values: Sequence[float], total: int, cells: int) -> tuple[float, ...]:
    """Values by step as `cells` means over the whole run of `total` steps: a new step changes the last of them alone.

    A cell that no step fell into is as the one before it; those that no step has reached yet are NaN.
    """
    sums, counts = [0.0] * cells, [0] * cells
    for step, value in zip(steps, values, strict=True):
        if math.isfinite(value):
            at = min(cells - 1, max(0, int((step - 1) * cells / max(1, total))))
            sums[at] += value
            counts[at] += 1
    means = [s / c if c else math.nan for s, c in zip(sums, counts, strict=True)]
    told = [i for i, mean in enumerate(means) if not math.isnan(mean)]
    for before, after in pairwise(told):
        means[before + 1 : after] = [means[before]] * (after - before - 1)
    return tuple(means)
