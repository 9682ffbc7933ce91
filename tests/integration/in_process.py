"""Trainings of a tiny encoder in this process, event by event: for what a test can only do from inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from trainer.learn.loop import learn
from trainer.learn.work import prepare
from trainer.runs.plan import plan
from trainer.runs.run import Run

SETTINGS = {
    "limit": 96, "batch_size": 8, "epochs": 3, "head_init": "random", "pooling": "cls", "lora_rank": 0, "lr": 2e-4,
    "threshold_fit": "per_label",
}  # fmt: skip
"""All weights of a stock model: under these the tests know which epoch is the best one."""


def created(encoder: Path, **settings: Any) -> Run:
    ready = plan(settings.pop("data", "sample"), str(encoder), "goemo", {**SETTINGS, **settings})
    return Run.create(ready.config, ready.record())


def told(run: Run, stop: Callable[[], bool] = lambda: False) -> list[tuple[str, dict[str, Any]]]:
    """All events of the training of `run` in this process."""
    return list(learn(prepare(run, lambda: False)[0], stop))


def texts(events: list[tuple[str, dict[str, Any]]]) -> str:
    return "\n".join(fields["text"] for kind, fields in events if kind == "warning")


def kept(run: Run) -> dict[str, Any]:
    """Epoch and score of the model on disk."""
    found: dict[str, Any] = json.loads((run.folder / "model" / "thresholds.json").read_text())["fitted_on"]
    return found


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")
