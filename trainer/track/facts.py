"""What is told of a run beside its curves: its name and note, and its settings. No path and no host of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.runs.run import Run
from trainer.shared import shared

PROJECT = "goemo-tui"
"""What trackers file all runs under: project of trackio and W&B, experiment of MLflow."""


@dataclass(frozen=True)
class Facts:
    """One run. `settings` are flat, of text, numbers and truth values; `began` is in seconds since 1970."""

    run: str
    name: str
    note: str
    settings: Mapping[str, str | int | float | bool]
    began: float


def facts_of(run: Run) -> Facts:
    """Read them from the run's folder. Raises RunError or ConfigError where its settings cannot be read."""
    about, record = run.about, run.record
    settings: dict[str, str | int | float | bool] = {
        key: shared(value) for key, value in run.config.to_dict().items() if value is not None
    }
    corpus = record.get("corpus")
    sums = corpus.get("sha256") if isinstance(corpus, dict) else None
    for table, found in (("version", record.get("versions")), ("sha256", sums)):
        for key, value in found.items() if isinstance(found, dict) else ():
            settings[f"{table}.{key}"] = str(value)
    return Facts(run.id, about.name or run.id, about.note, settings, run.created)
