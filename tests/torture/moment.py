"""When to kill: after a random time, or aimed at what a worker does for milliseconds only.

The choice comes from the seed; what it meets comes from the machine, and footprint.py tells it afterwards.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.torture.footprint import Event, epoch_is_over, halves
from tests.torture.worker import Worker
from trainer.runs.events import LOG
from trainer.runs.tail import EventTail

DECK = ("time", "time", "time", "checkpoint", "checkpoint", "event", "event", "validation", "model", "start")
"""What ten kills in a row are aimed at, in an order of their own for each run."""
SPREAD = 3.0
"""At most this share of a training, divided by its kills, lies before each: most lose something, some get nowhere."""
GLANCE = 0.0002
"""Seconds between two looks at the folder."""
PATIENCE = 180.0
"""Seconds after which a worker that did not get anywhere counts as hanging."""


class Interrupted(Exception):
    """Somebody wants the torture to end."""


@dataclass(frozen=True)
class Moment:
    """The `count`-th time that `aim` is seen, and `delay` seconds later."""

    aim: str
    count: int
    delay: float


@dataclass(frozen=True)
class Pace:
    """What an undisturbed worker does: seconds to load, to train and for the shortest validation; checkpoints and events."""

    load: float
    train: float
    validation: float
    checkpoints: int
    events: int


def moments(rng: random.Random, pace: Pace, kills: int) -> Iterator[Moment]:
    """One moment after another, such that about `kills` of them lead through one training, its last epochs too."""
    share = SPREAD / kills
    checkpoints, events = max(2, round(share * pace.checkpoints)), max(4, round(share * pace.events))
    while True:
        for aim in rng.sample(DECK, len(DECK)):
            if aim == "time":
                yield Moment(aim, 1, rng.uniform(0, pace.load + share * pace.train))
            elif aim == "checkpoint":
                yield Moment(aim, rng.randint(1, checkpoints), rng.uniform(0, 0.01))
            elif aim == "event":
                yield Moment(aim, rng.randint(2, events), 0.0)
            elif aim == "validation":
                yield Moment(aim, 1, rng.uniform(0, 0.6 * pace.validation))
            elif aim == "model":
                yield Moment(aim, 1, rng.uniform(0, 0.005))
            else:
                yield Moment(aim, 1, rng.uniform(0, 0.03))


def wait_for(moment: Moment, folder: Path, worker: Worker, halt: threading.Event) -> None:
    """Return at that moment, or when the worker has ended before. Raises Interrupted, or TimeoutError for one that hangs."""
    deadline = time.monotonic() + PATIENCE
    look = _LOOKS[moment.aim](folder)
    seen = 0
    while seen < moment.count:
        if worker.ended(0 if moment.aim == "event" else GLANCE):
            return
        if halt.is_set():
            raise Interrupted
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing was seen of {moment} in {PATIENCE:g} seconds")
        seen += look()
    end = time.monotonic() + moment.delay
    while (left := end - time.monotonic()) > 0 and not worker.ended(min(left, 0.2)):
        if halt.is_set():
            raise Interrupted


def _time(folder: Path) -> Callable[[], int]:
    return lambda: 1


def _half(folder: Path, prefix: str) -> Callable[[], int]:
    """Sees a hidden folder that was not there at the look before."""
    there = {found[:2] for found in halves(folder)}

    def look() -> int:
        nonlocal there
        before, there = there, {found[:2] for found in halves(folder) if found[0].startswith(prefix)}
        return len(there - before)

    return look


def _checkpoint(folder: Path) -> Callable[[], int]:
    return _half(folder / "checkpoints", ".step-")


def _model(folder: Path) -> Callable[[], int]:
    return _half(folder, ".model-new")


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _event(folder: Path) -> Callable[[], int]:
    """Sees that the log has grown, as soon as can be."""
    log = folder / LOG
    size = _size(log)

    def look() -> int:
        nonlocal size
        before, size = size, _size(log)
        return int(size > before)

    return look


def _told(folder: Path, happened: Callable[[list[Event]], bool]) -> Callable[[], int]:
    tail = EventTail(folder / LOG)
    tail.poll()
    told: list[Event] = []

    def look() -> int:
        new = tail.poll()
        told.extend(new)
        return int(bool(new) and happened(told))

    return look


def _validation(folder: Path) -> Callable[[], int]:
    return _told(folder, epoch_is_over)


def _start(folder: Path) -> Callable[[], int]:
    return _told(folder, lambda told: told[-1]["kind"] in ("started", "resumed"))


_LOOKS: dict[str, Callable[[Path], Callable[[], int]]] = {
    "time": _time, "checkpoint": _checkpoint, "model": _model, "event": _event, "validation": _validation,
    "start": _start,
}  # fmt: skip
