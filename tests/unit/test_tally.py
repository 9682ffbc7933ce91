"""Counts of scored rows: they add up over portions to what one count of all rows would say."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import numpy as np
import pytest

from trainer.tables import tally


def added_up(parts: Iterable[tally.Counts]) -> tally.Counts:
    found: tally.Counts = {}
    for part in parts:
        tally.add(found, part)
    return found


GROUPS = {"good": [0, 1], "bad": [2]}


def test_counts_of_portions_add_up() -> None:
    rng = np.random.default_rng(0)
    felt, judged = rng.random((50, 3)) > 0.6, rng.random(50) > 0.1
    shop = [f"s{n % 4}" for n in range(50)]
    whole = tally.count(felt, judged, GROUPS, {"shop": shop})
    cuts = [slice(0, 7), slice(7, 30), slice(30, 50)]
    assert added_up(tally.count(felt[c], judged[c], GROUPS, {"shop": shop[c]}) for c in cuts) == whole
    assert whole["rows"] == 50 and whole["scored"] == judged.sum()
    assert whole["labels"] == (felt & judged[:, None]).sum(axis=0).tolist()
    assert whole["groups"][0] == ((felt[:, 0] | felt[:, 1]) & judged).sum()
    assert whole["without"] == (~felt.any(axis=1) & judged).sum()
    assert sum(of["rows"] for of in whole["apart"]["shop"].values()) == 50
    assert added_up([]) == {}


def test_too_many_values_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_VALUES", 3)
    felt, judged = np.ones((9, 1), dtype=bool), np.ones(9, dtype=bool)
    parts = [tally.count(felt, judged, {}, {"n": [str(n + start) for n in range(9)]}) for start in (0, 5)]
    values = added_up(parts)["apart"]["n"]
    assert set(values) == {"0", "1", "2", tally.OTHERS} and sum(of["rows"] for of in values.values()) == 18
    assert values[tally.OTHERS]["labels"] == [15]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-01-02", "2024-01-02"),
        ("2024-01-02T23:30:00-02:00", "2024-01-03"),
        ("2024-01-02 10:00", "2024-01-02"),
        (1704153600, "2024-01-02"),
        ("1704153600", "2024-01-02"),
        ("1704153600.5", "2024-01-02"),
        (1704153600000, "2024-01-02"),
        (datetime.datetime(2024, 1, 2, 5), "2024-01-02"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        ("yesterday", tally.NONE),
        ("", tally.NONE),
        (None, tally.NONE),
        (float("nan"), tally.NONE),
        ("9" * 400, tally.NONE),
        (1e300, tally.NONE),
    ],
)
def test_days(value: object, day: str) -> None:
    assert tally.as_day(value) == day


def test_values() -> None:
    assert [tally.as_value(v) for v in ("a", "", None, float("nan"), 3)] == [
        "a",
        tally.NONE,
        tally.NONE,
        tally.NONE,
        "3",
    ]
