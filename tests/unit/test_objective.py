"""The losses that recipes choose from, checked against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from trainer.config import TrainConfig
from trainer.learn.objective import Objective, plain

TRUTH = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 1]], dtype=np.float32)
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [-3.0, 0.2, -2.0], [0.0, 4.0, -4.0], [1.0, -2.0, 3.0]])


def objective(**settings: object) -> Objective:
    return Objective.of(TrainConfig(**settings), TRUTH, torch.device("cpu"))  # type: ignore[arg-type]


def test_without_options_it_is_cross_entropy() -> None:
    truth = torch.from_numpy(TRUTH)
    assert objective().is_plain
    assert objective()(LOGITS, truth) == pytest.approx(float(bce(LOGITS, truth)))
    assert plain(LOGITS, truth) == pytest.approx(float(bce(LOGITS, truth)))
    assert not any(objective(**s).is_plain for s in ({"loss": "focal"}, {"label_smoothing": 0.1}, {"r_drop": 1.0}))


def test_focal_loss_forgets_what_is_easy() -> None:
    truth, p = torch.from_numpy(TRUTH), torch.sigmoid(LOGITS)
    right = torch.where(truth > 0, p, 1 - p)
    expected = (-((1 - right) ** 2) * torch.log(right)).mean()
    assert objective(loss="focal", gamma=2.0)(LOGITS, truth) == pytest.approx(float(expected), rel=1e-5)


def test_asymmetric_loss_does_not_ask_for_negatives_below_its_margin() -> None:
    low, truth = torch.full((1, 3), -5.0, requires_grad=True), torch.tensor([[1.0, 0.0, 0.0]])
    loss = objective(loss="asymmetric")(low, truth)
    loss.backward()
    assert low.grad is not None and low.grad[0, 0] < 0 and low.grad[0, 1:].tolist() == [0.0, 0.0]
    p = torch.sigmoid(LOGITS)
    t, shifted = torch.from_numpy(TRUTH), (p - 0.05).clamp(min=0)
    expected = -(t * torch.log(p) + (1 - t) * shifted**2 * torch.log(1 - shifted)).mean()
    assert objective(loss="asymmetric", gamma=2.0)(LOGITS, t) == pytest.approx(float(expected), rel=1e-4)


def test_weighted_loss_counts_a_rare_positive_more() -> None:
    rare = TRUTH[:, 2].mean()
    found = objective(loss="weighted")
    assert found.positive_weight[2] > found.positive_weight[1]
    assert float(found.positive_weight[2]) == pytest.approx(float(np.sqrt((1 - 1.5 / 5) / (1.5 / 5)))), rare


def test_smoothing_draws_targets_to_the_base_rates() -> None:
    truth, found = torch.from_numpy(TRUTH), objective(label_smoothing=0.2)
    assert found(LOGITS, truth) == pytest.approx(float(bce(LOGITS, 0.8 * truth + 0.2 * found.rates)))


def test_r_drop_asks_two_passes_to_agree() -> None:
    truth, found = torch.from_numpy(TRUTH), objective(r_drop=2.0)
    same = found(torch.cat([LOGITS, LOGITS]), truth)
    assert same == pytest.approx(float(bce(LOGITS, truth)))
    other = LOGITS + 1.0
    p, q = torch.sigmoid(LOGITS), torch.sigmoid(other)
    kl = (p * torch.log(p / q) + (1 - p) * torch.log((1 - p) / (1 - q)) + q * torch.log(q / p)
          + (1 - q) * torch.log((1 - q) / (1 - p))) / 2  # fmt: skip
    expected = (bce(LOGITS, truth) + bce(other, truth)) / 2 + 2.0 * kl.mean()
    assert found(torch.cat([LOGITS, other]), truth) == pytest.approx(float(expected), rel=1e-4)


def test_a_row_without_weight_teaches_nothing() -> None:
    logits = LOGITS.clone().requires_grad_()
    objective()(logits, torch.from_numpy(TRUTH), torch.tensor([1.0, 0.0, 0.5, 1.0])).backward()
    assert logits.grad is not None
    assert logits.grad[1].abs().sum() == 0 and logits.grad[0].abs().sum() > 0


@pytest.mark.parametrize("loss", ["bce", "focal", "asymmetric", "weighted"])
def test_training_begins_where_no_label_pulls_all_rows_one_way(loss: str) -> None:
    truth = np.zeros((20_000, 3), dtype=np.float32)
    for label, count in enumerate((200, 2_000, 9_000)):
        truth[:count, label] = 1
    made = Objective.of(TrainConfig(loss=loss), truth, torch.device("cpu"))
    start = torch.logit(torch.as_tensor(made.best_constant())).float().requires_grad_()
    made(start.expand(20_000, -1), torch.from_numpy(truth)).backward()
    from_rates = torch.logit(made.rates).requires_grad_()
    made(from_rates.expand(20_000, -1), torch.from_numpy(truth)).backward()
    assert start.grad is not None and from_rates.grad is not None
    assert start.grad.abs().max() < 2e-4, start
    if loss in ("focal", "weighted"):
        assert from_rates.grad.abs().max() > 10 * start.grad.abs().max(), "the base rates are another place"
