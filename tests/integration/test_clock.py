"""A clock that jumps back two hours while nobody works on a run: order, curves, times and weights are not impressed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.worker import STEPS, copied, create, scores, weights, without_gap, work
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs

FAKETIME = shutil.which("faketime")
BACK = 7200.0


@pytest.mark.skipif(FAKETIME is None, reason="faketime is not installed")
@pytest.mark.parametrize("monotonic", ["as it is", "jumps too"])
def test_a_run_taken_up_after_the_clock_jumped_back(
    stopped_run: Run, whole_run: Run, goemo_home: Path, monotonic: str
) -> None:
    run = copied(stopped_run, goemo_home)
    before = without_gap(run)
    more = {"DONT_FAKE_MONOTONIC": "1"} if monotonic == "as it is" else {}
    assert work(run, around=(str(FAKETIME), "-f", f"-{BACK:.0f}s"), more=more) == 0, run.worker_log.read_text()
    told = without_gap(run)
    assert before[-1]["wall"] - told[len(before)]["wall"] > BACK / 2, "the clock did not jump"
    assert (told[len(before)]["kind"], told[len(before)]["step"]) == ("resumed", 12)
    assert weights(run) == weights(whole_run) and scores(run) == scores(whole_run)
    look = run.look()
    assert look.state == "finished" and look.pid is None
    points = look.snapshot.curve.step
    assert points == tuple(sorted(set(points))) and points[-1] == STEPS
    assert not look.snapshot.warnings
    for event in told:
        for key in ("seconds", "eta_s", "examples_per_s", "tokens_per_s"):
            assert event.get(key, 0) >= 0, event
    assert 0 < told[-1]["seconds"] < BACK / 2  # of both workers together, whatever the clock says


def test_the_list_of_runs_from_before_and_after_the_jump(
    stopped_run: Run, tiny_encoder: Path, goemo_home: Path
) -> None:
    before = copied(stopped_run, goemo_home)
    later = time.time() + BACK
    name = f"{datetime.fromtimestamp(later):%Y%m%d-%H%M}-calm-otter"
    before = Run.open(before.folder.rename(before.folder.with_name(name)))
    os.utime(before.folder / "config.toml", (later, later))
    after = create(tiny_encoder)
    assert [run.id for run in list_runs()] == [before.id, after.id]
    done = subprocess.run([sys.executable, "-m", "goemo_tui", "runs", "list"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = (line.split("\t") for line in done.stdout.splitlines())
    assert (first[0], first[1], first[4]) == (before.id, "stopped", "0s")
    assert second[0] == after.id and not second[4].startswith("-")


@pytest.mark.parametrize("jump", [-BACK, BACK])
def test_a_living_run_is_not_taken_for_stalled_because_the_clock_jumped(tiny_encoder: Path, jump: float) -> None:
    run = create(tiny_encoder)
    clock = iter([time.time(), time.time() + jump, time.time() + jump + 1])
    with RunLock(run.folder), EventLog(run.folder / LOG, clock=lambda: next(clock)) as log:
        for kind in ("started", "step", "validation"):
            log.append(kind, step=3, epoch=1, steps=9)
            assert run.state == "running", kind
    events = without_gap(run)
    assert (
        events[2]["wall"] - events[1]["wall"] == pytest.approx(1, abs=0.01)
        and abs(events[1]["wall"] - events[0]["wall"]) > 7000
    )
    assert events[0]["mono"] <= events[1]["mono"] <= events[2]["mono"]
    assert run.snapshot().curve.step == (3,) and len(run.snapshot().validations) == 1
