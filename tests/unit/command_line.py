"""What the tests of `goemo-tui runs` and `train` share: calling it, reading its document, and runs with a story."""

from __future__ import annotations

import json
from typing import Any

import pytest

from goemo_tui.cli import main
from tests.unit import fake_worker
from trainer.config import TrainConfig
from trainer.runs import process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

SHOW_KEYS = {"run", "state", "step", "steps", "epoch", "loss", "validation", "pid", "config"}


def use_worker(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(process, "worker_command", lambda run: fake_worker.command(run, how))


def finished(score: float = 0.5, **settings: Any) -> Run:
    run = Run.create(TrainConfig(epochs=2, **settings))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("step", step=10, epoch=2, loss=0.25, examples_per_s=40.0)
        log.append("validation", step=10, epoch=2, macro_f1=score, micro_f1=0.6, diagnosis="fits well", best=True)
        log.append("finished", step=10, epoch=2, seconds=61.0, best_epoch=2, macro_f1=score, reason=None)
    return run


def cli(*arguments: str) -> int:
    return main(arguments)


def one_document(text: str) -> Any:
    """stdout as strict JSON: one document and nothing else."""
    assert text.count("\n") == 1 and text.endswith("\n")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)
