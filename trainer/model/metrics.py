"""Scores, thresholds and what the losses say: numpy only, so that the numbers can be checked by hand.

Thresholds are always fitted on other rows than those they are scored on, or the score says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CLASSIC = 0.3
"""The one threshold of the classic recipe."""

ENOUGH = 5
"""A label with fewer positive rows than this takes the common threshold: a fit on four rows is noise."""

LOWEST = 1e-4
"""Thresholds keep this far from 0 and 1, which would say everything or nothing."""


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
    for row, ids in enumerate(labels):
        out[row, list(ids)] = 1.0
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


def fit_thresholds(truth: Array, probability: Array) -> Array:
    """For each label the threshold of best F1 on these rows, shape (labels,), each within (0, 1).

    A label with fewer than ENOUGH positive rows takes the one threshold that is best in macro-F1 over the others.
    """
    truth = truth.astype(bool)
    fitted = np.array([_best_threshold(truth[:, k], probability[:, k]) for k in range(truth.shape[1])])
    rare = truth.sum(0) < ENOUGH
    if rare.any():
        fitted[rare] = _common_threshold(truth[:, ~rare], probability[:, ~rare]) if not rare.all() else CLASSIC
    return fitted


def cross_fitted(truth: Array, probability: Array) -> Array:
    """What is said when each half of the rows is cut by thresholds fitted on the other: bool of shape (rows, labels).

    The halves are fixed by the number of rows alone, so that epochs and runs over one split compare.
    """
    half = np.random.Generator(np.random.PCG64(0)).permutation(len(truth)) % 2 == 0
    said = np.zeros(truth.shape, dtype=bool)
    for part in (half, ~half):
        said[part] = probability[part] >= fit_thresholds(truth[~part], probability[~part])
    return said


def bce(truth: Array, probability: Array) -> float:
    """Mean binary cross-entropy over rows and labels, from probabilities."""
    p = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())


def diagnosis(train_loss: Sequence[float], dev_loss: Sequence[float]) -> str:
    """What the losses of the epochs so far say, in words: still learning, fits well, or overfitting since epoch N."""
    best = int(np.argmin(dev_loss))
    now = len(dev_loss) - 1
    if best < now and dev_loss[now] > dev_loss[best] * 1.01 and train_loss[now] < train_loss[best]:
        return f"overfitting since epoch {best + 2}"
    if now == 0 or dev_loss[now] < dev_loss[now - 1] * 0.98:
        return "still learning"
    return "fits well"


def _ratio(top: Any, bottom: Any) -> Any:
    return np.divide(top, bottom, out=np.zeros(np.shape(top), dtype=np.float64), where=np.asarray(bottom) != 0)


def _best_threshold(truth: Array, probability: Array) -> float:
    order = np.argsort(-probability, kind="stable")
    p, hits = probability[order].astype(np.float64), np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(p) + 1) + max(1, int(truth.sum())))
    # a cut is possible only between two different probabilities
    possible = (np.append(p[1:] != p[:-1], True) if len(p) else np.zeros(0, dtype=bool)) & (p > LOWEST)
    if not possible.any() or not truth.any():
        return 0.5
    at = int(np.argmax(np.where(possible, f1, -1.0)))
    below = p[at + 1] if at + 1 < len(p) else 0.0
    return float(np.clip((p[at] + below) / 2, LOWEST, 1 - LOWEST))


def _common_threshold(truth: Array, probability: Array) -> float:
    candidates = np.arange(0.05, 0.96, 0.01)
    return float(candidates[int(np.argmax([scores(truth, probability >= t).f1.mean() for t in candidates]))])
