"""Mean pooling inside a stock model: one more encoder layer that starts by averaging the tokens.

The stock head reads the [CLS] row alone, which sentence encoders never trained; serving programs know no other head. So
the averaging is put where they do not look: into the weights of a layer like the others.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


@torch.no_grad()
def start_as_mean(model: nn.Module) -> None:
    """Set the last layer and the pooler of a stock `BertForSequenceClassification` so that the head reads the mean.

    Query weights and biases of zero make attention uniform: every row attends to all tokens alike. Value and output
    projections are the identity, so what is attended to is the plain mean of the layer below; it is added to the [CLS]
    row and normalised. The feed-forward part adds zero. What these zeros silence, keys and the inner half of the
    feed-forward part, is that of the layer below, so that there is something to learn from when they begin to speak. The
    pooler is half the identity: its tanh is nearly straight there, and its input has unit variance. All of it is learned
    on from there, as each other weight is.
    """
    found: Any = model
    below, layer = found.bert.encoder.layer[-2:]
    layer.attention.self.key.load_state_dict(below.attention.self.key.state_dict())
    layer.intermediate.dense.load_state_dict(below.intermediate.dense.state_dict())
    attention, output = layer.attention, layer.output
    for linear in (attention.self.query, output.dense):
        linear.weight.zero_()
    for linear in (attention.self.value, attention.output.dense):
        nn.init.eye_(linear.weight)
    pooler = found.bert.pooler.dense
    nn.init.eye_(pooler.weight).mul_(0.5)
    for linear in (
        attention.self.query,
        attention.self.value,
        attention.output.dense,
        output.dense,
        pooler,
    ):
        linear.bias.zero_()
    for norm in (attention.output.LayerNorm, output.LayerNorm):
        norm.weight.fill_(1.0)
        norm.bias.zero_()
