"""How far and how fast a download is, with a clock that the test turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.services.transfer import WINDOW, Transfer, at_hand


def test_amount_rate_and_time_left() -> None:
    transfer = Transfer({"a": 1_000, "b": 3_000}, {}, 10.0)
    assert (transfer.so_far, transfer.total, transfer.before) == (0, 4_000, 0)
    assert transfer.rate(10.0) is None and transfer.seconds_left(10.0) is None
    transfer.told("a", 500, 11.0)
    assert (transfer.so_far, transfer.file) == (500, "a")
    assert transfer.rate(11.0) == 500
    assert transfer.seconds_left(11.0) == 7
    transfer.told("a", 1_000, 12.0)
    transfer.told("b", 0, 12.0)
    assert (transfer.so_far, transfer.rate(12.0)) == (1_000, 500)


def test_the_rate_forgets_what_is_long_ago_and_falls_in_silence() -> None:
    transfer = Transfer({"a": 100_000}, {}, 0.0)
    for second in range(1, 11):
        transfer.told("a", 1_000 * second if second < 6 else 5_000 + 100 * (second - 5), float(second))
    assert transfer.rate(10.0) == pytest.approx(100)
    assert transfer.silent(10.0) == 0
    assert transfer.rate(10.0 + WINDOW - 1) < transfer.rate(10.0)  # type: ignore[operator]
    assert transfer.rate(10.0 + 3 * WINDOW) is None
    transfer.told("a", 5_500, 30.0)
    assert transfer.silent(30.0) == 20


def test_what_an_earlier_download_left_counts_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000)
    (tmp_path / "b.part").write_bytes(b"x" * 700)
    (tmp_path / "c.part").write_bytes(b"x" * 9_999)
    sizes = {"a": 1_000, "b": 3_000, "c": 10, "d": 5}
    found = at_hand(sizes, tmp_path)
    assert found == {"a": 1_000, "b": 700, "c": 10}
    transfer = Transfer(sizes, found, 0.0)
    assert (transfer.before, transfer.so_far) == (1_710, 1_710)
    transfer.told("b", 0, 1.0)  # the server sends it all again
    assert transfer.so_far == 1_010
    assert transfer.rate(1.0) == 0 and transfer.seconds_left(1.0) is None
    assert at_hand(sizes, tmp_path / "nowhere") == {}
