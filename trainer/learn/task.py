"""What a training starts from, and what it tells: the types that the parts of `learn` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from trainer.config import TrainConfig
from trainer.corpus.tokens import TokenArrays
from trainer.labels import LabelSet

Array = np.ndarray[Any, np.dtype[Any]]

Event = tuple[str, dict[str, Any]]
"""An event's kind and its own fields; sequence number and clocks are put on by the log."""


@dataclass(frozen=True)
class Rows:
    """One split as the loop needs it: tokens of n rows and their labels as float32 of shape (n, labels)."""

    tokens: TokenArrays
    truth: Array


@dataclass(frozen=True)
class Task:
    """All that a training starts from. `keep(model, thresholds, validation)` stores the best model so far."""

    config: TrainConfig
    labels: LabelSet
    encoder_folder: Path
    train: Rows
    dev: Rows
    checkpoints: Path
    keep: Callable[[nn.Module, dict[str, float], dict[str, Any]], Path]


class Diverged(Exception):
    """The loss is no longer a number."""


class MemoryShort(Exception):
    """The memory ran out where no smaller micro-batch helps: with one comment in it, or in the middle of an update."""
