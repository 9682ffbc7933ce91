"""The training loop, top to bottom: rows in, events out. It knows no screen, no terminal and no process.

`learn` is a generator: whoever drives it writes the events down and may stop it between two steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from trainer.config import TrainConfig
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import TokenArrays
from trainer.labels import LabelSet
from trainer.learn import checkpoint
from trainer.learn.checkpoint import Position
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.meter import Meter, Rates
from trainer.learn.schedule import rate
from trainer.model import classifier, metrics
from trainer.model.batches import batches, steps_per_epoch

Event = tuple[str, dict[str, Any]]
"""An event's kind and its own fields; sequence number and clocks are put on by the log."""

BETWEEN_STEP_EVENTS = 0.25
"""Seconds between two `step` events at the least: nobody sees more, and a fast GPU would fill the disk."""


@dataclass(frozen=True)
class Rows:
    """One split as the loop needs it: tokens of n rows and their labels as float32 of shape (n, labels)."""

    tokens: TokenArrays
    truth: np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Task:
    """All that a training starts from. `keep(model, thresholds, validation)` stores the best model so far."""

    config: TrainConfig
    labels: LabelSet
    encoder_folder: Path
    train: Rows
    dev: Rows
    checkpoints: Path
    keep: Callable[[nn.Module, dict[str, float], dict[str, Any]], Path]


class Diverged(Exception):
    """The loss is no longer a number."""


def learn(task: Task, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train as `task.config` says, from the newest valid checkpoint if there is one.

    Yields `started` or `resumed`, then `step`, `validation`, `checkpoint` and `warning`, and last one of `finished`,
    `stopped` (after a checkpoint) or `failed` (reason nan, with the best model so far kept).
    """
    config = task.config
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    frequency = (task.train.truth.sum(0) + 0.5) / (len(task.train.truth) + 1)
    model = classifier.build(task.encoder_folder, task.labels, config.seed, config.head_init, frequency).to(device)
    groups = classifier.parameter_groups(model, config.weight_decay, config.decay)
    optimizer = torch.optim.AdamW(groups, lr=config.lr, fused=device.type in ("cpu", "cuda"))

    found, warnings = checkpoint.newest(task.checkpoints)
    position = Position()
    per_epoch = steps_per_epoch(len(task.train.truth), config.batch_size, config.accumulation)
    total = per_epoch * config.epochs
    about = {
        "steps": total, "epochs": config.epochs, "rows": {"train": len(task.train.truth), "dev": len(task.dev.truth)},
        "encoder": config.encoder, "parameters": sum(p.numel() for p in model.parameters()), "device": str(device),
        "precision": precision, "batch_size": config.batch_size, "labels": list(task.labels.names),
    }  # fmt: skip
    for text in warnings:
        yield "warning", {"text": text}
    if found:
        checkpoint.restore(found, model, optimizer)
        position = found.position
        yield "resumed", {"step": position.step, "epoch": position.epoch, **about}
    else:
        # dropout draws from here on; the head's weights above have their own use of the seed
        torch.manual_seed(config.seed)
        yield "started", about

    run = _Training(task, model, optimizer, device, precision, position, total, per_epoch)
    try:
        yield from run.epochs(stop)
    except Cancelled:
        yield from run.save()
        yield "stopped", {"step": position.step, "epoch": position.epoch}
    except Diverged as error:
        kept = (
            f"; the model of epoch {position.best_epoch} is kept"
            if position.best_epoch
            else "; no epoch was finished before"
        )
        text = f"{error} at step {position.step}{kept}. A smaller lr or clip=1 often helps"
        yield "failed", {"step": position.step, "epoch": position.epoch, "error": text, "reason": "nan"}


class _Training:
    """The moving parts of one training. Methods are generators of events; `position` is what a checkpoint keeps."""

    def __init__(
        self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, precision: str,
        position: Position, total: int, per_epoch: int,
    ) -> None:  # fmt: skip
        self.task, self.config, self.model, self.optimizer = task, task.config, model, optimizer
        self.device, self.precision = device, precision
        self.position, self.total, self.per_epoch = position, total, per_epoch
        self.last_checkpoint = self.last_step_event = time.monotonic()
        self.validation_seconds: float | None = None
        self.truth = torch.from_numpy(task.train.truth)
        self.began, self.before = time.monotonic(), position.seconds

    def seconds(self) -> float:
        """Time worked on this run so far, by this worker and those before it."""
        return self.before + time.monotonic() - self.began

    def epochs(self, stop: Callable[[], bool]) -> Iterator[Event]:
        at = self.position
        reason = None
        while at.epoch <= self.config.epochs:
            yield from self.one_epoch(stop)
            yield from self.validate(stop)
            if self.config.patience and at.epoch - at.best_epoch >= self.config.patience:
                reason = "early stopping"
                break
            at.epoch, at.window, at.loss_sum, at.loss_rows = at.epoch + 1, 0, 0.0, 0
        yield "finished", {
            "step": at.step, "epoch": len(at.dev_losses), "seconds": round(self.seconds(), 3),
            "best_epoch": at.best_epoch, "macro_f1": at.best_score, "reason": reason,
        }  # fmt: skip

    def one_epoch(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """The steps of the epoch that are still to be done. Raises Cancelled when asked to stop, or Diverged."""
        config, at = self.config, self.position
        order = batches(
            self.task.train.tokens.lengths, config.batch_size, config.seed, at.epoch, config.batching == "grouped"
        )
        windows = [order[i : i + config.accumulation] for i in range(0, len(order), config.accumulation)]
        meter = Meter()
        self.model.train()
        for window in windows[at.window :]:
            if stop():
                self.note(meter)
                raise Cancelled("asked to stop")
            factor = rate(at.step, self.total, config.warmup, config.scheduler)
            for group in self.optimizer.param_groups:
                group["lr"] = factor * (config.head_lr if group["part"] == "head" else config.lr)
            loss, tokens, norm = self.step(window)
            at.step, at.window = at.step + 1, at.window + 1
            meter.add(loss, sum(len(b) for b in window), tokens)
            now = time.monotonic()
            due = self.checkpoint_is_due(now)
            # the first step of an epoch is slow and would foretell hours: its event waits for the second
            soon = meter.steps > 1 and now - self.last_step_event >= BETWEEN_STEP_EVENTS
            if due or soon or at.window == len(windows):
                mean = self.note(meter)
                if not math.isfinite(float(norm)):
                    raise Diverged("the gradient is NaN or infinite")
                yield "step", self.step_fields(mean, factor * config.lr, float(norm), meter.rates())
                self.last_step_event = now
            if due:
                yield from self.save()

    def note(self, meter: Meter) -> float:
        """Move what the meter holds into the epoch's loss, and return its mean. Raises Diverged."""
        at = self.position
        summed, rows = meter.take()
        if not math.isfinite(summed):
            raise Diverged("the loss is NaN or infinite")
        at.loss_sum, at.loss_rows = at.loss_sum + summed, at.loss_rows + rows
        return summed / max(1, rows)

    def step(self, window: list[np.ndarray[Any, np.dtype[Any]]]) -> tuple[torch.Tensor, int, torch.Tensor]:
        """One optimizer step over a window of batches: summed loss (a tensor, not yet waited for), tokens, gradient norm."""
        rows = sum(len(batch) for batch in window)
        width = self.config.max_length if self.config.padding == "max_length" else None
        summed, tokens = torch.zeros((), device=self.device), 0
        for batch in window:
            ids, mask = classifier.padded(self.task.train.tokens, batch, classifier.pad_id(self.model), width)
            truth = self.truth[batch].to(self.device, non_blocking=True)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                logits = self.model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).logits
            loss = binary_cross_entropy_with_logits(logits.float(), truth)
            share = len(batch) / rows
            (loss * share).backward()
            summed += loss.detach() * len(batch)
            tokens += int(mask.sum())
        largest = self.config.clip or math.inf
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), largest)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return summed, tokens, norm

    def step_fields(self, loss: float, lr: float, norm: float, rates: Rates) -> dict[str, Any]:
        at = self.position
        # before the first validation its time is guessed: without gradients, in fp32, about twice as fast
        one = self.validation_seconds or len(self.task.dev.truth) / (2 * rates.examples)
        left = (self.total - at.step) * rates.step_seconds + (self.config.epochs - at.epoch + 1) * one
        return {
            "step": at.step, "epoch": at.epoch, "loss": round(loss, 6), "lr": lr, "grad_norm": round(norm, 4),
            "examples_per_s": round(rates.examples, 2), "tokens_per_s": round(rates.tokens, 1), "eta_s": round(left, 1),
        }  # fmt: skip

    def validate(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Score dev in fp32, as the predictor will, and keep the model if its cross-fitted macro-F1 is the best so far."""
        began, at, dev = time.monotonic(), self.position, self.task.dev
        p = classifier.probabilities(self.model, dev.tokens, self.device, stop=stop)
        if not np.isfinite(p).all():
            raise Diverged("the scores on dev are NaN or infinite")
        honest = metrics.scores(dev.truth, metrics.cross_fitted(dev.truth, p))
        classic = metrics.scores(dev.truth, p >= metrics.CLASSIC)
        names = self.task.labels.names
        fixed = self.config.threshold
        thresholds = np.full(len(names), fixed) if fixed else metrics.fit_thresholds(dev.truth, p)
        at.train_losses.append(at.loss_sum / max(1, at.loss_rows))
        at.dev_losses.append(metrics.bce(dev.truth, p))
        # every figure is taken from the cross-fitted cut but for those that name another
        fields: dict[str, Any] = {
            "step": at.step, "epoch": at.epoch, "loss": at.dev_losses[-1], "train_loss": at.train_losses[-1],
            "macro_f1": honest.macro_f1, "micro_f1": honest.micro_f1, "weighted_f1": honest.weighted_f1,
            "macro_f1_at_0.3": classic.macro_f1,
            "per_label": {
                name: {
                    "precision": float(honest.precision[k]), "recall": float(honest.recall[k]), "f1": float(honest.f1[k]),
                    "support": int(honest.support[k]), "threshold": round(float(thresholds[k]), 4),
                }
                for k, name in enumerate(names)
            },
            "diagnosis": metrics.diagnosis(at.train_losses, at.dev_losses),
        }  # fmt: skip
        fields["best"] = honest.macro_f1 > at.best_score
        if fields["best"]:
            fitted = {name: round(float(t), 4) for name, t in zip(names, thresholds, strict=True)}
            try:
                self.task.keep(self.model, fitted, fields)
                at.best_score, at.best_epoch = honest.macro_f1, at.epoch
            except OSError as error:
                fields["best"] = False
                yield "warning", {"text": f"the model of epoch {at.epoch} was not kept: {error}. The training goes on"}
        self.validation_seconds = fields["seconds"] = round(time.monotonic() - began, 3)
        yield "validation", fields

    def checkpoint_is_due(self, now: float) -> bool:
        minutes, steps = self.config.checkpoint_minutes, self.config.checkpoint_steps
        return bool(
            (steps and self.position.step % steps == 0) or (minutes and now - self.last_checkpoint >= minutes * 60)
        )

    def save(self) -> Iterator[Event]:
        """Write a checkpoint; a disk that refuses is a warning, never the end of a training."""
        self.position.seconds = self.seconds()
        try:
            written = checkpoint.write(self.task.checkpoints, self.model, self.optimizer, self.position)
        except OSError as error:
            yield (
                "warning",
                {"text": f"no checkpoint was written at step {self.position.step}: {error}. The training goes on"},
            )
        else:
            yield "checkpoint", {"step": self.position.step, **written}
        self.last_checkpoint = time.monotonic()
