"""What Live says of a run in words: how far, what it is at, and what went wrong, whatever its events told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.services.runs import RunView
from goemo_tui.widgets.run_progress import NO_NUMBER, note, progress_of, warning_of
from trainer.runs.snapshot import Story


def view(*events: tuple[str, dict[str, Any]], state: str = "running", steps: int = 100, epochs: int = 2) -> RunView:
    told = [("started", {"step": 0, "steps": steps, "epochs": epochs}), *events]
    whole = [{"v": 1, "seq": n, "kind": kind, **fields} for n, (kind, fields) in enumerate(told, start=1)]
    return RunView("20261128-1228-calm-otter", "calm-otter", Path("/none"), state, None, Story().fold(whole))


def step(n: int, loss: float | None = 0.2) -> tuple[str, dict[str, Any]]:
    speed = {"examples_per_s": 103.0, "tokens_per_s": 2100.0, "eta_s": 100.0}
    return "step", {"step": n, "epoch": 1, "loss": loss, "lr": 1e-4, "grad_norm": 0.7, **speed}


def scored(n: int, diagnosis: str = "fits well") -> tuple[str, dict[str, Any]]:
    values = {"loss": 0.083, "train_loss": 0.08, "macro_f1": 0.5}
    return "validation", {"step": n, "epoch": n // 50, "diagnosis": diagnosis, **values}


def test_a_run_says_its_speed_in_examples_and_tokens_and_how_long_it_takes() -> None:
    said = progress_of(view(step(10)))
    assert said.facts == (("", "103 ex/s"), ("", "2.1k tok/s"))
    assert said.tail == "10/100  1m40s left" and said.share == 0.1
    assert said.scores == (("loss of the last steps", ".200"),)


def test_a_run_of_one_step_is_told_to_its_end() -> None:
    one = view(step(1), steps=1, epochs=1)
    assert progress_of(one).verdict == "epoch 1 is done, dev is being scored"
    done = view(step(1), ("finished", {"step": 1, "epoch": 1, "seconds": 47.2}), state="finished", steps=1, epochs=1)
    said = progress_of(done)
    assert (said.share, said.tail, said.facts) == (1.0, "1/1", (("took", "47s"),))


def test_behind_the_last_step_of_an_epoch_it_says_that_dev_is_scored() -> None:
    assert "scored" not in progress_of(view(step(49))).verdict
    assert progress_of(view(step(50))).verdict == "epoch 1 is done, dev is being scored"
    assert progress_of(view(step(50), scored(50))).verdict == "fits well"
    assert progress_of(view(step(50), scored(50), step(51))).verdict == "fits well"
    assert progress_of(view(step(50), state="stopped")).verdict == ""


@pytest.mark.parametrize("loss", [None, math.nan, math.inf])
def test_a_loss_that_is_no_number_is_said_in_words(loss: float | None) -> None:
    said = progress_of(view(step(50), scored(50), step(51), step(52, loss)))
    assert said.verdict == NO_NUMBER and said.alarm and not said.advice
    assert progress_of(view(step(50), scored(50), step(51, loss), step(52))).verdict == "fits well"
    assert progress_of(view()).verdict == "the first step is under way"


def test_overfitting_alarms_and_comes_with_an_advice() -> None:
    said = progress_of(view(step(50), scored(50, "overfitting since epoch 1"), step(51)))
    assert said.alarm and "stop here" in said.advice
    done = ("finished", {"step": 100, "epoch": 2, "seconds": 60.0})
    said = progress_of(view(step(50), scored(50, "overfitting since epoch 1"), done, state="finished"))
    assert said.alarm and "next run fewer epochs" in said.advice


def test_the_newest_warning_is_shown_while_it_goes_on_and_cleaned() -> None:
    warned = (step(1), ("warning", {"text": "old"}), ("warning", {"text": "disk \x1b[2J full"}))
    assert warning_of(view(*warned)) == "! disk ␛[2J full"
    assert warning_of(view(*warned, state="failed")) == "" == warning_of(view(step(1)))


def test_a_run_that_does_not_go_on_says_why_and_what_to_do() -> None:
    broken = ("failed", {"step": 3, "epoch": 1, "error": "loss is NaN", "reason": "nan"})
    assert note(view(step(3), broken, state="failed")) == (
        "loss is NaN · r starts over, no checkpoint is left, Log tells more"
    )
    assert note(view(step(3))) == ""
