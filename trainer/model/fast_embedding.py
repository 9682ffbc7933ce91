"""An embedding whose gradient is kept from step to step, for training on a CPU: only the rows that a batch has seen are written.

A gradient made anew is as large as the vocabulary (94 MB in DistilBERT) and nearly all zeros, which costs a tenth of a step. The
numbers are the stock embedding's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f


def make_fast(model: nn.Module) -> None:
    """Let the vectors of the tokens of a model learn this way, in place, where they learn; their names and values stay.

    Not among several processes: what exchanges gradients between them wants to see them come.
    """
    found: Any = getattr(model, "get_input_embeddings", lambda: None)()
    plain = (
        isinstance(found, nn.Embedding) and found.max_norm is None and not (found.sparse or found.scale_grad_by_freq)
    )
    if plain and found.weight.requires_grad and not _shared(found.weight, model):
        kind = type(found)
        made = type(kind.__name__, (_Kept, kind), {"__qualname__": kind.__qualname__})
        found.__class__ = made


def gradients(model: nn.Module) -> list[Tensor]:
    """Those of all parameters of `model` that have one; of vectors that learn this way, the rows that are not zero."""
    found: Any = getattr(model, "get_input_embeddings", lambda: None)()
    written = found.written() if isinstance(found, _Kept) else None
    weight = None if written is None else found.weight
    return [written if p is weight else p.grad for p in model.parameters() if p.grad is not None]  # type: ignore[misc]


def _shared(weight: Tensor, model: nn.Module) -> bool:
    """Whether another module has the same weights, so that its gradients would come beside these."""
    return sum(p is weight for m in model.modules() for p in m.parameters(recurse=False)) > 1


class _Kept(nn.Embedding):
    """What an embedding becomes. `_gradient`: of (tokens, width), zero but for `_rows`."""

    def forward(self, ids: Tensor) -> Tensor:
        """ids of any shape -> (…, width)."""
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if not torch.is_grad_enabled() or self.weight.device.type != "cpu" or distributed:
            return super().forward(ids)
        found: Tensor = _Lookup.apply(ids, self.weight, self)  # type: ignore[no-untyped-call]
        return found

    def learn(self, ids: Tensor, dy: Tensor) -> None:
        """Add the gradient of the vectors of `ids` to that of the weights."""
        kept: Tensor | None = self.__dict__.get("_gradient")
        rows = ids.flatten()
        if self.weight.grad is None:
            if kept is None or kept.shape != self.weight.shape:
                kept = torch.zeros_like(self.weight)
            elif bool(torch.isfinite(kept[self.__dict__["_rows"]]).all()):
                kept[self.__dict__["_rows"]] = 0
            else:  # a step that was no number was scaled by it, zeros too
                kept.zero_()
            self.__dict__["_gradient"], self.__dict__["_rows"] = kept, rows.unique()
            self.weight.grad = kept
        elif self.weight.grad is kept:
            self.__dict__["_rows"] = torch.cat([self.__dict__["_rows"], rows]).unique()
        dy = dy.reshape(len(rows), -1).to(self.weight.dtype)
        if self.padding_idx is not None:
            dy = dy.masked_fill((rows == self.padding_idx)[:, None], 0)
        self.weight.grad.index_add_(0, rows, dy)

    def written(self) -> Tensor | None:
        """The rows of the gradient that are not zero; None where it came otherwise."""
        kept: Tensor | None = self.__dict__.get("_gradient")
        return None if kept is None or self.weight.grad is not kept else kept[self.__dict__["_rows"]]


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, ids: Tensor, weight: Tensor, embedding: _Kept) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.embedding = embedding
        return f.embedding(ids, weight)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[None, None, None]:
        ctx.embedding.learn(*ctx.saved_tensors, dy)
        return None, None, None
