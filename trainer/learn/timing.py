"""Times a few steps and a piece of a validation of a training that is not made, with the training's own code.

Batches of like length cost very differently, so batches over the whole range of an epoch's are timed and weighed by the
plan. All rates are 0: the model stays as it was, and nothing can diverge. Writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from trainer.config import TrainConfig, augmentations
from trainer.corpus import Split, load_corpus
from trainer.corpus.own_tokens import add_own_tokens, find_own_tokens, words_behind
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.encoders import find_encoder
from trainer.errors import ModelError
from trainer.learn import validation
from trainer.learn.checkpoint import Position
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.loop import new_model
from trainer.learn.memory import peak
from trainer.learn.task import Array, MemoryShort, Rows, Task
from trainer.learn.terms import repeatable
from trainer.learn.training import Training
from trainer.model import adapters, metrics
from trainer.model.batches import batches
from trainer.runs.forecast import Measured

Say = Callable[[str], None]

PICKS = 8
"""Batches that are timed, from the shortest to the longest of an epoch's."""
ROUNDS = 5
"""Times that each is timed at most; the median counts."""
BUDGET = 5.0
"""Seconds that timing steps may take before no further round is begun."""
VALIDATION_BUDGET = 1.5
"""Seconds that the piece of the validation should take about."""
LEAST_BATCHES = 2
"""Batches of dev that are scored in any case: fewer would tell more of what a validation costs besides."""
SLOW, SLOWEST = 0.8, 3.0
"""Seconds of a step that is tried twice, for it may not have been alone, and of one that is tried with no more rows."""
SAMPLE = 60_000
"""Rows of a split that are cut into tokens at most, evenly spread; the rest is thought to be like them."""


def measure(config: TrainConfig, say: Say, began: float) -> Measured:
    """Load what the training would load and time what it would do. `began` is when loading began (monotonic seconds).

    Raises GoemoError for what the training would refuse too, and NotFoundError for an encoder that is not on this disk.
    """
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    task, rows, dev_rows = _prepare(config, say)
    say(f"loading {config.encoder.rstrip('/').rpartition('/')[2]} onto {device}")
    with repeatable(config.deterministic, device):
        model, optimizer = new_model(task, device)
        training = Training(task, model, optimizer, device, precision, Position(), {})
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        model.train()
        loaded = time.monotonic()
        try:
            timer = _Timer(training, say)
            batch_seconds, update_seconds, count = timer.steps()
            say("timing the validation")
            validation_seconds = timer.validation(batch_seconds) * dev_rows / len(task.dev.truth)
        except MemoryShort as error:
            raise ModelError(f"{error}. Choose a smaller max_length or encoder, or another device") from None
    if "back_translation" in augmentations(config.augment):
        timer.notes.append("without the time that translating takes, before the first step")
    share = rows / len(task.train.truth)
    return Measured(
        device=str(device), precision=precision, parameters=adapters.stock_parameters(model), learned=_learned(model), rows=rows,
        tokens=round(share * int(task.train.tokens.lengths.sum())), batches=-(-rows // config.batch_size),
        batch_seconds=batch_seconds, update_seconds=update_seconds, validation_seconds=validation_seconds,
        loading_seconds=loaded - began, steps=count, memory_peak=peak(device), notes=tuple(timer.notes),
    )  # fmt: skip


def _learned(model: torch.nn.Module) -> int | None:
    found = [p for p in model.parameters() if p.requires_grad]
    return None if len(found) == len(list(model.parameters())) else sum(p.numel() for p in found)


def _prepare(config: TrainConfig, say: Say) -> tuple[Task, int, int]:
    """The task as the worker would make it, of SAMPLE rows a split at most; and how many train and dev really have.

    New rows of augmentation are counted and thought to be like the others; none is made.
    """
    say("reading the corpus")
    corpus = load_corpus(config.data)
    corpus.require_trainable()
    corpus = corpus.under(config.taxonomy)
    train, dev = corpus.splits["train"], corpus.splits["dev"]
    rows = min(len(train.text), config.limit or len(train.text))
    encoder = find_encoder(config.encoder, allow_download=False)
    tokenizer = load_tokenizer(encoder.folder)
    own = find_own_tokens(train.text[:rows], config.own_tokens, tokenizer)
    add_own_tokens(tokenizer, own)

    def some(split: Split, count: int) -> Rows:
        step = -(-count // SAMPLE)
        few = replace(split, text=split.text[:count:step], labels=split.labels[:count:step])
        say(f"cutting {len(few.text):,} comments into tokens")
        truth = metrics.multi_hot(few.labels, len(corpus.labels))
        return Rows(tokenize(few.text, tokenizer, config.max_length), truth)

    nowhere = Path("/dev/null/checkpoints")
    task = Task(
        config=config, labels=corpus.labels, encoder_folder=encoder.folder, train=some(train, rows),
        dev=some(dev, len(dev.text)), checkpoints=nowhere, keep=lambda *_: nowhere,
        own_tokens=words_behind(tokenizer, own),
    )  # fmt: skip
    if augmentations(config.augment):
        rows += round(config.augment_share * rows)
    return task, rows, len(dev.text)


class _Timer:
    """Times pieces of one training. `notes` are for people."""

    def __init__(self, training: Training, say: Say) -> None:
        self.training, self.say = training, say
        self.notes: list[str] = []
        self.fixed = 0.0
        config, self.lengths = training.config, training.task.train.tokens.lengths
        self.width = config.max_length if config.padding == "max_length" else None
        plan = batches(self.lengths, config.batch_size, config.seed, 1, config.batching == "grouped")
        self.plan = sorted(plan, key=self.cost)
        self.costs = np.array([self.cost(batch) for batch in self.plan], np.float64)

    def cost(self, batch: Array) -> int:
        """Padded tokens of a batch."""
        return len(batch) * max(1, self.width or int(self.lengths[batch].max()))

    def steps(self) -> tuple[float, float, int]:
        """Mean seconds of a batch, seconds of an update, and how many steps were timed."""
        rows, step_seconds = self.warm()
        picks = self.picks(step_seconds)
        times: dict[int, list[float]] = {i: [] for i in picks}
        updates: list[float] = []
        began, count = time.monotonic(), 0
        for number in range(ROUNDS):
            for i in picks:
                part = self.plan[i][:rows]
                self.say(f"timing step {count + 1}")
                seconds, update = self.timed(part)
                fixed = min(self.fixed, seconds)
                times[i].append(fixed + (seconds - fixed) * self.costs[i] / self.cost(part))
                updates.append(update)
                count += 1
            spent = time.monotonic() - began
            if spent + spent / (number + 1) > BUDGET:
                break
        known = [median(times[i]) for i in picks]
        return float(np.interp(self.costs, self.costs[picks], known).mean()), median(updates), count

    def picks(self, step_seconds: float) -> list[int]:
        """Batches over the whole range of costs: as many as there is time for, three at least where there are three.

        `step_seconds` is what the dearest takes.
        """
        share = self.costs / self.costs[-1]
        for wanted in (PICKS, 5, 3):
            picks = sorted({round(x) for x in np.linspace(0, len(self.plan) - 1, wanted)})
            if share[picks].sum() * step_seconds <= BUDGET:
                break
        return picks

    def warm(self) -> tuple[int, float]:
        """Set up what the first steps pay for, and see how large a step may be: its rows, and its seconds.

        Steps grow until they are as large as the largest of the plan, or slow. What a step takes however few its rows
        are (`fixed`) is learned on the way.
        """
        self.say("warming up")
        self.whole(self.plan[0][:1])
        widest = self.plan[-1]
        rows, seconds = 1, self.best_of_two(widest[:1])
        while rows < len(widest):
            more = min(4 * rows, len(widest))
            before, seconds = seconds, self.best_of_two(widest[:more])
            each = max(0.0, seconds - before) / (more - rows)
            rows, self.fixed = more, max(0.0, seconds - each * more)
            if seconds > SLOWEST and rows < len(widest):
                self.notes.append(f"reckoned from steps of {rows} of {len(widest)} comments, for these are slow")
                break
        return rows, seconds

    def best_of_two(self, batch: Array) -> float:
        """Seconds of a step; a slowish one gets a second try: it may have paid for something, or not been alone."""
        seconds = self.whole(batch)
        return min(seconds, self.whole(batch)) if SLOW < seconds < SLOWEST else seconds

    def whole(self, batch: Array) -> float:
        """Seconds of a step that cuts its batch into smaller ones where the memory is short. Raises MemoryShort."""
        began = time.monotonic()
        for _, fields in self.training.step([batch], lambda: False):
            micro = fields.get("micro_batch")
            self.notes = [f"the memory holds {micro} of {self.training.config.batch_size} comments at a time"]
        self.wait()
        return time.monotonic() - began

    def timed(self, batch: Array) -> tuple[float, float]:
        """Seconds of the gradients and of the update of one step."""
        began = time.monotonic()
        loss, _ = self.training.gradients([batch], lambda: False)
        self.wait()
        between = time.monotonic()
        self.training.update(loss)
        self.wait()
        return between - began, time.monotonic() - between

    def wait(self) -> None:
        """Until the device has done what it was given."""
        device = self.training.device
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()

    def validation(self, batch_seconds: float) -> float:
        """Seconds of a validation, from an even share of dev's rows."""
        task, training = self.training.task, self.training
        lengths = task.dev.tokens.lengths
        least = LEAST_BATCHES * validation.batch_tokens(training.device)
        tokens = max(least, VALIDATION_BUDGET * 2 * self.costs.mean() / max(batch_seconds, 1e-9))
        step = max(1, round(int(lengths.sum()) / tokens))
        rows = np.argsort(lengths, kind="stable")[::step]
        piece = Rows(task.dev.tokens.take(rows), task.dev.truth[rows])
        began = time.monotonic()
        validation.score(
            training.model,
            piece,
            task.labels,
            training.device,
            task.config.threshold,
            task.config.threshold_fit,
            lambda: False,
        )
        self.wait()
        return (time.monotonic() - began) * float(lengths.sum()) / max(1.0, float(lengths[rows].sum()))
