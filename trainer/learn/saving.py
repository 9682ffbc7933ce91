"""When a training writes its checkpoints, what they cost, and what is said where the disk does not take one.

It moves nothing of a training: whether a checkpoint is written changes no weight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer.config import TrainConfig
from trainer.learn import checkpoint
from trainer.learn.average import Average
from trainer.learn.checkpoint import Position
from trainer.learn.memory import out_of_memory
from trainer.learn.task import Event
from trainer.surroundings import free_bytes, size

BEST_SHARE = 0.01
"""A checkpoint behind the best validation so far may cost this share of the time since the last one, and no more."""

FIRST_WRITE = 0.5
"""Seconds that a checkpoint is thought to cost before one was written."""


class Saver:
    """Writes into `folder`. `seconds` is what the last checkpoint cost, `last` when it was written (monotonic)."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.last = time.monotonic()
        self.seconds = FIRST_WRITE
        self._said_low = False

    @property
    def wanted(self) -> bool:
        """Whether any are asked for."""
        return bool(self.config.checkpoint_steps or self.config.checkpoint_minutes)

    @property
    def cheap(self) -> bool:
        """Whether one may be written now for no other reason than that the model was never better."""
        return self.wanted and self.seconds <= BEST_SHARE * (time.monotonic() - self.last)

    def due(self, step: int, now: float) -> bool:
        """Whether it is time for the next one."""
        minutes, steps = self.config.checkpoint_minutes, self.config.checkpoint_steps
        return bool((steps and step % steps == 0) or (minutes and now - self.last >= minutes * 60))

    def between(self, step_seconds: float) -> float:
        """About how often one is written, in seconds, where a step takes so long; infinity where none is asked for."""
        minutes, steps = self.config.checkpoint_minutes, self.config.checkpoint_steps
        return min(60 * minutes or math.inf, steps * step_seconds or math.inf)

    def write(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        at: Position,
        terms: dict[str, Any],
        best: bool,
        average: Average | None = None,
    ) -> Generator[Event, None, int]:
        """Write one; a disk or a memory that refuses is a warning, never the end of a training. Its bytes, 0 for none."""
        began = time.monotonic()
        needed = 0
        try:
            written = checkpoint.write(self.folder, model, optimizer, at, terms, best, average)
        except (OSError, RuntimeError, MemoryError) as error:
            if not isinstance(error, OSError) and not out_of_memory(error):
                raise
            yield "warning", {"text": f"no checkpoint was written at step {at.step}: {error}. The training goes on"}
        else:
            needed = int(written["bytes"])
            yield "checkpoint", {"step": at.step, **written}
        self.last = time.monotonic()
        self.seconds = self.last - began
        return needed

    def look_at_disk(self, needed: int) -> Iterator[Event]:
        """Say once that the next checkpoint, of `needed` bytes, will hardly fit; again only when there was room between."""
        free = free_bytes(self.folder)
        low = free is not None and free < needed * 1.1
        if low and not self._said_low:
            text = (
                f"the disk is almost full: {size(free or 0)} are free in {self.folder}, the next checkpoint takes "
                f"{size(needed)}. Make room: goemo-tui runs prune"
            )
            yield "warning", {"text": text}
        self._said_low = low
