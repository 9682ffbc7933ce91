"""A training from its newest checkpoint to its end: what `work` drives. It knows no screen, no terminal and no process.

`learn` is a generator: whoever drives it writes the events down and may stop it between two steps. The steps themselves
are in training.py; here stands what happens around them: beginning, resuming, going back, ending.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch

from trainer.corpus.interrupt import Cancelled
from trainer.learn import checkpoint
from trainer.learn.checkpoint import Checkpoint, Position
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.memory import release
from trainer.learn.task import Diverged, Event, MemoryShort, Task
from trainer.learn.terms import changed, repeatable, terms
from trainer.learn.training import Training
from trainer.model import classifier


@dataclass(frozen=True)
class Setback:
    """Why a training goes back to its last checkpoint, and what it takes along from where it was."""

    why: str = ""
    halvings: int = 0
    split: int = 1
    best_score: float = -1.0
    best_epoch: int = 0

    def put_on(self, position: Position) -> None:
        """Change `position`, that of a checkpoint, so that it goes another way than the first time."""
        position.halvings = max(position.halvings, self.halvings)
        position.split = max(position.split, self.split)
        if self.best_score > position.best_score:  # the kept model gives way only to a better one
            position.best_score, position.best_epoch = self.best_score, self.best_epoch


def learn(task: Task, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train as `task.config` says, from the newest valid checkpoint if there is one.

    Yields `started` or `resumed`, then `step`, `validation`, `checkpoint` and `warning`, and last one of `finished`,
    `stopped` (after a checkpoint) or `failed` (reason nan or memory, with the best model so far kept). A loss that
    stays no number sends it back to its last checkpoint once, with half the rate; so does memory that runs out in the
    middle of an update, with smaller micro-batches: then `resumed` (or `started`) comes again. Raises ModelError for an
    encoder that cannot be used, ConfigError for a device that is not there.
    """
    device = choose_device(task.config.device)
    precision = choose_precision(task.config.precision, device)
    with repeatable(task.config.deterministic, device):
        setback: Setback | None = Setback()
        while setback is not None:
            setback = yield from _from_checkpoint(task, device, precision, setback, stop)
            release(device)


def _from_checkpoint(
    task: Task, device: torch.device, precision: str, setback: Setback, stop: Callable[[], bool]
) -> Generator[Event, None, Setback | None]:
    """One way from the newest checkpoint, or the beginning, to an end (None) or to another setback."""
    training, found, warnings = _ready(task, device, precision)
    at = training.position
    setback.put_on(at)
    for text in warnings:
        yield "warning", {"text": text}
    if setback.why:
        where = f"the checkpoint of step {at.step}" if found else "the beginning, since there is no checkpoint"
        yield "warning", {"text": f"{setback.why}: back to {where}"}
    if found:
        yield "resumed", {"step": at.step, "epoch": at.epoch, **training.about()}
        other = changed(found.terms, training.terms)
        if other:
            yield "warning", {"text": other}
    else:
        yield "started", training.about()
    try:
        yield from training.epochs(stop)
    except Cancelled:
        yield from training.save()
        yield "stopped", {"step": at.step, "epoch": at.epoch}
    except Diverged as error:
        if not at.halvings:
            why = f"{error} at step {at.step}; once more with half the rate"
            return Setback(why, 1, at.split, at.best_score, at.best_epoch)
        yield training.failed(f"{error} at step {at.step}, with half the rate too", "nan", "A smaller lr often helps")
    except MemoryShort as error:
        if training.splittable:
            why = f"{error}; once more with smaller micro-batches"
            return Setback(why, at.halvings, at.split * 2, at.best_score, at.best_epoch)
        yield training.failed(str(error), "memory", "Choose a smaller max_length or encoder, or another device")
    return None


def _ready(task: Task, device: torch.device, precision: str) -> tuple[Training, Checkpoint | None, list[str]]:
    """Model and optimizer as the newest valid checkpoint left them, or new; and a warning for each damaged one."""
    config = task.config
    frequency = (task.train.truth.sum(0) + 0.5) / (len(task.train.truth) + 1)
    model = classifier.build(task.encoder_folder, task.labels, config.seed, config.head_init, frequency).to(device)
    groups = classifier.parameter_groups(model, config.weight_decay, config.decay)
    optimizer = torch.optim.AdamW(groups, lr=config.lr, fused=device.type in ("cpu", "cuda"))
    found, warnings = checkpoint.newest(task.checkpoints)
    if found:
        checkpoint.restore(found, model, optimizer)
    else:
        # dropout draws from here on; the head's weights above have their own use of the seed
        torch.manual_seed(config.seed)
    position = found.position if found else Position()
    here = terms(device, precision, config.deterministic)
    return Training(task, model, optimizer, device, precision, position, here), found, warnings
