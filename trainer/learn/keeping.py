"""The best model so far, brought to disk: at once where the disk takes it, else as soon as it does.

What the disk refused is held in memory, so that a disk that was full for an hour costs no epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from trainer.learn.checkpoint import Position
from trainer.learn.memory import out_of_memory

Keep = Callable[[nn.Module, dict[str, float], dict[str, Any]], Path]


@dataclass(frozen=True)
class _Refused:
    """A model that the disk did not take: its weights on the processor, and what is stored beside them."""

    weights: dict[str, Tensor]
    thresholds: dict[str, float]
    validation: dict[str, Any]


class Keeper:
    """Keeps what scores better than what is kept; `position` tells of that. Never raises for a disk or a memory."""

    def __init__(self, keep: Keep, position: Position) -> None:
        self._keep, self._position = keep, position
        self._refused: _Refused | None = None

    @property
    def owes(self) -> bool:
        """Whether a better model than the kept one waits for room."""
        return self._refused is not None

    def take(self, model: nn.Module, thresholds: dict[str, float], validation: dict[str, Any]) -> str | None:
        """Keep `model` if its validation scored better than the kept one. Returns what went wrong."""
        if validation["macro_f1"] <= self._position.kept_score:
            return None
        trouble = self._try(model, thresholds, validation)
        if trouble:
            copy = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
            self._refused = _Refused(copy, thresholds, validation)
        return trouble

    def again(self, model: nn.Module) -> bool:
        """Try once more to keep what was refused; `model` lends itself for it and is as before afterwards."""
        late = self._refused
        if late is None:
            return False
        now = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(late.weights)
        try:
            return self._try(model, late.thresholds, late.validation) is None
        finally:
            model.load_state_dict(now)

    def _try(self, model: nn.Module, thresholds: dict[str, float], validation: dict[str, Any]) -> str | None:
        try:
            self._keep(model, thresholds, validation)
        except (OSError, RuntimeError, MemoryError) as error:
            if not isinstance(error, OSError) and not out_of_memory(error):
                raise
            return str(error)
        self._position.kept_score, self._position.kept_epoch = validation["macro_f1"], validation["epoch"]
        self._refused = None
        return None
