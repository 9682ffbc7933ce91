"""What the tests of trackers share: runs with a story, exporting as a user does, and TensorBoard's own reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run
from trainer.runs.tail import read_events

ROOT = Path(__file__).parent.parent.parent
LABELS = ("joy", "grief", "فرح")
STEPS = tuple(range(10, 110, 10))


def run_with_story(end: str = "finished", **settings: Any) -> Run:
    """A run that died at step 80 and was resumed from 50 with other losses: ten steps and a validation count."""
    run = Run.create(TrainConfig(epochs=2, **settings), {"corpus": {"sha256": {"train": "ab12"}}})
    with RunLock(run.folder), EventLog(run.folder / LOG) as log:
        log.append("started", steps=100, epochs=2)
        for step in range(10, 90, 10):
            one_step(log, step, step / 10)
        log.append("resumed", step=50)
        for step in range(60, 110, 10):
            one_step(log, step, 1 / step)
        per_label = {name: {"f1": 0.5 + i / 10} for i, name in enumerate(LABELS)}
        log.append(
            "validation", step=100, epoch=1, loss=0.25, train_loss=0.3, macro_f1=0.5, micro_f1=0.6, weighted_f1=0.55,
            per_label=per_label, **{"macro_f1_at_0.3": 0.4},
        )  # fmt: skip
        if end:
            log.append(end, step=100, **({"error": "a disk full"} if end == "failed" else {}))
    return run


def one_step(log: EventLog, step: int, loss: float) -> None:
    log.append("step", step=step, epoch=1, loss=loss, lr=1e-3, grad_norm=1.5, examples_per_s=50.0)


def losses(run: Run) -> list[tuple[int, float]]:
    """The loss curve as the log has it: (step, loss)."""
    return [(e["step"], e["loss"]) for e in read_events(run.folder / LOG) if e["kind"] == "step"]


def export(run: Run, *more: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`goemo-tui runs export`, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "goemo_tui.cli", "runs", "export", run.id, *more],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def exported(run: Run, tracker: str, *more: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The tracker's part of the JSON document of a successful export."""
    done = export(run, "--to", tracker, "--json", *more, env=env)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["run"] == run.id
    (found,) = document["trackers"]
    assert (found["tracker"], found["state"], found["error"]) == (tracker, "done", "")
    result: dict[str, Any] = found
    return result


def worker_files(run: Run) -> dict[str, bytes]:
    """All files of the run folder that the worker writes, with their bytes."""
    files = [p for p in run.folder.rglob("*") if p.is_file() and p.relative_to(run.folder).parts[0] != "track"]
    return {str(p.relative_to(run.folder)): p.read_bytes() for p in files}


def board(folder: Path) -> Any:
    """TensorBoard's own reader on a run's folder, with every point."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    """One curve as TensorBoard reads it: (step, value)."""
    return [(event.step, event.value) for event in board(folder).Scalars(tag)]
