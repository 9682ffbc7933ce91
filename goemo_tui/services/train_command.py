"""The headless command that starts a training: of one that is being set up, and of a run that is there already.

Text only; nothing is looked for on disk.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from trainer.config import RECIPES, TrainConfig, recipe

SOURCE = ("data", "encoder", "recipe")
KNOWN = ("minilm", "distilbert")
"""Encoders whose width, and so their recipe's rate, is known by their name."""


def text_of(value: object) -> str:
    """A setting's value as one would type it: `0.0002`, `3` and `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if not isinstance(value, float) or float(text) == value else repr(value)


def train_command(config: TrainConfig, changed: Mapping[str, str], *more: str) -> str:
    """`goemo-tui train …` with the settings that differ from the recipe's own, and `more` words behind them."""
    words = ["goemo-tui", "train", "--data", config.data]
    if config.encoder != recipe(config.recipe).encoder:
        words += ["--encoder", config.encoder]
    if config.recipe != "goemo":
        words += ["--recipe", config.recipe]
    for key, text in changed.items():
        words += ["--set", f"{key}={text}"]
    return shlex.join([*words, *more])


def command_of_run(config: TrainConfig) -> str:
    """The command that makes the same run again.

    A setting that the recipe would choose by the encoder's width is written down where that width is not known.
    """
    name = config.recipe if config.recipe in RECIPES else "goemo"
    widths = (None,) if config.encoder in KNOWN else (None, 1, 100_000)
    usual = [recipe(name, config.encoder, width).to_dict() for width in widths]
    own = config.to_dict()
    changed = {k: _exact(v) for k, v in own.items() if k not in SOURCE and any(v != base[k] for base in usual)}
    return train_command(config, changed)


def _exact(value: object) -> str:
    """As typed, and so that it is read as the very same value."""
    text = text_of(value)
    return text if not isinstance(value, float) or float(text) == value else repr(value)
