"""What the terminal may cost, one figure beside each budget, and the table that shows them.

Knows numbers only; how they are taken is in `benchmarks.ui`.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks.machine import cores, memory, processor
from benchmarks.moment import Span, of, quantile

MB = 1e6
LEGEND = (
    "figure: by the clock. alone: without the time in which the app was ready and others had the cores; "
    "“ok alone” keeps its budget only so."
)


@dataclass(frozen=True)
class Figure:
    """One thing measured. `value` is None where it could not be; `budget` is None for what only explains another.

    `alone` is the value without the waiting for a core; None for what no clock measures.
    """

    what: str
    value: float | None
    unit: str
    budget: float | None = None
    note: str = ""
    alone: float | None = None

    @property
    def verdict(self) -> str:
        """`ok`, `ok alone`, `MISSES`, or nothing where there is no budget."""
        if self.budget is None:
            return ""
        if self.value is not None and self.value <= self.budget:
            return "ok"
        return "ok alone" if self.alone is not None and self.alone <= self.budget else "MISSES"

    def shown(self, value: float | None) -> str:
        """A value of this figure's unit as people write it."""
        if value is None or math.isnan(value):
            return "–"
        digits = 2 if self.unit in ("s", "%") else 1 if self.unit == "ms" else 0
        return f"{value:,.{digits}f} {self.unit}"


def timed(
    what: str,
    spans: Sequence[Span],
    budget: float | None,
    note: str = "",
    *,
    share: float = 0.5,
    unit: str = "s",
) -> Figure:
    """The median of `spans`, or another quantile, in seconds or milliseconds, with the fastest and the slowest."""
    if not spans:
        return Figure(what, None, unit, budget, f"nothing was measured; {note}")
    scale = 1000.0 if unit == "ms" else 1.0
    wall, alone = of(spans, lambda values: quantile(values, share))
    walls = [span.wall * scale for span in spans]
    digits = 0 if unit == "ms" else 2
    spread = f"{min(walls):.{digits}f} to {max(walls):.{digits}f} in {len(spans)}"
    return Figure(what, wall * scale, unit, budget, "; ".join(filter(None, (spread, note))), alone * scale)


def machine() -> str:
    """Processor, cores, memory and versions, in one line."""
    return (
        f"{processor()}, {cores()} cores, {memory()} GB, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, Textual {version('textual')}"
    )


def load() -> str:
    """How busy the machine is: its load over the last minute, and the processor time of a loop that is always the same.

    Where others use the other half of a core, the loop takes up to twice its time.
    """
    times = []
    for _ in range(5):
        began = time.thread_time()
        sum(n * n for n in range(100_000))
        times.append(time.thread_time() - began)
    return f"{os.getloadavg()[0]:.1f} (a fixed loop: {min(times) * 1000:.1f} ms)"


def print_table(figures: Sequence[Figure], console: Console) -> None:
    """Budget beside figure, and what misses."""
    table = Table("what", "budget", "figure", "alone", "", "how", box=None, pad_edge=False, header_style="bold")
    for column in (1, 2, 3):
        table.columns[column].justify = "right"
        table.columns[column].no_wrap = True
    for one in figures:
        budget = "" if one.budget is None else one.shown(one.budget)
        alone = "" if one.alone is None else one.shown(one.alone)
        table.add_row(one.what, budget, one.shown(one.value), alone, one.verdict, one.note)
    console.print(table, markup=False)
    judged = [one for one in figures if one.verdict]
    missed = [one.what for one in judged if one.verdict == "MISSES"]
    lucky = sum(one.verdict == "ok alone" for one in judged)
    said = f"{len(missed)} of {len(judged)} miss: {'; '.join(missed)}" if missed else f"all {len(judged)} budgets kept"
    console.print(f"{LEGEND}\n{said}" + (f" ({lucky} alone only)" if lucky else ""), markup=False, highlight=False)


def document(figures: Sequence[Figure], before: str, corpus: str) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "machine": machine(),
        "load_before": before,
        "load_after": load(),
        "corpus": corpus,
        "figures": [{**asdict(one), "verdict": one.verdict} for one in figures],
    }
