"""Counts of a small split that can be checked by eye, and of the real corpus against its published facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.corpus.read import read_split
from trainer.corpus.split import Split
from trainer.corpus.stats import (
    Cut,
    Duplicate,
    Imbalance,
    Lengths,
    Pair,
    cooccurrence,
    cut,
    duplicates,
    group_counts,
    imbalance,
    label_counts,
    length_histogram,
    lift,
    pairs,
    repeated,
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


def test_groups_count_a_row_once() -> None:
    flat, owner = np.array([0, 1, 2, 0]), np.array([0, 0, 1, 2])
    assert group_counts(flat, owner, (0, 0, 1), 2).tolist() == [2, 1]
    assert group_counts(flat[:0], owner[:0], (0, 0, 1), 2).tolist() == [0, 0]


def test_how_uneven_labels_are() -> None:
    found = imbalance([600, 0, 300, 50, 50])
    assert found == Imbalance(most=0, least=4, ratio=12.0, half=(0,), rare=(3, 4), absent=(1,))
    assert imbalance([5, 5, 5, 5]).half == (0, 1)  # type: ignore[union-attr]
    assert imbalance([0, 0]) is None


def test_pairs_and_how_much_more_often_than_chance() -> None:
    matrix = np.array([[4, 2, 0], [2, 2, 1], [0, 1, 5]])
    assert pairs(matrix, 10) == [Pair(1, 0, 2, 2.5), Pair(1, 2, 1, 1.0)]
    assert lift(0, 0, 3, 10) == 0


def test_what_a_cut_takes_away() -> None:
    assert cut([3, 10, 12], 8) == Cut(rows=2, tokens=6, total=25)
    assert cut([], 8) == Cut(0, 0, 0)


def test_repeated_within_and_across_splits() -> None:
    other = split(("one day", (0,)), ("a", (3,)), ("new", (1,)))
    found = {group.text: group for group in repeated({"train": SMALL, "dev": other})}
    assert list(found) == ["one day", "so so", "a"]
    assert found["one day"].rows == (("train", (0, 2)), ("dev", (0,)))
    assert (found["one day"].common, found["one day"].differing) == ((0,), (2,))
    assert found["one day"].leak and found["one day"].conflicting and found["one day"].count == 3
    assert not found["so so"].leak and not found["so so"].conflicting
    assert found["a"].leak and found["a"].common == ()
    assert repeated({}) == []
