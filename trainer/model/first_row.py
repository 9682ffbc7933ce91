"""The last layer of a BERT computes, while it is trained, only the row that the head reads: [CLS].

The head never sees the other rows, so that loss and gradients are the same; ten twelfths of that layer's work are not
done. Evaluation is left as transformers has it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f


def read_first_row_only(model: nn.Module) -> None:
    """Make the last layer of a stock BERT classifier compute [CLS] alone in training mode; other models are left alone.

    Its hidden states then have shape (rows, 1, width); the weights and their names stay as they are.
    """
    from transformers import BertForSequenceClassification

    # a subclass may read more of the last layer than the stock head does
    if type(model) is not BertForSequenceClassification or model.config.is_decoder:
        return
    layer = model.bert.encoder.layer[-1]
    layer.__class__ = _first_row(type(layer))


def _first_row(kind: type[nn.Module]) -> type[nn.Module]:
    class FirstRowLayer(kind):  # type: ignore[misc, valid-type]
        """A stock layer that computes its first row only while it is trained."""

        def forward(
            self, hidden_states: Tensor, attention_mask: Tensor | None = None, *args: Any, **kwargs: Any
        ) -> Tensor:
            if not self.training or not torch.is_grad_enabled():
                return super().forward(hidden_states, attention_mask, *args, **kwargs)  # type: ignore[no-any-return]
            attention, first = self.attention.self, hidden_states[:, :1]
            heads = (len(hidden_states), -1, attention.num_attention_heads, attention.attention_head_size)
            query = attention.query(first).view(heads).transpose(1, 2)
            key = attention.key(hidden_states).view(heads).transpose(1, 2)
            value = attention.value(hidden_states).view(heads).transpose(1, 2)
            mask = None if attention_mask is None else attention_mask[:, :, :1, : key.shape[2]]
            seen = f.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, dropout_p=attention.dropout.p, scale=attention.scaling
            )
            seen = seen.transpose(1, 2).reshape(first.shape[0], 1, -1)
            return self.feed_forward_chunk(self.attention.output(seen, first))  # type: ignore[no-any-return]

    FirstRowLayer.__name__ = FirstRowLayer.__qualname__ = kind.__name__
    return FirstRowLayer
