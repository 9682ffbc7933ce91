"""The command that makes a run again, read back by the same command line."""

from __future__ import annotations

import shlex

import pytest

from goemo_tui.cli import parser
from goemo_tui.services.train_command import command_of_run
from trainer.config import TrainConfig, parse_settings, recipe


def read(command: str, width: int | None = None) -> TrainConfig:
    """What `goemo-tui train` makes of a command, with an encoder of this width."""
    words = shlex.split(command)
    assert words[0] == "goemo-tui"
    options = parser().parse_args(words[1:])
    asked = parse_settings(options.settings or [])
    base = recipe(options.recipe or "goemo", options.encoder, width)
    return base.with_settings({"data": options.data, **asked})


@pytest.mark.parametrize("width", [None, 64, 384, 768, 1024])
@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(epochs=7, lr=1.23456789e-4, data="/data/my corpus; rm -rf x", taxonomy="ekman"),
        recipe("notebook"),
        recipe("goemo", "org/some-encoder", 768),
        recipe("goemo", "org/some-encoder", 64),
    ],
)
def test_the_command_makes_the_very_same_run(config: TrainConfig, width: int | None) -> None:
    if config.encoder in ("minilm", "distilbert"):
        width = {"minilm": 384, "distilbert": 768}[config.encoder]
    assert read(command_of_run(config), width) == config


def test_what_is_usual_is_left_out() -> None:
    assert command_of_run(TrainConfig(epochs=2)) == "goemo-tui train --data sample --set epochs=2"
