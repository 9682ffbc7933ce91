"""What was said instead: for each label, which others were wrongly said on the rows where it was missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.scoring.counts import Array


@dataclass(frozen=True)
class Confusions:
    """`instead[i, j]`: rows where i is true and not said, and j is said and not true; 0 on the diagonal.

    `missed` and `wrong` (labels,): rows where a label was not said though true, and said though not true. `silent`
    (labels,): of the missed, those where nothing wrong was said.
    """

    instead: Array
    missed: Array
    wrong: Array
    silent: Array

    def said_for(self, k: int) -> tuple[tuple[int, int], ...]:
        """(label, rows) wrongly said where label `k` was missed, the most frequent first."""
        return _ranked(self.instead[k])

    def true_for(self, k: int) -> tuple[tuple[int, int], ...]:
        """(label, rows) missed where label `k` was wrongly said, the most frequent first."""
        return _ranked(self.instead[:, k])

    def pairs(self, most: int) -> tuple[tuple[int, int, int], ...]:
        """(true, said instead, rows) of the most frequent confusions of all."""
        flat = self.instead.ravel()
        order = np.argsort(-flat, kind="stable")[:most]
        size = self.instead.shape[1]
        return tuple((int(i // size), int(i % size), int(flat[i])) for i in order if flat[i])


def confusions(truth: Array, said: Array) -> Confusions:
    """Of two arrays of shape (rows, labels)."""
    truth, said = truth.astype(bool), said.astype(bool)
    missed, wrong = truth & ~said, said & ~truth
    instead = (missed.T.astype(np.float64) @ wrong.astype(np.float64)).astype(np.int64)
    silent = (missed & ~wrong.any(1, keepdims=True)).sum(0)
    return Confusions(instead, missed.sum(0), wrong.sum(0), silent)


def _ranked(rows: Array) -> tuple[tuple[int, int], ...]:
    return tuple((int(i), int(rows[i])) for i in np.argsort(-rows, kind="stable") if rows[i])
