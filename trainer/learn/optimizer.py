"""torch's AdamW without its compiler: each optimizer imports `torch._dynamo`, two seconds of a start, to keep it away.

Nothing is compiled here, so there is nothing to keep away.
"""

from __future__ import annotations

from inspect import unwrap

import torch


class AdamW(torch.optim.AdamW):
    """The same arithmetic and the same state; what torch wraps around its methods for the compiler's sake is left out."""

    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
