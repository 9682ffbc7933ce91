"""`trainer.train`: a training as a function call, in this process, in a run folder like any other."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.errors import ConfigError, RunError
from trainer.learn.work import work
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.plan import plan
from trainer.runs.run import Run


@dataclass(frozen=True)
class TrainResult:
    """How a training ended. `state` is finished or stopped; `validation` holds the best epoch's scores, or is empty."""

    run: str
    state: str
    model: Path | None
    validation: dict[str, Any]


def train(
    data: str | Path | TrainConfig = "sample",
    encoder: str | None = None,
    recipe: str = "goemo",
    observer: Callable[[dict[str, Any]], None] | None = None,
    **settings: Any,
) -> TrainResult:
    """Fine-tune `encoder` on `data` with a recipe's settings, overridden by keyword (`epochs=2`, `limit=4000`, …).

    In place of `data` a whole TrainConfig may be given; its settings then stand for the recipe's.
    Runs in this process until it ends; `observer` is called with each event. The run's folder stays under `GOEMO_HOME`.
    What may end or harm it is told as Python warnings. Raises ConfigError, NotFoundError or CorpusError before anything
    starts, and RunError when the training fails.
    """
    if isinstance(data, TrainConfig):
        given = {**data.to_dict(), **settings}
        ready = plan(given.pop("data"), None, given.pop("recipe"), {**given, "encoder": encoder or given["encoder"]})
    else:
        ready = plan(data, encoder, recipe, settings)
    if ready.config.devices > 1:
        raise ConfigError(
            f"devices = {ready.config.devices}: a function call trains in its own process, on one device; "
            f"goemo-tui train --set devices={ready.config.devices} starts one process each",
            key="devices",
        )
    for text in ready.warnings:
        warnings.warn(text, stacklevel=2)
    run = Run.create(ready.config, ready.record())
    best: dict[str, Any] = {}

    def watch(event: dict[str, Any]) -> None:
        if event["kind"] == "validation" and event.get("best"):
            best.update(event)
        if observer:
            observer(event)

    with RunLock(run.folder):
        last = work(run, lambda: stop_requested(run.folder), watch)
    if last["kind"] == "failed":
        raise RunError(f"run {run.id} failed: {last['error']}")
    model = run.folder / "model"
    return TrainResult(run.id, last["kind"], model if model.is_dir() else None, best)
