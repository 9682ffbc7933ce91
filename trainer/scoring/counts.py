"""Precision, recall and F1 from counts, label by label and averaged the four usual ways. A share of nothing is 0.

The conventions are those of scikit-learn with zero_division=0, and the tests hold them against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

WAYS = ("macro", "micro", "weighted", "samples")
"""How one figure is made of many: the mean over labels, all decisions alike, labels by their rows, the mean over rows."""


@dataclass(frozen=True)
class Counts:
    """Of each label, in the last axis: rows said and true, rows said, rows true."""

    hit: Array
    claimed: Array
    support: Array

    @property
    def precision(self) -> Array:
        """The share of what was said that is true."""
        return share(self.hit, self.claimed)

    @property
    def recall(self) -> Array:
        """The share of what is true that was said."""
        return share(self.hit, self.support)

    @property
    def f1(self) -> Array:
        """Their harmonic mean."""
        return share(2 * self.hit, self.claimed + self.support)

    @property
    def total(self) -> Counts:
        """All labels as one."""
        return Counts(*(part.sum(-1) for part in (self.hit, self.claimed, self.support)))


@dataclass(frozen=True)
class Average:
    """One precision, recall and F1 for all labels."""

    precision: float
    recall: float
    f1: float


def count(truth: Array, said: Array) -> Counts:
    """Counts of two arrays of shape (rows, labels)."""
    truth, said = truth.astype(bool), said.astype(bool)
    return Counts((truth & said).sum(0), said.sum(0), truth.sum(0))


def averages(truth: Array, said: Array) -> dict[str, Average]:
    """The four averages, by the names in WAYS. `samples` is the mean over rows, of which one without any label scores 0."""
    truth, said = truth.astype(bool), said.astype(bool)
    labels, rows = count(truth, said), count(truth.T, said.T)
    whole, total = labels.total, labels.support.sum()
    weighted = [
        float((part * labels.support).sum() / total) if total else 0.0
        for part in (labels.precision, labels.recall, labels.f1)
    ]
    return {
        "macro": _mean(labels),
        "micro": Average(float(whole.precision), float(whole.recall), float(whole.f1)),
        "weighted": Average(*weighted),
        "samples": _mean(rows),
    }


def weighted_f1(counts: Counts) -> Array:
    """F1 weighted by support, over the last axis."""
    total = counts.support.sum(-1)
    return share((counts.f1 * counts.support).sum(-1), total)


def share(top: Array, bottom: Array) -> Array:
    """`top / bottom`, 0 where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.zeros(np.shape(top), dtype=np.float64), where=np.asarray(bottom) != 0)


def _mean(counts: Counts) -> Average:
    parts = (counts.precision, counts.recall, counts.f1)
    return Average(*(float(part.mean()) if part.size else 0.0 for part in parts))
