"""How far the scores would move on other rows of the same kind: rows drawn again with replacement, many times over.

Seeded, so that a report says the same twice, and that two models are held against each other on the same draws. What was
said is given: thresholds are not fitted anew in each draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.scoring.counts import Array, Counts, weighted_f1

RESAMPLES = 1_000
"""Draws where nothing else is asked for: the ends of a 95% interval then stand on 25 draws each."""

MOST = 100_000
"""Draws that make sense: more moves the ends of an interval by less than anybody reads."""

LEVEL = 0.95
SEED = 0
AT_A_TIME = 2_000_000
"""Numbers in memory at once: weights of so many rows times draws."""

FIGURES = ("macro_f1", "micro_f1", "weighted_f1")


@dataclass(frozen=True)
class Resampled:
    """Scores of each draw: three arrays of shape (draws,), and `per_label` F1s of shape (draws, labels)."""

    macro_f1: Array
    micro_f1: Array
    weighted_f1: Array
    per_label: Array

    def __len__(self) -> int:
        return len(self.macro_f1)


@dataclass(frozen=True)
class Interval:
    """Where 95 of 100 draws lie."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much B scores over A, where 95 of 100 draws of that lie, and the share of draws in which B is the better one."""

    difference: float
    low: float
    high: float
    better: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0: the rows tell the two apart."""
        return self.low > 0 or self.high < 0


def resampled(truth: Array, said: Array, draws: int = RESAMPLES, seed: int = SEED) -> Resampled:
    """Draw the rows of two arrays of shape (rows, labels) again. The same rows, draws and seed give the same draws."""
    truth, said = truth.astype(bool), said.astype(bool)
    labels = truth.shape[1]
    marks = np.concatenate([truth & said, said, truth], axis=1).astype(np.float32)
    parts = []
    for often in _drawn(len(truth), draws, seed):
        sums = (often @ marks).astype(np.float64)  # counts below 2**24 are exact in float32
        counts = Counts(sums[:, :labels], sums[:, labels : 2 * labels], sums[:, 2 * labels :])
        f1 = counts.f1
        parts.append((f1.mean(1), counts.total.f1, weighted_f1(counts), f1))
    return Resampled(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def interval(values: Array) -> Interval:
    """The 95% interval of scores by draw."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def intervals(values: Array) -> tuple[Interval, ...]:
    """Those of each column."""
    ends = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return tuple(Interval(float(low), float(high)) for low, high in ends.T)


def difference(a: Array, b: Array, of_a: float, of_b: float) -> Difference:
    """B over A: their scores by draw, the same draws for both, and their scores on the rows themselves."""
    ends = interval(b - a)
    return Difference(of_b - of_a, ends.low, ends.high, float((b > a).mean()))


def paired(truth: Array, said_a: Array, said_b: Array, draws: int = RESAMPLES, seed: int = SEED) -> dict[str, Any]:
    """B over A on the same draws: a Difference for each of FIGURES, and `per_label`, one for each label."""
    a, b = (resampled(truth, said, draws, seed) for said in (said_a, said_b))
    on_a, on_b = (_itself(truth, said) for said in (said_a, said_b))
    found: dict[str, Any] = {
        key: difference(getattr(a, key), getattr(b, key), float(on_a[key]), float(on_b[key])) for key in FIGURES
    }
    found["per_label"] = tuple(
        difference(a.per_label[:, k], b.per_label[:, k], float(on_a["per_label"][k]), float(on_b["per_label"][k]))
        for k in range(truth.shape[1])
    )
    return found


def _itself(truth: Array, said: Array) -> dict[str, Any]:
    truth, said = truth.astype(bool), said.astype(bool)
    counts = Counts((truth & said).sum(0), said.sum(0), truth.sum(0))
    f1 = counts.f1
    return {
        "macro_f1": f1.mean(),
        "micro_f1": counts.total.f1,
        "weighted_f1": weighted_f1(counts),
        "per_label": f1,
    }


def _drawn(rows: int, draws: int, seed: int) -> Iterator[Array]:
    """How often each row is drawn, float32 of shape (some draws, rows), until all draws were given."""
    source = np.random.Generator(np.random.PCG64(seed))
    even = np.full(rows, 1 / rows)
    at_once = max(1, AT_A_TIME // rows)
    for start in range(0, draws, at_once):
        yield source.multinomial(rows, even, size=min(at_once, draws - start)).astype(np.float32)
