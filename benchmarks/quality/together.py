"""What several measured trainings are worth together: `python -m benchmarks.quality.together RECIPE:SEED… --data FOLDER`.

Side by side (the mean of their probabilities, which costs each of them) and as one model (the mean of their weights).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.cuts import honest, mean_average_precision
from benchmarks.quality.recipes import RECIPES
from benchmarks.quality.run import made
from benchmarks.quality.table import TOGETHER
from trainer.corpus import load_corpus
from trainer.model.metrics import bce, multi_hot
from trainer.runs.dev_scores import read_dev_scores


def main() -> int:
    """Measure, tell, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.together", description=__doc__)
    parser.add_argument("trainings", nargs="+", metavar="RECIPE:SEED")
    parser.add_argument("--data", default="goemotions", help="corpus with a train and a dev split")
    options = parser.parse_args()
    os.environ.setdefault("GOEMO_HOME", str(Path(".quality").resolve()))
    from trainer import Predictor
    from trainer.learn.soup import soup

    corpus = load_corpus(options.data)
    dev = corpus.splits["dev"]
    truth = multi_hot(dev.labels, len(corpus.labels))
    pairs = [name.rpartition(":") for name in options.trainings]
    runs = [made(RECIPES[name], int(seed), options.data) for name, _, seed in pairs]
    each = [scores.probabilities for run in runs if (scores := read_dev_scores(run.folder)) is not None]
    keep("probabilities", options.trainings, truth, np.mean(each, axis=0))
    with tempfile.TemporaryDirectory() as beside:
        into = Path(beside) / "mean"
        soup([run.id for run in runs], into, options.data)
        keep("weights", options.trainings, truth, Predictor(str(into)).probabilities(dev.text))
    return 0


def keep(mean_of: str, trainings: list[str], truth: np.ndarray[Any, Any], p: np.ndarray[Any, Any]) -> None:
    """Tell what the mean is worth on dev, and add it to what was measured."""
    found = honest(truth, p.astype(np.float32), ("calibrated", "per_label", "0.3"))
    row = {
        "mean_of": mean_of, "trainings": trainings, "macro_ap": round(mean_average_precision(truth, p), 4),
        "dev_loss": round(bce(truth, p), 4), "dev": {way: round(s["macro_f1"], 4) for way, s in found.items()},
    }  # fmt: skip
    print(json.dumps(row), flush=True)
    with TOGETHER.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main())
