"""Counts of scored rows: they add up over portions to what one count of all rows would say."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

from trainer.tables import tally
from trainer.tables.days import as_day

GROUPS = {"good": [0, 1], "bad": [2]}


def counted(values: list[str], portion: int, days: bool = False) -> list[tally.Counts]:
    """Each row feels the one label there is."""
    one, kept = np.ones((len(values), 1), dtype=bool), ("n",) if days else ()
    cuts = [slice(at, at + portion) for at in range(0, len(values), portion)]
    return [tally.count(one[c], one[c][:, 0], {}, {"n": values[c]}, kept) for c in cuts]


def test_counts_of_portions_add_up() -> None:
    rng = np.random.default_rng(0)
    felt, judged = rng.random((50, 3)) > 0.6, rng.random(50) > 0.1
    shop = [f"s{n % 4}" for n in range(50)]
    whole = tally.added_up([tally.count(felt, judged, GROUPS, {"shop": shop})])
    cuts = [slice(0, 7), slice(7, 30), slice(30, 50)]
    parts = [tally.count(felt[c], judged[c], GROUPS, {"shop": shop[c]}) for c in cuts]
    assert tally.added_up(json.loads(json.dumps(parts))) == whole
    assert whole["rows"] == 50 and whole["scored"] == judged.sum()
    assert whole["labels"] == (felt & judged[:, None]).sum(axis=0).tolist()
    assert whole["groups"][0] == ((felt[:, 0] | felt[:, 1]) & judged).sum()
    assert whole["without"] == (~felt.any(axis=1) & judged).sum()
    assert sum(of["rows"] for of in whole["apart"]["shop"].values()) == 50
    for n, (shop_, of) in enumerate(sorted(whole["apart"]["shop"].items())):
        assert shop_ == f"s{n}" and of["scored"] == judged[n::4].sum()
        assert of["labels"] == (felt & judged[:, None])[n::4].sum(axis=0).tolist()
        assert of["groups"][0] == ((felt[:, 0] | felt[:, 1]) & judged)[n::4].sum()
        assert of["without"] == (~felt.any(axis=1) & judged)[n::4].sum()
    assert tally.added_up([]) == {}


@pytest.mark.parametrize("portion", [4000, 2000, 7])
def test_what_is_told_of_a_value_does_not_depend_on_how_a_file_is_cut(portion: int) -> None:
    values = ["VIP"] * 100 + [f"user {n % 1500}" for n in range(3400)] + ["VIP"] * 500
    found = tally.added_up(counted(values, portion))
    assert found["apart"]["n"]["VIP"]["rows"] == found["apart"]["n"]["VIP"]["labels"][0] == 600
    assert next(iter(found["apart"]["n"])) == "VIP" and found["capped"] == {}
    assert sum(of["rows"] for of in found["apart"]["n"].values()) == 4000
    assert len(found["apart"]["n"]) == tally.SHOWN_VALUES + 1 and list(found["apart"]["n"])[-1] == tally.OTHERS


@pytest.mark.parametrize("portion", [1, 5, 1000])
def test_more_values_than_can_be_held_are_counted_twice_and_said(portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_VALUES", 8)
    values = ["early", "", *[str(n) for n in range(40)], *["often", "early"] * 5, *[str(n) for n in range(40)]]
    parts = counted([tally.as_value(value) for value in values], portion)
    found = tally.added_up(parts, lambda: parts)
    apart = found["apart"]["n"]
    assert [apart[v]["rows"] for v in ("early", "often", tally.NONE)] == [6, 5, 1] and len(apart) <= 9
    assert sum(of["rows"] for of in apart.values()) == sum(of["labels"][0] for of in apart.values()) == len(values)
    assert found["capped"] == {"n": {"values": len(apart) - 1, "missed": 0}}
    stream = tally.added_up(iter(parts))  # cannot be had again
    assert sum(of["rows"] for of in stream["apart"]["n"].values()) == len(values)
    least = stream["apart"]["n"]["early"]["rows"]
    assert least <= 6 <= least + stream["capped"]["n"]["missed"]


def test_the_last_days_are_told_however_many_there_are() -> None:
    first = datetime.date(2015, 1, 1)
    days = [(first + datetime.timedelta(n)).isoformat() for n in range(4000)]
    found = tally.added_up(counted([*days, tally.NONE, tally.NOT_A_DATE], 1000, days=True))["apart"]["n"]
    assert list(found) == [*days, tally.NONE, tally.NOT_A_DATE]


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
        (1704153600000000, "2024-01-02"),
        ("1704153600000000000", "2024-01-02"),
        ("20240301", "2024-03-01"),
        (20240301, "2024-03-01"),
        (20240301.0, "2024-03-01"),
        ("2024/03/01 10:00", "2024-03-01"),
        ("2024-03-01 10:00:00 UTC", "2024-03-01"),
        ("2024-03-01 23:30:00 -02:00", "2024-03-02"),
        ("2024-03-01T10:00:00Z", "2024-03-01"),
        ("2024-03-01 UTC", "2024-03-01"),
        ("20240301T100000", "2024-03-01"),
        ("", tally.NONE),
        ("  ", tally.NONE),
        (None, tally.NONE),
        (float("nan"), tally.NONE),
        ("yesterday", tally.NOT_A_DATE),
        ("9" * 400, tally.NOT_A_DATE),
        (1e300, tally.NOT_A_DATE),
        ("2024", tally.NOT_A_DATE),
        (2024, tally.NOT_A_DATE),
        ("20241341", tally.NOT_A_DATE),
        ("03/01/2024", tally.NOT_A_DATE),
        (True, tally.NOT_A_DATE),
        ([1], tally.NOT_A_DATE),
    ],
)
def test_days(value: object, day: str) -> None:
    assert as_day(value) == day


def test_values() -> None:
    assert [tally.as_value(v) for v in ("a", "", None, float("nan"), 3)] == [
        "a",
        tally.NONE,
        tally.NONE,
        tally.NONE,
        "3",
    ]


def test_long_values_that_begin_alike_are_two() -> None:
    one, two = (tally.as_value("x" * 300 + end) for end in "ab")
    assert one != two and len(one) == len(two) == tally.LONGEST and one.startswith("x" * 100)
