"""One vector a comment, by which comments are compared: the mean of a classifier's last hidden states, of length one.

For any encoder, ours in torch alone or transformers'. `benchmarks/like.py` holds it against the vector before the classifier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainer.corpus.tokens import TokenArrays
from trainer.errors import ModelError
from trainer.model.bert import Bert
from trainer.model.classifier import pad_id, padded

Array = np.ndarray[Any, np.dtype[Any]]


@torch.inference_mode()
def vectors(model: nn.Module, tokens: TokenArrays, rows: Array, device: torch.device) -> Array:
    """Unit vectors of `rows` computed in one batch, float32 of shape (rows, hidden). Raises ModelError."""
    ids, mask = (t.to(device) for t in padded(tokens, rows, pad_id(model)))
    shares = mask[:, :, None].float()
    mean = (last_hidden(model, ids, mask).float() * shares).sum(dim=1) / shares.sum(dim=1)
    found: Array = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
    return found


def last_hidden(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """The last hidden states, shape (rows, width, hidden). Raises ModelError for a model that shows none."""
    if isinstance(model, Bert):
        return model.hidden(ids, mask)
    encoder = getattr(model, "base_model", None)
    found = None if encoder is None else getattr(encoder(input_ids=ids, attention_mask=mask), "last_hidden_state", None)
    if not isinstance(found, Tensor):
        raise ModelError(f"{type(model).__name__} shows no hidden states, so its comments cannot be compared")
    return found
