"""A running average of the weights that are learned: what is scored and kept is the average, what is learned on is not.

Its pace is a pure function of the step, so that a checkpoint needs to hold the averaged weights alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of the parameters of `model` that are learned, on their own device."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in _learned(model)}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps. The first steps forget faster, or the beginning would stay in it."""
        keep = min(self.decay, (1 + step) / (10 + step))
        values, learned = list(self.values.values()), [p.detach() for _, p in _learned(model)]
        torch._foreach_lerp_(values, learned, 1 - keep)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take over what a checkpoint holds. Raises KeyError or RuntimeError where it is of another model."""
        for name, own in self.values.items():
            own.copy_(values[name])

    @contextmanager
    def inside(self, model: nn.Module) -> Iterator[None]:
        """Within, `model` has the averaged weights; afterwards its own again, to the last bit."""
        learned = dict(_learned(model))
        before = {name: p.detach().clone() for name, p in learned.items()}
        try:
            for name, value in self.values.items():
                learned[name].data.copy_(value)
            yield
        finally:
            for name, value in before.items():
                learned[name].data.copy_(value)


def _learned(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)
