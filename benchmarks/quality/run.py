"""One training of one recipe: an ordinary run in a home of its own, and the row of the table that it gives.

Only dev is looked at. Its probabilities are kept in the run's folder, so that ways of cutting them can be compared later.
"""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.recipes import Recipe
from trainer.corpus import load_corpus
from trainer.model.metrics import multi_hot
from trainer.runs.dev_scores import read_dev_scores
from trainer.runs.run import Run

ROWS = Path(__file__).parent / "rows.jsonl"
"""What was measured, one training a line, in the order in which they ended."""


def measure(recipe: Recipe, seed: int, data: str, limit: int = 0, **more: Any) -> dict[str, Any]:
    """Train and tell. The run stays in GOEMO_HOME."""
    from trainer import train

    if recipe.teachers:
        more = {**more, "teacher": ",".join(taught_by(recipe))}
    settings = {**recipe.settings, **more, "seed": seed, "limit": limit, "checkpoint_minutes": 10.0}
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
    return {
        "recipe": recipe.name, "what": recipe.what, "seed": seed, "limit": limit, "settings": {**recipe.settings, **more},
        "run": run.id, "best_epoch": result.validation["epoch"], "epochs": epochs, **on_dev(run, data),
        "minutes": round(minutes, 1), "load": round(load, 1), "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }  # fmt: skip


def taught_by(recipe: Recipe, file: Path = ROWS) -> list[str]:
    """The runs that teach `recipe`. They must have been measured, and lie in GOEMO_HOME."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    runs = {(row["recipe"], row["seed"]): row["run"] for row in map(json.loads, lines) if not row["limit"]}
    wanted = [(name, seed) for name, seeds in recipe.teachers for seed in seeds]
    missing = [f"{name} --seeds {seed}" for name, seed in wanted if (name, seed) not in runs]
    if missing:
        raise SystemExit(f"{recipe.name} is taught by runs that are not measured yet: {', '.join(missing)}")
    return [runs[key] for key in wanted]


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
