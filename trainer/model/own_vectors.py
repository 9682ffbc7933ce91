"""Vectors for tokens that an encoder did not have: each starts as the mean of the words that it is called by.

Beside adapters only these rows of the embedding are learned; without adapters they are learned with all others. What is
kept is a stock embedding with more rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f

OWN = "own_rows"
"""What the parameter of `OwnRows` is called."""


@torch.no_grad()
def add_vectors(model: nn.Module, words: Mapping[int, Sequence[int]]) -> None:
    """Give the embedding of a stock `model` a row for each token id of `words`, the mean of the rows of its words, in place.

    A token without words starts as the mean of all rows. Rows that lie between are left as they are.
    """
    if not words:
        return
    found: Any = model
    rows = max(words) + 1
    if rows > found.get_input_embeddings().num_embeddings:
        found.resize_token_embeddings(rows, mean_resizing=False)
    weight: Tensor = found.get_input_embeddings().weight
    stock = weight[: min(words)].clone()
    for token, ids in words.items():
        known = [i for i in ids if i < len(stock)]
        weight[token] = (stock[known] if known else stock).mean(0)


class OwnRows(nn.Module):
    """An embedding whose rows from `first` on are learned, as `own_rows` of shape (rows, width), and the others are not."""

    def __init__(self, stock: nn.Embedding, first: int) -> None:
        super().__init__()
        self.stock, self.first = stock, first
        self.own_rows = nn.Parameter(stock.weight[first:].detach().clone())

    def forward(self, ids: Tensor) -> Tensor:
        """As the stock embedding's: ids of any shape -> (…, width)."""
        at = ids - self.first
        own = f.embedding(at.clamp(min=0), self.own_rows)
        return torch.where((at >= 0)[..., None], own, self.stock(ids))

    @torch.no_grad()
    def whole(self) -> nn.Embedding:
        """The stock embedding, with what was learned in its place."""
        self.stock.weight[self.first :] = self.own_rows
        return self.stock


def learn_own_rows(model: nn.Module, first: int) -> None:
    """Make the rows from `first` on of the embedding of `model` parameters of their own, in place."""
    found: Any = model
    found.set_input_embeddings(OwnRows(found.get_input_embeddings(), first))


def make_whole(model: nn.Module) -> None:
    """Undo `learn_own_rows`, keeping what was learned, in place; other models are left alone."""
    found: Any = model
    embedding = found.get_input_embeddings()
    if isinstance(embedding, OwnRows):
        found.set_input_embeddings(embedding.whole())
