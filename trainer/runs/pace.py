"""How fast a run trained over all its steps: rows in a second of training.

The rate that a step reports is that of the last few steps, which another program on the machine can halve; two runs are
held against each other by this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.runs.events import number, restart_step


class Pace:
    """Takes a run's events one after the other. Steps that were trained twice, after a crash, count twice."""

    def __init__(self) -> None:
        self._rows_a_step: float | None = None
        self._steps = self._seconds = 0.0
        self._step: float | None = None
        self._mono: float | None = None
        self._apart = 0.0

    @property
    def rows_per_s(self) -> float | None:
        """None until two moments of one worker are known, and where the run never said how many rows it has."""
        if self._rows_a_step is None or self._seconds <= 0:
            return None
        return self._steps * self._rows_a_step / self._seconds

    def take(self, event: Mapping[str, Any]) -> None:
        """One more event; validations and checkpoints are no training, nor is what lies between two workers."""
        kind, step, mono = event.get("kind"), number(event.get("step")), number(event.get("mono"))
        restart = restart_step(event)
        if restart is not None:
            self._learn(event)
            self._step, self._mono, self._apart = restart, mono, 0.0
        elif kind in ("validation", "checkpoint"):
            self._apart += number(event.get("seconds")) or 0.0
        elif kind == "step" and step is not None and mono is not None:
            if self._step is not None and self._mono is not None and step > self._step:
                seconds = mono - self._mono - self._apart
                if seconds > 0:
                    self._steps, self._seconds = self._steps + step - self._step, self._seconds + seconds
            self._step, self._mono, self._apart = step, mono, 0.0

    def _learn(self, event: Mapping[str, Any]) -> None:
        """The mean number of rows in a step: the last step of an epoch has fewer than the others."""
        told = event.get("rows")
        rows = number(told.get("train")) if isinstance(told, dict) else None
        epochs, steps = number(event.get("epochs")), number(event.get("steps"))
        if rows and epochs and steps:
            self._rows_a_step = rows * epochs / steps
