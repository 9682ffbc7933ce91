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
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import read_events

PATIENCE = 30.0
STEPS = 100_000


def command(run: Run, how: str = "works") -> list[str]:
    """The command line of a fake worker on `run`. `how` is one of the ways in `main`, some with a number: `dies:2`."""
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
    """Leave no worker of any run behind, and nobody who would start another."""
    for run in list_runs():
        for folder in (run.folder, run.folder / "child"):
            found = lock.holder(folder)
            if found is not None and found.supervisor is not None and supervises(found.supervisor):
                end(found.supervisor)
                found = lock.holder(folder)  # it may have started one until then
            if found is not None and found.process is not None and found.pid != os.getpid():
                end(found.process)


def supervises(process: lock.Process) -> bool:
    """True for a supervisor as runs have them; False for a test in its place."""
    try:
        return process.alive and b"/launch.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    except OSError:
        return False


def lives(run: Run) -> int:
    """How many fake workers have been started on `run`."""
    path = run.folder / "lives"
    return len(path.read_text().splitlines()) if path.exists() else 0


def main(folder: Path, how: str) -> int:
    how, _, number = how.partition(":")
    with (folder / "lives").open("a") as file:
        file.write(f"{os.getpid()}\n")
    # Those that die do so in their first `number` lives, and work afterwards.
    dying = number.isdecimal() and len((folder / "lives").read_text().splitlines()) <= int(number)
    if how == "stillborn" or (how == "early" and dying and read_events(folder / LOG)):
        os.kill(os.getpid(), signal.SIGKILL)  # the first that is early gets as far as the lock
    if how == "refuses":
        print("the corpus is not to my liking", file=sys.stderr)
        return 1
    if how == "script":
        return script(folder)
    if how == "slow":
        time.sleep(1)
    asked: list[int] = []
    if how != "falls":
        signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    code = trained(folder, how, number, dying, asked)
    if how == "lingers" and len((folder / "lives").read_text().splitlines()) == 1:
        time.sleep(float(number))  # as a real one does, whose libraries take their time to leave
    return code


def trained(folder: Path, how: str, number: str, dying: bool, asked: list[int]) -> int:
    """What is done with the lock held. Returns the exit code."""
    limit = time.monotonic() + 60
    with RunLock(folder, signals=True), EventLog(folder / LOG) as log:
        story = read_events(folder / LOG)
        step = max((e["step"] for e in story if e["kind"] == "step"), default=0)
        about = {"steps": STEPS, "epochs": 2, "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0)}
        if story:
            log.append("resumed", step=step, epoch=1, **about)
        else:
            log.append("started", **about)
        if how == "waits":
            log.append("waiting", on="another run")
            while not asked and time.monotonic() < limit:
                time.sleep(0.01)
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
            if number == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            return 0
        if how == "fails":
            log.append("failed", step=0, error="the corpus has no dev split", reason="input")
            return 1
        if how == "misses" and not any(e["kind"] == "failed" for e in story):
            log.append("failed", step=0, error="no corpus at /moved", reason="missing")
            return 1
        if how == "quits":
            os._exit(int(number))
        while time.monotonic() < limit:
            step += 1
            if dying and how in ("dies", "early"):
                os.kill(os.getpid(), signal.SIGKILL)
            if dying and how == "errs":
                log.append("failed", step=step, error="nobody foresaw this", reason="error")
                return 70
            log.append(
                "step", step=step, epoch=1, loss=1 / step, lr=1e-3, grad_norm=1.0, examples_per_s=50.0, eta_s=60.0
            )
            if how != "deaf" and (asked or stop_requested(folder)):
                log.append("stopped", step=step, epoch=1)
                if how == "clings":
                    time.sleep(float(number))
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
