"""Scores against counting by hand, thresholds against trying every cut, and the promise of cross-fitting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.model import metrics


def by_hand(truth: np.ndarray, said: np.ndarray) -> tuple[list[float], float, float]:
    """F1 of each label, micro-F1 and weighted-F1, by plain counting."""
    f1s, supports = [], []
    hits = wrong = missed = 0
    for k in range(truth.shape[1]):
        tp = sum(1 for t, s in zip(truth[:, k], said[:, k], strict=True) if t and s)
        fp = sum(1 for t, s in zip(truth[:, k], said[:, k], strict=True) if not t and s)
        fn = sum(1 for t, s in zip(truth[:, k], said[:, k], strict=True) if t and not s)
        f1s.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0)
        supports.append(tp + fn)
        hits, wrong, missed = hits + tp, wrong + fp, missed + fn
    micro = 2 * hits / (2 * hits + wrong + missed) if hits + wrong + missed else 0.0
    weighted = sum(f * s for f, s in zip(f1s, supports, strict=True)) / sum(supports) if sum(supports) else 0.0
    return f1s, micro, weighted


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_scores_are_what_counting_gives(seed: int, rows: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    truth, said = rng.random((rows, labels)) < 0.4, rng.random((rows, labels)) < 0.4
    found = metrics.scores(truth, said)
    f1s, micro, weighted = by_hand(truth, said)
    assert found.f1 == pytest.approx(f1s)
    assert found.macro_f1 == pytest.approx(sum(f1s) / labels)
    assert found.micro_f1 == pytest.approx(micro)
    assert found.weighted_f1 == pytest.approx(weighted)
    assert found.subset_accuracy == pytest.approx(np.mean([(t == s).all() for t, s in zip(truth, said, strict=True)]))
    assert found.hamming_loss == pytest.approx(np.mean(truth != said))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_fitted_threshold_is_not_beaten_by_any_other_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((40, 1)) < 0.5
    truth[: metrics.ENOUGH] = True
    p = np.round(rng.random((40, 1)), 1)  # ties are the rule
    best = metrics.scores(truth, p >= metrics.fit_thresholds(truth, p)).f1[0]
    others = [metrics.scores(truth, p >= t).f1[0] for t in np.arange(0.005, 1.0, 0.01)]
    assert best >= max(others) - 1e-12


def test_a_rare_label_takes_the_common_threshold() -> None:
    rng = np.random.default_rng(1)
    truth = np.zeros((200, 3), dtype=bool)
    truth[:80, 0] = truth[40:120, 1] = True
    truth[0, 2] = True  # one row only: its own best cut would be noise
    p = np.clip(truth * 0.5 + rng.random((200, 3)) * 0.4, 0, 1)
    p[0, 2] = 0.99
    fitted = metrics.fit_thresholds(truth, p)
    assert fitted[2] < 0.9
    assert 0 < fitted.min() <= fitted.max() < 1


def test_thresholds_of_a_split_without_any_label_are_the_classic_one() -> None:
    assert metrics.fit_thresholds(np.zeros((4, 2)), np.full((4, 2), 0.5)).tolist() == [metrics.CLASSIC, metrics.CLASSIC]


def test_cross_fitting_does_not_flatter_noise() -> None:
    """On labels that have nothing to do with the scores, a fit on the same rows looks better than it is."""
    rng = np.random.default_rng(2)
    truth, p = rng.random((300, 40)) < 0.05, rng.random((300, 40))
    flattered = metrics.scores(truth, p >= metrics.fit_thresholds(truth, p)).macro_f1
    honest = metrics.scores(truth, metrics.cross_fitted(truth, p)).macro_f1
    assert honest < flattered - 0.03


def test_cross_fitting_never_lets_a_row_choose_its_own_threshold() -> None:
    """Changing the labels of one half may change what is said about the other half, never about itself."""
    rng = np.random.default_rng(3)
    truth, p = rng.random((100, 4)) < 0.4, rng.random((100, 4))
    before = metrics.cross_fitted(truth, p)
    half = np.random.Generator(np.random.PCG64(0)).permutation(100) % 2 == 0
    turned = truth.copy()
    turned[half] = ~turned[half]
    after = metrics.cross_fitted(turned, p)
    assert (before[half] == after[half]).all()
    assert (before[~half] != after[~half]).any()


def test_cross_entropy_is_that_of_the_formula() -> None:
    truth, p = np.array([[1.0, 0.0]]), np.array([[0.8, 0.1]])
    assert metrics.bce(truth, p) == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2)
    assert np.isfinite(metrics.bce(np.array([[1.0]]), np.array([[0.0]])))


@pytest.mark.parametrize(
    ("train", "dev", "words"),
    [
        ([0.15], [0.12], "still learning"),
        ([0.15, 0.11], [0.12, 0.10], "still learning"),
        ([0.15, 0.11, 0.10], [0.12, 0.10, 0.0995], "fits well"),
        ([0.15, 0.08, 0.05, 0.03], [0.12, 0.10, 0.11, 0.13], "overfitting since epoch 3"),
        ([0.15, 0.16], [0.12, 0.125], "fits well"),
    ],
)
def test_the_losses_are_put_into_words(train: list[float], dev: list[float], words: str) -> None:
    assert metrics.diagnosis(train, dev) == words


def test_what_has_learned_little_does_not_fit_well() -> None:
    train, dev = [0.17, 0.15, 0.149], [0.155, 0.150, 0.149]
    assert metrics.diagnosis(train, dev, 0.083, 0.083) == "fits well"
    assert metrics.diagnosis(train, dev, 0.088, 0.083) == "still learning", "macro-F1 clearly rises"
    assert metrics.diagnosis(train, dev, 0.083, 0.083, 0.149) == "still learning", "no better than the base rates"
    assert metrics.diagnosis(train, dev, 0.531, 0.530, 0.2) == "fits well"
    truth = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert metrics.base_rate_loss(truth) == pytest.approx(np.log(2) / 2, abs=1e-5)


def test_multi_hot() -> None:
    assert metrics.multi_hot([(0, 2), (1,)], 3).tolist() == [[1, 0, 1], [0, 1, 0]]
