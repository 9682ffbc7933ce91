"""Ways of cutting probabilities into labels, each fitted on one half of dev and scored on the other, over many halvings.

One halving alone is noise of about a point of macro-F1; twenty of them tell ways apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from trainer.model import metrics
from trainer.model.thresholds import WAYS

Array = np.ndarray[Any, np.dtype[Any]]

HALVINGS = 20


def mean_average_precision(truth: Array, p: Array) -> float:
    """Macro mean of the labels' average precision: what no threshold can spoil."""
    return float(
        np.mean([average_precision_score(truth[:, k], p[:, k]) for k in range(truth.shape[1]) if truth[:, k].any()])
    )


def halvings(rows: int) -> list[Array]:
    """Masks of one half each, the same for every model."""
    return [np.random.Generator(np.random.PCG64(i)).permutation(rows) % 2 == 0 for i in range(HALVINGS)]


def honest(truth: Array, p: Array, ways: tuple[str, ...] = (*WAYS, "0.3")) -> dict[str, dict[str, float]]:
    """Macro- and micro-F1 of each way, averaged over the halvings."""
    found: dict[str, dict[str, float]] = {}
    for way in ways:
        scored = [scored_in_parts(truth, p, half, way) for half in halvings(len(truth))]
        found[way] = {
            "macro_f1": float(np.mean([s.macro_f1 for s in scored])),
            "micro_f1": float(np.mean([s.micro_f1 for s in scored])),
        }
    return found


def scored_in_parts(truth: Array, p: Array, part: Array, way: str) -> metrics.Scores:
    """All rows, each cut by thresholds fitted on those of other parts; `part` (rows,) names the part of each."""
    said = np.zeros(truth.shape, dtype=bool)
    for one in np.unique(part):
        own = part == one
        said[own] = p[own] >= fitted(truth[~own], p[~own], way)
    return metrics.scores(truth, said)


def fitted(truth: Array, p: Array, way: str) -> Array:
    """The thresholds that `way` fits on these rows, shape (labels,)."""
    if way == "0.3":
        return np.full(truth.shape[1], metrics.CLASSIC)
    return metrics.fit_thresholds(truth, p, way)
