"""A training from its newest checkpoint to its end: what `work` drives. It knows no screen, no terminal and no process.

`learn` is a generator: whoever drives it writes the events down and may stop it between two steps. The steps themselves
are in training.py; here stands what happens around them: beginning, resuming, going back, ending.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import torch
from torch import nn

from trainer.corpus.interrupt import Cancelled
from trainer.learn import checkpoint
from trainer.learn.average import Average
from trainer.learn.checkpoint import Checkpoint, Position
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.memory import release
from trainer.learn.objective import Objective
from trainer.learn.optimizer import AdamW
from trainer.learn.task import Diverged, Event, MemoryShort, Setback, Task
from trainer.learn.terms import changed, repeatable, same_tokens, terms
from trainer.learn.training import Training
from trainer.model import adapters, classifier, fast_embedding, fast_layer


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
        setback: Setback | None = task.before
        while setback is not None:
            setback = yield from _from_checkpoint(task, device, precision, setback, stop)
            release(device)


def _from_checkpoint(
    task: Task, device: torch.device, precision: str, setback: Setback, stop: Callable[[], bool]
) -> Generator[Event, None, Setback | None]:
    """One way from the newest checkpoint, or the beginning, to an end (None) or to another setback."""
    training, found, warnings = _ready(task, device, precision, setback)
    at = training.position
    for text in warnings:
        yield "warning", {"text": text}
    if setback.why:
        where = f"the checkpoint of step {at.step}" if found else "the beginning, since no checkpoint helps"
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
            below = at.step if training.nothing_left_out else None  # the weights of this very step are at fault
            return Setback(why, 1, at.split, at.kept_score, at.kept_epoch, below)
        yield training.failed(f"{error} at step {at.step}, with half the rate too", "nan", "A smaller lr often helps")
    except MemoryShort as error:
        if training.splittable:
            why = f"{error}; once more with smaller micro-batches"
            return Setback(why, at.halvings, at.split * 2, at.kept_score, at.kept_epoch)
        yield training.failed(str(error), "memory", "Choose a smaller max_length or encoder, or another device")
    return None


def _ready(
    task: Task, device: torch.device, precision: str, setback: Setback
) -> tuple[Training, Checkpoint | None, list[str]]:
    """Model and optimizer as the newest checkpoint left them that can be gone on from, or new; and the warnings.

    Raises ModelError if the tokenizer gives other tokens than when that checkpoint was made.
    """
    here = terms(device, precision, task)
    below, warnings = setback.below, []
    while True:
        model, optimizer = new_model(task, device)
        average = Average(model, task.config.ema) if task.config.ema else None
        found, more = checkpoint.newest(task.checkpoints, below)
        warnings += [text for text in more if text not in warnings]
        if found is None:
            # dropout draws from here on; the head's weights above have their own use of the seed
            torch.manual_seed(task.config.seed)
            position = Position()
            break
        same_tokens(found.terms, here, task.config.encoder)
        try:
            checkpoint.restore(found, model, optimizer, average)
            position = found.position
            break
        except checkpoint.CannotRestore as error:
            warnings.append(f"checkpoint {found.folder.name} is passed over: {error}")
            below = found.position.step
    try:
        checkpoint.pass_over(task.checkpoints, position.step)
    except OSError as error:
        warnings.append(f"{task.checkpoints}: a checkpoint that was passed over is still in the way: {error}")
    position.halvings = max(position.halvings, setback.halvings)
    position.split = max(position.split, setback.split)
    if setback.kept_score > position.kept_score:
        position.kept_score, position.kept_epoch = setback.kept_score, setback.kept_epoch
    if setback.why:
        position.bad_steps = 0
    return Training(task, model, optimizer, device, precision, position, here, average), found, warnings


def new_model(task: Task, device: torch.device) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Model and optimizer of a training that begins."""
    config = task.config
    frequency = Objective.of(config, task.train.truth, torch.device("cpu")).best_constant()
    model = classifier.build(
        task.encoder_folder, task.labels, config.seed, config.head_init, frequency, config.pooling, task.own_tokens
    )
    if config.lora_rank:
        own_from = min(task.own_tokens, default=None)
        adapters.add(model, config.lora_rank, config.lora_alpha, config.seed, own_from=own_from)
    fast_layer.make_fast(model)
    fast_embedding.make_fast(model)
    model = model.to(device)
    groups = classifier.parameter_groups(model, config.weight_decay, config.decay, config.layer_decay)
    return model, AdamW(groups, lr=config.lr, fused=device.type in ("cpu", "cuda"))
