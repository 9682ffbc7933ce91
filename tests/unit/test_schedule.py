"""The rate rises over the warm-up, falls to the end, and needs no memory."""

from __future__ import annotations

import pytest

from trainer.learn.schedule import rate


def test_linear_rises_then_falls_to_almost_nothing() -> None:
    factors = [rate(s, 100, 0.1, "linear") for s in range(100)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[10] == 1.0 == max(factors)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.02


def test_cosine_is_half_way_down_in_the_middle() -> None:
    assert rate(50, 100, 0.0, "cosine") == pytest.approx(0.5)


def test_constant_stays_up() -> None:
    assert [rate(s, 10, 0.0, "constant") for s in (0, 5, 9)] == [1.0, 1.0, 1.0]


def test_a_single_step_learns_something() -> None:
    for scheduler in ("linear", "cosine", "constant"):
        assert rate(0, 1, 0.06, scheduler) > 0
