"""What a step of training costs here: ours beside the classic notebook and transformers' Trainer, on the same comments.

All alternate in one process, each from the same weights; loading, tokenizing and validating are not timed. Where bf16 is fast
they learn all comments twice and the second time counts: the first pays once for memory that a training keeps for good. The
process keeps its memory as a worker's does (`trainer/runs/launch.py`), for the rivals too, who would not by themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np
import torch

from benchmarks import notebook_loop, stock_trainer
from benchmarks.clock import REPEATS, wait
from benchmarks.matmul import matmul_peak
from benchmarks.results import Measured
from trainer.config import TrainConfig, recipe
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.encoders import find_encoder
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.loop import learn
from trainer.learn.task import Rows, Task
from trainer.model.batches import POOL
from trainer.model.classifier import quiet
from trainer.model.metrics import multi_hot
from trainer.runs.launch import HEAP

LENGTH, BATCH = 64, 32
NOTEBOOK_SHARE = 4
"""The notebook learns every fourth comment of what the others learn, since it takes so long; rates are compared."""
FLOPS = 6
"""Of one parameter and token in a step: a product and a sum forwards, and twice that backwards."""
WHOLE: dict[str, Any] = {"lora_rank": 0, "pooling": "cls", "checkpoint_minutes": 0.0}
"""The rivals learn all weights under the stock head, and so do we where they are compared."""


@dataclass(frozen=True)
class Sample:
    """The comments that all learn: `truth` is multi-hot, of shape (comments, labels); `lengths` are tokens, no padding.

    They lie in batches of 32 of like length: `batches` of those that a large corpus is cut into, from all its lengths.
    """

    texts: Sequence[str]
    truth: np.ndarray[Any, Any]
    lengths: np.ndarray[Any, Any]

    @property
    def tokens(self) -> int:
        """In all of them, without padding."""
        return int(self.lengths.sum())

    def every(self, nth: int) -> Sample:
        """A part of them with the same lengths."""
        return Sample(self.texts[::nth], self.truth[::nth], self.lengths[::nth])


Learner = Callable[[Sample], float]
"""Learns comments for some epochs and returns the seconds that the steps of the last one took."""


def take_sample(corpus: Corpus, encoder: Path, batches: int) -> Sample:
    """Comments of `batches` batches, evenly from the shortest batch to the longest.

    Few comments cannot be grouped as many are: Trainer would not even try. So the pool that both sort in a real corpus
    (50 batches) is sorted here, and what is taken of it keeps that order.
    """
    train = corpus.splits["train"]
    lengths = tokenize(train.text, load_tokenizer(encoder), LENGTH).lengths
    chosen = np.random.default_rng(0).permutation(len(lengths))[: POOL * BATCH]
    chosen = chosen[np.argsort(-lengths[chosen], kind="stable")]
    there = len(chosen) // BATCH
    places = ((np.arange(min(batches, there)) + 0.5) * there / min(batches, there)).astype(int)
    rows = np.concatenate([chosen[i * BATCH : (i + 1) * BATCH] for i in places])
    truth = multi_hot([train.labels[int(i)] for i in rows], len(corpus.labels))
    return Sample([train.text[int(i)] for i in rows], truth, lengths[rows])


def random_distilbert(folder: Path, vocabulary: Path) -> Path:
    """An encoder of DistilBERT's size with random weights over the bundled encoder's vocabulary: speed needs no more."""
    from transformers import DistilBertConfig, DistilBertModel

    torch.manual_seed(0)
    with quiet():
        DistilBertModel(DistilBertConfig(vocab_size=30_522)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (folder / name).write_bytes((vocabulary / name).read_bytes())
    return folder


def load_rival(encoder: Path, labels: int, device: torch.device) -> tuple[Any, Any]:
    """The stock classifier over the encoder in a folder, in fp32 on `device`, and its tokenizer. Asks no hub."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder, num_labels=labels, local_files_only=True, dtype=torch.float32
        )
        return model.to(device), AutoTokenizer.from_pretrained(encoder, local_files_only=True)


def ours(corpus: Corpus, encoder: Path, config: TrainConfig) -> Learner:
    """The program's own loop, from its first step to its last."""
    tokenizer = load_tokenizer(encoder)

    def once(sample: Sample) -> float:
        rows = Rows(tokenize(sample.texts, tokenizer, config.max_length), sample.truth)
        nowhere = Path(os.devnull)
        task = Task(config, corpus.labels, encoder, rows, rows, nowhere, lambda *_: nowhere)
        steps, began = 0, 0.0
        for kind, told in learn(task):
            steps = int(told["steps"]) if kind == "started" else steps
            if kind == "step" and told["step"] == steps:
                wait()
                return time.perf_counter() - began
            if kind in ("started", "validation", "checkpoint"):  # an epoch begins behind it
                wait()
                began = time.perf_counter()
        raise RuntimeError("the training ended before its last step")

    return once


class Clocked:
    """A loader whose batches come `epochs` times, as one epoch. `began`: when the last of them did."""

    def __init__(self, loader: Iterable[Any], epochs: int) -> None:
        self.loader, self.epochs, self.began = loader, epochs, 0.0

    def __iter__(self) -> Iterator[Any]:
        for _ in range(self.epochs):
            wait()
            self.began = time.perf_counter()
            yield from self.loader


def notebook(corpus: Corpus, encoder: Path, device: torch.device, epochs: int) -> Learner:
    """The classic notebook."""

    def once(sample: Sample) -> float:
        model, tokenizer = load_rival(encoder, len(corpus.labels), device)
        loader = Clocked(notebook_loop.make_loader(sample.texts, sample.truth, tokenizer), epochs)
        notebook_loop.train(model, cast(Any, loader), device)
        wait()
        return time.perf_counter() - loader.began

    return once


def stock(corpus: Corpus, encoder: Path, device: torch.device, bf16: bool, epochs: int) -> Learner:
    """transformers' Trainer; the order of the comments is what its grouping makes of a large corpus."""

    def once(sample: Sample) -> float:
        model, tokenizer = load_rival(encoder, len(corpus.labels), device)
        with quiet(), tempfile.TemporaryDirectory() as folder:
            trainer = stock_trainer.make_trainer(
                model, tokenizer, sample.texts, sample.truth, LENGTH, Path(folder),
                device=device, bf16=bf16, grouped=False, epochs=epochs,
            )  # fmt: skip
            return stock_trainer.train(trainer).seconds

    return once


def rates(learners: Sequence[tuple[Learner, Sample]], between: Callable[[], object]) -> list[float]:
    """Comments a second of each: the median over rounds A B C A B C …, after a step each that is not counted.

    `between` is called once a round, under the same conditions.
    """
    for learner, sample in learners:
        learner(sample.every(len(sample.texts) // notebook_loop.BATCH))
    rounds = []
    for _ in range(REPEATS):
        rounds.append([len(sample.texts) / learner(sample) for learner, sample in learners])
        between()
    return [median(column) for column in zip(*rounds, strict=True)]


@dataclass(frozen=True)
class Body:
    """The layers of an encoder without embeddings and head: their parameters, their width, and the width inside one."""

    parameters: int
    width: int
    inside: int


def body_of(encoder: Path) -> Body:
    """The body of the encoder in a folder (a BERT or DistilBERT)."""
    model, _ = load_rival(encoder, 1, torch.device("cpu"))
    config = model.config
    inside = config.hidden_dim if config.model_type == "distilbert" else config.intermediate_size
    count = sum(p.numel() for name, p in model.named_parameters() if ".layer." in name)
    return Body(count, int(config.hidden_size), int(inside))


def share_of_peak(comments: float, sample: Sample, body: Body, peak: float) -> float:
    """What of `peak` (GFLOP/s) a training of `comments` a second uses.

    6 FLOPs for each parameter of the body and each token that is no padding: attention's own products, embeddings, head and
    optimizer count nothing, nor does padding, and a layer that need only compute [CLS] counts as if it computed all.
    """
    return FLOPS * body.parameters * comments * sample.tokens / len(sample.texts) / (peak * 1e9)


def compare(title: str, encoder: Path, corpus: Corpus, batches: int, configs: dict[str, TrainConfig]) -> list[Measured]:
    """Ours under each of `configs` (what is learned -> settings) beside both rivals, and the first as a share of the peak."""
    device = choose_device("auto")
    precision = choose_precision("auto", device)
    sample = take_sample(corpus, encoder, batches)
    (epochs,) = {config.epochs for config in configs.values()}
    body = body_of(encoder)
    shape = (sample.tokens * BATCH // len(sample.texts), body.width, body.inside)
    peaks = {"fp32": 0.0, "bf16": 0.0}

    def measure_peaks() -> None:
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            peaks[name] = max(peaks[name], matmul_peak(shape, dtype, device))

    *own, loop, trainer = rates(
        [
            *((ours(corpus, encoder, config), sample) for config in configs.values()),
            (notebook(corpus, encoder, device, epochs), sample.every(NOTEBOOK_SHARE)),
            (stock(corpus, encoder, device, precision == "bf16", epochs), sample),
        ],
        measure_peaks,
    )
    place = "CPU" if device.type == "cpu" else "GPU"
    found = [
        Measured(
            f"train {title}, {what}, {precision}",
            f"{_shown(rate)} comments/s",
            f"{rate / loop:.1f}x notebook ({_shown(loop)}), {rate / trainer:.2f}x Trainer ({_shown(trainer)})",
            place,
        )
        for what, rate in zip(configs, own, strict=True)
    ]
    share = share_of_peak(own[0], sample, body, peaks[precision])
    (m, k), n = shape[:2], shape[2]
    told = f"({m}, {k})x({k}, {n}): " + ", ".join(f"{name} {peak:,.0f} GFLOP/s" for name, peak in peaks.items())
    return [*found, Measured(f"… of the matmul peak, {title}", f"{share:.0%} of {precision}", told, place)]


def _shown(rate: float) -> str:
    return f"{rate:,.2f}" if rate < 10 else f"{rate:,.1f}"


def training(name: str) -> list[Measured]:
    """A model of DistilBERT's size, and the bundled encoder, on comments of the corpus `name`."""
    corpus, bundled = load_corpus(name), find_encoder("minilm").folder
    device = choose_device("auto")
    few = device.type == "cpu"  # a GPU would be done before its clock is warm
    # where bf16 is fast, a step is shorter than what the first one waits for its memory
    fast = choose_precision("auto", device) == "bf16"
    wide_batches, batches, epochs = (4, 8, 2) if fast else (2, 4, 1)
    with tempfile.TemporaryDirectory() as folder:
        wide = random_distilbert(Path(folder), bundled)
        whole = {"all weights": replace(recipe("goemo", "distilbert"), **WHOLE, epochs=epochs)}
        found = compare("DistilBERT's size", wide, corpus, wide_batches if few else POOL, whole)
    both = {
        "all weights": replace(recipe("goemo"), **WHOLE, epochs=epochs),
        "recipe goemo": replace(recipe("goemo"), epochs=epochs, checkpoint_minutes=0.0),
    }
    return [*found, *compare("minilm", bundled, corpus, batches if few else POOL, both)]


def as_workers(name: str) -> list[Measured]:
    """`training` in a process that keeps its memory as a worker does, which a process is told before it begins."""
    surroundings = {"GLIBC_TUNABLES": HEAP, **os.environ}
    command = [sys.executable, "-m", "benchmarks.training", name]
    done = subprocess.run(command, env=surroundings, stdout=subprocess.PIPE, text=True, check=True)
    return [Measured(**one) for one in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in training(sys.argv[1])]))
