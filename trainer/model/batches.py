"""Which rows are learned in which order: a pure function of (seed, epoch, lengths), so that a run can be taken up anywhere.

Comments of like length go together, which leaves almost nothing to pad; the order of the batches stays random.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

POOL = 50
"""Batches that are sorted by length together. More would pad less and mix less."""


def batches(lengths: Array, batch_size: int, seed: int, epoch: int, grouped: bool = True) -> list[Array]:
    """The batches of one epoch (counted from 1) as arrays of row numbers; each row stands exactly once.

    All batches hold `batch_size` rows but for one, which holds the rest.
    """
    rng = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = rng.permutation(len(lengths))
    if grouped:
        pool = POOL * batch_size
        pools = [order[i : i + pool] for i in range(0, len(order), pool)]
        order = np.concatenate([p[np.argsort(-lengths[p], kind="stable")] for p in pools]) if pools else order
    made = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    if grouped:
        made = [made[i] for i in rng.permutation(len(made))]
    return made


def by_length(lengths: Array, batch_tokens: int) -> Iterator[Array]:
    """The rows in batches of like length, the longest first, `batch_tokens` padded tokens or one row at a time: for prediction."""
    order = np.argsort(-lengths, kind="stable")
    at = 0
    while at < len(order):
        rows = order[at : at + max(1, batch_tokens // max(1, int(lengths[order[at]])))]
        yield rows
        at += len(rows)


def windows(order: list[Array], accumulation: int, consumed: int = 0) -> Iterator[list[Array]]:
    """The epoch's batches, `accumulation` to an optimizer step, without the first `consumed` rows (whole steps of them)."""
    for start in range(0, len(order), accumulation):
        window = order[start : start + accumulation]
        rows = sum(len(batch) for batch in window)
        if consumed >= rows:
            consumed -= rows
        else:
            yield window


def steps_per_epoch(rows: int, batch_size: int, accumulation: int) -> int:
    """Optimizer steps in one epoch: `accumulation` batches each, the last window may hold fewer."""
    return math.ceil(math.ceil(rows / batch_size) / accumulation)
