"""What watching costs a training: its steps a second with the app on its Train screen beside it, and without, in turn.

Steps of equal work: comments are padded to one length. The app redraws twice a second; half of the time it is stopped. At most 2%
is what it may cost. A shared machine's speed swings more than that within seconds: the turns are short and many, and beside
what was lost stands the processor time that the app took, which no neighbour changes.
"""

from __future__ import annotations

import math
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import goemo
from benchmarks.results import Measured
from benchmarks.screen import Screen

ROUNDS, SECONDS = 60, 2.0
SETTLED = 5.0
"""Seconds of the app's start, which are not counted."""

EQUAL_STEPS = ("--set", "padding=max_length", "--set", "max_length=32", "--set", "batch_size=8", "--set", "epochs=50")


def watched() -> list[Measured]:
    """The median over rounds of: watched, and before and behind it unwatched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        run = goemo(home, "train", "--detach", *EQUAL_STEPS)
        try:
            log = Path(home) / "runs" / run / "events.jsonl"
            while not _steps(log, 0, time.time()):
                time.sleep(0.5)
            with Screen("--home", home) as screen:
                screen.arrives("Inspect")
                screen.press("f2")
                screen.bytes_in(SETTLED)
                alone, beside, used = [_pace(log, screen, seen=False)], [], 0.0
                for _ in range(ROUNDS):
                    before = screen.cpu()
                    beside.append(_pace(log, screen, seen=True))
                    used += screen.cpu() - before
                    alone.append(_pace(log, screen, seen=False))
        finally:
            goemo(home, "runs", "stop", run)
    slower = [1 - one / ((before + after) / 2) for one, before, after in zip(beside, alone, alone[1:], strict=False)]
    low, high = median_between(slower)
    beside_it = (
        f"{statistics.median(slower):+.1%} slower than without ({statistics.median(alone):.2f}), "
        f"95% sure between {low:+.1%} and {high:+.1%}; the app took {used / (ROUNDS * SECONDS):.1%} of a core"
    )
    return [Measured("steps a second while the app watches", f"{statistics.median(beside):.2f}", beside_it)]


def median_between(values: Sequence[float]) -> tuple[float, float]:
    """Between which of the values the median of all such values lies with 95%, whatever their distribution."""
    n, ordered = len(values), sorted(values)
    below, k = 0.0, 0
    while k < n // 2:
        below += math.comb(n, k) / 2**n
        if below > 0.025:
            break
        k += 1
    return ordered[max(0, k - 1)], ordered[min(n - 1, n - k)]


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
