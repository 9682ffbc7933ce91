"""What thresholds gain from more rows of dev: `python -m benchmarks.quality.parts MODEL… --data FOLDER`.

QUALITY.md fits them on one half and scores the other. A model carries those of all of dev, so that on rows of another
split it does better than the halves say; fifths, tenths and twentieths come nearer to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality.cuts import scored_in_parts
from trainer.corpus import load_corpus
from trainer.errors import GoemoError, NotFoundError
from trainer.model.metrics import multi_hot
from trainer.model.thresholds import WAYS

Array = np.ndarray[Any, np.dtype[Any]]

PARTS = (2, 5, 10, 20)
"""Dev is cut into so many parts; each is scored by the thresholds of all others."""

DRAWS = 10
"""Ways of cutting dev into so many parts."""


def main() -> int:
    """Ask each model about dev, and print a table of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.parts", description=__doc__)
    parser.add_argument("models", nargs="*", default=["starter"], metavar="MODEL", help="runs or models")
    parser.add_argument("--data", default="goemotions", help="corpus with a dev split")
    options = parser.parse_args()
    try:
        _print(options.models, options.data)
    except GoemoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _print(models: Sequence[str], data: str) -> None:
    """A table for each model. Raises GoemoError."""
    from trainer import Predictor

    corpus = load_corpus(data)
    if "dev" not in corpus.splits:
        raise NotFoundError(f"{corpus.path} has no dev split")
    dev = corpus.splits["dev"]
    truth = multi_hot(dev.labels, len(corpus.labels))
    for name in models:
        p = Predictor(name).probabilities(dev.text)
        table = Table("way", *(f"{parts} parts" for parts in PARTS), title=f"{name}: macro-F1 on dev")
        for way in WAYS:
            found = [cut_into(parts, truth, p, way) for parts in PARTS]
            table.add_row(way, *(f"{mean:.4f} ± {sd:.4f}" for mean, sd in found))
        Console(width=100).print(table)


def cut_into(parts: int, truth: Array, p: Array, way: str) -> tuple[float, float]:
    """Macro-F1 of all rows, each cut by thresholds fitted on the other parts: mean and deviation over the draws."""
    draws = [np.random.Generator(np.random.PCG64(i)).permutation(len(truth)) % parts for i in range(DRAWS)]
    found = [scored_in_parts(truth, p, part, way).macro_f1 for part in draws]
    return float(np.mean(found)), float(np.std(found))


if __name__ == "__main__":
    sys.exit(main())
