"""Ways of fitting thresholds: each says what it promises on labels whose best cut is known."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.config import SETTINGS
from trainer.model import metrics, thresholds


def drawn(rng: np.random.Generator, rows: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels at random, and what a fair but unsure model says of them."""
    truth = rng.random((rows, 1)) < rate
    logit = rng.normal(-3 + 3 * truth, 1.0)
    return truth, 1 / (1 + np.exp(-logit))


def test_the_form_offers_these_ways() -> None:
    assert set(SETTINGS["threshold_fit"].choices) == set(thresholds.WAYS)


@pytest.mark.parametrize("way", thresholds.WAYS)
def test_each_way_gives_one_threshold_a_label_within_bounds(way: str) -> None:
    rng = np.random.default_rng(0)
    truth, p = rng.random((300, 6)) < [0.5, 0.2, 0.1, 0.05, 0.01, 0.0], rng.random((300, 6))
    found = thresholds.fit_thresholds(truth, p, way)
    assert found.shape == (6,) and ((found > 0) & (found < 1)).all()
    assert np.array_equal(found, thresholds.fit_thresholds(truth, p, way)), "the same rows, the same thresholds"
    empty = thresholds.fit_thresholds(np.zeros((4, 2)), np.full((4, 2), 0.5), way)
    assert empty.tolist() == [thresholds.CLASSIC] * 2


@pytest.mark.parametrize("way", ["smoothed", "calibrated", "blended"])
def test_on_many_rows_each_way_finds_about_the_best_cut(way: str) -> None:
    truth, p = drawn(np.random.default_rng(1), 60_000, 0.1)
    best = metrics.scores(truth, p >= thresholds.fit_thresholds(truth, p, "per_label")).f1[0]
    assert metrics.scores(truth, p >= thresholds.fit_thresholds(truth, p, way)).f1[0] > best - 0.003


@pytest.mark.parametrize("way", ["smoothed", "calibrated", "blended"])
def test_on_few_rows_other_ways_than_the_best_cut_lose_less(way: str) -> None:
    """On fresh rows, a threshold fitted on a dozen positive ones is worse than one of many; these lose less by it."""
    rng = np.random.default_rng(2)
    fresh_truth, fresh_p = drawn(rng, 40_000, 0.02)
    found: dict[str, list[float]] = {"per_label": [], way: []}
    for _ in range(60):
        truth, p = drawn(rng, 700, 0.02)
        for each, scored in found.items():
            scored.append(metrics.scores(fresh_truth, fresh_p >= thresholds.fit_thresholds(truth, p, each)).f1[0])
    assert np.mean(found[way]) > np.mean(found["per_label"])
    assert np.std(found[way]) < np.std(found["per_label"])


def test_calibration_undoes_a_slope_and_a_shift() -> None:
    truth, p = drawn(np.random.default_rng(3), 20_000, 0.2)
    logit = np.log(p / (1 - p))
    twisted = 1 / (1 + np.exp(-(0.5 * logit - 1.0)))
    plain, other = (thresholds.fit_thresholds(truth, q, "calibrated")[0] for q in (p, twisted))
    assert np.log(other / (1 - other)) == pytest.approx(0.5 * np.log(plain / (1 - plain)) - 1.0, abs=0.1)
