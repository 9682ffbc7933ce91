"""The embedding that keeps its gradient: the stock one's numbers, whatever came in the steps before."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from trainer.model.fast_embedding import make_fast


class Model(nn.Module):
    """Vectors, a norm and a head; token 0 pads."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(50, 8, padding_idx=0)
        self.head = nn.Linear(8, 3)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.vectors

    def forward(self, ids: Tensor) -> Tensor:
        out: Tensor = self.head(self.vectors(ids).tanh().mean(1))
        return out


STEPS = [[[3, 4, 3, 0], [9, 9, 9, 9]], [[5, 4, 0, 0]], [[49, 1, 2, 3]], [[3, 3, 3, 3], [7, 8, 0, 0]]]


def pair() -> tuple[Model, Model]:
    torch.manual_seed(0)
    stock = Model()
    fast = copy.deepcopy(stock)
    make_fast(fast)
    assert type(fast.vectors) is not nn.Embedding and type(fast.vectors).__name__ == "Embedding"
    assert list(fast.state_dict()) == list(stock.state_dict())
    return stock, fast


def backward(model: Model, ids: list[list[int]]) -> Tensor:
    model(torch.tensor(ids)).pow(2).sum().backward()
    gradient = model.vectors.weight.grad
    assert gradient is not None
    return gradient


@pytest.mark.parametrize("to_none", [True, False])
def test_step_after_step_it_learns_what_the_stock_one_learns(to_none: bool) -> None:
    stock, fast = pair()
    both = [torch.optim.AdamW(model.parameters(), lr=0.1) for model in (stock, fast)]
    for ids in STEPS:
        assert torch.equal(backward(fast, ids), backward(stock, ids))
        for model, optimizer in zip((stock, fast), both, strict=True):
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            optimizer.zero_grad(set_to_none=to_none)
    assert torch.equal(stock.vectors.weight, fast.vectors.weight)


def test_gradients_of_several_batches_add_up() -> None:
    stock, fast = pair()
    for _ in range(2):
        for model in (stock, fast):
            model.zero_grad()
        for ids in STEPS:  # added up in another order
            assert torch.allclose(backward(fast, ids), backward(stock, ids), atol=1e-8)


def test_the_gradient_is_written_in_place_of_the_one_before() -> None:
    _, fast = pair()
    first = backward(fast, STEPS[0])
    fast.zero_grad()
    assert backward(fast, STEPS[1]) is first


def test_a_step_that_was_no_number_leaves_nothing_behind() -> None:
    stock, fast = pair()
    backward(fast, STEPS[0])
    nn.utils.clip_grad_norm_([fast.vectors.weight, nn.Parameter(torch.zeros(1))], 1.0)
    fast.vectors.weight.grad.mul_(float("nan"))  # type: ignore[union-attr]  # what clipping to such a norm does
    fast.zero_grad()
    assert torch.equal(backward(fast, STEPS[2]), backward(stock, STEPS[2]))


def test_nothing_is_learned_outside_of_training_or_with_frozen_or_shared_weights() -> None:
    stock, fast = pair()
    with torch.no_grad():
        assert torch.equal(fast(torch.tensor(STEPS[0])), stock(torch.tensor(STEPS[0])))
    assert fast.vectors.weight.grad is None
    frozen, tied = Model(), Model()
    frozen.vectors.weight.requires_grad_(False)
    tied.head.weight = tied.vectors.weight
    for model in (frozen, tied):
        make_fast(model)
        assert type(model.vectors) is nn.Embedding


def test_in_half_precision_the_gradient_is_as_exact_as_the_stock_ones() -> None:
    stock, fast = pair()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(backward(fast, STEPS[0]), backward(stock, STEPS[0]))
