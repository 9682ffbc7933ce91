"""What a training makes small: a loss over logits and targets, with the options that recipes choose from.

Whatever is learned on, `plain` is what is told of it: cross-entropy with the labels, so that runs compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from trainer.config import TrainConfig
from trainer.learn.task import Array

MOST_WEIGHT = 20.0
"""A positive of a rare label counts at most so many times in loss="weighted"."""

NEGATIVE_MARGIN = 0.05
"""Asymmetric loss takes a negative below this probability for learned."""


def plain(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean binary cross-entropy over rows and labels, a scalar."""
    return binary_cross_entropy_with_logits(logits, truth)


@dataclass(frozen=True)
class Objective:
    """The loss of `config` for labels of these base rates, both tensors of shape (labels,) on the training's device."""

    kind: str
    gamma: float
    smoothing: float
    r_drop: float
    rates: Tensor
    positive_weight: Tensor

    @classmethod
    def of(cls, config: TrainConfig, truth: Array, device: torch.device) -> Objective:
        """`truth`: the labels of the training rows, (rows, labels)."""
        rates = np.clip((truth.sum(0) + 0.5) / (len(truth) + 1), 1e-5, 1 - 1e-5)
        weight = np.minimum(np.sqrt((1 - rates) / rates), MOST_WEIGHT)
        return cls(
            config.loss, config.gamma, config.label_smoothing, config.r_drop,
            torch.as_tensor(rates, dtype=torch.float32, device=device),
            torch.as_tensor(weight, dtype=torch.float32, device=device),
        )  # fmt: skip

    def best_constant(self) -> Array:
        """The probability of each label, float64 of (labels,), that costs least where nothing is known of a row.

        Where training begins. Cross-entropy has it at the base rates; a loss that forgives easy negatives has it higher,
        and a start at the base rates would first teach the encoder to say the same of every row, which it may not unlearn.
        """
        rates = self.rates.double().cpu().numpy()
        if self.kind == "bce":
            return rates
        steps = torch.linspace(-12, 6, 3601)[:, None].expand(-1, len(rates)).to(self.rates.device)
        never, always = (self._each(steps, torch.full_like(steps, target)) for target in (0.0, 1.0))
        best = (never * (1 - self.rates) + always * self.rates).argmin(0)
        found: Array = torch.sigmoid(steps[best, 0].double()).cpu().numpy()
        return found

    @property
    def is_plain(self) -> bool:
        """Whether it is cross-entropy and nothing else (where targets are the labels)."""
        return self.kind == "bce" and not self.smoothing and not self.r_drop

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The mean loss, a scalar. `logits` (rows, labels) in fp32; with R-Drop twice the rows, the second pass below.

        `targets` (rows, labels) in 0..1; `weights` (rows,) how much each row counts.
        """
        if self.smoothing:  # towards the base rates: towards one half, rare labels would be said everywhere
            targets = targets * (1 - self.smoothing) + self.smoothing * self.rates
        if not self.r_drop:
            return _mean(self._each(logits, targets), weights)
        first, second = logits.chunk(2)
        learned = (self._each(first, targets) + self._each(second, targets)) / 2
        return _mean(learned + self.r_drop * _apart(first, second), weights)

    def _each(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each row and label."""
        if self.kind == "weighted":
            return binary_cross_entropy_with_logits(logits, targets, pos_weight=self.positive_weight, reduction="none")
        if self.kind == "bce":
            return binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p = torch.sigmoid(logits)
        if self.kind == "focal":
            wrong = p * (1 - targets) + (1 - p) * targets
            return binary_cross_entropy_with_logits(logits, targets, reduction="none") * wrong**self.gamma
        # asymmetric: easy negatives are forgotten, positives are not
        shifted = (p - NEGATIVE_MARGIN).clamp(min=0)
        positive = targets * logsigmoid(logits)
        negative = (1 - targets) * torch.log1p(-shifted.clamp(max=1 - 1e-6)) * shifted**self.gamma
        return -(positive + negative)


def _mean(each: Tensor, weights: Tensor | None) -> Tensor:
    return each.mean() if weights is None else (each * weights[:, None]).mean()


def _apart(first: Tensor, second: Tensor) -> Tensor:
    """How far two passes over the same rows differ: symmetric Kullback-Leibler divergence of each label, in nats."""
    p, q = torch.sigmoid(first), torch.sigmoid(second)
    # for two Bernoullis, KL(p, q) + KL(q, p) is the difference of p times the difference of logits
    return (p - q) * (first - second) / 2
