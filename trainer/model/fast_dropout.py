"""Dropout for training on a CPU: 16 random bits decide of a value, and a mask is made of them without leaving whole numbers.

The stock one draws a number of 32 or 64 bits for each. `fast_layer` uses it inside its layers; the stock modules that it makes fast
draw this way, too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

WORDS = 2**15
"""Values that a draw of dropout can take."""

WHOLE = {torch.bfloat16: torch.int16, torch.float32: torch.int32}
"""Whole numbers of the size of a floating-point one."""


def make_fast(dropout: nn.Module) -> None:
    """Let a stock dropout draw this way while it is trained on a CPU, in place. Other modules are left alone."""
    if type(dropout) is nn.Dropout and not dropout.inplace:
        dropout.__class__ = _Dropout


class _Dropout(nn.Dropout):
    def forward(self, x: Tensor) -> Tensor:
        drawn = self.training and x.device.type == "cpu" and x.dtype in WHOLE
        mask = kept(x, self.p) if drawn else None
        return super().forward(x) if mask is None else x * mask


_Dropout.__name__ = _Dropout.__qualname__ = "Dropout"  # as in errors and printed models


def kept(like: Tensor, p: float) -> Tensor | None:
    """What dropout multiplies with: 0, or 1 / (1 - p) with probability 1 - p; None where nothing is dropped.

    `like` is of bf16 or fp32, on the CPU. The share is right to 1 / 65,536. What is drawn depends on torch's generator alone.
    """
    if not p:
        return None
    if p >= 1:
        return torch.zeros_like(like)
    seed = int(torch.randint(2**62, ()))
    words = np.random.SFC64(seed).random_raw(-(-like.numel() // 4)).view(np.int16)
    whole, scale = WHOLE[like.dtype], torch.tensor(1 / (1 - p), dtype=like.dtype)
    drawn = torch.from_numpy(words)[: like.numel()].view(like.shape).bitwise_and_(WORDS - 1).to(whole)
    # -1, all ones, where it is kept, and 0 where not: what is then common with the bits of a number is that number, or 0.0
    keeps = drawn.sub_(round(p * WORDS)).clamp_(-1, 0).bitwise_not_()
    return keeps.bitwise_and_(int(scale.view(whole))).view(like.dtype)
