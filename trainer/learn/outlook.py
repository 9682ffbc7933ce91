"""How long a training still takes: its steps by the tokens that each will cost, its validations and its checkpoints.

The order of the batches is known ahead, so that a row of short comments is not taken for a fast machine. It knows no
model and no device, only times; nothing of it is kept in a checkpoint, and no step depends on it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MEMORY = 60.0
"""Seconds of work after which what was measured counts a third: a machine may be shared from now on, or no more."""

FORWARD = 1 / 3
"""What a comment of dev costs, as a share of one that is learned from: there is no way back through the model."""

FIRST_VALIDATION = 0.5
"""Seconds that fitting thresholds and storing a model are thought to take before the first validation."""

STEADY, STEADY_SHARE = 30.0, 0.15
"""The foretold end moves with a time constant of so many seconds, or of this share of the time measured so far, or of a
quarter of what is left: a run that is almost done says so."""


@dataclass
class _Sums:
    """Sums over what was measured, older parts counting less: steps n, tokens k, seconds t, and their products."""

    n: float = 0.0
    k: float = 0.0
    t: float = 0.0
    nn: float = 0.0
    nk: float = 0.0
    kk: float = 0.0
    nt: float = 0.0
    kt: float = 0.0

    def add(self, n: float, k: float, t: float) -> None:
        kept = math.exp(-t / MEMORY)
        weight = 1 / n  # a stretch of n steps scatters n times as much as one of them
        new = (n, k, t, n * n * weight, n * k * weight, k * k * weight, n * t * weight, k * t * weight)
        for name, value in zip(vars(self), new, strict=True):
            setattr(self, name, getattr(self, name) * kept + value)

    def costs(self) -> tuple[float, float]:
        """Seconds of a step as such and of one token in it, neither below 0; together they give the time that went by."""
        determinant = self.nn * self.kk - self.nk * self.nk
        if determinant <= 1e-6 * self.nn * self.kk:  # all steps alike: one figure is enough
            return 0.0, self.t / self.k
        a_step = max(0.0, (self.kk * self.nt - self.nk * self.kt) / determinant)
        a_token = max(0.0, (self.nn * self.kt - self.nk * self.nt) / determinant)
        foretold = a_step * self.n + a_token * self.k
        if foretold <= 0:
            return 0.0, self.t / self.k
        return a_step * self.t / foretold, a_token * self.t / foretold


class Outlook:
    """Is told what was done, and when; says how many seconds are left.

    `epochs` in all; `lengths` are the tokens of the rows of train, `dev_lengths` those of dev; `width` is what each row
    is padded to, or None where a batch is as wide as its longest row.
    """

    def __init__(
        self, epochs: int, lengths: Array, dev_lengths: Array, width: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._epochs, self._lengths, self._width, self._clock = epochs, lengths, width, clock
        self._dev_tokens = float(dev_lengths.sum())
        self._sums = _Sums()
        self._plan: list[float] = []
        self._whole = (0, 0.0)
        self._epoch = 1
        self._ahead = (0, 0.0)
        self._open = (0, 0.0)
        self._mark: float | None = None
        self._validations: list[float] = []
        self._measured = 0.0
        self._end: tuple[float, float] | None = None

    def begin(self, epoch: int, windows: Iterable[list[Array]], rows_done: int = 0) -> None:
        """The steps of an epoch (counted from 1) as they will come, of which the first `rows_done` rows are behind us."""
        costs: list[float] = []
        ahead: list[float] = []
        for window in windows:
            costs.append(sum(self._tokens(batch) for batch in window))
            if rows_done <= 0:
                ahead.append(costs[-1])
            rows_done -= sum(len(batch) for batch in window)
        self._epoch, self._whole = epoch, (len(costs), sum(costs))
        self._plan, self._ahead = ahead[::-1], (len(ahead), sum(ahead))
        if self._mark is not None:
            self._mark = self._clock()

    def _tokens(self, batch: Array) -> float:
        return float(len(batch) * (self._width or int(self._lengths[batch].max(initial=0))))

    def stepped(self) -> None:
        """The next step of the plan is done, or at least on its way."""
        if not self._plan:
            return
        tokens = self._plan.pop()
        self._ahead = (self._ahead[0] - 1, self._ahead[1] - tokens)
        if self._mark is None:  # the first step of a worker pays for what is set up only once
            self._mark = self._clock()
        else:
            self._open = (self._open[0] + 1, self._open[1] + tokens)

    def measured(self) -> None:
        """Every step so far is done: the device was waited for."""
        now = self._clock()
        if self._mark is None or not self._open[0]:
            return
        seconds = max(now - self._mark, 1e-9)
        self._sums.add(self._open[0], self._open[1], seconds)
        self._measured += seconds
        self._open, self._mark = (0, 0.0), now

    def passed(self) -> None:
        """What went by since the last step was something else."""
        self._open = (0, 0.0)
        if self._mark is not None:
            self._mark = self._clock()

    def validated(self, seconds: float) -> None:
        """A validation took so long."""
        self._validations = [*self._validations, seconds][-3:]

    def left(self, step_seconds: float, checkpoint_seconds: float = 0.0, checkpoint_every: float = math.inf) -> float:
        """Seconds to the end. `step_seconds` is what a step takes where nothing was measured yet.

        A checkpoint takes `checkpoint_seconds` and is written every `checkpoint_every` seconds. The foretold end moves
        gently: by how much each call may move it depends on the time since the last one.
        """
        epochs = self._epochs - self._epoch
        steps, tokens = (now + epochs * whole for now, whole in zip(self._ahead, self._whole, strict=True))
        per_step, per_token = self._sums.costs() if self._sums.n else (0.0, self._by(step_seconds))
        # a token of dev costs a share of what one of train did on the whole, the part for the step as such included
        in_all = self._sums.t / self._sums.k if self._sums.n else per_token
        one = FIRST_VALIDATION + FORWARD * in_all * self._dev_tokens
        if self._validations:
            one = sum(self._validations) / len(self._validations)
        left = per_step * steps + per_token * tokens + (epochs + 1) * one
        left += checkpoint_seconds * left / checkpoint_every
        return self._steady(left)

    def _by(self, step_seconds: float) -> float:
        """Seconds a token, where all steps are thought to be alike."""
        return step_seconds * self._whole[0] / max(1.0, self._whole[1])

    def _steady(self, left: float) -> float:
        now = self._clock()
        end = now + left
        if self._end is not None:
            at, before = self._end
            constant = min(STEADY, STEADY_SHARE * self._measured, left / 4)
            share = 1 - math.exp(-(now - at) / constant) if constant > 0 else 1.0
            end = before + share * (end - before)
        self._end = (now, end)
        return max(0.0, end - now)
