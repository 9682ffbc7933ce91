"""The foretold time, on a clock that is ours: right early, whatever the batches are like, and without jumps."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from trainer.learn.outlook import Array, Outlook
from trainer.model.batches import batches, windows

ROWS, BATCH, EPOCHS = 3200, 32, 3


@dataclass
class Machine:
    """A training whose steps cost what they are said to: `step` seconds each and `token` seconds a padded token."""

    step: float = 0.02
    token: float = 4e-4
    validation: float = 1.5
    first: float = 5.0
    """What the first step of a worker takes beyond the others."""
    slower: float = 1.0
    """How much slower than that the machine is from the second epoch on."""
    grouped: bool = True
    now: float = 0.0
    said: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, now, seconds left) of each time it was asked."""

    def run(self, from_epoch: int = 1, rows_done: int = 0, width: int | None = None, every: int = 3) -> float:
        """Train from there to the end, asking every few steps. Returns when it ended."""
        lengths = lengths_of(ROWS)
        outlook = Outlook(EPOCHS, lengths, lengths[:400], width, clock=lambda: self.now)
        step, first = 0, True
        for epoch in range(from_epoch, EPOCHS + 1):
            order = batches(lengths, BATCH, 1, epoch, self.grouped)
            outlook.begin(epoch, windows(order, 1), rows_done)
            for window in windows(order, 1, rows_done):
                tokens = sum(len(batch) * (width or int(lengths[batch].max())) for batch in window)
                factor = self.slower if epoch > from_epoch else 1.0
                self.now += factor * (self.step + self.token * tokens) + (self.first if first else 0)
                first, step = False, step + 1
                outlook.stepped()
                if step % every == 0:
                    outlook.measured()
                    self.said.append((step, self.now, outlook.left(self.now / step)))
            rows_done = 0
            self.now += self.validation
            outlook.validated(self.validation)
        return self.now

    def error(self, share: float) -> float:
        """How far off it was at this share of the steps, as a share of the time that was really left."""
        total, end = self.said[-1][0], self.now
        at = next(said for said in self.said if said[0] >= share * total)
        return at[2] / (end - at[1]) - 1


def lengths_of(rows: int) -> Array:
    """Comments are mostly short and sometimes long."""
    return np.random.default_rng(3).geometric(0.06, rows).clip(3, 64)


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize(("step", "token"), [(0.02, 4e-4), (0.3, 0.0), (0.0, 5e-4)])
def test_after_a_tenth_it_is_right(step: float, token: float, grouped: bool) -> None:
    machine = Machine(step, token, grouped=grouped)
    machine.run()
    for share in (0.1, 0.25, 0.5, 0.75):
        assert abs(machine.error(share)) < 0.1, share


def test_a_row_of_long_batches_is_not_taken_for_a_slow_machine() -> None:
    """What the plain mean of the steps so far would say is off by far more."""
    lengths = np.concatenate([np.full(320, 64), np.full(2880, 8)])
    order = [np.arange(i, i + BATCH) for i in range(0, len(lengths), BATCH)]  # the long ones all come first
    now = 0.0
    outlook = Outlook(1, lengths, lengths[:32], clock=lambda: now)
    outlook.begin(1, windows(order, 1))
    for i in range(10):
        now += 1e-3 * BATCH * int(lengths[order[i]].max())
        outlook.stepped()
        outlook.measured()
    truth = 1e-3 * 8 * 2880
    assert outlook.left(now / 10) == pytest.approx(truth, rel=0.1)
    assert now / 10 * 90 > 5 * truth


def test_rows_padded_to_one_width_need_one_figure_only() -> None:
    machine = Machine()
    machine.run(width=64)
    assert abs(machine.error(0.1)) < 0.1


def test_a_run_taken_up_again_counts_only_what_is_left_of_its_epoch() -> None:
    machine = Machine()
    machine.run(from_epoch=2, rows_done=40 * BATCH)
    assert abs(machine.error(0.1)) < 0.1
    assert machine.said[-1][0] == 159  # 60 of this epoch's steps and 100 of the next, every third asked


def test_a_machine_that_becomes_slower_is_noticed() -> None:
    machine = Machine(slower=3.0, first=0.0)
    machine.run()
    assert machine.error(0.1) < -0.4  # nobody can know
    assert machine.error(0.5) > machine.error(0.4) + 0.1
    assert abs(machine.error(0.85)) < 0.2


def test_what_is_shown_does_not_jump() -> None:
    rng = np.random.default_rng(0)
    noisy = Machine()
    plain: list[float] = []
    lengths = lengths_of(ROWS)
    outlook = Outlook(1, lengths, lengths[:1], clock=lambda: noisy.now)
    order = batches(lengths, BATCH, 1, 1)
    outlook.begin(1, windows(order, 1))
    shown: list[float] = []
    for i in range(len(order)):
        took = float(rng.choice([0.5, 2.5]))  # somebody else computes on this machine too
        noisy.now += took
        outlook.stepped()
        outlook.measured()
        if i >= 10:
            shown.append(noisy.now + outlook.left(noisy.now / (i + 1)))
            plain.append(noisy.now + took * (len(order) - i - 1))

    def largest(ends: list[float]) -> float:
        return max(abs(b - a) for a, b in pairwise(ends)) / noisy.now

    assert largest(shown) < 0.07 < 0.5 < largest(plain)


def test_checkpoints_and_validations_to_come_are_counted() -> None:
    now = 0.0
    lengths = np.full(320, 10)
    order = [np.arange(i, i + BATCH) for i in range(0, len(lengths), BATCH)]

    def left(seconds: float, every: float, validation: float | None) -> float:
        outlook = Outlook(2, lengths, lengths[:32], clock=lambda: now)
        outlook.begin(1, windows(order, 1))
        if validation is not None:
            outlook.validated(validation)
        return outlook.left(1.0, seconds, every)

    steps = 20.0
    assert left(0.0, float("inf"), 4.0) == pytest.approx(steps + 2 * 4.0)
    assert left(2.0, 7.0, 4.0) == pytest.approx((steps + 2 * 4.0) * (1 + 2 / 7))
    guessed = left(0.0, float("inf"), None)
    assert steps < guessed < steps + 2 * 2.0


def test_before_the_first_step_is_measured_something_sensible_is_said() -> None:
    now = 0.0
    lengths = np.full(64, 10)
    outlook = Outlook(1, lengths, lengths[:1], clock=lambda: now)
    outlook.begin(1, windows([np.arange(32), np.arange(32, 64)], 1))
    now = 3.0
    outlook.stepped()
    outlook.measured()
    assert outlook.left(3.0) == pytest.approx(3.0, abs=1.0)
    now = 4.0
    outlook.stepped()
    outlook.measured()
    assert 0 <= outlook.left(2.0) < 2.0
    outlook.stepped()  # more than was planned: left out
    assert outlook.left(2.0) >= 0
