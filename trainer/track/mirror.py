"""Follows a run's event log and writes it into a tracker. Only reads the run; what fails here fails alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.errors import GoemoError
from trainer.runs.events import LOG, number, restart_step, validated_epoch
from trainer.runs.run import LIVING, Run
from trainer.runs.tail import EventTail, standing
from trainer.shared import without_password
from trainer.track import state
from trainer.track.facts import facts_of
from trainer.track.points import Point, points_of
from trainer.track.state import Mirror
from trainer.track.tracker import Tracker, open_tracker

POLL_SECONDS = 1.0
AT_A_TIME = 2000
"""Points written before the state is noted again."""


def mirror(
    run: Run, name: str, out: Path | None = None, follow: bool = False, wait: Callable[[float], None] = time.sleep
) -> Mirror:
    """Write the run into the tracker `name`, `out` being its folder on this disk; with `follow`, until the run has ended.

    How it went is noted in the run's folder and returned: `done`, or `failed` with the reason. Raises GoemoError only
    where another mirror is at work on it.
    """
    with state.alone(run.folder, name):
        work = _Work(run, name, wait)
        try:
            while True:
                work.tracker = open_tracker(name, out)
                while work.session(follow):
                    pass
                # taken up again while the end was written: the mirror that was started for it found this one at work
                if not follow or run.look().state not in LIVING:
                    return work.note(state.DONE)
        except (KeyboardInterrupt, SystemExit):
            work.note(state.DONE)
            raise
        except Exception as error:  # each library raises its own
            return work.note(state.FAILED, reason_of(error))


class _Work:
    """One mirror's place in the log and what it has written so far."""

    def __init__(self, run: Run, name: str, wait: Callable[[float], None]) -> None:
        self.run, self.name, self.wait = run, name, wait
        self.tracker: Tracker | None = None
        self.step = self.points = 0
        self.epochs: set[float] = set()

    def session(self, follow: bool) -> bool:
        """Write the whole log, then what comes. True where it has to be begun anew, since the log took something back."""
        tracker = self.tracker
        assert tracker is not None
        tail = EventTail(self.run.folder / LOG)
        events = standing(tail.poll())
        self.step = self.points = 0
        self.epochs.clear()
        story = points_of(events)
        tracker.begin(facts_of(self.run), story)
        self.note(state.FOLLOWING)
        self._write(tracker, events, story)
        while True:
            look = self.run.look()  # before the log: what an ended run wrote is all there by then
            events = tail.poll()
            if tail.restarts or self._taken_back(events):
                return True
            self._write(tracker, events, points_of(events))
            if not follow or (look.state not in LIVING and not events):
                tracker.end(look.state, look.snapshot.wall)
                return False
            if not events:
                self.wait(POLL_SECONDS)

    def note(self, what: str, error: str = "") -> Mirror:
        """Say in the run's folder how it stands."""
        found = Mirror(self.name, what, getattr(self.tracker, "where", ""), self.step, self.points, error)
        state.write(self.run.folder, found)
        return found

    def _write(self, tracker: Tracker, events: Iterable[Mapping[str, Any]], points: list[Point]) -> None:
        self.epochs |= {epoch for event in events if (epoch := validated_epoch(event)) is not None}
        for start in range(0, len(points), AT_A_TIME):
            some = points[start : start + AT_A_TIME]
            tracker.write(some)
            self.step, self.points = max(self.step, some[-1].step), self.points + len(some)
            self.note(state.FOLLOWING)

    def _taken_back(self, events: Iterable[Mapping[str, Any]]) -> bool:
        """Whether any of these new events, in their order, takes back what was written or what stands before it here."""
        step, epochs = self.step, set(self.epochs)
        for event in events:
            restart, epoch = restart_step(event), validated_epoch(event)
            if (restart is not None and restart < step) or (epoch is not None and epoch in epochs):
                return True
            if event.get("kind") in ("step", "validation"):
                step = max(step, int(number(event.get("step")) or 0))
            if epoch is not None:
                epochs.add(epoch)
        return False


def reason_of(error: BaseException) -> str:
    """Why it failed, on one line and without a password that stands in an address."""
    said = str(error).strip() if isinstance(error, GoemoError) else f"{type(error).__name__}: {str(error).strip()}"
    lines = said.splitlines() or [type(error).__name__]
    with suppress(IndexError):
        said = " ".join(line.strip() for line in lines[:3])
    return without_password(said)[:500]
