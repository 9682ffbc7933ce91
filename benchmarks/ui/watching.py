"""A living run: on its own screen, in the header of another, and over SSH."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.budgets import Figure
from benchmarks.command import goemo
from benchmarks.screen import Screen
from benchmarks.ui.bench import FIRST, Bench

OVER_SSH = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22", "SSH_TTY": "/dev/pts/0"}
PLACES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Train", "f2", {}),
    ("Data", "f1", {}),
    ("Train over SSH", "f2", OVER_SSH),
)
WINDOWS = 5


@dataclass(frozen=True)
class Processor:
    """Percent of a core: over all, and in the window in which others disturbed least."""

    share: float
    least: float

    def figure(self, budget: float) -> Figure:
        """Beside what it may be."""
        return Figure("… processor", self.share, "%", budget, "of a core; alone: the least of five parts", self.least)


def watching(bench: Bench) -> Iterator[Figure]:
    """Bytes and processor time of the app alone: the run is told by a script, unless a real one was asked for as well."""
    for real in (False, True) if bench.real else (False,):
        kind = "a real training" if real else "a run"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, run_going(Path(home), real):
            for place, key, there in PLACES:
                with Screen("--home", home, environment=there) as screen:
                    screen.arrives(FIRST)
                    screen.settle(1.0, 5)
                    screen.press(key)
                    screen.bytes_in(bench.rest)
                    came, processor = looked_at(screen, bench.seconds)
                rate = came / bench.seconds
                note = f"over {bench.seconds:g} s" + ("" if real else ", ten steps a second")
                yield Figure(f"watching {kind}, {place}", rate, "bytes/s", 3000, note)
                yield processor.figure(2.0)


def looked_at(screen: Screen, seconds: float) -> tuple[int, Processor]:
    """Bytes that come within `seconds`, and what the app's process computes meanwhile, by windows of some seconds."""
    screen.mark()
    came, shares = 0, []
    for _ in range(WINDOWS):
        before, moment = screen.cpu(), time.perf_counter()
        came += screen.bytes_in(seconds / WINDOWS)
        shares.append((screen.cpu() - before) / (time.perf_counter() - moment) * 100)
    return came, Processor(sum(shares) / WINDOWS, min(shares))


@contextmanager
def run_going(home: Path, real: bool) -> Iterator[None]:
    """A run in that home: told by a script at ten steps a second, or a real training of the bundled encoder."""
    environment = {**os.environ, "GOEMO_HOME": str(home)}
    with _training(home) if real else _script(environment):
        yield


@contextmanager
def _script(environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.scripted_run"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdout is not None
            worker.stdout.readline()
            yield
        finally:
            worker.terminate()


@contextmanager
def _training(home: Path) -> Iterator[None]:
    run = goemo(home, "train", "--detach", "--set", "epochs=50")
    try:
        while "epoch" not in goemo(home, "runs", "show", run).partition("progress")[2]:
            time.sleep(1)
        yield
    finally:
        goemo(home, "runs", "stop", run)
