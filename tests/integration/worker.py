"""Real runs of a tiny encoder whose worker ends at a chosen moment, for tests of what is taken up again.

A worker sends itself a signal right after its n-th checkpoint, so that what it leaves behind is the same each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.runs.events import LOG
from trainer.runs.plan import plan
from trainer.runs.run import Run

SETTINGS = {"limit": 144, "epochs": 2, "batch_size": 8, "accumulation": 2, "checkpoint_steps": 6, "head_init": "random"}
STEPS = 18
"""9 an epoch; checkpoints at 6 and 12, both in mid-epoch, and at the very end."""

MODULE = ("-m", "trainer")

ENDING = """
import os, sys
from trainer.learn import checkpoint

real, left = checkpoint.write, [int(sys.argv[2])]

def write(*arguments, **named):
    told = real(*arguments, **named)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), int(sys.argv[3]))
    return told

checkpoint.write = write
from trainer.__main__ import main
sys.exit(main(sys.argv[1:2]))
"""


def create(encoder: Path, **settings: Any) -> Run:
    """A run that no worker has taken up yet."""
    ready = plan("sample", str(encoder), "goemo", {**SETTINGS, **settings})
    return Run.create(ready.config, ready.record())


def work(
    run: Run,
    program: Sequence[str] = MODULE,
    around: Sequence[str] = (),
    after: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> int:
    """The worker's exit code, run to its end in a process of its own; `around` is a command that runs it."""
    command = [*around, sys.executable, *program, str(run.folder), *after]
    with (run.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(more or {})}
        )
        try:
            return worker.wait(timeout=200)
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait()


def ended(run: Run, checkpoints: int = 2, by: signal.Signals = signal.SIGTERM) -> int:
    """Work until so many checkpoints are written, then get a signal: asked to stop, or killed."""
    return work(run, ("-c", ENDING), after=(str(checkpoints), str(int(by))))


def copied(run: Run, home: Path) -> Run:
    """The same run in another home, to be changed there."""
    return Run.open(shutil.copytree(run.folder, home / "runs" / run.id))


def weights(run: Run) -> list[str]:
    """The sha256 of the last weights, as the checkpoint of the last step has them, and of the model that is kept."""
    last = run.folder / "checkpoints" / f"step-{STEPS:06d}"
    files = [last / "model.safetensors", last / "optimizer.safetensors", run.folder / "model" / "model.safetensors"]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def lines(run: Run) -> list[dict[str, Any]]:
    """Every event of the log in the order of the file, also those taken back; bad lines are left out."""
    found = []
    for line in (run.folder / LOG).read_bytes().split(b"\n"):
        try:
            found.append(json.loads(line.strip(b"\0")))
        except ValueError:
            continue
    return [event for event in found if isinstance(event, dict)]


def without_gap(run: Run) -> list[dict[str, Any]]:
    """`lines`, whose numbers are 1, 2, 3, … to the end."""
    events = lines(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return events


def texts(events: list[dict[str, Any]]) -> str:
    """All warnings, one a line."""
    return "\n".join(event["text"] for event in events if event["kind"] == "warning")


def scores(run: Run) -> list[tuple[Any, ...]]:
    """What each epoch came to, without how long it took."""
    keys = ("epoch", "step", "train_loss", "loss", "macro_f1", "macro_f1_at_0.3")
    return [tuple(validation[key] for key in keys) for validation in run.snapshot().validations]
