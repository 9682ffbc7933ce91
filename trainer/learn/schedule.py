"""The learning rate as a pure function of the step, so that nothing of it needs to be kept in a checkpoint."""

from __future__ import annotations

import math


def rate(step: int, total: int, warmup: float, scheduler: str) -> float:
    """The factor on the highest rate for step `step` (counted from 0) of `total`: up over the share `warmup`, then down.

    `scheduler` is linear, cosine or constant (which stays up after the warm-up).
    """
    rising = round(total * warmup)
    if step < rising:
        return (step + 1) / (rising + 1)
    if scheduler == "constant":
        return 1.0
    done = (step - rising) / max(1, total - rising)
    return 1 - done if scheduler == "linear" else 0.5 * (1 + math.cos(math.pi * done))
