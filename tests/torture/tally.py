"""The count of a torture: kills by place, starts after a kill by where they went on, and everything that was wrong."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.torture.footprint import PLACES, per_epoch

NEEDED = ("in a step", "in a checkpoint", "at an event", "in a validation")
"""Places that every torture must have hit."""


class Tally:
    """Shared by all who torture at the same time."""

    def __init__(self) -> None:
        self.kills: Counter[tuple[str, bool]] = Counter()
        """(place, started as people do) -> how often a worker was killed there, before its run had ended."""
        self.late = 0
        """Kills that met a worker whose run had ended already: they count for nothing."""
        self.starts: Counter[str] = Counter()
        """Starts after a kill by where they went on: loading (killed before), zero, boundary or mid-epoch."""
        self.runs = 0
        self.faults: list[str] = []
        self._mutex = threading.Lock()

    @property
    def total(self) -> int:
        """All kills that count."""
        return sum(self.kills.values())

    def at(self, place: str) -> int:
        """Kills in that place."""
        return sum(n for (where, _), n in self.kills.items() if where == place)

    @property
    def real(self) -> int:
        """Kills of workers that were started as people start them."""
        return sum(n for (_, real), n in self.kills.items() if real)

    def killed(self, place: str, real: bool) -> None:
        """Count one kill."""
        with self._mutex:
            if place == "after the end":
                self.late += 1
            else:
                self.kills[place, real] += 1

    def started_again(self, start: Mapping[str, Any] | None) -> None:
        """Count a start after a kill by its `started` or `resumed` event; None if it was killed before that."""
        step = int(start.get("step", 0)) if start else 0
        kind = "loading" if start is None else "zero" if not step else "boundary"
        if start and step and step % per_epoch(start):
            kind = "mid-epoch"
        with self._mutex:
            self.starts[kind] += 1

    def finished(self, faults: Iterable[str]) -> None:
        """Count a run that came to its end."""
        with self._mutex:
            self.runs += 1
            self.faults += faults

    def shortcomings(self, wanted: int) -> list[str]:
        """What keeps this torture from meaning anything, though nothing may have been wrong with the runs."""
        starts = self.starts.total()
        further, within = self.starts["boundary"] + self.starts["mid-epoch"], self.starts["mid-epoch"]
        found = [f"no kill was {place}" for place in NEEDED if not self.at(place)]
        if self.total < wanted:
            found.append(f"{self.total} kills are fewer than {wanted}")
        if further * 2 < starts:
            found.append(f"only {further} of {starts} starts after a kill went on from a step > 0: less than a half")
        if within * 4 < starts:
            found.append(f"only {within} of {starts} starts after a kill went on in mid-epoch: less than a quarter")
        if self.real < wanted // 20:
            found.append(f"only {self.real} kills were of workers that were started as people do")
        return found

    def table(self) -> str:
        """The summary."""
        starts = self.starts.total()
        further = self.starts["boundary"] + self.starts["mid-epoch"]

        def share(n: int) -> str:
            return f"{n:5}  {n / max(1, starts):4.0%}"

        lines = [f"{'kills (SIGKILL)':44}{self.total:5}"]
        lines += [f"  {place:42}{self.at(place):5}" for place in PLACES if place != "after the end"]
        lines += [
            f"  of workers started as people do{'':11}{self.real:5}",
            f"  too late, the run was over: not counted{'':3}{self.late:5}",
            f"{'runs that came to their end':44}{self.runs:5}",
            f"{'starts after a kill':44}{starts:5}",
            f"  from a step > 0{'':27}{share(further)}",
            f"  in mid-epoch{'':30}{share(self.starts['mid-epoch'])}",
            f"  from step 0: no checkpoint yet{'':12}{share(self.starts['zero'])}",
            f"  killed again while loading{'':16}{share(self.starts['loading'])}",
            f"{'faults':44}{len(self.faults):5}",
        ]
        return "\n".join(lines)
