"""Which vector finds the training comments that are most like another, and how fast: `python -m benchmarks.like MODEL CORPUS`.

For dev rows the 3 nearest of the first training rows are looked for, by the mean of the last hidden states and by the vector
that goes into the classifier. Printed: how often a neighbour shares a label with the row (feeling alike), how many of the
row's words of four letters and more it shares (speaking of the same), and what a query among 54,000 rows takes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from trainer import Predictor, load_corpus
from trainer.corpus import Split
from trainer.corpus.tokens import tokenize
from trainer.infer.explain import words_of
from trainer.infer.nearest import Nearest
from trainer.model import classifier

Array = np.ndarray[Any, np.dtype[Any]]

MANY = 54_000
NEAREST = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.like", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("corpus")
    parser.add_argument("--rows", type=int, default=200, help="of dev")
    parser.add_argument("--among", type=int, default=4000, help="of train")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # ONNX Runtime's session asks for it when it is opened
    predictor, corpus = Predictor(options.model), load_corpus(options.corpus)
    train, dev = (
        corpus.splits[name].take(name, list(range(n))) for name, n in (("train", options.among), ("dev", options.rows))
    )
    print(
        f"{len(dev)} dev rows among {len(train)} of {corpus.name}, model {predictor.name}; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':36}{'shares a label':>16}{'shares words':>14}")
    for name, make in (("mean of the last hidden states", _mean), ("what goes into the classifier", _pooled)):
        likeness = make(predictor, dev.text) @ make(predictor, train.text).T
        print(f"{name:36}{_agreement(dev, train, np.argsort(-likeness, axis=1)[:, :NEAREST])}")
    draw = np.random.default_rng(0)
    print(f"{'chance':36}{_agreement(dev, train, draw.integers(0, len(train), (len(dev), NEAREST)))}")
    _query(predictor, train, draw)


def _query(predictor: Predictor, train: Split, draw: np.random.Generator) -> None:
    width = _mean(predictor, ["warm"]).shape[1]
    many = draw.standard_normal((MANY, width)).astype(np.float32)
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    rows = train.take("train", [int(i) for i in draw.integers(0, len(train), MANY)])
    index = Nearest(np.asfortranarray(many), rows, tuple(map(str, range(1000))))
    search, whole = [], []
    index.to(many[0], "warm", NEAREST)
    for text in train.text[:40]:
        began = time.process_time()
        vector = _mean(predictor, [text])[0]
        between = time.process_time()
        index.to(vector, text, NEAREST)
        search.append(1000 * (time.process_time() - between))
        whole.append(1000 * (time.process_time() - began))
    print(
        f"a query among {MANY:,} rows of {width}: search {statistics.median(search):.1f} ms, with the vector of the text "
        f"{statistics.median(whole):.1f} ms (median of 40, time of the one core)"
    )


def _agreement(dev: Split, train: Split, rows: Array) -> str:
    pairs = [(i, int(j)) for i, nearest in enumerate(rows) for j in nearest]
    labels = statistics.mean(bool(set(dev.labels[i]) & set(train.labels[j])) for i, j in pairs)
    words = statistics.mean(
        len(_long(dev.text[i]) & _long(train.text[j])) / max(1, len(_long(dev.text[i]))) for i, j in pairs
    )
    return f"{labels:>16.1%}{words:>14.1%}"


def _long(text: str) -> set[str]:
    return {s.word.casefold() for s in words_of(text) if len(s.word) >= 4 and s.word.isalpha()}


def _mean(predictor: Predictor, texts: Sequence[str]) -> Array:
    tokens = tokenize(texts, predictor.tokenizer, predictor.max_length)
    return np.concatenate([predictor.engine.vectors(tokens, part) for part in _parts(len(texts))])


@torch.inference_mode()
def _pooled(predictor: Predictor, texts: Sequence[str]) -> Array:
    model: Any = classifier.load(predictor.folder.path)
    tokens = tokenize(texts, predictor.tokenizer, predictor.max_length)
    kept: list[torch.Tensor] = []
    last = classifier.last_layer(model, len(predictor.labels))
    last.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    for part in _parts(len(texts)):
        ids, mask = classifier.padded(tokens, part, classifier.pad_id(model))
        model(input_ids=ids, attention_mask=mask)
    found: Array = torch.nn.functional.normalize(torch.cat(kept), dim=1).numpy()
    return found


def _parts(count: int) -> list[Array]:
    return [np.arange(first, min(count, first + 32)) for first in range(0, count, 32)]


if __name__ == "__main__":
    main()
