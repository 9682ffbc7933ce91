"""What can be counted about a split: labels, which go together, lengths, duplicates.

Arrays and plain numbers out, nothing drawn. May not read files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.corpus.read import Split
from trainer.labels import LabelSet


def label_counts(split: Split, labels: LabelSet) -> list[int]:
    """Rows that carry each label, in id order."""
    flat = np.fromiter((i for row in split.labels for i in row), dtype=np.int64)
    counts: list[int] = np.bincount(flat, minlength=len(labels)).tolist()
    return counts


def cooccurrence(split: Split, labels: LabelSet) -> NDArray[np.int64]:
    """Shape (labels, labels): rows that carry both; the diagonal holds the rows that carry the label at all."""
    hot = np.zeros((len(split), len(labels)), dtype=np.float32)  # counts stay exact up to 16.7 million rows
    lengths = [len(row) for row in split.labels]
    hot[np.repeat(np.arange(len(split)), lengths), [i for row in split.labels for i in row]] = 1
    together: NDArray[np.int64] = (hot.T @ hot).astype(np.int64)
    return together


@dataclass(frozen=True)
class Lengths:
    """A summary of row lengths, in whatever was counted (tokens, words). All zero where there is no row."""

    rows: int
    total: int
    mean: float
    median: float
    p95: float
    p99: float
    longest: int

    @classmethod
    def of(cls, values: Sequence[int] | NDArray[np.integer]) -> Lengths:
        """Summarize lengths, one a row."""
        array = np.asarray(values, dtype=np.int64)
        if not array.size:
            return cls(0, 0, 0.0, 0.0, 0.0, 0.0, 0)
        median, p95, p99 = (float(q) for q in np.percentile(array, (50, 95, 99)))
        return cls(int(array.size), int(array.sum()), float(array.mean()), median, p95, p99, int(array.max()))


def word_lengths(split: Split) -> NDArray[np.int64]:
    """Shape (rows,): what stands between blanks, counted for each row."""
    return np.fromiter((len(text.split()) for text in split.text), dtype=np.int64, count=len(split))


def length_histogram(values: Sequence[int] | NDArray[np.integer], width: int, bins: int) -> list[int]:
    """Rows of length 0 to width-1, width to 2*width-1 and so on; the last of `bins` also counts all that are longer."""
    places = np.minimum(np.asarray(values, dtype=np.int64) // width, bins - 1)
    counts: list[int] = np.bincount(places, minlength=bins).tolist()
    return counts


@dataclass(frozen=True)
class Duplicate:
    """One text that several rows repeat. `conflicting`: not all of them carry the same labels."""

    rows: tuple[int, ...]
    conflicting: bool


def duplicates(split: Split) -> list[Duplicate]:
    """The repeated texts (compared character by character), in order of their first row; `rows` are row indexes."""
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(split.text):
        rows_of[text].append(i)
    return [
        Duplicate(tuple(rows), len({split.labels[i] for i in rows}) > 1) for rows in rows_of.values() if len(rows) > 1
    ]
