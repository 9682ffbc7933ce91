"""A worker that learns nothing: it keeps the contract of a run folder (lock, log, stop) and is fast.

Run as a script by the tests; imported by them for the few things that they share. Ends by itself after a minute.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from trainer.runs import lock
from trainer.runs.events import LOG, EventLog, read_events
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.run import Run, list_runs

PATIENCE = 30.0
STEPS = 100_000


def command(run: Run, how: str = "works") -> list[str]:
    """The command line of a fake worker on `run`."""
    return [sys.executable, str(Path(__file__).resolve()), str(run.folder), how]


def until(condition: Callable[[], object], what: str = "it never came true") -> None:
    """Wait, generously, for what another process is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def end(process: lock.Process) -> None:
    """Kill this very process and wait until it is gone."""
    if process.alive:
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive, f"pid {process.pid} does not go")


def end_all() -> None:
    """Leave no worker of any run behind."""
    for run in list_runs():
        for found in (lock.holder(run.folder), lock.holder(run.folder / "child")):
            if found is not None and found.process is not None and found.pid != os.getpid():
                end(found.process)


def main(folder: Path, how: str) -> int:
    if how == "refuses":
        print("the corpus is not to my liking", file=sys.stderr)
        return 1
    if how == "script":
        return script(folder)
    asked: list[int] = []
    if how != "falls":
        signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    limit = time.monotonic() + 60
    with RunLock(folder, signals=True), EventLog(folder / LOG) as log:
        story = read_events(folder / LOG)
        step = max((e["step"] for e in story if e["kind"] == "step"), default=0)
        about = {"steps": STEPS, "epochs": 2, "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0)}
        if story:
            log.append("resumed", step=step, epoch=1, **about)
        else:
            log.append("started", **about)
        if how == "forks":
            forked(folder)
        if how == "finishes":
            for epoch, score in ((1, 0.25), (2, 0.5)):
                log.append("step", step=epoch, epoch=epoch, loss=0.1, lr=1e-3, examples_per_s=40.0, eta_s=1.0)
                log.append(
                    "validation", step=epoch, epoch=epoch, loss=0.2, train_loss=0.3 / epoch, macro_f1=score,
                    micro_f1=0.4, per_label={}, diagnosis="still learning", best=True,
                )  # fmt: skip
            log.append("finished", step=2, epoch=2, seconds=1.5, model=None, best_epoch=2, macro_f1=0.5, reason=None)
            return 0
        if how == "fails":
            log.append("failed", step=0, error="the corpus has no dev split", reason="input")
            return 1
        if how == "misses" and not any(e["kind"] == "failed" for e in story):
            log.append("failed", step=0, error="no corpus at /moved", reason="missing")
            return 1
        while time.monotonic() < limit:
            step += 1
            log.append(
                "step", step=step, epoch=1, loss=1 / step, lr=1e-3, grad_norm=1.0, examples_per_s=50.0, eta_s=60.0
            )
            if how != "deaf" and (asked or stop_requested(folder)):
                log.append("stopped", step=step, epoch=1)
                return 0
            time.sleep(0.01)
    return 1


def script(folder: Path) -> int:
    """A user's program that trains among other things: no handler for signals, and a life after the run."""
    with RunLock(folder), EventLog(folder / LOG) as log:
        log.append("started", steps=STEPS, epochs=2, pid=os.getpid())
        limit, step = time.monotonic() + 60, 0
        while not stop_requested(folder) and time.monotonic() < limit:
            step += 1
            log.append("step", step=step, epoch=1, loss=1 / step, lr=1e-3)
            time.sleep(0.01)
        log.append("checkpoint", step=step)
        log.append("stopped", step=step, epoch=1)
    time.sleep(60)
    return 0


def forked(folder: Path) -> None:
    """A child that outlives its parent, as a data loader's would; it names itself in a lock of its own."""
    if os.fork() == 0:
        (folder / "child").mkdir()
        with RunLock(folder / "child"):
            time.sleep(60)
        os._exit(0)
    until(lambda: (found := lock.holder(folder / "child")) is not None and found.alive)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
