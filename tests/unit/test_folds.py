"""Folds: the same for the same seed, equal texts together, rare labels in each of them."""

from __future__ import annotations

import numpy as np

from trainer.corpus import load_corpus
from trainer.corpus.folds import folds_of


def test_each_row_has_a_fold_and_the_same_seed_gives_the_same() -> None:
    train = load_corpus("sample").splits["train"]
    fold = folds_of(train.text, train.labels, 4, 0)
    assert fold.shape == (len(train),)
    sizes = np.bincount(fold, minlength=4)
    assert sizes.min() >= 0.9 * len(train) / 4
    assert (fold == folds_of(train.text, train.labels, 4, 0)).all()
    assert (fold != folds_of(train.text, train.labels, 4, 1)).any()


def test_rare_labels_are_in_each_fold() -> None:
    labels = [(0,)] * 200 + [(1,)] * 4 + [(0, 2)] * 8
    fold = folds_of([f"text {i}" for i in range(len(labels))], labels, 4, 0)
    for label, least in ((1, 1), (2, 2)):
        rows = [i for i, own in enumerate(labels) if label in own]
        assert (np.bincount(fold[rows], minlength=4) == least).all()


def test_a_text_that_stands_on_many_rows_takes_no_rare_label_away_from_its_fold() -> None:
    text = ["again"] * 9 + [f"text {i}" for i in range(19)]
    labels = [(1,)] * 12 + [(2,)] * 16
    fold = folds_of(text, labels, 4, 0)
    assert (np.bincount(fold[12:], minlength=4) == 4).all()


def test_rows_with_the_same_text_share_a_fold() -> None:
    text = [f"text {i % 20}" for i in range(100)]
    fold = folds_of(text, [(i % 3,) for i in range(100)], 5, 0)
    assert all(len({int(fold[i]) for i in range(100) if text[i] == one}) == 1 for one in text)
    assert (np.bincount(fold, minlength=5) == 20).all()
