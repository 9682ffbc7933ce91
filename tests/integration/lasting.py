"""A real training that nobody waits for: how it is started, seen to go on, stopped, and what belongs to it.

Shared by the tests in which the screen that started it dies. Processes are found and ended by their numbers only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trainer.runs.events import LOG
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import read_events

T = TypeVar("T")

ROOT = Path(__file__).parent.parent.parent
GOEMO = (sys.executable, "-m", "goemo_tui")
PATIENCE = 120.0
SETTINGS = {"epochs": "1000", "batch_size": "1"}
"""Over a million steps of a tiny encoder: it does not end by itself while a test looks on."""
MORE = 20
"""Steps after which a run is said to go on: more than a dying worker would still write."""


def train(encoder: Path) -> list[str]:
    """Arguments of `goemo-tui` that train for long."""
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    return ["train", "--encoder", str(encoder), *settings]


def until(condition: Callable[[], T], what: Callable[[], str] | str) -> T:
    """Wait, generously, for what other processes are about to do; returns what came. `what` tells why it failed."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.02)
    return found


def started(look: Callable[[], object]) -> tuple[Run, int]:
    """The only run there is, once it makes steps, and its worker's pid. `look` takes in what the screen draws."""

    def begun() -> bool:
        look()
        runs = list_runs()
        assert not runs or runs[0].state in ("starting", "running"), f"the run has {runs[0].state}"
        return bool(runs) and (runs[0].snapshot().step or 0) > 0

    until(begun, "no run makes a step")
    (run,) = list_runs()
    pid = run.look().pid
    assert pid is not None
    return run, pid


def goes_on(run: Run, worker: int) -> None:
    """The run makes new steps, and in the very process that made the ones before."""
    before = run.snapshot().step or 0

    def further() -> bool:
        look = run.look()
        assert (look.state, look.pid) == ("running", worker), f"{look.state} (pid {look.pid}) at step {before}"
        return (look.snapshot.step or 0) >= before + MORE

    until(further, f"no step comes after step {before}")
    assert [event["kind"] for event in read_events(run.folder / LOG)].count("started") == 1


def figure(text: str, run: Run) -> int:
    """The step that a screen shows last as 1,234/1,120,000, or -1 where it shows none."""
    shown = re.findall(rf"([\d,]+)/{run.snapshot().steps:,}\b", text)
    return int(shown[-1].replace(",", "")) if shown else -1


def moving(text: Callable[[], str], run: Run) -> None:
    """A screen shows steps of the run, and more of them a little later. `text` looks at it anew each time."""
    first = until(lambda: max(0, figure(text(), run)), lambda: f"no step on the screen\n{text()}")
    until(lambda: figure(text(), run) >= first + MORE, lambda: f"it stands still at step {first}\n{text()}")


def stop(run: Run, home: Path) -> None:
    """`goemo-tui runs stop` ends it in good order, and nothing of it stays behind."""
    done = subprocess.run([*GOEMO, "runs", "stop", run.id], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    stopped(run, home)


def stopped(run: Run, home: Path) -> None:
    """The run has ended as one that was asked to, from a checkpoint it can go on, and no process of it is left."""
    events = read_events(run.folder / LOG)
    assert (run.state, events[-1]["kind"]) == ("stopped", "stopped")
    assert [event["step"] for event in events if event["kind"] == "checkpoint"][-1] == events[-1]["step"]
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    until(lambda: not processes(home), lambda: f"still there: {processes(home)}")


def processes(folder: Path) -> dict[int, str]:
    """Living processes that name `folder` in their command line or environment: number -> command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue  # gone, or somebody else's
            if os.fsencode(folder) in command + b"\0" + environment:  # both are empty for a zombie
                found[int(entry.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return found


def end_all(folder: Path) -> None:
    """Kill what is left of a test, again and again until a look finds nothing (a supervisor may start one more)."""

    def gone() -> bool:
        left = processes(folder)
        for pid in left:
            kill(pid)
        return not left

    until(gone, lambda: f"these do not go: {processes(folder)}")


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def session_of(leader: int) -> set[int]:
    """The living processes of a session, its leader among them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.add(int(entry.name))
    return found
