"""Whether probabilities mean what they say: of what is called 70% sure, 70% should be true.

Each label of each row is one decision. Bins are of equal width, so that a plot's axis is the probability itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.scoring.counts import Array, share

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Of each bin, arrays of shape (BINS,): its decisions, their mean probability and the share that is true (0 where empty).

    `ece` is the expected calibration error, the mean distance of the two over all decisions; `brier` the mean square of
    probability minus truth.
    """

    decisions: Array
    probability: Array
    true: Array
    ece: float
    brier: float

    @property
    def points(self) -> tuple[tuple[float, float, int], ...]:
        """(mean probability, share true, decisions) of the bins that are not empty, from left to right."""
        return tuple(
            (float(p), float(t), int(n))
            for p, t, n in zip(self.probability, self.true, self.decisions, strict=True)
            if n
        )


def reliability(truth: Array, probability: Array) -> Reliability:
    """Of all decisions in two arrays of the same shape."""
    t, p = truth.astype(np.float64).ravel(), probability.astype(np.float64).ravel()
    where = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    n = np.bincount(where, minlength=BINS)
    mean = share(np.bincount(where, p, BINS), n)
    true = share(np.bincount(where, t, BINS), n)
    ece = float((n * np.abs(mean - true)).sum() / len(p)) if len(p) else 0.0
    return Reliability(n, mean, true, ece, float(((p - t) ** 2).mean()) if len(p) else 0.0)
