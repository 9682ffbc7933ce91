"""How seconds are taken: of single calls, and of several that alternate so that a shared machine is unfair to all alike."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

REPEATS = 3


def seconds(what: Callable[[], object]) -> float:
    """How long one call takes, and a GPU with what it was given in it."""
    wait()
    began = time.perf_counter()
    what()
    wait()
    return time.perf_counter() - began


def wait() -> None:
    """Until a GPU has done all that it was given. Without torch in this process, no GPU was given anything."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def process(*arguments: str) -> Callable[[], object]:
    """A call that runs a fresh Python to its end."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def interleaved(*calls: Callable[[], object]) -> list[float]:
    """The median seconds of each call, after one round that is not counted, A B A B …"""
    for call in calls:
        call()
    times = [[seconds(call) for call in calls] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]
