"""What a worker has left on disk: where it was when it was killed, told from its run folder alone."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.runs.events import END_KINDS, LOG
from trainer.runs.tail import EventTail

PLACES = (
    "loading", "just started", "in a step", "in a checkpoint", "at an event", "in a validation", "saving the model",
    "after the end",
)  # fmt: skip
AT_AN_EVENT = 0.001
"""Seconds between the clock of the last event and the kill, up to which it counts as killed at that event."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Footprint:
    """A run folder at one moment: its events, and its half-written folders with what tells a new one from an old."""

    events: tuple[Event, ...]
    bad: int
    halves: frozenset[tuple[str, int, int]]

    @classmethod
    def of(cls, folder: Path) -> Footprint:
        """What is there now. Only for a folder that nobody works on."""
        tail = EventTail(folder / LOG)
        events = tuple(tail.poll())
        return cls(events, tail.bad, halves(folder / "checkpoints") | halves(folder))

    def since(self, before: Footprint) -> tuple[Event, ...]:
        """The events that were written after `before`."""
        return self.events[len(before.events) :]


def halves(folder: Path) -> frozenset[tuple[str, int, int]]:
    """The hidden folders in `folder`: (name, inode, time of change in ns) of what is being written or put aside."""
    found = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    at = entry.stat(follow_symlinks=False)
                    found.add((entry.name, at.st_ino, at.st_mtime_ns))
    except FileNotFoundError:
        pass  # the folder, or what was seen in it, has gone meanwhile
    return frozenset(found)


def place(before: Footprint, after: Footprint, killed_at: float) -> str:
    """Where a worker was that began at `before`, left `after`, and was killed at `killed_at` (seconds since 1970)."""
    new = after.since(before)
    fresh = [name for name, *_ in after.halves - before.halves]
    if new and new[-1]["kind"] in END_KINDS:
        return "after the end"
    if any("step-" in name for name in fresh):
        return "in a checkpoint"
    if any(name.startswith(".model") for name in fresh):
        return "saving the model"
    if not any(event["kind"] in ("started", "resumed") for event in new):
        return "loading"
    if killed_at - new[-1]["wall"] < AT_AN_EVENT:
        return "at an event"
    if epoch_is_over(new):
        return "in a validation"
    return "just started" if new[-1]["kind"] in ("started", "resumed") else "in a step"


def epoch_is_over(events: Sequence[Event]) -> bool:
    """Whether all steps of an epoch are done and its validation has not been told yet."""
    told = [event for event in events if event["kind"] in ("started", "resumed", "step", "validation")]
    start = next((event for event in reversed(told) if "steps" in event), None)
    if start is None or told[-1]["kind"] != "step":
        return False
    return int(told[-1]["step"]) % per_epoch(start) == 0


def per_epoch(start: Mapping[str, Any]) -> int:
    """Optimizer steps in one epoch, as a `started` or `resumed` event tells."""
    return int(start["steps"]) // int(start["epochs"])
