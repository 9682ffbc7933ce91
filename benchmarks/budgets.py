"""What the terminal may cost (shared/UI.md), one figure beside each budget, and the table that shows them.

Knows numbers only; how they are taken is in ui.py.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

MB = 1e6


@dataclass(frozen=True)
class Figure:
    """One thing measured. `value` is None where it could not be; `budget` is None for what only explains another."""

    what: str
    value: float | None
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        return self.value is not None and self.value <= self.budget

    def shown(self, value: float | None) -> str:
        """A value of this figure's unit as people write it."""
        if value is None:
            return "–"
        digits = 0 if self.unit in ("bytes", "modules", "MB") else 2 if self.unit in ("s", "%") else 1
        return f"{value:,.{digits}f} {self.unit}"


def machine() -> str:
    """Processor, cores, memory and versions, in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or "unknown processor",
    )
    total = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} cores, {total / 1e6:.0f} GB, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, Textual {version('textual')}"
    )


def load() -> str:
    """How busy the machine is: the 1, 5 and 15 minute averages."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def print_table(figures: Sequence[Figure], console: Console) -> None:
    """Budget beside figure, and what misses."""
    table = Table("what", "budget", "figure", "", "how", box=None, pad_edge=False, header_style="bold")
    for column in (1, 2):
        table.columns[column].justify = "right"
        table.columns[column].no_wrap = True
    for one in figures:
        verdict = {True: "ok", False: "MISSES", None: ""}[one.holds]
        budget = "" if one.budget is None else one.shown(one.budget)
        table.add_row(one.what, budget, one.shown(one.value), verdict, one.note)
    console.print(table, markup=False)
    missed = [one.what for one in figures if one.holds is False]
    judged = sum(one.holds is not None for one in figures)
    said = f"{len(missed)} of {judged} miss: {'; '.join(missed)}" if missed else f"all {judged} budgets are kept"
    console.print(said, markup=False, highlight=False)


def document(figures: Sequence[Figure], before: str, corpus: str) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "machine": machine(),
        "load_before": before,
        "load_after": load(),
        "corpus": corpus,
        "figures": [{**asdict(one), "holds": one.holds} for one in figures],
    }
