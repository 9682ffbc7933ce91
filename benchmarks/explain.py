"""Which way of finding the words behind an emotion is the most faithful, and what it costs:
`python -m benchmarks.explain MODEL CORPUS [--rows 200]`.

Deletion check: from dev rows the 1, 2, 3 words with the largest weight are taken out of the text, which is read anew; the
more the emotion's probability falls, the truer the words. Beside it the same number of words at random. The emotion of a
row is the one that the model holds most probable. `goemo-tui` uses "left out".
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from trainer import Predictor, load_corpus
from trainer.corpus.tokens import framed
from trainer.infer.explain import Span, _arrays, _owners, because, log_odds, words_of
from trainer.model import classifier

Array = np.ndarray[Any, np.dtype[Any]]
Method = Callable[[str, int], Array]

COMMENT = "I'm so excited about this! But also a bit nervous, I hope it all goes well."
"""21 tokens of its own."""

TAKEN = (1, 2, 3)
LEAST_WORDS = 6
STEPS = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("corpus")
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # ONNX Runtime's session asks for it when it is opened
    predictor = Predictor(options.model)
    gradients = _Gradients(predictor)
    methods: dict[str, Method] = {
        "left out": lambda text, label: because(predictor, text).weights[:, label],
        "alone": lambda text, label: _alone(predictor, text)[:, label],
        "left out + alone": lambda text, label: (
            because(predictor, text).weights[:, label] + _alone(predictor, text)[:, label]
        ),
        "gradient x input": lambda text, label: gradients.weights(text, label, 1),
        f"integrated gradients, {STEPS} steps": lambda text, label: gradients.weights(text, label, STEPS),
    }
    texts = [t for t in load_corpus(options.corpus).splits["dev"].text if len(words_of(t)) >= LEAST_WORDS]
    texts = texts[: options.rows]
    before = predictor.probabilities(texts)
    labels = before.argmax(axis=1)
    print(f"{len(texts)} dev rows of {options.corpus}, model {predictor.name}, one core; load {os.getloadavg()[0]:.1f}")
    print(f"{'':32}{''.join(f'top {n} out'.rjust(11) for n in TAKEN)}{'ms':>8}")
    for name, method in methods.items():
        orders = [np.argsort(-np.nan_to_num(method(t, int(k)), nan=-9e9)) for t, k in zip(texts, labels, strict=True)]
        drops = [_drop(predictor, texts, labels, before, [o[:n] for o in orders]) for n in TAKEN]
        print(f"{name:32}{''.join(f'{d:11.3f}' for d in drops)}{_ms(method):8.1f}")
    draw = np.random.default_rng(0)
    drops = []
    for n in TAKEN:
        tries = [[draw.permutation(len(words_of(t)))[:n] for t in texts] for _ in range(3)]
        drops.append(statistics.mean(_drop(predictor, texts, labels, before, chosen) for chosen in tries))
    print(f"{'random words':32}{''.join(f'{d:11.3f}' for d in drops)}")


def _drop(predictor: Predictor, texts: Sequence[str], labels: Array, before: Array, chosen: Sequence[Array]) -> float:
    """By how much, on average, the probability of each row's emotion falls without the chosen words."""
    left = [without(text, words_of(text), out) for text, out in zip(texts, chosen, strict=True)]
    rows = np.arange(len(texts))
    return float((before[rows, labels] - predictor.probabilities(left)[rows, labels]).mean())


def without(text: str, spans: Sequence[Span], out: Array) -> str:
    """The text without the words of these numbers."""
    for k in sorted((int(k) for k in out), reverse=True):
        text = text[: spans[k].start] + " " + text[spans[k].end :]
    return text


def _ms(method: Method) -> float:
    """The median of what the comment of 20 tokens takes, in time of the one core, whoever else has it meanwhile."""
    times = []
    for _ in range(9):
        began = time.process_time()
        method(COMMENT, 0)
        times.append(1000 * (time.process_time() - began))
    return statistics.median(times)


def _rows(predictor: Predictor, text: str) -> tuple[list[int], list[int], list[int], list[int], int]:
    start, end, room = framed(predictor.tokenizer, predictor.max_length)
    body = predictor.tokenizer.encode(text, add_special_tokens=False)
    spans = words_of(text)
    return start, end, body.ids[:room], _owners(spans, body.offsets[:room]), len(spans)


def _alone(predictor: Predictor, text: str) -> Array:
    start, end, ids, owner, count = _rows(predictor, text)
    rows = [[i for i, k in zip(ids, owner, strict=True) if k == w] for w in (-2, *range(count))]
    odds = _odds(predictor, [[*start, *row, *end] for row in rows])
    return np.asarray(odds[1:] - odds[0])


def _odds(predictor: Predictor, rows: list[list[int]]) -> Array:
    odds: Array = log_odds(predictor.of_tokens(_arrays(rows)))
    return odds


class _Gradients:
    """Integrated gradients on the word embeddings, from [PAD]; one step is gradient x input. Through transformers."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        model: Any = classifier.load(predictor.folder.path)
        self.model, self.vectors = model, model.get_input_embeddings()

    def weights(self, text: str, label: int, steps: int) -> Array:
        """float32 of shape (words,)."""
        start, end, ids, owner, count = _rows(self.predictor, text)
        whole = torch.tensor([[*start, *ids, *end]])
        empty = torch.tensor([[*start, *([classifier.pad_id(self.model)] * len(ids)), *end]])
        here, there = self.vectors(whole).detach(), self.vectors(empty).detach()
        share = torch.ones(1) if steps == 1 else (torch.arange(steps) + 0.5) / steps
        between = (there + share[:, None, None] * (here - there)).requires_grad_(True)
        mask = torch.ones(between.shape[:2], dtype=torch.int64)
        self.model(inputs_embeds=between, attention_mask=mask).logits[:, label].sum().backward()
        assert between.grad is not None
        of_token = (between.grad.mean(dim=0) * (here - there)[0]).sum(dim=-1).numpy()[len(start) :]
        found = np.zeros(count, dtype=np.float32)
        for weight, word in zip(of_token, owner, strict=False):
            if word >= 0:
                found[word] += weight
        return found


if __name__ == "__main__":
    main()
