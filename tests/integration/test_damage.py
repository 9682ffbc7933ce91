"""Real runs taken up again from damaged files: they go on from what is whole, say so, and end with the same weights."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.worker import SETTINGS, STEPS, copied, scores, texts, weights, without_gap, work
from trainer.runs.events import LOG
from trainer.runs.run import Run
from trainer.runs.tail import EventTail, read_events


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def flipped(folder: Path) -> None:
    """One bit in the middle of the weights: whatever it becomes is a number too."""
    path = folder / "model.safetensors"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        bit = file.read(1)[0] ^ 1
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([bit]))


def emptied(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"")


def goes_on_alike(run: Run, whole: Run, word: str, step: int | None) -> str:
    """Take it up again; it ends like the whole one, and `word` (resumed, started) is said at `step`. The warnings."""
    before = len(without_gap(run))
    assert work(run) == 0, run.worker_log.read_text()
    assert run.state == "finished"
    told = without_gap(run)[before:]
    assert [(e["kind"], e.get("step")) for e in told if e["kind"] in ("started", "resumed")] == [(word, step)]
    assert weights(run) == weights(whole)
    assert scores(run) == scores(whole)
    points = run.snapshot().curve.step
    assert points == tuple(sorted(set(points))) and points[-1] == run.snapshot().step == STEPS
    return texts(told)


@pytest.mark.parametrize("damage", [cut, flipped, emptied])
def test_a_damaged_checkpoint_sends_the_run_back_to_the_one_before(
    stopped_run: Run, whole_run: Run, goemo_home: Path, damage: Callable[[Path], None]
) -> None:
    run = copied(stopped_run, goemo_home)
    damage(run.folder / "checkpoints" / "step-000012")
    said = goes_on_alike(run, whole_run, "resumed", 6)
    assert "step-000012 is passed over" in said and "step-000006" not in said


def test_without_any_whole_checkpoint_it_starts_over(stopped_run: Run, whole_run: Run, goemo_home: Path) -> None:
    run = copied(stopped_run, goemo_home)
    flipped(run.folder / "checkpoints" / "step-000006")
    cut(run.folder / "checkpoints" / "step-000012")
    said = goes_on_alike(run, whole_run, "started", None)
    assert "step-000012 is passed over" in said and "step-000006 is passed over" in said
    assert run.snapshot().curve.step[0] <= SETTINGS["checkpoint_steps"]


TORN = b'{"v":1,"seq":99,"kind":"step","wall":17'
FOREIGN = b"\xff\xfe rubbish\n"


@pytest.mark.parametrize(
    ("tail", "bad"),
    [
        (TORN, 1),  # power was lost in the middle of a line
        (b"\0" * 4096, 1),  # the file had grown, its content had not reached the disk
        (FOREIGN + b"\0" * 512 + b"\n" + TORN, 3),
    ],
)
def test_a_damaged_log_goes_on_without_a_gap(
    stopped_run: Run, whole_run: Run, goemo_home: Path, tail: bytes, bad: int
) -> None:
    run = copied(stopped_run, goemo_home)
    before = [e["seq"] for e in read_events(run.folder / LOG)]
    with (run.folder / LOG).open("ab") as file:
        file.write(tail)
    assert [e["seq"] for e in read_events(run.folder / LOG)] == before and run.state == "stopped"
    assert not goes_on_alike(run, whole_run, "resumed", 12)
    reader = EventTail(run.folder / LOG)
    assert [e["seq"] for e in reader.poll()] == [e["seq"] for e in without_gap(run)]
    assert reader.bad == run.snapshot().bad == bad


def test_a_log_that_is_gone_costs_the_story_but_not_the_training(
    stopped_run: Run, whole_run: Run, goemo_home: Path
) -> None:
    run = copied(stopped_run, goemo_home)
    (run.folder / LOG).unlink()
    assert work(run) == 0, run.worker_log.read_text()
    told = without_gap(run)
    assert (told[0]["kind"], told[0]["step"], told[-1]["kind"]) == ("resumed", 12, "finished")
    assert weights(run) == weights(whole_run)
    assert json.loads(json.dumps(run.summary()))["state"] == "finished"
