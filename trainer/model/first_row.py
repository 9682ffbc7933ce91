"""The last layer of a BERT or DistilBERT computes, while it is trained, only the row that the head reads: [CLS].

The head never sees the other rows, so that loss and gradients are the same; ten twelfths of that layer's work are not
done. Evaluation is left as transformers has it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from trainer.model.bert import Bert


def read_first_row_only(model: nn.Module) -> None:
    """Make the last layer of a stock BERT or DistilBERT classifier compute [CLS] alone in training mode; other models are left alone.

    Its hidden states then have shape (rows, 1, width); the weights and their names stay as they are.
    """
    # a subclass may read more of the last layer than the stock head does
    layer: Any
    kind = stock_kind(model)
    if kind == "bert":
        layer = model.bert.encoder.layer[-1]  # type: ignore[union-attr, index]
        layer.__class__ = _first_row(type(layer))
    elif kind == "distilbert":
        layer = model.distilbert.transformer.layer[-1]  # type: ignore[union-attr, index]
        layer.__class__ = _first_row_of_distilbert(type(layer))


def stock_kind(model: nn.Module) -> str | None:
    """ "bert" or "distilbert" for a stock classifier, ours or transformers'; None for others, their subclasses too.

    transformers is not imported to look at what is not its own.
    """
    config: Any = getattr(model, "config", None)
    if type(model) is Bert:
        return "bert"
    if not type(model).__module__.startswith("transformers."):
        return None
    from transformers import BertForSequenceClassification, DistilBertForSequenceClassification

    if type(model) is BertForSequenceClassification and not config.is_decoder:
        return "bert"
    return "distilbert" if type(model) is DistilBertForSequenceClassification else None


def _attended(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, size: int, dropout: float, scale: float
) -> Tensor:
    """What the first row of each comment sees: (rows, 1, width) out of one query and all keys and values a row.

    `size`: the width of a head. `mask`: as the stock layer takes it.
    """
    rows = len(keys)
    q, k, v = (part.view(rows, -1, part.shape[-1] // size, size).transpose(1, 2) for part in (queries, keys, values))
    first = None if mask is None else mask[:, :, :1, : k.shape[2]]
    seen = f.scaled_dot_product_attention(q, k, v, attn_mask=first, dropout_p=dropout, scale=scale)
    return seen.transpose(1, 2).reshape(rows, 1, -1)


def _first_row_of_distilbert(kind: type[nn.Module]) -> type[nn.Module]:
    class FirstRowBlock(kind):  # type: ignore[misc, valid-type]
        """A stock layer that computes its first row only while it is trained."""

        def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
            if not self.training or not torch.is_grad_enabled():
                return super().forward(hidden_states, attention_mask, **kwargs)  # type: ignore[no-any-return]
            own, first = self.attention, hidden_states[:, :1]
            seen = _attended(
                own.q_lin(first), own.k_lin(hidden_states), own.v_lin(hidden_states), attention_mask,
                own.attention_head_size, own.dropout.p, own.scaling,
            )  # fmt: skip
            attended = self.sa_layer_norm(own.out_lin(seen) + first)
            return self.output_layer_norm(self.ffn(attended) + attended)  # type: ignore[no-any-return]

    FirstRowBlock.__name__ = FirstRowBlock.__qualname__ = kind.__name__
    return FirstRowBlock


def _first_row(kind: type[nn.Module]) -> type[nn.Module]:
    class FirstRowLayer(kind):  # type: ignore[misc, valid-type]
        """A stock layer that computes its first row only while it is trained."""

        def forward(
            self, hidden_states: Tensor, attention_mask: Tensor | None = None, *args: Any, **kwargs: Any
        ) -> Tensor:
            if not self.training or not torch.is_grad_enabled():
                return super().forward(hidden_states, attention_mask, *args, **kwargs)  # type: ignore[no-any-return]
            attention, first = self.attention.self, hidden_states[:, :1]
            seen = _attended(
                attention.query(first), attention.key(hidden_states), attention.value(hidden_states), attention_mask,
                attention.attention_head_size, attention.dropout.p, attention.scaling,
            )  # fmt: skip
            return self.feed_forward_chunk(self.attention.output(seen, first))  # type: ignore[no-any-return]

    FirstRowLayer.__name__ = FirstRowLayer.__qualname__ = kind.__name__
    return FirstRowLayer
