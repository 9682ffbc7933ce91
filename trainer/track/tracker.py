"""What every tracker is to the mirror, and which there are. The libraries are imported by the one that is opened."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from trainer import paths
from trainer.errors import ConfigError, GoemoError
from trainer.track.facts import Facts
from trainer.track.points import Point

LIBRARIES = {"tensorboard": "tensorboard", "trackio": "trackio", "wandb": "wandb", "mlflow": "mlflow"}
"""Tracker -> the library that writes its format."""

NAMES = tuple(LIBRARIES)


class Tracker(Protocol):
    """One run in one tracker. What any of these raises ends the mirror and nothing else."""

    where: str
    """The folder or address where it is found, without anybody's password; known after `begin`."""

    def begin(self, facts: Facts, story: Sequence[Point]) -> None:
        """Take up the run, of which `story` is about to be written: what the tracker holds of it is not doubled.

        Called again when the training went back to a checkpoint: what was written beyond that counts no more.
        """
        ...

    def write(self, points: Sequence[Point]) -> None:
        """Add points, steps rising. They are to be seen by others soon after."""
        ...

    def end(self, state: str, wall: float | None) -> None:
        """Say how the run stands (a state of `trainer.runs.run`) since `wall`, and let go of it."""
        ...


def chosen(text: str) -> tuple[str, ...]:
    """The trackers that a text such as `tensorboard,mlflow` names, each once. Raises ConfigError."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ConfigError(f"no tracker is called {unknown[0]!r}: there are {', '.join(NAMES)}", key="track")
    return names


def missing(names: Iterable[str]) -> str | None:
    """What to install where a tracker's library is not there, as a sentence; None where all are."""
    absent = [name for name in names if importlib.util.find_spec(LIBRARIES[name]) is None]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return f"{', '.join(absent)} {verb} not installed: pip install 'goemo-tui[track]'"


def require(names: Iterable[str]) -> None:
    """Raise GoemoError where a tracker's library is not installed."""
    said = missing(names)
    if said:
        raise GoemoError(said)


def default_folder(name: str) -> Path:
    """Where a tracker that writes to this disk does so if nobody says otherwise."""
    return paths.home() / "track" / name


def open_tracker(name: str, out: Path | None = None) -> Tracker:
    """The tracker `name`; `out` is its folder on this disk. Nothing is written yet. Raises GoemoError, ConfigError."""
    (name,) = chosen(name) or ("",)
    require([name])
    if name == "tensorboard":
        from trainer.track.tensorboard import TensorBoard

        return TensorBoard(out or default_folder(name))
    if name == "trackio":
        from trainer.track.trackio import Trackio

        return Trackio(out)
    if name == "wandb":
        from trainer.track.wandb import WeightsAndBiases

        return WeightsAndBiases(out)
    from trainer.track.mlflow import MLflow

    return MLflow(out)
