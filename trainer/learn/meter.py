"""Losses and speed of the steps just done, for the events that tell of them. Knows no model and no data."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

WINDOW = 10.0
"""The rates are those of about this many seconds."""


@dataclass(frozen=True)
class Rates:
    """Rows and tokens a second over the last seconds; seconds a step over the whole epoch, which foretells better."""

    examples: float
    tokens: float
    step_seconds: float


@dataclass(frozen=True)
class _Mark:
    at: float
    rows: int
    tokens: int
    steps: int


class Meter:
    """Counts one epoch. The first step is left out of the rates: it pays for what is set up only once."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.losses: list[tuple[torch.Tensor, int]] = []
        self.now = _Mark(0.0, 0, 0, 0)
        self.first: _Mark | None = None
        self.marks: list[_Mark] = []

    @property
    def steps(self) -> int:
        """Steps counted so far."""
        return self.now.steps

    def add(self, loss: torch.Tensor, rows: int, tokens: int) -> None:
        """One step: its summed loss (not waited for), its rows and tokens."""
        self.losses.append((loss, rows))
        self.now = _Mark(time.monotonic(), self.now.rows + rows, self.now.tokens + tokens, self.now.steps + 1)
        if self.first is None:
            self.first = self.now
            self.marks = [self.now]

    def take(self) -> list[tuple[float, int]]:
        """Summed loss and rows of each step since the last time, without those whose loss was no number.

        The one place where the device is waited for.
        """
        values = torch.stack([loss for loss, _ in self.losses]).tolist() if self.losses else []
        taken = [(value, rows) for value, (_, rows) in zip(values, self.losses, strict=True) if math.isfinite(value)]
        self.losses = []
        return taken

    def rates(self) -> Rates:
        """The speed by now. After one step alone it is that of the first step, slow as that is."""
        if self.first is None or self.now.steps < 2:
            span = max(self.now.at - self.began, 1e-9)
            return Rates(max(self.now.rows / span, 1e-9), self.now.tokens / span, span / max(1, self.now.steps))
        self.marks.append(self.now)
        while len(self.marks) > 2 and self.now.at - self.marks[1].at > WINDOW:
            self.marks.pop(0)
        then = self.marks[0]
        span, whole = (max(self.now.at - mark.at, 1e-9) for mark in (then, self.first))
        return Rates(
            max((self.now.rows - then.rows) / span, 1e-9),
            (self.now.tokens - then.tokens) / span,
            whole / (self.now.steps - self.first.steps),
        )
