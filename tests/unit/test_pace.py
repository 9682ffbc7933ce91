"""Rows in a second of training, over a whole run."""

from __future__ import annotations

from typing import Any

import pytest

from trainer.runs.events import VERSION
from trainer.runs.snapshot import Snapshot, Story

STARTED = {"kind": "started", "mono": 100.0, "steps": 20, "epochs": 2, "rows": {"train": 310, "dev": 90}}


def told(*events: dict[str, Any]) -> Snapshot:
    return Story().fold({"v": VERSION, "seq": i, "wall": 0.0, **event} for i, event in enumerate(events, 1))


def step(step: int, mono: float, rate: float = 7.0) -> dict[str, Any]:
    return {"kind": "step", "mono": mono, "step": step, "loss": 0.1, "examples_per_s": rate}


def test_it_is_of_all_steps_and_not_of_the_last_ones() -> None:
    seen = told(STARTED, step(10, 105.0), step(20, 120.0, rate=1.0))
    assert seen.rows_per_s == pytest.approx(620 / 20) and seen.examples_per_s == 1.0


def test_validations_and_checkpoints_are_no_training() -> None:
    validation = {"kind": "validation", "mono": 120.0, "step": 10, "seconds": 10.0}
    checkpoint = {"kind": "checkpoint", "mono": 125.0, "step": 10, "seconds": 5.0}
    assert told(STARTED, step(10, 110.0), validation, checkpoint, step(20, 135.0)).rows_per_s == pytest.approx(31.0)


def test_what_lies_between_two_workers_is_no_training_and_the_clock_may_have_begun_anew() -> None:
    resumed = {**STARTED, "kind": "resumed", "mono": 3.0, "step": 8}
    seen = told(STARTED, step(10, 110.0), resumed, step(18, 13.0), step(20, 15.0))
    assert seen.rows_per_s == pytest.approx((10 + 12) * 31 / (10 + 12))


@pytest.mark.parametrize("rows", [None, 7, {"train": "many"}, {"train": 0}])
def test_a_run_that_does_not_say_its_rows_has_none(rows: Any) -> None:
    assert told({**STARTED, "rows": rows}, step(10, 110.0)).rows_per_s is None


def test_nothing_is_known_before_the_first_step_or_where_the_clock_goes_back() -> None:
    assert told(STARTED).rows_per_s is None
    assert told(STARTED, step(10, 50.0)).rows_per_s is None
