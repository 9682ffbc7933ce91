"""Dropout that draws its masks out of 16 bits: the stock one's shares and scale, whatever the share, and torch's seed alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.model.fast_dropout import kept, make_fast


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("p", [0.0001, 0.1, 0.5, 0.9])
def test_a_mask_drops_its_share_and_makes_up_for_it(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    mask = kept(torch.empty(301, 1003, dtype=dtype), p)
    assert mask is not None and mask.shape == (301, 1003) and mask.dtype == dtype
    scale = float(torch.tensor(1 / (1 - p), dtype=dtype))
    assert set(mask.unique().tolist()) == {0.0, scale}
    dropped = (mask == 0).float()
    assert float(dropped.mean()) == pytest.approx(p, abs=0.003)
    # no place and no row is favoured, and neighbours know nothing of each other
    assert float((dropped.mean(0) - p).abs().max()) < 0.13 and float((dropped.mean(1) - p).abs().max()) < 0.07
    together = float((dropped[:, 1:] * dropped[:, :-1]).mean())
    assert together == pytest.approx(p * p, abs=0.004)


def test_nothing_and_everything_can_be_dropped() -> None:
    like = torch.ones(3, 5)
    everything = kept(like, 1.0)
    assert kept(like, 0.0) is None
    assert everything is not None and not everything.any()


def test_masks_are_those_of_the_seed_and_differ_from_each_other() -> None:
    def two(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [mask for mask in (kept(torch.ones(40, 40), 0.5) for _ in range(2)) if mask is not None]

    (a, b), (c, d) = two(7), two(7)
    assert torch.equal(a, c) and torch.equal(b, d)
    assert not torch.equal(a, b) and not torch.equal(a, two(8)[0])


def test_a_stock_dropout_learns_through_the_mask_and_rests_outside_of_training() -> None:
    dropout = nn.Dropout(0.25)
    make_fast(dropout)
    assert type(dropout) is not nn.Dropout and repr(dropout) == repr(nn.Dropout(0.25))
    x = torch.ones(200, 50, requires_grad=True)
    y = dropout(x)
    y.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, y.detach())
    assert float((y == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert dropout.eval()(x) is x
    other = nn.Dropout1d(0.25)
    make_fast(other)
    assert type(other) is nn.Dropout1d
