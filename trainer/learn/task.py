"""What a training starts from, and what it tells: the types that the parts of `learn` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """One split as the loop needs it: tokens of n rows and their labels as float32 of shape (n, labels).

    `targets` (n, labels) is what is learned in place of the labels, in 0..1; `weights` (n,) is how much each row counts.
    """

    tokens: TokenArrays
    truth: Array
    targets: Array | None = None
    weights: Array | None = None


@dataclass(frozen=True)
class Setback:
    """Why a training goes back to its last checkpoint, or what its log told of it, and what it takes along from there."""

    why: str = ""
    halvings: int = 0
    split: int = 1
    kept_score: float = -1.0
    kept_epoch: int = 0
    """The model on disk, which gives way only to a better one."""
    below: int | None = None
    """Only a checkpoint of a step before this one can help."""


def _keep_no_scores(probabilities: Array, thresholds: dict[str, float], epoch: int) -> None:
    """For who trains without a run's folder."""


@dataclass(frozen=True)
class Task:
    """All that a training starts from. `keep(model, thresholds, validation)` stores the best model so far.

    `keep_scores(probabilities, thresholds, epoch)` stores what it said of each row of dev.
    `before` is what an earlier worker on the same run left behind beside its checkpoints.
    """

    config: TrainConfig
    labels: LabelSet
    encoder_folder: Path
    train: Rows
    dev: Rows
    checkpoints: Path
    keep: Callable[[nn.Module, dict[str, float], dict[str, Any]], Path]
    keep_scores: Callable[[Array, dict[str, float], int], None] = _keep_no_scores
    before: Setback = field(default_factory=Setback)
    augmented: Mapping[str, int] = field(default_factory=dict)
    """How many of the last rows of `train` were made of others, by method."""
    own_tokens: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Token ids that the encoder does not have -> those of the words that each begins as."""


class Diverged(Exception):
    """The loss is no longer a number."""


class MemoryShort(Exception):
    """The memory ran out where no smaller micro-batch helps: with one comment in it, or in the middle of an update."""
