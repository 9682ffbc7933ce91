"""The steps of a training, top to bottom: epochs, steps, validations and checkpoints, as a generator of events.

All that it moves is in `position`, model, optimizer and the random generators; a checkpoint holds exactly these.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import torch
from torch import nn

from trainer.corpus.interrupt import Cancelled
from trainer.learn import checkpoint, validation
from trainer.learn.average import Average
from trainer.learn.checkpoint import Position
from trainer.learn.keeping import Keeper
from trainer.learn.memory import peak
from trainer.learn.meter import Meter, Rates
from trainer.learn.outlook import Outlook
from trainer.learn.ranks import LONE, Ranks
from trainer.learn.saving import Saver
from trainer.learn.schedule import rate
from trainer.learn.step import Steps
from trainer.learn.task import Diverged, Event, Task
from trainer.model import adapters, metrics
from trainer.model.batches import batches, steps_per_epoch, windows

BETWEEN_STEP_EVENTS = 0.25
"""Seconds between two `step` events at the least: nobody sees more, and a fast GPU would fill the disk."""

BAD_STEPS = 3
"""So many steps in a row without a number as loss and gradient send the training back; fewer are only left out."""

ROOM_SECONDS, ROOM_POLL_SECONDS = 300.0, 2.0
"""A training that is done waits so long for room for its best model."""


class Training(Steps):
    """The moving parts of one training. Methods are generators of events; `position` is what a checkpoint keeps."""

    def __init__(
        self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, precision: str,
        position: Position, terms: dict[str, Any], average: Average | None = None, ranks: Ranks = LONE,
    ) -> None:  # fmt: skip
        super().__init__(task, model, optimizer, device, precision, position, ranks)
        self.terms, self.average = terms, average
        self.total = self.config.epochs * steps_per_epoch(
            len(task.train.truth), self.config.batch_size, self.config.accumulation
        )
        self.last_step_event = time.monotonic()
        self.saver = Saver(self.config, task.checkpoints)
        width = self.config.max_length if self.config.padding == "max_length" else None
        self.outlook = Outlook(self.config.epochs, self.lengths, task.dev.tokens.lengths, width)
        self.began, self.before = time.monotonic(), position.seconds
        self.keeper = Keeper(task.keep, position)

    def about(self) -> dict[str, Any]:
        """What `started` and `resumed` tell of the training as a whole."""
        task, config = self.task, self.config
        return {
            "steps": self.total, "epochs": config.epochs, "rows": {"train": len(task.train.truth), "dev": len(task.dev.truth)},
            "encoder": config.encoder, "parameters": adapters.stock_parameters(self.model),
            "learned": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "device": str(self.device), "precision": self.precision, "batch_size": config.batch_size,
            "labels": list(task.labels.names), "halvings": self.position.halvings, "split": self.position.split,
            **({"ranks": self.ranks.size} if self.ranks.size > 1 else {}),
            **({"augmented": dict(task.augmented)} if task.augmented else {}),
        }  # fmt: skip

    def failed(self, what: str, reason: str, advice: str) -> Event:
        """The last event of a training that cannot go on."""
        at = self.position
        kept = f"the model of epoch {at.kept_epoch} is kept" if at.kept_epoch else "no model was kept before"
        return "failed", {"step": at.step, "epoch": at.epoch, "error": f"{what}; {kept}. {advice}", "reason": reason}

    @property
    def nothing_left_out(self) -> bool:
        """Whether each step up to here had numbers as loss and gradient."""
        return not int(self.bad_steps)

    def epochs(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """All that is still to be done. Raises Cancelled when asked to stop, Diverged or MemoryShort."""
        at = self.position
        while at.epoch <= self.config.epochs and not self.stopped_early:
            due = yield from self.one_epoch(stop)
            best = yield from self.validate(stop)
            at.epoch, at.rows, at.loss_sum, at.loss_rows = at.epoch + 1, 0, 0.0, 0
            if not at.bad_steps and (due or (best and self.saver.cheap)):
                yield from self.save(best)
        yield from self.end(stop)

    def end(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """The last event, once the best model is on disk. Raises Cancelled when asked to stop while it is not."""
        at = self.position
        if self.ranks.decided(int(not at.kept_epoch and not self.keeper.owes and bool(at.dev_losses))):
            # an earlier worker came to the end with no room for its model: the last epoch's is still there
            at.epoch, at.loss_sum, at.loss_rows = at.epoch - 1, at.train_losses.pop(), 1
            at.dev_losses.pop()
            at.best_score = -1.0
            yield from self.validate(stop)
            at.epoch, at.loss_sum, at.loss_rows = at.epoch + 1, 0.0, 0
        if self.keeper.owes and self.ranks.first:
            checkpoint.make_room(self.task.checkpoints)
        if self.keeper.owes and not self.keeper.again(self.plain_model()):
            yield "warning", {"text": "the training is done, but its best model does not fit on the disk: make room, "
                                      f"it is tried again for {ROOM_SECONDS / 60:g} minutes (goemo-tui runs prune)"}  # fmt: skip
            deadline = time.monotonic() + ROOM_SECONDS
            while not self.keeper.again(self.plain_model()):
                if time.monotonic() > deadline:
                    yield from self.save()
                    what = f"the training is done, but the model of epoch {at.best_epoch} could not be saved"
                    yield self.failed(what, "disk", "Make room and resume it")
                    return
                if stop():
                    raise Cancelled("asked to stop")
                time.sleep(ROOM_POLL_SECONDS)
        yield "finished", {
            "step": at.step, "epoch": len(at.dev_losses), "seconds": round(self.seconds(), 3),
            "best_epoch": at.kept_epoch, "macro_f1": at.kept_score,
            "reason": "early stopping" if self.stopped_early else None,
            # of a card it is what the next batch size depends on; of a process it says more of what else was done in it
            **({"memory_peak": peak(self.device)} if self.device.type == "cuda" else {}),
        }  # fmt: skip

    @property
    def stopped_early(self) -> bool:
        """Whether `patience` validations in a row brought no better score."""
        at, patience = self.position, self.config.patience
        return (
            bool(patience)
            and len(at.dev_losses) < self.config.epochs
            and len(at.dev_losses) - at.best_epoch >= patience
        )

    def seconds(self) -> float:
        """Time worked on this run so far, by this worker and those before it."""
        return self.before + time.monotonic() - self.began

    def one_epoch(self, stop: Callable[[], bool]) -> Generator[Event, None, bool]:
        """The steps of the epoch that are still to be done; whether a checkpoint is due behind the last of them."""
        config, at = self.config, self.position
        order = batches(self.lengths, config.batch_size, config.seed, at.epoch, config.batching == "grouped")
        meter, due = Meter(), False
        self.outlook.begin(at.epoch, windows(order, config.accumulation), at.rows)
        self.model.train()
        for window in windows(order, config.accumulation, at.rows):
            factor = rate(at.step, self.total, config.warmup, config.scheduler) * 0.5**at.halvings
            encoder_lr = config.lr if at.step >= config.head_first * self.total else 0.0
            for group in self.optimizer.param_groups:
                group["lr"] = factor * group["scale"] * (config.head_lr if group["part"] == "head" else encoder_lr)
            try:
                taken = yield from self.step(window, stop)
            except Cancelled:
                yield from self.note(meter)
                raise
            rows = sum(len(batch) for batch in window)
            at.step, at.rows = at.step + 1, at.rows + rows
            if self.average is not None:
                self.average.update(self.model, at.step)
            meter.add(taken.loss, rows, taken.tokens)
            self.outlook.stepped()
            now, last = time.monotonic(), at.rows == len(self.lengths)
            due = self.saver.due(at.step, now)
            # the first step of an epoch is slow and would foretell hours: its event waits for the second
            soon = meter.steps > 1 and now - self.last_step_event >= BETWEEN_STEP_EVENTS
            # all ranks look at what was left out after the same step, or one alone would go back
            if self.ranks.decided(int(due or soon or last)):
                mean = yield from self.note(meter)
                self.outlook.measured()
                yield "step", self.step_fields(mean, factor * encoder_lr, float(taken.norm), meter.rates())
                self.last_step_event = now
            if due and not last and not at.bad_steps:  # what is gone back to must lie before the trouble
                yield from self.save()
        return due

    def note(self, meter: Meter) -> Generator[Event, None, float]:
        """Move what the meter holds into the epoch's loss, say what was left out, return the mean. Raises Diverged."""
        at = self.position
        at.bad_steps, left_out = int(self.bad_steps), int(self.left_out)
        self.left_out.zero_()
        if left_out:
            many = f"of {left_out} steps" if left_out > 1 else "of a step"
            yield "warning", {"text": f"loss or gradient {many} up to step {at.step} was NaN or infinite: left out"}
        if int(self.most_bad_steps) >= BAD_STEPS:
            raise Diverged(f"loss or gradient is NaN or infinite, {BAD_STEPS} steps in a row")
        losses = meter.take()
        for loss, rows in losses:  # one by one, so that the sum does not depend on when it was looked at
            at.loss_sum, at.loss_rows = at.loss_sum + loss, at.loss_rows + rows
        seen = sum(rows for _, rows in losses)
        return sum(loss for loss, _ in losses) / seen if seen else math.nan

    def plain_model(self) -> nn.Module:
        """The model as it is scored and kept: averaged weights if asked for, adapters added in. Else the model itself."""
        if self.average is None:
            return adapters.merged(self.model) if adapters.has_adapters(self.model) else self.model
        with self.average.inside(self.model):
            return adapters.merged(self.model)

    def step_fields(self, loss: float, lr: float, norm: float, rates: Rates) -> dict[str, Any]:
        """The fields of a `step` event."""
        at = self.position
        left = self.outlook.left(rates.step_seconds, self.saver.seconds, self.saver.between(rates.step_seconds))
        return {
            "step": at.step, "epoch": at.epoch, "loss": round(loss, 6), "lr": lr, "grad_norm": round(norm, 4),
            "examples_per_s": round(rates.examples, 2), "tokens_per_s": round(rates.tokens, 1), "eta_s": round(left, 1),
        }  # fmt: skip

    def validate(self, stop: Callable[[], bool]) -> Generator[Event, None, bool]:
        """Score dev, and keep the model if its cross-fitted macro-F1 is the best so far; whether it was."""
        began, at = time.monotonic(), self.position
        model = self.plain_model()
        scored = validation.score(
            model,
            self.task.dev,
            self.task.labels,
            self.device,
            self.config.threshold,
            self.config.threshold_fit,
            stop,
            self.ranks,
        )
        at.train_losses.append(at.loss_sum / max(1, at.loss_rows))
        at.dev_losses.append(scored.loss)
        best = scored.macro_f1 > at.best_score
        fields = {
            "step": at.step, "epoch": at.epoch, "train_loss": at.train_losses[-1], **scored.fields,
            "diagnosis": self._diagnosis(scored.macro_f1), "best": best,
        }  # fmt: skip
        if best:
            at.best_score, at.best_epoch = scored.macro_f1, at.epoch
            trouble = self.keeper.take(model, scored.thresholds, fields)
            if trouble:
                text = f"the model of epoch {at.epoch} was not kept: {trouble}. The training goes on, and it is tried again"
                yield "warning", {"text": text}
            try:
                self.task.keep_scores(scored.probabilities, scored.thresholds, at.epoch)
            except OSError as error:
                yield (
                    "warning",
                    {"text": f"which comments of dev it got wrong in epoch {at.epoch} was not kept: {error}"},
                )
        fields["seconds"] = round(time.monotonic() - began, 3)
        self.outlook.validated(fields["seconds"])
        yield "validation", fields
        return best

    def _diagnosis(self, macro_f1: float) -> str:
        """What the epochs so far say. Other losses than the cross-entropy may leave it above the base rates' and learn well."""
        at, plain = self.position, self.config.loss == "bce"
        unlearned = metrics.base_rate_loss(self.task.dev.truth) if plain else math.inf
        return metrics.diagnosis(at.train_losses, at.dev_losses, macro_f1, at.best_score, unlearned)

    def save(self, best: bool = False) -> Iterator[Event]:
        """Write a checkpoint; what the disk refused before is tried again where there is room by now."""
        at = self.position
        at.seconds = self.seconds()
        if not self.ranks.first:
            return
        written = yield from self.saver.write(self.model, self.optimizer, at, self.terms, best, self.average)
        self.outlook.passed()
        if written:
            yield from self.saver.look_at_disk(written)
            if self.keeper.owes and self.keeper.again(self.plain_model()):
                yield "warning", {"text": f"there is room again: the model of epoch {at.kept_epoch} is kept"}
