"""What can be counted about a split: labels, which go together, lengths, duplicates.

Arrays and plain numbers out, nothing drawn. May not read files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.corpus.label_rows import LabelRows
from trainer.corpus.split import Split
from trainer.labels import LabelSet

PORTION = 100_000
"""Rows of which a matrix of labels is made at a time."""


def label_counts(split: Split, labels: LabelSet) -> list[int]:
    """Rows that carry each label, in id order."""
    return split.label_counts(len(labels))


def cooccurrence(split: Split, labels: LabelSet) -> NDArray[np.int64]:
    """Shape (labels, labels): rows that carry both; the diagonal holds the rows that carry the label at all."""
    together = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for first in range(0, len(split), PORTION):
        rows = LabelRows.of(split.labels[first : first + PORTION])
        hot = np.zeros((len(rows), len(labels)), dtype=np.float32)
        hot[np.repeat(np.arange(len(rows)), rows.numbers), rows.flat] = 1
        together += (hot.T @ hot).astype(np.int64)
    return together


def group_counts(
    flat: NDArray[np.integer], owner: NDArray[np.integer], group_of: Sequence[int], groups: int
) -> NDArray[np.int64]:
    """Shape (groups,): rows that carry at least one label of each group.

    `flat` holds the label ids of all rows one after the other, `owner` the row of each, `group_of` the group of an id.
    """
    keys = np.unique(np.asarray(owner, dtype=np.int64) * groups + np.asarray(group_of, dtype=np.int64)[flat])
    return np.bincount(keys % groups, minlength=groups).astype(np.int64)


RARE = 100
"""Rows under which a label is called rare: a classifier sees it in less than one batch of a hundred."""


@dataclass(frozen=True)
class Imbalance:
    """How unevenly labels occur; numbers are label ids.

    `ratio`: rows of the most frequent one for each row of the least frequent one that occurs. `half`: the fewest labels
    that hold half of all label marks. `rare`: fewer than `RARE` rows, but some. `absent`: no row.
    """

    most: int
    least: int
    ratio: float
    half: tuple[int, ...]
    rare: tuple[int, ...]
    absent: tuple[int, ...]


def imbalance(counts: Sequence[int] | NDArray[np.integer]) -> Imbalance | None:
    """What the rows of each label say of their balance; None where no label occurs."""
    array = np.asarray(counts, dtype=np.int64)
    order = np.argsort(-array, kind="stable")
    there = [int(i) for i in order if array[i]]
    if not there:
        return None
    reached = int(np.searchsorted(np.cumsum(array[order]), array.sum() / 2)) + 1
    return Imbalance(
        most=there[0],
        least=there[-1],
        ratio=float(array[there[0]] / array[there[-1]]),
        half=tuple(int(i) for i in order[:reached]),
        rare=tuple(i for i in there if array[i] < RARE),
        absent=tuple(int(i) for i in np.flatnonzero(array == 0)),
    )


@dataclass(frozen=True)
class Pair:
    """Two labels, `first` rarer than or as frequent as `second`, and the `rows` that carry both.

    `lift`: how many times more often than if each occurred without regard to the other.
    """

    first: int
    second: int
    rows: int
    lift: float


def lift(together: int, one: int, other: int, rows: int) -> float:
    """How many times more often two labels meet than chance would have it; 0 where one of them never occurs."""
    return together * rows / (one * other) if one and other else 0.0


def pairs(matrix: NDArray[np.int64], rows: int) -> list[Pair]:
    """The pairs of a co-occurrence matrix that occur, most frequent first. `rows`: of the whole split."""
    found = []
    for i, j in zip(*np.nonzero(np.triu(matrix, 1)), strict=True):
        first, second = sorted((int(i), int(j)), key=lambda k: (int(matrix[k, k]), k))
        number = int(matrix[i, j])
        found.append(Pair(first, second, number, lift(number, int(matrix[i, i]), int(matrix[j, j]), rows)))
    return sorted(found, key=lambda pair: (-pair.rows, pair.first, pair.second))


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
class Cut:
    """What a limit on length takes away: from how many `rows`, how many `tokens`, of how many in `total`."""

    rows: int
    tokens: int
    total: int


def cut(lengths: Sequence[int] | NDArray[np.integer], max_length: int) -> Cut:
    """What is lost where each row is cut to `max_length`."""
    array = np.asarray(lengths, dtype=np.int64)
    over = np.maximum(array - max_length, 0)
    return Cut(int(np.count_nonzero(over)), int(over.sum()), int(array.sum()))


@dataclass(frozen=True)
class Duplicate:
    """One text that several rows repeat. `conflicting`: not all of them carry the same labels."""

    rows: tuple[int, ...]
    conflicting: bool


def duplicates(split: Split) -> list[Duplicate]:
    """The repeated texts (compared character by character), in order of their first row; `rows` are row indexes."""
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for _, i, text in _maybe_repeated({split.name: split}):
        rows_of[text].append(i)
    return [
        Duplicate(tuple(rows), len({split.labels[i] for i in rows}) > 1) for rows in rows_of.values() if len(rows) > 1
    ]


def _maybe_repeated(splits: Mapping[str, Split]) -> Iterator[tuple[str, int, str]]:
    """Split, row and text of every row whose text another row seems to have, in order: of millions of rows a few.

    By the hashes of the texts, eight bytes each: a dictionary of all texts would take more than the corpus.
    """
    hashes = np.fromiter((hash(text) for split in splits.values() for text in split.text), dtype=np.int64)
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    places = np.unique(np.concatenate([order[again], order[again + 1]])) if len(again) else again
    first = 0
    for name, split in splits.items():
        for i in (places[(places >= first) & (places < first + len(split))] - first).tolist():
            yield name, i, split.text[i]
        first += len(split)


@dataclass(frozen=True)
class Repeated:
    """One text that several rows carry, within a split or across splits.

    `rows`: for each split that has it, its row indexes. `common`: label ids of every row; `differing`: those that some
    rows carry and others do not.
    """

    text: str
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    common: tuple[int, ...]
    differing: tuple[int, ...]

    @property
    def leak(self) -> bool:
        """The text stands in more than one split: a score on one of them flatters a model that saw the other."""
        return len(self.rows) > 1

    @property
    def conflicting(self) -> bool:
        """Not all of its rows carry the same labels."""
        return bool(self.differing)

    @property
    def count(self) -> int:
        """Rows in all splits."""
        return sum(len(rows) for _, rows in self.rows)


def repeated(splits: Mapping[str, Split]) -> list[Repeated]:
    """The texts that stand on several rows (compared character by character), in order of their first row."""
    places: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, i, text in _maybe_repeated(splits):
        places[text].append((name, i))
    found = []
    for text, rows in places.items():
        if len(rows) > 1:
            labels = [set(splits[name].labels[i]) for name, i in rows]
            common, some = set.intersection(*labels), set.union(*labels)
            by_split: defaultdict[str, list[int]] = defaultdict(list)
            for name, i in rows:
                by_split[name].append(i)
            found.append(
                Repeated(
                    text,
                    tuple((name, tuple(indexes)) for name, indexes in by_split.items()),
                    tuple(sorted(common)),
                    tuple(sorted(some - common)),
                )
            )
    return found
