"""Which labels stand on the same row, as a map of shaded cells that is readable without colour.

A cell is the share of its row's label that carries the column's label too; the diagonal is the label alone. Columns in,
rows of spans and stops out, no widget state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from goemo_tui import language, wording
from goemo_tui.services.corpus import SplitColumns
from goemo_tui.services.query import label_term
from goemo_tui.widgets.corpus_views import fitted, wrapped
from goemo_tui.widgets.figure import Figure, Stop
from goemo_tui.widgets.lines import Row
from trainer.corpus import stats
from trainer.labels import LabelSet

SHADES = ((0.10, "█", "shade4"), (0.05, "▓", "shade3"), (0.02, "▒", "shade2"), (0.01, "░", "shade1"))
"""From which share on a cell is drawn how. Below, a dot says that some row is there, a blank that none is."""

LEGEND = "of the row's label carry the column's too: · under 1%  ░ 1  ▒ 2  ▓ 5  █ 10% and more   ╲ alone"
SHORT = "of the row's label: · <1% ░1 ▒2 ▓5 █10% ╲ alone"


@dataclass(frozen=True)
class Together:
    """`matrix` (labels, labels): rows that carry both, the diagonal all rows of a label. `alone` (labels): rows that
    carry nothing else. `rows`: of the whole split."""

    matrix: NDArray[np.int64]
    alone: NDArray[np.int64]
    rows: int


def count(columns: SplitColumns) -> Together:
    """Count a split."""
    single = columns.flat[columns.label_numbers[columns.owner] == 1]
    alone = np.bincount(single, minlength=len(columns.labels)).astype(np.int64)
    return Together(stats.cooccurrence(columns.split, columns.labels), alone, len(columns))


def said(found: Together, names: list[str], i: int, j: int) -> str:
    """The cell of row `i` and column `j` in words."""
    here, there = int(found.matrix[i, i]), int(found.matrix[j, j])
    if i == j:
        alone = int(found.alone[i])
        share = wording.percent(alone / here, 0) if here else "0%"
        return f"{names[i]} alone: {alone:,} rows, {share} of its {here:,}"
    both = int(found.matrix[i, j])
    if not both:
        return f"{names[i]} with {names[j]}: no row"
    lift = stats.lift(both, here, there, found.rows)
    rows = "1 row" if both == 1 else f"{both:,} rows"
    one, other = wording.percent(both / here), wording.percent(both / there)
    return f"{names[i]} with {names[j]}: {rows}, {one} of {names[i]}, {other} of {names[j]}, lift {lift:.1f}"


def filter_of(found: Together, labels: LabelSet, i: int, j: int) -> str:
    """The filter that finds a cell's rows; nothing where it has none."""
    if i == j:
        return f"{label_term(labels.names[i])} labels:1" if found.alone[i] else ""
    if not found.matrix[i, j]:
        return ""
    return f"{label_term(labels.names[i])} {label_term(labels.names[j])}"


def shade(share: float) -> tuple[str, str]:
    """The sign and the colour of a share."""
    for limit, sign, style in SHADES:
        if share >= limit:
            return sign, style
    return ("·", "quiet") if share > 0 else (" ", "")


def heading(names: list[str], cell: int, left: int, height: int) -> list[Row]:
    """The columns' names: upright where there is height, as letters below each other; else as numbers."""
    upright = all(name.isascii() for name in names) and height >= 15
    if not upright:
        n = len(names)
        if cell > len(str(n - 1)):
            return [((" " * left, ""), ("".join(f"{i:>{cell}}" for i in range(n)), "quiet"))]
        digits = [f"{i:>{cell}}" for i in range(n)]  # they would touch: one digit below the other
        return [((" " * left, ""), ("".join(f"{d[y]:>{cell}}" for d in digits), "quiet")) for y in range(cell)]
    tall = min(max(len(name) for name in names), max(4, (height - 10) // 3))
    return [((" " * left, ""), ("".join(f"{name[y : y + 1]:>{cell}}" for name in names), "quiet")) for y in range(tall)]


def draw(found: Together, labels: LabelSet, width: int, height: int) -> Figure:
    """The map for a place of `width` x `height` cells; what does not fit is scrolled to."""
    names = [language.label(name) for name in labels.names]
    n = len(names)
    left = min(14, max(cell_len(name) for name in names)) + 2
    numbered = left + len(str(n - 1)) + 1
    cell = max(2, len(str(n - 1)), min(4, (width - numbered) // n))
    if numbered + n * cell > width:
        cell = max(3, cell)  # it is scrolled anyway
    here = np.maximum(1, np.diag(found.matrix))
    shares = found.matrix / here[:, None]
    top = heading(names, cell, numbered, height)
    head = [*wrapped(LEGEND if len(LEGEND) <= width or height >= 15 else SHORT, width, "quiet", 2), *top]
    body: list[Row] = []
    stops: list[Stop] = []
    for i in range(n):
        row: list[tuple[str, str]] = [
            (fitted(f"  {names[i]}", left), ""),
            (f"{i:>{numbered - left - 1}} ", "quiet"),
        ]
        for j in range(n):
            sign, style = ("╲", "quiet") if i == j else shade(float(shares[i, j]))
            drawn = " " + sign * (cell - 1) if sign not in "╲·" else f"{sign:>{cell}}"
            row.append((drawn, style))
            words = said(found, names, i, j)
            target = filter_of(found, labels, i, j)
            mark = f"[{sign * (cell - 2)}]" if cell > 2 else "[]"
            stops.append(
                Stop(
                    i,
                    f"{words} · Enter shows them" if target else words,
                    target,
                    x=numbered + j * cell,
                    width=cell,
                    sign=mark,
                )
            )
        body.append(tuple(row))
    return Figure(
        "which go together",
        tuple(head),
        tuple(body),
        tuple(stops),
        columns=n,
        frozen=numbered,
        head_moves=len(top),
        width=numbered + n * cell,
    )
