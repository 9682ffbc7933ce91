"""What a file of scored rows says as a whole: how many rows carry each label, overall, by a column's value, by the day.

Counts add up, so that each portion keeps its own and a work that was broken off loses none.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Counts = dict[str, Any]

MOST_VALUES = 1_000
"""Values of a column that are counted apart; those that come later are counted together."""

OTHERS, NONE = "(other values)", "(none)"

_MILLISECONDS = 1e11
"""Larger numbers are no seconds since 1970 but milliseconds."""


def count(
    felt: Array, judged: Array, groups: Mapping[str, Sequence[int]], apart: Mapping[str, Sequence[str]]
) -> Counts:
    """The counts of some rows. `felt`: bool (rows, labels); `judged`: bool (rows,); `groups`: label numbers of each group;
    `apart`: for each column to count by, what stands in it in each row."""
    found: Counts = {**_of(felt, judged, groups), "apart": {}}
    for column, values in apart.items():
        rows: dict[str, list[int]] = {}
        for row, value in enumerate(values):
            rows.setdefault(value, []).append(row)
        found["apart"][column] = {value: _of(felt[r], judged[r], groups) for value, r in rows.items()}
        _cut(found["apart"][column])
    return found


def _of(felt: Array, judged: Array, groups: Mapping[str, Sequence[int]]) -> Counts:
    over = felt & judged[:, None]
    return {
        "rows": len(judged),
        "scored": int(judged.sum()),
        "without": int((judged & ~over.any(axis=1)).sum()),
        "labels": over.sum(axis=0).tolist(),
        "groups": [int(over[:, list(ids)].any(axis=1).sum()) for ids in groups.values()],
    }


def add(to: Counts, more: Counts) -> None:
    """Add the counts of other rows."""
    _add(to, more)
    for column, values in more.get("apart", {}).items():
        known = to.setdefault("apart", {}).setdefault(column, {})
        for value, counts in values.items():
            _add(known.setdefault(value if value in known or len(known) < MOST_VALUES else OTHERS, {}), counts)


def _add(to: Counts, more: Counts) -> None:
    for key, value in more.items():
        if isinstance(value, list):
            to[key] = [a + b for a, b in zip(to.get(key) or [0] * len(value), value, strict=True)]
        elif isinstance(value, int):
            to[key] = to.get(key, 0) + value


def _cut(values: dict[str, Counts]) -> None:
    for value in list(values)[MOST_VALUES:]:
        _add(values.setdefault(OTHERS, {}), values.pop(value))


def as_value(value: object) -> str:
    """A cell as it is counted by."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return NONE
    return str(value)[:200]


def as_day(value: object) -> str:
    """The day (UTC) of a time: of ISO 8601, of seconds or milliseconds since 1970, of Arrow; else `NONE`."""
    try:
        if isinstance(value, datetime.datetime):
            moment = value
        elif isinstance(value, datetime.date):
            return value.isoformat()
        elif isinstance(value, str) and not value.strip().replace(".", "", 1).isdecimal():
            moment = datetime.datetime.fromisoformat(value.strip())
        else:
            seconds = float(value)  # type: ignore[arg-type]
            seconds /= 1000 if abs(seconds) > _MILLISECONDS else 1
            moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return (moment.astimezone(datetime.UTC) if moment.tzinfo else moment).date().isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return NONE
