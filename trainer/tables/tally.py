"""What a file of scored rows says as a whole: how many rows carry each label, overall, by a column's value, by the day.

Each portion keeps the counts of all its values, so that the sum does not depend on how a file is cut and a work that was broken
off loses none. The sum holds a bounded number of values, and says so where there were more.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Counts = dict[str, Any]

MOST_VALUES = 100_000
"""Values of a column that are counted apart at a time. Beyond, the less frequent half makes room."""

SHOWN_VALUES, SHOWN_DAYS = 1_000, 10_000
"""Values (the most frequent) and days (the last) that are told apart in the end; the others are told together."""

OTHERS, NONE, NOT_A_DATE = "(other values)", "(none)", "(not a date)"

LONGEST = 200
"""Characters of a value that are kept."""

_SUMS = ("rows", "scored", "without")


def count(
    felt: Array,
    judged: Array,
    groups: Mapping[str, Sequence[int]],
    apart: Mapping[str, Sequence[str]],
    days: Sequence[str] = (),
) -> Counts:
    """The counts of some rows. `felt`: bool (rows, labels); `judged`: bool (rows,); `groups`: label numbers of each group;
    `apart`: for each column to count by, what stands in it in each row; `days`: those of them that hold days.

    Of each value: rows, scored, without, then pairs of a place (behind those three, of labels and groups) and its rows.
    """
    over = felt & judged[:, None]
    grouped = [over[:, list(ids)].any(axis=1) for ids in groups.values()]
    columns = [np.ones(len(judged), bool), judged, judged & ~over.any(axis=1), *over.T, *grouped]
    table = np.stack(columns, axis=1).astype(np.int64)
    found = _named(table.sum(axis=0), felt.shape[1])
    return {**found, "days": list(days), "apart": {column: _apart(table, values) for column, values in apart.items()}}


def _apart(table: Array, values: Sequence[str]) -> dict[str, list[int]]:
    if not len(values):
        return {}
    places: dict[str, int] = {}
    where = np.array([places.setdefault(value, len(places)) for value in values])
    order = np.argsort(where, kind="stable")
    sums = np.add.reduceat(table[order], np.searchsorted(where[order], np.arange(len(places))), axis=0)
    first = len(_SUMS)
    rows, columns = sums[:, first:].nonzero()
    pairs = np.stack([columns + first, sums[rows, columns + first]], axis=1).ravel().tolist()
    ends = (2 * np.searchsorted(rows, np.arange(len(places) + 1))).tolist()
    heads = sums[:, :first].tolist()
    return {value: heads[place] + pairs[ends[place] : ends[place + 1]] for value, place in places.items()}


def _named(sums: Array, labels: int) -> Counts:
    first = len(_SUMS)
    named: Counts = dict(zip(_SUMS, sums[:first].tolist(), strict=True))
    return named | {"labels": sums[first : first + labels].tolist(), "groups": sums[first + labels :].tolist()}


def added_up(counts: Iterable[Counts], again: Callable[[], Iterable[Counts]] | None = None) -> Counts:
    """The counts of all portions: of `apart`, the values that are told apart, each with its own counts and `OTHERS` at the end.

    `capped` has the columns of more than `MOST_VALUES` values, each with the `values` that were counted and how many rows one
    of them may lack, `missed`: none where the counts can be had `again`.
    """
    whole: Counts = {}
    apart: dict[str, _Values] = {}
    for one in counts:
        for key in (*_SUMS, "labels", "groups"):
            whole[key] = one[key] if key not in whole else _plus(whole[key], one[key])
        for column, values in one["apart"].items():
            if column not in apart:
                apart[column] = _Values(len(_SUMS) + len(one["labels"]) + len(one["groups"]), column in one["days"])
            apart[column].add(values)
    full = {column: values for column, values in apart.items() if values.full}
    if full and again is not None:
        for values in full.values():
            values.close()
        for one in again():
            for column, values in full.items():
                values.add(one["apart"].get(column, {}))
    if whole:
        width = len(whole["labels"])
        whole["apart"] = {column: values.told(width) for column, values in apart.items()}
        whole["capped"] = {c: {"values": len(v.places), "missed": v.missed} for c, v in full.items()}
    return whole


def _plus(one: Any, other: Any) -> Any:
    return [a + b for a, b in zip(one, other, strict=True)] if isinstance(one, list) else one + other


class _Values:
    """The counts of a column's values, `width` numbers each; never more than `MOST_VALUES`. `missed`: rows that a value may lack
    that was given up and came again."""

    def __init__(self, width: int, days: bool) -> None:
        self.places: dict[str, int] = {}
        self.days, self.full, self.missed = days, False, 0
        self._closed = False
        self._sums, self._others = np.zeros((64, width), np.int64), np.zeros(width, np.int64)

    def add(self, counts: Mapping[str, Sequence[int]]) -> None:
        """Add those of a portion."""
        coming, some = iter(counts.items()), max(1, MOST_VALUES // 4)
        while few := list(islice(coming, some)):
            if not self._closed and len(self.places) + sum(value not in self.places for value, _ in few) > MOST_VALUES:
                self._make_room()
            rows, columns, numbers = list[int](), list[int](), list[int]()
            for value, sparse in few:
                columns += (*range(len(_SUMS)), *sparse[len(_SUMS) :: 2])
                numbers += (*sparse[: len(_SUMS)], *sparse[len(_SUMS) + 1 :: 2])
                rows += [self._at(value)] * (len(numbers) - len(rows))
            at, into, more = np.array(rows), np.array(columns), np.array(numbers)
            held = at >= 0
            np.add.at(self._sums, (at[held], into[held]), more[held])
            np.add.at(self._others, into[~held], more[~held])

    def close(self) -> None:
        """From here on the values that are held are counted anew, and all others together."""
        self._closed, self.missed = True, 0
        self._sums[:], self._others[:] = 0, 0

    def told(self, labels: int) -> dict[str, Counts]:
        """Those that are told apart, in the order in which they are, and the others as one."""
        special = {value for value in (NONE, NOT_A_DATE) if value in self.places}
        rows = {value: int(self._sums[place][0]) for value, place in self.places.items() if value not in special}
        if self.days:
            shown = [*sorted(rows)[-SHOWN_DAYS:], *sorted(special)]
        else:
            ranked = sorted([*rows.items(), *((v, int(self._sums[self.places[v]][0])) for v in special)], key=_rank)
            most = [value for value, _ in ranked if value not in special][: SHOWN_VALUES - len(special)]
            kept = {*most, *special}
            shown = [value for value, _ in ranked if value in kept]
        found = {value: _named(self._sums[self.places[value]], labels) for value in shown}
        rest = self._others + self._sums.sum(axis=0) - sum(self._sums[self.places[value]] for value in shown)
        return found | ({OTHERS: _named(rest, labels)} if rest[0] else {})

    def _at(self, value: str) -> int:
        """Its place; below 0 for one that is counted with the others."""
        place = self.places.get(value, -1)
        if place < 0 and not self._closed:
            place = self.places[value] = len(self.places)
            if place >= len(self._sums):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        return place

    def _make_room(self) -> None:
        """Give up the less frequent half; what is no value stays."""
        self.full = True
        weight = {value: int(self._sums[place][0]) for value, place in self.places.items()}
        ranked = sorted(self.places, key=lambda value: (value not in (NONE, NOT_A_DATE), -weight[value]))
        kept, given_up = ranked[: max(1, MOST_VALUES // 2)], ranked[max(1, MOST_VALUES // 2) :]
        self.missed += max((weight[value] for value in given_up), default=0)
        self._others += self._sums[[self.places[value] for value in given_up]].sum(axis=0)
        sums = np.zeros_like(self._sums)
        sums[: len(kept)] = self._sums[[self.places[value] for value in kept]]
        self._sums, self.places = sums, {value: place for place, value in enumerate(kept)}


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def as_value(value: object) -> str:
    """A cell as it is counted by; of a long one its beginning, and what tells it from others that begin so."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return NONE
    text = str(value)
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[: LONGEST - 10]}…#{digest}"
