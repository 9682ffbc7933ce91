"""A new training that is to be the same as a run that is there already, but for what is asked otherwise.

Reads that run's `config.toml` and nothing else of it; the run itself may be living, finished or broken. No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig, chosen, recipe
from trainer.errors import ConfigError, RunError
from trainer.runs.run import Run


@dataclass(frozen=True)
class Like:
    """A run's settings as a new one starts from them. `chosen` are those that its recipe does not give by itself."""

    run_id: str
    config: TrainConfig
    chosen: Mapping[str, Any]

    def base(self, encoder: str | None = None, width: int | None = None) -> TrainConfig:
        """Its settings for `encoder`: a rate that nobody chose goes by the encoder's `width`, as the recipe's does."""
        other = recipe(self.config.recipe, encoder or self.config.encoder, width)
        return other.with_settings({**self.chosen, "data": self.config.data})


def like_run(which: str | Path) -> Like:
    """The settings of a run, by its id, its name or its folder.

    Raises NotFoundError where there is no such run, RunError where its settings cannot be read.
    """
    run = Run.open(which)
    try:
        config = run.config
        return Like(run.id, config, chosen(config))
    except ConfigError as error:
        raise RunError(f"the settings of run {run.id} cannot be used any more: {error}") from None
