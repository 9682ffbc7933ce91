"""Clipping of gradients, without the passes over all of them that change nothing: on a CPU each is a twentieth of a step.

Where nothing is to be clipped nothing is multiplied by one, and of the gradient of token vectors, nearly all zeros, only the
rows of the batch are read.
"""

from __future__ import annotations

import torch
from torch import nn

from trainer.model import fast_embedding

EPSILON = 1e-6
"""As `torch.nn.utils.clip_grad_norm_` has it: gradients of a norm just below the bound are scaled, too."""


def clip(model: nn.Module, most: float) -> torch.Tensor:
    """The norm of the gradients of `model` as one vector; where it is above `most` they are then scaled down to that.

    What `torch.nn.utils.clip_grad_norm_` does and returns. `most` may be infinite.
    """
    norm = nn.utils.get_total_norm(fast_embedding.gradients(model))
    # a GPU would be waited for, only to hear whether anything is clipped
    if norm.device.type != "cpu" or bool(most / (norm + EPSILON) < 1):
        nn.utils.clip_grads_with_norm_(model.parameters(), most, norm)
    return norm
