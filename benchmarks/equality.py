"""Whether being fast costs anything of what is learned: the bundled encoder on some thousand comments, ours and Trainer's.

Both begin with the same weights and take the same comments at the same rates, in like batches, with AdamW, dropout and clipping as
stock; only the order of the batches and the masks of dropout differ, so that one seed is noise and the mean of several counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mean, stdev

import torch

from benchmarks import stock_trainer
from benchmarks.quality.cuts import honest, mean_average_precision
from benchmarks.results import Measured
from benchmarks.training import WHOLE, load_rival
from trainer.config import TrainConfig, recipe
from trainer.corpus import load_corpus
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.encoders import find_encoder
from trainer.labels import LabelSet
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.loop import learn
from trainer.learn.task import Array, Rows, Task
from trainer.model import classifier
from trainer.model.metrics import multi_hot

ROWS, EPOCHS, SEEDS = 10_000, 2, (0, 1, 2)
RATE, HEAD_RATE, WARMUP = 2e-4, 1e-3, 0.06
"""The highest rates of the encoder and of pooler and classifier, and the share of the steps over which they rise, for both: with one
rate for all, the head, whose weights begin at zero, learns next to nothing in so few steps."""
WAY = "calibrated"


@dataclass(frozen=True)
class Texts:
    """Comments as both get them: `truth` is multi-hot, of shape (comments, labels)."""

    texts: Sequence[str]
    truth: Array


def settings(seed: int, epochs: int) -> TrainConfig:
    """Ours as Trainer is told to do it, too; without weight decay, which Trainer leaves out by itself."""
    return replace(
        recipe("goemo"), **WHOLE, lr=RATE, head_lr=HEAD_RATE, warmup=WARMUP, weight_decay=0.0, epochs=epochs, seed=seed, threshold_fit=WAY
    )  # fmt: skip


def ours(train: Texts, dev: Texts, labels: LabelSet, encoder: Path, config: TrainConfig) -> Array:
    """The probabilities of dev (comments, labels) after our own loop's best epoch, which is the last of so few."""
    tokenizer, nowhere, said = load_tokenizer(encoder), Path(os.devnull), []

    def rows(of: Texts) -> Rows:
        return Rows(tokenize(of.texts, tokenizer, config.max_length), of.truth)

    def keep_scores(probabilities: Array, *_: object) -> None:
        said.append(probabilities)

    task = Task(config, labels, encoder, rows(train), rows(dev), nowhere, lambda *_: nowhere, keep_scores)
    for kind, told in learn(task):
        if kind == "failed":
            raise RuntimeError(told["error"])
    return said[-1]


def theirs(train: Texts, dev: Texts, labels: LabelSet, encoder: Path, config: TrainConfig) -> Array:
    """The same after transformers' Trainer, from the weights that ours began with."""
    device = choose_device("auto")
    bf16 = choose_precision(config.precision, device) == "bf16"
    model, tokenizer = load_rival(encoder, len(labels), device)
    begun = classifier.build(encoder, labels, config.seed, config.head_init, train.truth.mean(0), "cls")
    model.load_state_dict(begun.state_dict())
    groups = classifier.parameter_groups(model, 0.0)
    for group in groups:
        group["lr"] = config.head_lr if group["part"] == "head" else config.lr
    with classifier.quiet(), tempfile.TemporaryDirectory() as folder:
        trainer = stock_trainer.make_trainer(
            model, tokenizer, train.texts, train.truth, config.max_length, Path(folder),
            device=device, bf16=bf16, epochs=config.epochs, seed=config.seed, warmup=WARMUP, groups=groups,
        )  # fmt: skip
        stock_trainer.train(trainer)
        logits = stock_trainer.predict(trainer, tokenizer, dev.texts, config.max_length)
    probabilities: Array = torch.from_numpy(logits).sigmoid().numpy()
    return probabilities


def equality(
    name: str, encoder: str = "minilm", rows: int = ROWS, epochs: int = EPOCHS, seeds: Sequence[int] = SEEDS
) -> list[Measured]:
    """Macro-F1 (thresholds fitted on the other half of dev) and macro-AP of both, the mean over `seeds`."""
    corpus, folder = load_corpus(name), find_encoder(encoder).folder
    count = len(corpus.labels)

    def texts(split: str, most: int | None = None) -> Texts:
        found = corpus.splits[split]
        return Texts(list(islice(found.text, most)), multi_hot(list(islice(found.labels, most)), count))

    train, dev = texts("train", rows), texts("dev")
    f1: list[tuple[float, float]] = []
    ap: list[tuple[float, float]] = []
    for seed in seeds:
        config = settings(seed, epochs)
        both = [learner(train, dev, corpus.labels, folder, config) for learner in (ours, theirs)]
        one, other = (honest(dev.truth, p, (WAY,))[WAY]["macro_f1"] for p in both)
        f1.append((one, other))
        one, other = (mean_average_precision(dev.truth, p) for p in both)
        ap.append((one, other))
    place = "CPU" if choose_device("auto").type == "cpu" else "GPU"
    what = f"after {epochs} epochs of {len(train.texts):,} rows, {Path(encoder).name}, all weights"
    return [_row(f"dev macro-F1 {what}", f1, place), _row(f"dev macro-AP {what}", ap, place)]


def _row(what: str, found: Sequence[tuple[float, float]], place: str) -> Measured:
    own, other = (mean(column) for column in zip(*found, strict=True))
    apart = [a - b for a, b in found]
    spread = f" ± {stdev(apart):.3f}" if len(apart) > 1 else ""
    return Measured(
        what, f"{own:.3f}", f"{mean(apart):+.3f}{spread} to Trainer's {other:.3f} over {len(apart)} seeds from the same weights", place
    )  # fmt: skip
