"""Counts of a small split that can be checked by eye, and of the real corpus against its published facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.corpus.read import Split, read_split
from trainer.corpus.stats import (
    Duplicate,
    Lengths,
    cooccurrence,
    duplicates,
    label_counts,
    length_histogram,
    word_lengths,
)
from trainer.labels import EMOTIONS, OFFICIAL, LabelSet, from_names

LABELS = LabelSet(("happy", "sad", "angry", "calm"))


def split(*rows: tuple[str, tuple[int, ...]]) -> Split:
    count = len(rows)
    return Split(
        "train", [t for t, _ in rows], [ls for _, ls in rows], [str(i) for i in range(count)], list(range(count))
    )


SMALL = split(("one day", (0,)), ("so so", (1, 2)), ("one day", (0, 2)), ("a", (2,)), ("so so", (1, 2)))


def test_labels_and_what_goes_with_them() -> None:
    assert label_counts(SMALL, LABELS) == [2, 2, 4, 0]
    assert cooccurrence(SMALL, LABELS).tolist() == [[2, 0, 1, 0], [0, 2, 2, 0], [1, 2, 4, 0], [0, 0, 0, 0]]


def test_nothing_to_count() -> None:
    empty = split()
    assert label_counts(empty, LABELS) == [0] * 4
    assert cooccurrence(empty, LABELS).tolist() == [[0] * 4] * 4
    assert Lengths.of(word_lengths(empty)) == Lengths(0, 0, 0.0, 0.0, 0.0, 0.0, 0)
    assert duplicates(empty) == [] and length_histogram([], 5, 3) == [0, 0, 0]


def test_lengths() -> None:
    assert word_lengths(SMALL).tolist() == [2, 2, 2, 1, 2]
    lengths = Lengths.of(list(range(1, 102)))
    assert (lengths.rows, lengths.total, lengths.mean, lengths.median, lengths.longest) == (101, 5151, 51.0, 51.0, 101)
    assert (lengths.p95, lengths.p99) == (96.0, 100.0)
    assert length_histogram([0, 4, 5, 9, 10, 999], 5, 3) == [2, 2, 2]


def test_duplicates() -> None:
    assert duplicates(SMALL) == [Duplicate((0, 2), True), Duplicate((1, 4), False)]
    assert duplicates(split(("a", (0,)), ("A", (0,)), ("a ", (0,)))) == []


@pytest.mark.corpus
def test_the_real_corpus(goemotions: Path) -> None:
    train = read_split(goemotions / "train.tsv", "train", from_names(EMOTIONS, "test"))
    counts = dict(zip(EMOTIONS, label_counts(train, OFFICIAL), strict=True))
    assert counts["neutral"] == 14_219 == max(counts.values())
    rarest = sorted(counts, key=counts.__getitem__)[:4]
    assert [(name, counts[name]) for name in rarest] == [
        ("grief", 77),
        ("pride", 111),
        ("relief", 153),
        ("nervousness", 164),
    ]
    together = cooccurrence(train, OFFICIAL)
    assert np.array_equal(together, together.T) and together.diagonal().tolist() == list(counts.values())
    repeated = duplicates(train)
    assert len(repeated) == 118 and sum(group.conflicting for group in repeated) == 58
