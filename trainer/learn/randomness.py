"""The random generators that a training draws from, read and put back: what a step repeats, and what a checkpoint keeps."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def torch_state(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's generators: the processor's, and that of `device`. They are copies."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def put_torch_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Draw from there again. A generator that `state` does not know, as after a change of the device, stays as it is."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def plain_state() -> dict[str, list[Any]]:
    """Python's and numpy's generators as JSON: nothing draws from them today, but what a run may use is its state."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)
    return {"python": [version, list(numbers), gauss], "numpy": [name, keys.tolist(), *rest]}  # type: ignore[union-attr]


def put_plain_state(state: Mapping[str, list[Any]]) -> None:
    """Draw from there again."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
