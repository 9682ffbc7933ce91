"""Average precision: how well a label's probabilities put its rows before all others, whatever the threshold.

The area under precision over recall as steps, equal probabilities taken together, as scikit-learn computes it.
"""

from __future__ import annotations

import numpy as np

from trainer.scoring.counts import Array


def average_precision(truth: Array, probability: Array) -> Array:
    """Of two arrays of shape (rows, labels), float64 of shape (labels,) in 0..1; 0 for a label that no row carries."""
    truth = truth.astype(bool)
    return np.array([_of_label(truth[:, k], probability[:, k]) for k in range(truth.shape[1])], dtype=np.float64)


def _of_label(truth: Array, probability: Array) -> float:
    support = int(truth.sum())
    if not support:
        return 0.0
    order = np.argsort(-probability, kind="stable")
    p = probability[order]
    ends = np.flatnonzero(np.append(p[1:] != p[:-1], True))  # the last row of each group of equal probabilities
    hits = np.cumsum(truth[order])[ends]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / (ends + 1)).sum() / support)
