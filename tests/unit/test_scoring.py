"""The scores against scikit-learn, on random arrays and where there is nothing to divide by; intervals against what they promise."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.labels import EKMAN, EMOTIONS, SENTIMENT
from trainer.scoring import bootstrap
from trainer.scoring.average_precision import average_precision
from trainer.scoring.bootstrap import AT_A_TIME, interval, paired, resampled
from trainer.scoring.calibration import reliability
from trainer.scoring.confusions import confusions
from trainer.scoring.counts import WAYS, averages, count
from trainer.scoring.evaluation import document, evaluation
from trainer.scoring.levels import applicable, levels

sklearn = pytest.importorskip("sklearn.metrics")


def arrays(seed: int, rows: int, labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities with many ties, and what was said; the first label has no row, the second is never said, the
    third always."""
    rng = np.random.default_rng(seed)
    truth = rng.random((rows, labels)) < 0.3
    p = np.round(np.clip(truth * 0.3 + rng.random((rows, labels)) * 0.7, 0, 1), 2)
    said = p >= 0.5
    truth[:, 0] = False
    if labels > 2:
        said[:, 1], said[:, 2] = False, True
    return truth, p, said


SHAPES = (st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6))


@given(*SHAPES)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_averages_and_labels_are_those_of_scikit_learn(seed: int, rows: int, labels: int) -> None:
    truth, _, said = arrays(seed, rows, labels)
    t, s = truth.astype(int), said.astype(int)
    if labels == 1:  # scikit-learn takes one column for a binary task and has no averages of it
        t, s = np.hstack([t, t * 0]), np.hstack([s, s * 0])
    found, each = averages(t, s), count(t, s)
    for way in WAYS:
        want = sklearn.precision_recall_fscore_support(t, s, average=way, zero_division=0)[:3]
        assert (found[way].precision, found[way].recall, found[way].f1) == pytest.approx(want), way
    precision, recall, f1, support = sklearn.precision_recall_fscore_support(t, s, average=None, zero_division=0)
    assert np.allclose(each.precision, precision) and np.allclose(each.recall, recall) and np.allclose(each.f1, f1)
    assert each.support.tolist() == support.tolist()


@given(*SHAPES)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_average_precision_is_that_of_scikit_learn(seed: int, rows: int, labels: int) -> None:
    truth, p, _ = arrays(seed, rows, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a label without rows, and gives 0
        want = [sklearn.average_precision_score(truth[:, k], p[:, k]) for k in range(labels)]
    assert average_precision(truth, p) == pytest.approx(want)
    assert average_precision(truth, p.astype(np.float32)) == pytest.approx(want)


@given(*SHAPES)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_whole_is_that_of_scikit_learn(seed: int, rows: int, labels: int) -> None:
    truth, p, said = arrays(seed, rows, labels + 1)
    told = document(evaluation([f"l{k}" for k in range(labels + 1)], truth, p, said, draws=0))
    assert told["subset_accuracy"] == pytest.approx(sklearn.accuracy_score(truth, said))
    assert told["hamming_loss"] == pytest.approx(sklearn.hamming_loss(truth, said))
    assert told["calibration"]["brier"] == pytest.approx(np.mean((truth - p) ** 2))
    assert told["samples_f1"] == pytest.approx(
        sklearn.f1_score(truth.astype(int), said.astype(int), average="samples", zero_division=0)
    )
    assert told["bootstrap"] is None and told["per_label"]["l0"]["f1_interval"] is None


def test_a_label_without_rows_scores_0_counts_in_the_mean_and_is_named() -> None:
    truth, p, said = arrays(1, 50, 4)
    found = evaluation(["grief", "joy", "fear", "love"], truth, p, said, draws=20)
    told = document(found)
    assert found.empty == ("grief",) and told["empty"] == ["grief"]
    assert told["per_label"]["grief"]["f1"] == 0 and told["per_label"]["grief"]["average_precision"] == 0
    f1 = [told["per_label"][name]["f1"] for name in ("grief", "joy", "fear", "love")]
    assert told["macro_f1"] == pytest.approx(sum(f1) / 4)
    assert told["macro_f1_of_present"] == pytest.approx(sum(f1[1:]) / 3)
    assert told["per_label"]["grief"]["f1_interval"] == {"low": 0.0, "high": 0.0}
    ap = [told["per_label"][name]["average_precision"] for name in ("joy", "fear", "love")]
    assert told["mean_average_precision"] == pytest.approx(sum(ap) / 3), "nothing could be put first for grief"


def test_no_row_at_all_is_no_error() -> None:
    none = np.zeros((0, 3))
    told = document(evaluation(["a", "b", "c"], none, none, none))
    assert told["macro_f1"] == 0 and told["calibration"]["ece"] == 0 and told["bootstrap"] is None


# Calibration


def test_the_calibration_error_is_the_mean_distance_of_the_bins() -> None:
    p = np.array([[0.05, 0.15], [0.15, 0.95], [1.0, 0.0]])
    truth = np.array([[0, 1], [0, 1], [1, 0]])
    found = reliability(truth, p)
    # bins: 0..0.1 holds .05 and 0; .1...2 holds .15 twice, one true; the last holds .95 and 1, both true
    assert found.ece == pytest.approx((2 * 0.025 + 2 * abs(0.15 - 0.5) + 2 * (1 - 0.975)) / 6)
    assert [n for _, _, n in found.points] == [2, 2, 2]


def test_the_bins_are_those_of_scikit_learn() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(5)
    p = rng.random(500)
    truth = rng.random(500) < p**2
    true, mean = calibration.calibration_curve(truth, p, n_bins=10)
    found = reliability(truth, p)
    assert [t for _, t, _ in found.points] == pytest.approx(true.tolist())
    assert [m for m, _, _ in found.points] == pytest.approx(mean.tolist())
    assert found.ece > 0.1 > reliability(rng.random(20_000) < 0.3, np.full(20_000, 0.3)).ece


# The bootstrap


def test_the_same_seed_draws_the_same_and_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, _, said = arrays(2, 60, 5)
    one = resampled(truth, said, 50)
    monkeypatch.setattr(bootstrap, "AT_A_TIME", 7 * 60)
    assert AT_A_TIME > 7 * 60
    other = resampled(truth, said, 50)
    assert (one.per_label == other.per_label).all() and (one.micro_f1 == other.micro_f1).all()
    assert (resampled(truth, said, 50, seed=1).macro_f1 != one.macro_f1).any()


def test_a_draw_scores_what_its_rows_score() -> None:
    truth, _, said = arrays(3, 30, 4)
    drawn = resampled(truth, said, 5)
    often = np.concatenate(list(bootstrap._drawn(30, 5, bootstrap.SEED))).astype(int)
    for k in range(5):
        rows = np.repeat(np.arange(30), often[k])
        t, s = truth[rows].astype(int), said[rows].astype(int)
        for key, way in (("macro_f1", "macro"), ("micro_f1", "micro"), ("weighted_f1", "weighted")):
            assert getattr(drawn, key)[k] == pytest.approx(sklearn.f1_score(t, s, average=way, zero_division=0))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of many samples from one world, about 95 in 100 hold that world's F1 within their interval."""
    rng = np.random.default_rng(4)
    world_truth = rng.random((100_000, 1)) < 0.4
    world_said = np.where(rng.random((100_000, 1)) < 0.8, world_truth, ~world_truth)
    real = count(world_truth, world_said).f1[0]
    held = 0
    for _ in range(200):
        rows = rng.integers(0, 100_000, 300)
        ends = interval(resampled(world_truth[rows], world_said[rows], 200).per_label[:, 0])
        held += ends.low <= real <= ends.high
    assert 178 <= held <= 199


def test_two_models_are_held_against_each_other_on_the_same_draws() -> None:
    rng = np.random.default_rng(6)
    truth = rng.random((400, 3)) < 0.4
    weak, strong = (np.where(rng.random(truth.shape) < share, truth, ~truth) for share in (0.7, 0.8))
    same = paired(truth, weak, weak, 100)
    assert same["macro_f1"].low == same["macro_f1"].high == same["macro_f1"].better == 0 and not same["macro_f1"].clear
    found = paired(truth, weak, strong, 200)
    real = sklearn.f1_score(truth, strong, average="macro") - sklearn.f1_score(truth, weak, average="macro")
    assert found["macro_f1"].difference == pytest.approx(real)
    assert found["macro_f1"].clear and found["macro_f1"].low < real < found["macro_f1"].high
    assert found["macro_f1"].better > 0.99 and len(found["per_label"]) == 3
    back = paired(truth, strong, weak, 200)
    assert back["macro_f1"].low == pytest.approx(-found["macro_f1"].high) and back["macro_f1"].better < 0.01
    # paired is narrower than two intervals laid side by side: what is hard is hard for both
    alike = np.where(rng.random(truth.shape) < 0.02, ~weak, weak)
    apart = interval(resampled(truth, alike, 200, seed=9).macro_f1 - resampled(truth, weak, 200, seed=8).macro_f1)
    together = paired(truth, weak, alike, 200)["macro_f1"]
    assert together.high - together.low < (apart.high - apart.low) / 2


# Confusions and levels


def test_what_was_said_instead_is_counted() -> None:
    truth = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]])
    said = np.array([[0, 1, 0], [0, 1, 1], [0, 0, 0], [0, 1, 0]])
    found = confusions(truth, said)
    assert found.said_for(0) == ((1, 2), (2, 1)) and found.true_for(1) == ((0, 2),)
    assert (found.missed.tolist(), found.wrong.tolist(), found.silent.tolist()) == ([3, 0, 0], [0, 2, 1], [1, 0, 0])
    assert found.pairs(5) == ((0, 1, 2), (0, 2, 1)) and found.said_for(1) == ()


@pytest.mark.parametrize("order", [EMOTIONS, tuple(sorted(EMOTIONS))])
def test_a_group_is_said_where_any_of_its_labels_is(order: tuple[str, ...]) -> None:
    truth, _, said = arrays(7, 80, 28)
    found = levels(order, truth, said)
    assert [level.name for level in found] == ["ekman", "sentiment"]
    for level, groups in zip(found, (EKMAN, SENTIMENT), strict=True):
        assert level.groups == tuple(groups)
        for k, members in enumerate(groups.values()):
            own = [order.index(name) for name in members]
            assert (level.truth[:, k] == truth[:, own].any(1)).all() and (level.said[:, k] == said[:, own].any(1)).all()
        want = sklearn.f1_score(level.truth, level.said, average="macro", zero_division=0)
        assert level.averages["macro"].f1 == pytest.approx(want)


def test_labels_of_ones_own_have_no_levels() -> None:
    assert applicable(["joy", "boredom"]) == () and applicable([*EMOTIONS, "boredom"]) == ()
    assert applicable(tuple(EKMAN)) == ("sentiment",) and applicable(tuple(SENTIMENT)) == ()
    none = np.zeros((2, 2))
    assert document(evaluation(["joy", "boredom"], none, none, none))["levels"] == {}
