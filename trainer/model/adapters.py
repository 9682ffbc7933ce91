"""Low-rank adapters: beside each linear layer of the encoder two thin matrices are learned, and the layer itself stays.

Modules and weights have peft's names and first values; peft itself would import transformers. What is scored, saved and
served has them added to the weights, so that nobody who loads a model needs to know of them.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from trainer.errors import ModelError
from trainer.model import own_vectors

NAME = "default"
"""What peft calls the one adapter."""


class Adapted(nn.Module):
    """A linear layer that stays as it is, and beside it `lora_B(lora_A(x))`, scaled, which begins as zero."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: int, dropout: float) -> None:
        super().__init__()
        self.base_layer = linear
        self.scaling = {NAME: alpha / rank}
        self.lora_dropout = nn.ModuleDict({NAME: nn.Dropout(dropout) if dropout else nn.Identity()})
        a, b = nn.Linear(linear.in_features, rank, bias=False), nn.Linear(rank, linear.out_features, bias=False)
        nn.init.kaiming_uniform_(a.weight, a=math.sqrt(5))
        nn.init.zeros_(b.weight)
        self.lora_A, self.lora_B = nn.ModuleDict({NAME: a}), nn.ModuleDict({NAME: b})

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) -> (…, outputs)."""
        beside: Tensor = self.lora_B[NAME](self.lora_A[NAME](self.lora_dropout[NAME](x))) * self.scaling[NAME]
        found: Tensor = self.base_layer(x) + beside
        return found


def add(model: nn.Module, rank: int, alpha: int, seed: int, dropout: float = 0.0, own_from: int | None = None) -> None:
    """Put adapters of `rank`, scaled by alpha/rank, beside all linear layers of the encoder, in place.

    Of the encoder only they are learned from here on, and the vectors of the token ids from `own_from` on; the head
    (pooler and classifier) is learned whole. Raises ModelError for a model without a linear layer in its encoder.
    """
    from trainer.model.classifier import is_head

    names = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and not is_head(model, f"{n}.weight")]
    if not names:
        raise ModelError(f"{type(model).__name__} has no linear layers that adapters could stand beside")
    torch.manual_seed(seed)
    for name in names:
        parent, _, last = name.rpartition(".")
        beside = Adapted(model.get_submodule(name), rank, alpha, dropout)  # type: ignore[arg-type]
        setattr(model.get_submodule(parent), last, beside)
    if own_from is not None:
        own_vectors.learn_own_rows(model, own_from)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = ".lora_" in name or name.endswith(own_vectors.OWN) or is_head(model, name)


def has_adapters(model: nn.Module) -> bool:
    """Whether some are in it."""
    return any(".lora_A." in name for name, _ in model.named_parameters())


def stock_parameters(model: nn.Module) -> int:
    """How many parameters the model has without what is learned beside it."""
    return sum(
        p.numel() for name, p in model.named_parameters() if ".lora_" not in name and not name.endswith(own_vectors.OWN)
    )


@torch.no_grad()
def merged(model: nn.Module) -> nn.Module:
    """A copy of `model` with its adapters added to the weights: a stock model again. The model itself is not touched."""
    plain = copy.deepcopy(model)
    own_vectors.make_whole(plain)
    for name, module in list(plain.named_modules()):
        if not isinstance(module, Adapted):
            continue
        found: Any = module
        linear = found.base_layer
        linear.weight += delta(found.lora_A[NAME].weight, found.lora_B[NAME].weight, float(found.scaling[NAME]))
        parent, _, last = name.rpartition(".")
        setattr(plain.get_submodule(parent), last, linear)
    for parameter in plain.parameters():
        parameter.requires_grad = True
    return plain


def delta(a: Tensor, b: Tensor, scaling: float) -> Tensor:
    """What an adapter adds to a weight of shape (out, in): `a` has shape (rank, in), `b` (out, rank)."""
    return (b @ a) * scaling
