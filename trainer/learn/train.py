"""`trainer.train` and `trainer.resume`: a training as a function call, in this process, in a run folder like any other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.corpus.interrupt import Stop
from trainer.errors import ConfigError, RunError
from trainer.learn.work import Observer, work
from trainer.runs.lock import RunLock, stop_requested, withdraw_stop
from trainer.runs.plan import plan
from trainer.runs.process import await_last, require_resumable
from trainer.runs.run import Run


@dataclass(frozen=True)
class TrainResult:
    """How a training ended. `run` is its id and `state` finished or stopped; `model` is the folder of the best epoch's
    model (None before the first), `validation` that epoch's scores on dev (empty before the first): macro_f1, micro_f1,
    per_label and more.
    """

    run: str
    state: str
    model: Path | None
    validation: dict[str, Any]


def train(
    data: str | Path | TrainConfig = "sample",
    encoder: str | None = None,
    recipe: str = "goemo",
    observer: Observer | None = None,
    stop: Stop = None,
    **settings: Any,
) -> TrainResult:
    """Fine-tune `encoder` on `data` with a recipe's settings, overridden by keyword (`epochs=2`, `limit=4000`, …).

    In place of `data` a whole TrainConfig may be given; its settings then stand for the recipe's.
    Runs in this process until it ends; `observer` is called with each event (a dict with its `kind`: preparing, started,
    step, validation, checkpoint, warning, finished, failed, stopped). `stop` is asked after each step; once it is true a
    checkpoint is written and the result's state is stopped: `resume` goes on with it, and so does `goemo-tui runs resume`.
    The run's folder stays under `GOEMO_HOME`. What may end or harm it is told as Python warnings. Raises ConfigError,
    NotFoundError or CorpusError before anything starts, and RunError when the training fails.
    """
    if isinstance(data, TrainConfig):
        given = {**data.to_dict(), **settings}
        ready = plan(given.pop("data"), None, given.pop("recipe"), {**given, "encoder": encoder or given["encoder"]})
    else:
        ready = plan(data, encoder, recipe, settings)
    _require_one(ready.config)
    for text in ready.warnings:
        warnings.warn(text, stacklevel=2)
    return _worked(Run.create(ready.config, ready.record()), observer, stop)


def resume(run: str | Path | Run, observer: Observer | None = None, stop: Stop = None) -> TrainResult:
    """Take up a run that was stopped, died or failed, in this process; it goes on from its last checkpoint.

    `run` is an id, a short name or a folder; `observer` and `stop` are those of `train`. What it ends in is what it would
    have ended in had nothing happened, to the bit on the same machine. Raises NotFoundError where there is no such run,
    RunError for a run that cannot be taken up (it lives, it is finished, its input was wrong) and when the training fails.
    """
    one = run if isinstance(run, Run) else Run.open(run)
    _require_one(one.config)
    require_resumable(one)
    await_last(one)
    withdraw_stop(one.folder)
    return _worked(one, observer, stop)


def _require_one(config: TrainConfig) -> None:
    if config.devices > 1:
        raise ConfigError(
            f"devices = {config.devices}: a function call trains in its own process, on one device; "
            f"goemo-tui train --set devices={config.devices} and goemo-tui runs resume start one process each",
            key="devices",
        )


def _worked(run: Run, observer: Observer | None, stop: Stop) -> TrainResult:
    with RunLock(run.folder):
        last = work(run, lambda: stop_requested(run.folder) or (stop is not None and stop()), observer)
    if last["kind"] == "failed":
        raise RunError(f"run {run.id} failed: {last['error']}")
    return TrainResult(run.id, last["kind"], run.model, dict(run.snapshot().best or {}))
