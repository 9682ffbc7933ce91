"""What watching costs a training: its steps a second with the app on its Train screen beside it, and without, in turn.

Steps of equal work: comments are padded to one length. The app redraws twice a second; half of the time it is stopped. At most 2%
is what it may cost.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import Measured
from benchmarks.screen import Screen

ROUNDS, SECONDS = 24, 5.0
SETTLED = 5.0
"""Seconds of the app's start, which are not counted."""

GOEMO = (sys.executable, "-m", "goemo_tui")
EQUAL_STEPS = ("--set", "padding=max_length", "--set", "max_length=32", "--set", "batch_size=8", "--set", "epochs=50")


def watched() -> list[Measured]:
    """The median over rounds of: watched, and before and behind it unwatched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {**os.environ, "GOEMO_HOME": home}

        def goemo(*words: str) -> str:
            done = subprocess.run([*GOEMO, *words], env=environment, capture_output=True, text=True, check=True)
            return done.stdout.strip()

        run = goemo("train", "--detach", *EQUAL_STEPS)
        try:
            log = Path(home) / "runs" / run / "events.jsonl"
            while not _steps(log, 0, time.time()):
                time.sleep(0.5)
            with Screen("--home", home) as screen:
                screen.arrives("Inspect")
                screen.press("f2")
                screen.bytes_in(SETTLED)
                alone, beside = [_pace(log, screen, seen=False)], []
                for _ in range(ROUNDS):
                    beside.append(_pace(log, screen, seen=True))
                    alone.append(_pace(log, screen, seen=False))
        finally:
            goemo("runs", "stop", run)
    slower = [1 - one / ((before + after) / 2) for one, before, after in zip(beside, alone, alone[1:], strict=False)]
    low, median, high = (f"{share:+.1%}" for share in statistics.quantiles(slower, n=4))
    beside_it = (
        f"{median} slower than without ({statistics.median(alone):.2f}), half of {ROUNDS} between {low} and {high}"
    )
    return [Measured("steps a second while the app watches", f"{statistics.median(beside):.2f}", beside_it)]


def _pace(log: Path, screen: Screen, seen: bool) -> float:
    """Steps a second over a while; where it is not `seen`, the app is stopped."""
    os.kill(screen.pid, signal.SIGCONT if seen else signal.SIGSTOP)
    began = time.time()
    screen.bytes_in(SECONDS)
    os.kill(screen.pid, signal.SIGCONT)
    steps = _steps(log, began, time.time())
    (first, at), (last, to) = steps[0], steps[-1]
    return (last - first) / (to - at)


def _steps(log: Path, began: float, ended: float) -> list[tuple[int, float]]:
    """The steps that were told of within a while, each with its time."""
    from trainer.runs.tail import read_events

    told = [e for e in read_events(log) if e.get("kind") == "step"] if log.exists() else []
    return [(e["step"], e["wall"]) for e in told if began <= e["wall"] <= ended]
