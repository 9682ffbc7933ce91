"""Real trainings on a disk that is full, or that fails: they warn, go on, and save again as soon as that is possible."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults import STRACE, refused
from tests.integration.worker import STEPS, create, scores, texts, weights, without_gap, work
from trainer.learn import checkpoint
from trainer.runs.run import Run

MEGABYTES = 32
"""Room for all that a run of the tiny encoder keeps: a checkpoint has 6, its model 2."""

FILLING = """
import os, sys
from pathlib import Path
from trainer.learn import checkpoint

# The disk gets full right before the first checkpoint and has room again after the second one that was refused.
real, filler, refused = checkpoint.write, Path(sys.argv[2]), []

def fill(leave):
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            file.truncate(max(0, file.tell() - leave))

def write(*arguments, **named):
    if not refused and not filler.exists():
        fill(int(sys.argv[3]))
    try:
        return real(*arguments, **named)
    except OSError:
        refused.append(1)
        raise
    finally:
        if len(refused) == 2:
            filler.unlink()
            refused.append(1)

checkpoint.write = write
from trainer.__main__ import main
sys.exit(main(sys.argv[1:2]))
"""


IMPATIENT = """
import sys
from trainer.learn import training
from trainer.__main__ import main

training.ROOM_SECONDS = 0.0
sys.exit(main(sys.argv[1:2]))
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The mount point of a disk with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "none", str(folder)], capture_output=True, text=True
        )
        why = done.stderr.strip()
    except FileNotFoundError:
        why = "there is no mount"
    if not os.path.ismount(folder):
        pytest.skip(f"a small disk cannot be mounted here: {why}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("leave", [512 << 10, 0])  # with and without room for the event log
def test_a_training_outlives_a_full_disk_and_saves_again_when_there_is_room(
    small_disk: Path, tiny_encoder: Path, whole_run: Run, monkeypatch: pytest.MonkeyPatch, leave: int
) -> None:
    monkeypatch.setenv("GOEMO_HOME", str(small_disk))
    run = create(tiny_encoder)
    code = work(run, ("-c", FILLING), after=(str(small_disk / "filler"), str(leave)))
    assert code == 0, run.worker_log.read_text()
    told = without_gap(run)
    assert told[-1]["kind"] == "finished" and run.state == "finished"
    said = texts(told)
    assert "no checkpoint was written at step 6: " in said and "no checkpoint was written at step 12: " in said
    assert "the model of epoch 1 was not kept" in said and "No space left" in said
    assert "step 18" not in said and "epoch 2" not in said
    assert [event["step"] for event in told if event["kind"] == "checkpoint"] == [STEPS]
    assert ("the event log could not be written for a while" in said) == (leave == 0)
    assert checkpoint.newest(run.folder / "checkpoints")[1] == []
    assert not [path.name for path in (run.folder / "checkpoints").iterdir() if path.name.startswith(".")]
    assert run.model == run.folder / "model"
    assert scores(run) == scores(whole_run)  # nothing of it touched the training itself
    assert weights(run)[:2] == weights(whole_run)[:2]


@pytest.mark.skipif(refused() is not None, reason=str(refused()))
def test_a_disk_that_never_syncs_is_warned_of_and_the_training_goes_on(tiny_encoder: Path, whole_run: Run) -> None:
    run = create(tiny_encoder)
    calls = "fsync,fdatasync"
    around = (str(STRACE), "-f", "-o", os.devnull, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO")
    assert work(run, ("-c", IMPATIENT), around=around) == 1, run.worker_log.read_text()
    told = without_gap(run)
    assert told[-1]["kind"] == "failed" and told[-1]["reason"] == "disk"  # it is done, and has no model that is safe
    said = texts(told)
    assert "event log" not in said  # it lacks nothing; that a power cut could cost its end is said elsewhere
    # once by the wait for the run's turn and once by the training, not at every event
    assert 1 <= run.worker_log.read_text().count("cannot be made durable") <= 2
    for step in (6, 12, 18):
        assert f"no checkpoint was written at step {step}: " in said
    assert "the model of epoch 1 was not kept" in said and "Input/output error" in said
    assert not list((run.folder / "checkpoints").iterdir()) and not (run.folder / "model").exists()
    assert scores(run) == scores(whole_run)
