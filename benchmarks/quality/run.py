"""One training of one recipe: an ordinary run in a home of its own, and the row of the table that it gives.

Only dev is looked at. Its probabilities are kept in the run's folder, so that ways of cutting them can be compared later.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import processor
from benchmarks.quality.recipes import RECIPES, Recipe
from trainer.corpus import load_corpus
from trainer.learn.device import choose_device, choose_precision
from trainer.model.metrics import multi_hot
from trainer.runs.dev_scores import read_dev_scores
from trainer.runs.plan import plan
from trainer.runs.run import Run, list_runs

ROWS = Path(__file__).parent / "rows.jsonl"
"""What was measured, one training a line, in the order in which they ended."""


ASIDE = ("threshold_fit", "checkpoint_minutes", "checkpoint_steps", "retries")
"""Settings that do not change what is learned."""


def measure(recipe: Recipe, seed: int, data: str, limit: int = 0, **more: Any) -> dict[str, Any]:
    """Train and tell. The run stays in GOEMO_HOME."""
    from trainer import train

    settings = settings_of(recipe, seed, data, limit, **more)
    began, load = time.monotonic(), os.getloadavg()[0]
    epochs: list[dict[str, float]] = []

    def watch(event: dict[str, Any]) -> None:
        if event["kind"] == "validation":
            told = {k: round(float(event[k]), 4) for k in ("train_loss", "loss", "macro_f1", "micro_f1")}
            epochs.append(told)
            print(recipe.name, seed, event["epoch"], told, flush=True)

    result = train(data, recipe=recipe.base, observer=watch, **settings)
    minutes = (time.monotonic() - began) / 60
    run = Run.open(result.run)
    precision = choose_precision(run.config.precision, choose_device(run.config.device))
    return {
        "recipe": recipe.name, "what": recipe.what, "seed": seed, "limit": limit, "settings": {**recipe.settings, **more},
        "run": run.id, "best_epoch": result.validation["epoch"], "epochs": epochs, **on_dev(run, data),
        "minutes": round(minutes, 1), "load": round(load, 1), "machine": f"{processor()}, {os.cpu_count()} cores, {precision}",
    }  # fmt: skip


def settings_of(recipe: Recipe, seed: int, data: str, limit: int = 0, **more: Any) -> dict[str, Any]:
    """The settings of a training on top of the recipe's base. Its teachers are trained first where they are not there."""
    taught = [made(RECIPES[name], other, data).id for name, others in recipe.teachers for other in others]
    teacher = {"teacher": ",".join(taught)} if taught else {}
    return {**recipe.settings, **teacher, **more, "seed": seed, "limit": limit, "checkpoint_minutes": 10.0}


def made(recipe: Recipe, seed: int, data: str) -> Run:
    """The finished run of `recipe` in GOEMO_HOME, trained if there is none."""
    from trainer import train

    settings = settings_of(recipe, seed, data)
    wanted = plan(data, None, recipe.base, settings).config
    for run in list_runs():
        alike = replace(run.config, **{name: getattr(wanted, name) for name in ASIDE}) == wanted
        if alike and run.state == "finished" and run.model is not None:
            return run
    print(f"training {recipe.name}, seed {seed}", flush=True)
    return Run.open(train(data, recipe=recipe.base, **settings).run)


def on_dev(run: Run, data: str) -> dict[str, Any]:
    """What the best epoch of `run` is worth on dev, without a look at a threshold that was fitted on the same rows."""
    from benchmarks.quality.cuts import honest, mean_average_precision

    scores = read_dev_scores(run.folder)
    assert scores is not None
    corpus = load_corpus(data)
    truth = multi_hot(corpus.splits["dev"].labels, len(corpus.labels))
    return {
        "macro_ap": round(mean_average_precision(truth, scores.probabilities), 4),
        "dev_loss": round(float(_bce(truth, scores.probabilities)), 4),
        "dev": {how: {k: round(v, 4) for k, v in found.items()} for how, found in honest(truth, scores.probabilities).items()},
    }  # fmt: skip


def _bce(truth: np.ndarray[Any, Any], p: np.ndarray[Any, Any]) -> float:
    q = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-(truth * np.log(q) + (1 - truth) * np.log1p(-q)).mean())


def keep(row: dict[str, Any], file: Path = ROWS) -> None:
    """Add a row to what was measured."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")
