"""ONNX Runtime's own int8 beside the fp32 that predicts: how fast, and what it costs in macro-F1 on dev.

`python -m benchmarks.int8 [--data PATH] [--model MODEL] [--rows N]`. int8 is worth offering where macro-F1 stays within .003.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

import numpy as np

from benchmarks.clock import interleaved
from benchmarks.quality.cuts import honest
from trainer import Predictor, load_corpus
from trainer.corpus.tokens import tokenize
from trainer.model.int8_bert import vnni
from trainer.model.metrics import multi_hot
from trainer.modelfolder import read_way


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rows", type=int, help="only the first of dev")
    options = parser.parse_args(arguments)
    predictor = Predictor(options.model, "cpu")
    dev = load_corpus(options.data).splits["dev"]
    texts, truth = dev.text[: options.rows], multi_hot(dev.labels[: options.rows], len(predictor.labels))
    tokens = tokenize(texts, predictor.tokenizer, predictor.max_length)
    engines = {name: Predictor(options.model, "cpu", precision=name).engine for name in ("fp32", "int8")}
    found: dict[str, Any] = {}

    def ask(name: str) -> None:
        found[name] = engines[name].probabilities(tokens)

    times = interleaved(*(partial(ask, name) for name in engines))
    way = read_way(predictor.folder.path)
    for name, taken in zip(engines, times, strict=True):
        f1 = honest(truth, found[name], (way,))[way]["macro_f1"]
        print(f"{name}: {len(texts) / taken:.1f} rows/s, cross-fitted macro-F1 of {len(texts):,} rows {f1:.4f}")
    apart = np.abs(found["fp32"] - found["int8"])
    print(f"probabilities differ by {apart.mean():.4f} on average, by {apart.max():.3f} at most; VNNI: {vnni()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
