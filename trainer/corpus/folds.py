"""Which row belongs to which fold, for predictions of rows that the model has not seen.

A pure function of the rows, the seed and the number of folds, so that work that broke off goes on with the same folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def folds_of(text: Sequence[str], labels: Sequence[Sequence[int]], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, shape (rows,), from 0 to `folds` - 1.

    Rows with the same text share a fold: a model that has seen the text with its label would only repeat it. Rare labels
    are dealt out first, so that each fold has its share of them.
    """
    head: dict[str, int] = {}
    first = np.array([head.setdefault(one, i) for i, one in enumerate(text)], dtype=np.int64)
    size = np.bincount(first, minlength=len(text))
    width = 1 + max((k for row in labels for k in row), default=0)
    counts = np.zeros(width, dtype=np.int64)
    for ids in labels:
        counts[list(ids)] += 1
    rank = np.argsort(np.argsort(counts, kind="stable"))  # 0: the rarest label
    order = np.random.Generator(np.random.PCG64([seed, folds])).permutation(np.unique(first))
    rarest = np.array([min(rank[list(labels[i])], default=width) for i in order], dtype=np.int64)
    fold = np.zeros(len(text), dtype=np.int64)
    rows, marks = [0] * folds, np.zeros((width, folds), dtype=np.int64)
    for at in np.argsort(rarest, kind="stable"):
        row = int(order[at])
        own = list(labels[row])
        label = min(own, key=lambda k: int(rank[k])) if own else 0
        least = min(range(folds), key=lambda f: (marks[label, f], rows[f], f))
        fold[row] = least
        rows[least] += int(size[row])
        marks[own, least] += 1
    return fold[first]
