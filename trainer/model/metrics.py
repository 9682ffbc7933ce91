"""Scores, thresholds and what the losses say: numpy only, so that the numbers can be checked by hand.

Thresholds are always fitted on other rows than those they are scored on, or the score says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from trainer.model.thresholds import CLASSIC, ENOUGH, fit_thresholds

__all__ = [
    "CLASSIC",
    "ENOUGH",
    "Scores",
    "base_rate_loss",
    "bce",
    "can_cross_fit",
    "cross_cuts",
    "cross_fitted",
    "diagnosis",
    "fit_thresholds",
    "multi_hot",
    "scores",
]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Scores:
    """F1s and their parts. Arrays have one value a label; a label never said and never meant scores 0, as in scikit-learn."""

    precision: Array
    recall: Array
    f1: Array
    support: Array
    micro_f1: float
    weighted_f1: float
    subset_accuracy: float
    hamming_loss: float

    @property
    def macro_f1(self) -> float:
        """The plain mean over labels."""
        return float(self.f1.mean())


def multi_hot(labels: Sequence[Sequence[int]], k: int) -> Array:
    """Label ids of each row -> float32 array of shape (rows, k)."""
    out = np.zeros((len(labels), k), dtype=np.float32)
    numbers = np.fromiter(map(len, labels), dtype=np.int64, count=len(labels))
    ids = np.fromiter(chain.from_iterable(labels), dtype=np.int64, count=int(numbers.sum()))
    out[np.repeat(np.arange(len(labels)), numbers), ids] = 1.0
    return out


def scores(truth: Array, said: Array) -> Scores:
    """Scores of two arrays of shape (rows, labels): what is true, and what was said."""
    truth, said = truth.astype(bool), said.astype(bool)
    hit = (truth & said).sum(0)
    support, claimed = truth.sum(0), said.sum(0)
    precision, recall = _ratio(hit, claimed), _ratio(hit, support)
    f1 = _ratio(2 * hit, support + claimed)
    total = support.sum()
    return Scores(
        precision=precision,
        recall=recall,
        f1=f1,
        support=support,
        micro_f1=float(_ratio(2 * hit.sum(), total + claimed.sum())),
        weighted_f1=float((f1 * support).sum() / total) if total else 0.0,
        subset_accuracy=float((truth == said).all(1).mean()) if len(truth) else 0.0,
        hamming_loss=float((truth != said).mean()) if truth.size else 0.0,
    )


def cross_fitted(truth: Array, probability: Array, way: str = "per_label") -> Array:
    """What is said when each half of the rows is cut by thresholds fitted on the other: bool of shape (rows, labels).

    `way` is one of `thresholds.WAYS`.

    The halves are fixed by the number of rows alone, so that epochs and runs over one split compare.
    """
    return probability >= cross_cuts(truth, probability, way)


def cross_cuts(truth: Array, probability: Array, way: str = "per_label") -> Array:
    """The thresholds that `cross_fitted` cuts each row by: float64 of shape (rows, labels)."""
    cuts = np.zeros(truth.shape, dtype=np.float64)
    half = _half(len(truth))
    for part in (half, ~half):
        cuts[part] = fit_thresholds(truth[~part], probability[~part], way)
    return cuts


def can_cross_fit(truth: Array) -> bool:
    """Whether each half has a label with rows enough to fit a threshold on."""
    half = _half(len(truth))
    return all(bool((truth[part].sum(0) >= ENOUGH).any()) for part in (half, ~half))


def _half(rows: int) -> Array:
    return np.asarray(np.random.Generator(np.random.PCG64(0)).permutation(rows) % 2 == 0)


def bce(truth: Array, probability: Array) -> float:
    """Mean binary cross-entropy over rows and labels, from probabilities."""
    p = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())


CLEARLY = 0.02
"""By so large a share a loss falls, or macro-F1 rises, where an epoch still taught something."""


def diagnosis(
    train_loss: Sequence[float],
    dev_loss: Sequence[float],
    macro_f1: float = 0.0,
    best_before: float = 1.0,
    unlearned: float = math.inf,
) -> str:
    """What the losses of the epochs so far say, in words: still learning, fits well, or overfitting since epoch N.

    Nothing fits well yet where `macro_f1` of this epoch is clearly above the `best_before` it, or the loss no better than
    `unlearned`, that of who knows only how frequent each label is.
    """
    best = int(np.argmin(dev_loss))
    now = len(dev_loss) - 1
    if best < now and dev_loss[now] > dev_loss[best] * 1.01 and train_loss[now] < train_loss[best]:
        return f"overfitting since epoch {best + 2}"
    falls = now == 0 or dev_loss[now] < dev_loss[now - 1] * (1 - CLEARLY)
    rises = macro_f1 > best_before * (1 + CLEARLY)
    return "still learning" if falls or rises or dev_loss[now] > unlearned * (1 - CLEARLY / 2) else "fits well"


def base_rate_loss(truth: Array) -> float:
    """The cross-entropy of who says of each row how frequent each label is in `truth`, (rows, labels)."""
    return bce(truth, np.broadcast_to(truth.mean(0), truth.shape))


def _ratio(top: Any, bottom: Any) -> Any:
    return np.divide(top, bottom, out=np.zeros(np.shape(top), dtype=np.float64), where=np.asarray(bottom) != 0)
