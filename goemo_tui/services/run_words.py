"""A run in a few words: in the header of every screen, and above its own pane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from goemo_tui.wording import MARKS, duration, percent
from trainer.runs.snapshot import Snapshot

if TYPE_CHECKING:
    from goemo_tui.services.runs import RunView


def run_line(runs: Iterable[RunView], compact: bool = False) -> tuple[str, str | None]:
    """What the header says of the newest living run, and its id; ("", None) where none lives.

    One that waits comes after all that do not. `compact` is for a narrow terminal.
    """
    living = sorted((run for run in runs if run.living), key=lambda run: run.state == "waiting")
    run = living[0] if living else None
    if run is None:
        return "", None
    s = run.snapshot
    parts = [f"{MARKS[run.state]} {run.title}"]
    if run.state != "running" or run.loading:
        parts.append(run.state if run.state != "running" else "loading")
    if run.loading or run.state == "waiting":
        return (" " if compact else "  ").join(parts), run.id  # the figures are of the worker before
    if s.epochs:
        parts.append(f"{'' if compact else 'epoch '}{epoch_of(s)}/{s.epochs}")
    if s.fraction is not None:
        parts.append(percent(s.fraction))
    if s.eta_s is not None and run.state == "running":
        parts.append(f"{duration(s.eta_s)} left")
    return (" " if compact else "  ").join(parts), run.id


def epoch_of(snapshot: Snapshot) -> int:
    """The epoch being trained, counted from 1. (Events count whole epochs or fractions of them.)"""
    if snapshot.steps and snapshot.epochs:
        return min(snapshot.epochs, int(snapshot.step * snapshot.epochs / snapshot.steps) + 1)
    return max(1, int(snapshot.epoch))


def title_of(view: RunView) -> str:
    """The line above a run: what it is called, its state, and what is trained how. As its files say: clean it."""
    parts = [view.title, view.state]
    if view.about.name:
        parts.insert(1, view.short)
    if view.config is not None:
        parts += [view.config.encoder.rstrip("/").rpartition("/")[2], f"{view.config.recipe} recipe"]
    return " · ".join(parts)
