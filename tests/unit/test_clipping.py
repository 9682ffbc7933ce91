"""Clipping without needless passes: the numbers of torch's own, and no gradient is touched that need not be."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from trainer.learn.clipping import EPSILON, clip
from trainer.model import fast_embedding


class Model(nn.Module):
    """Vectors of tokens, most of which no batch has, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors, self.head = nn.Embedding(500, 8), nn.Linear(8, 3)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.vectors


def learned(fast: bool) -> Model:
    """With the gradients of two batches, the second on top of the first."""
    torch.manual_seed(0)
    model = Model()
    if fast:
        fast_embedding.make_fast(model)
    for ids in ([[3, 4, 3], [499, 0, 7]], [[5, 4, 4]]):
        model.head(model.vectors(torch.tensor(ids)).tanh().mean(1)).pow(2).sum().backward()
    return model


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


NORM = float(nn.utils.get_total_norm([p.grad for p in learned(False).parameters() if p.grad is not None]))


@pytest.mark.parametrize("most", [NORM / 10, NORM, NORM + EPSILON / 2, NORM * 2, math.inf])
@pytest.mark.parametrize("fast", [False, True])
def test_gradients_are_clipped_as_torch_does_it(most: float, fast: bool) -> None:
    ours, theirs = learned(fast), learned(False)
    norm = clip(ours, most)
    expected = nn.utils.clip_grad_norm_(theirs.parameters(), most)
    assert float(norm) == pytest.approx(float(expected), rel=1e-6)
    for name, gradient in gradients(theirs).items():
        assert torch.allclose(gradients(ours)[name], gradient, rtol=1e-6, atol=0), name
    assert len(gradients(ours)) == 3


def test_what_is_not_clipped_is_not_written() -> None:
    for most, written in ((NORM * 2, False), (math.inf, False), (NORM / 2, True)):
        model = learned(True)
        before = {name: p.grad._version for name, p in model.named_parameters() if p.grad is not None}
        clip(model, most)
        after = {name: p.grad._version for name, p in model.named_parameters() if p.grad is not None}
        assert all((after[name] > before[name]) is written for name in before)


def test_of_vectors_only_the_rows_that_were_learned_are_looked_at() -> None:
    model = learned(True)
    rows = {tuple(part.shape) for part in fast_embedding.gradients(model)}
    assert rows == {(6, 8), (3, 8), (3,)}
    other = copy.deepcopy(model)
    other.vectors.weight.grad = torch.full((500, 8), 2.0)  # as another process's gradients come
    assert fast_embedding.gradients(other)[0].shape == (500, 8)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_no_number_is_told(bad: float) -> None:
    model = learned(True)
    model.head.weight.grad[0, 0] = bad  # type: ignore[index]
    assert not math.isfinite(float(clip(model, 1.0)))
