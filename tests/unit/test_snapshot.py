"""Snapshots: the same picture however the events arrive, curves that never double back, and no trust in any event."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.runs.snapshot import MOST_POINTS, MOST_WARNINGS, Snapshot, Story, own_fields


def told(*events: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """(kind, fields) pairs as a log would hold them."""
    return [
        {"v": 1, "seq": n, "kind": kind, "wall": 100.0 + n, "mono": 10.0 + n, **fields}
        for n, (kind, fields) in enumerate(events, start=1)
    ]


def step(number: int, loss: Any = 0.5, **more: Any) -> tuple[str, dict[str, Any]]:
    return "step", {"step": number, "epoch": 1, "loss": loss, "lr": 1e-4, "grad_norm": 0.7, **more}


def validation(number: int, epoch: int, macro_f1: float, **more: Any) -> tuple[str, dict[str, Any]]:
    return "validation", {"step": number, "epoch": epoch, "macro_f1": macro_f1, **more}


STARTED = ("started", {"steps": 10, "epochs": 2, "labels": ["a", "b"]})


def test_what_a_screen_draws() -> None:
    seen = Story().fold(
        told(STARTED, step(1, 0.9), step(2, 0.8, examples_per_s=50.0, tokens_per_s=900.0, eta_s=12.5),
             ("checkpoint", {"step": 2, "folder": "f"}), ("warning", {"text": "slow disk"}), validation(5, 1, 0.4))
    )  # fmt: skip
    assert seen.curve.step == (1, 2) and seen.curve.loss == (0.9, 0.8) and len(seen.curve) == 2
    assert seen.curve.lr == (1e-4, 1e-4) and seen.curve.grad_norm == (0.7, 0.7)
    assert (seen.step, seen.steps, seen.epoch, seen.epochs, seen.fraction) == (5, 10, 1, 2, 0.5)
    assert (seen.loss, seen.lr, seen.grad_norm) == (0.8, 1e-4, 0.7)
    assert (seen.examples_per_s, seen.tokens_per_s, seen.eta_s) == (50.0, 900.0, 12.5)
    assert seen.warnings == ("slow disk",) and seen.end is None
    assert seen.started is not None and seen.started["labels"] == ["a", "b"]
    assert seen.checkpoint is not None and seen.checkpoint["folder"] == "f"
    assert (seen.seq, seen.wall, seen.mono) == (6, 106.0, 16.0)
    assert isinstance(seen.epoch, int)
    assert own_fields(seen.validations[0]) == {"step": 5, "epoch": 1, "macro_f1": 0.4}


def test_nothing_new_is_the_same_picture() -> None:
    story = Story()
    first = story.fold(told(STARTED, step(1)))
    assert story.fold([]) is first
    assert story.fold([], bad=2).bad == 2
    assert Story().fold([]) == Snapshot()


EVENT = st.one_of(
    st.builds(step, st.integers(1, 20), st.floats(0, 1)),
    st.builds(validation, st.integers(1, 20), st.integers(1, 3), st.floats(0, 1), best=st.booleans()),
    st.builds(lambda s: ("resumed", {"step": s}), st.integers(0, 20)),
    st.sampled_from([STARTED, ("stopped", {"step": 3}), ("failed", {"error": "x"}), ("warning", {"text": "w"})]),
)


@given(st.lists(EVENT, max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_the_picture_does_not_depend_on_how_events_arrive(events: list[Any], cuts: list[int]) -> None:
    log = told(*events)
    story, start = Story(), 0
    for cut in [*sorted(cuts), len(log)]:
        story.fold(log[start:cut])
        start = max(start, cut)
    seen = story.fold([])
    assert seen == Story().fold(log)
    assert list(seen.curve.step) == sorted(set(seen.curve.step))  # never doubles back


def test_a_resume_takes_back_what_lies_beyond_it() -> None:
    story = Story()
    story.fold(told(STARTED, *(step(n) for n in range(1, 7)), validation(5, 1, 0.4), ("checkpoint", {"step": 6})))
    ended = story.fold(told(("stopped", {"step": 6, "epoch": 2})))
    assert ended.end is not None and ended.end["kind"] == "stopped"
    seen = story.fold(told(("resumed", {"step": 3, "epoch": 1})))
    assert seen.curve.step == (1, 2, 3) and seen.step == 3 and seen.epoch == 1
    assert seen.validations == () and seen.checkpoint is None and seen.end is None
    assert seen.eta_s is None and seen.examples_per_s is None and seen.loss == 0.5
    assert seen.steps == 10
    again = story.fold(told(step(4, 0.3), validation(5, 1, 0.45)))
    assert again.curve.step == (1, 2, 3, 4) and [v["macro_f1"] for v in again.validations] == [0.45]


def test_an_epoch_validated_again_counts_once() -> None:
    seen = Story().fold(
        told(STARTED, validation(5, 1, 0.4, best=True), ("checkpoint", {"step": 10}), validation(10, 2, 0.5),
             ("resumed", {"step": 10, "epoch": 2}), validation(10, 2, 0.6, best=True))
    )  # fmt: skip
    assert [(v["epoch"], v["macro_f1"]) for v in seen.validations] == [(1, 0.4), (2, 0.6)]
    assert seen.best is not None and seen.best["macro_f1"] == 0.6
    nameless = told(("validation", {"step": 5}), ("validation", {"step": 10}))
    assert len(Story().fold(nameless).validations) == 2


def test_a_new_start_begins_at_nothing() -> None:
    seen = Story().fold(told(STARTED, step(1), validation(1, 1, 0.4), ("failed", {"error": "x"}), STARTED))
    assert (len(seen.curve), seen.step, seen.epoch, seen.validations, seen.end) == (0, 0, 0, (), None)


def test_a_step_told_twice_is_drawn_once() -> None:
    seen = Story().fold(told(step(1), step(2), step(3), step(2, 0.1)))
    assert seen.curve.step == (1, 2) and seen.curve.loss[-1] == 0.1


def test_the_best_epoch_is_the_one_called_best_else_the_highest_score() -> None:
    kept = Story().fold(told(validation(1, 1, 0.4, best=True), validation(2, 2, 0.5, best=True), validation(3, 3, 0.5)))
    assert kept.best is not None and kept.best["epoch"] == 2
    scored = Story().fold(
        told(validation(1, 1, 0.6), validation(2, 2, 0.5), ("validation", {"step": 3, "macro_f1": None}))
    )
    assert scored.best is not None and scored.best["epoch"] == 1
    assert Snapshot().best is None


def test_a_loss_that_is_no_number_is_a_hole_in_the_curve() -> None:
    seen = Story().fold(told(step(1, 0.5), step(2, None)))
    assert math.isnan(seen.curve.loss[1]) and seen.loss is None


@pytest.mark.parametrize("rubbish", [None, "12", [], {}, True, -1, 10**400, 1e999])
def test_rubbish_in_an_event_is_left_out(rubbish: Any) -> None:
    seen = Story().fold(
        told(("started", {"steps": rubbish, "epochs": rubbish}), ("step", {"step": rubbish, "loss": rubbish}),
             step(3, rubbish), ("validation", {"step": rubbish, "macro_f1": rubbish, "epoch": rubbish}),
             ("resumed", {"step": rubbish}), ("warning", {"text": rubbish}), ("finished", {"step": rubbish}))
    )  # fmt: skip
    assert seen.end is not None and seen.steps in (0, 1)
    assert all(isinstance(s, int) for s in seen.curve.step)


def test_another_format_is_said_not_guessed_at() -> None:
    foreign = [{**event, "v": 2} for event in told(STARTED, step(1))]
    seen = Story().fold(foreign)
    assert seen.started is None and len(seen.curve) == 0
    assert len(seen.warnings) == 1 and "format 2" in seen.warnings[0]


def test_a_long_run_stays_small_and_keeps_its_peaks() -> None:
    story, count = Story(), 5 * MOST_POINTS
    for begin in range(0, count, 1000):
        story.fold(
            told(*(step(n, 9.0 if n == 12_345 else 0.01 if n == 23_456 else 0.5) for n in range(begin, begin + 1000)))
        )
    seen = story.fold([])
    assert MOST_POINTS / 4 < len(seen.curve) <= MOST_POINTS
    assert max(seen.curve.loss) == 9.0 and min(seen.curve.loss) == 0.01
    assert seen.curve.step[seen.curve.loss.index(9.0)] == 12_345
    assert seen.curve.step[-1] >= count - 1
    assert list(seen.curve.step) == sorted(set(seen.curve.step))


def test_warnings_do_not_pile_up() -> None:
    seen = Story().fold(told(*(("warning", {"text": f"w{n}"}) for n in range(3 * MOST_WARNINGS))))
    assert len(seen.warnings) == MOST_WARNINGS and seen.warnings[-1] == f"w{3 * MOST_WARNINGS - 1}"
