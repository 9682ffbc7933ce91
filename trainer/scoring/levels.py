"""The same answers at a coarser level: Ekman's emotions and sentiment, a group being said where any of its labels is.

Applies to the official labels and to Ekman's; a corpus with labels of its own has no such groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.labels import EKMAN, EMOTIONS, LabelSet
from trainer.scoring.counts import Array, Average, Counts, averages, count

LEVELS = ("ekman", "sentiment")
TITLES = {"ekman": "Ekman", "sentiment": "sentiment"}


@dataclass(frozen=True)
class Level:
    """One level: its groups, their counts, and the four averages. `truth` and `said` are bool of shape (rows, groups)."""

    name: str
    groups: tuple[str, ...]
    counts: Counts
    averages: dict[str, Average]
    truth: Array
    said: Array


def applicable(names: Sequence[str]) -> tuple[str, ...]:
    """Which levels labels can be grouped to: both for the official 28 in any order, sentiment for Ekman's, else none."""
    lowered = {name.lower() for name in names}
    if lowered == set(EMOTIONS):
        return LEVELS
    return ("sentiment",) if lowered == set(EKMAN) else ()


def levels(names: Sequence[str], truth: Array, said: Array) -> tuple[Level, ...]:
    """The levels that apply. `truth` and `said` are of shape (rows, labels), in the order of `names`."""
    found = []
    own = LabelSet(tuple(name.lower() for name in names)) if applicable(names) else None
    for name in applicable(names):
        assert own is not None
        groups, group_of = own.grouped(name)
        member = np.zeros((len(own), len(groups)), dtype=np.int64)
        member[np.arange(len(own)), list(group_of)] = 1
        true, told = (array.astype(np.int64) @ member > 0 for array in (truth, said))
        found.append(Level(name, groups.names, count(true, told), averages(true, told), true, told))
    return tuple(found)
