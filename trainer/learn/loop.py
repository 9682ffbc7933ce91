"""A training from its newest checkpoint to its end: what `work` drives. It knows no screen, no terminal and no process.

`learn` is a generator: whoever drives it writes the events down and may stop it between two steps. The steps themselves
are in training.py; here stands what happens around them: beginning, resuming, going back, ending.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Generator, Iterator

import torch
from torch import nn

from trainer.corpus.interrupt import Cancelled
from trainer.errors import ModelError
from trainer.learn import checkpoint
from trainer.learn.average import Average
from trainer.learn.checkpoint import Checkpoint, Position
from trainer.learn.device import choose_device, choose_precision
from trainer.learn.memory import release
from trainer.learn.objective import Objective
from trainer.learn.optimizer import AdamW
from trainer.learn.ranks import LONE, Ranks
from trainer.learn.task import Diverged, Event, MemoryShort, Setback, Task
from trainer.learn.terms import changed, repeatable, same_tokens, terms
from trainer.learn.training import Training
from trainer.model import adapters, classifier, fast_embedding, fast_layer


def learn(
    task: Task, stop: Callable[[], bool] = lambda: False, ranks: Ranks = LONE, device: torch.device | None = None
) -> Iterator[Event]:
    """Train as `task.config` says, from the newest valid checkpoint if there is one.

    Yields `started` or `resumed`, then `step`, `validation`, `checkpoint` and `warning`, and last one of `finished`,
    `stopped` (after a checkpoint) or `failed` (reason nan or memory, with the best model so far kept). A loss that
    stays no number sends it back to its last checkpoint once, with half the rate; so does memory that runs out in the
    middle of an update, with smaller micro-batches: then `resumed` (or `started`) comes again. Raises ModelError for an
    encoder that cannot be used, ConfigError for a device that is not there.

    Of several `ranks` each does this on its own `device`, with the same events, but the first alone writes checkpoints.
    """
    device = device or choose_device(task.config.device)
    precision = choose_precision(task.config.precision, device)
    with repeatable(task.config.deterministic, device):
        setback: Setback | None = task.before
        while setback is not None:
            setback = yield from _from_checkpoint(task, device, precision, setback, stop, ranks)
            release(device)


def _from_checkpoint(
    task: Task, device: torch.device, precision: str, setback: Setback, stop: Callable[[], bool], ranks: Ranks
) -> Generator[Event, None, Setback | None]:
    """One way from the newest checkpoint, or the beginning, to an end (None) or to another setback."""
    training, found, warnings = _ready(task, device, precision, setback, ranks)
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
    task: Task, device: torch.device, precision: str, setback: Setback, ranks: Ranks = LONE
) -> tuple[Training, Checkpoint | None, list[str]]:
    """Model and optimizer as the newest checkpoint left them that can be gone on from, or new; and the warnings.

    Raises ModelError if the tokenizer gives other tokens than when that checkpoint was made, or if ranks would begin
    with other weights.
    """
    here = terms(device, precision, task, ranks.size)
    below, warnings = setback.below, []
    while True:
        model, optimizer = new_model(task, device)
        average = Average(model, task.config.ema) if task.config.ema else None
        found, more = _found(task, below, ranks)
        warnings += [text for text in more if text not in warnings]
        if found is None:
            # dropout draws from here on; the head's weights above have their own use of the seed
            torch.manual_seed(task.config.seed)
            position = Position()
            break
        same_tokens(found.terms, here, task.config.encoder)
        fault = _restored(found, model, optimizer, average)
        fault = next((said for said in ranks.said_by_all(fault) if said), "")
        if not fault:
            position = found.position
            break
        warnings.append(f"checkpoint {found.folder.name} is passed over: {fault}")
        below = found.position.step
    if ranks.first:
        try:
            checkpoint.pass_over(task.checkpoints, position.step)
        except OSError as error:
            warnings.append(f"{task.checkpoints}: a checkpoint that was passed over is still in the way: {error}")
    _same_weights(model, ranks)
    position.halvings = max(position.halvings, setback.halvings)
    position.split = max(position.split, setback.split)
    if setback.kept_score > position.kept_score:
        position.kept_score, position.kept_epoch = setback.kept_score, setback.kept_epoch
    if setback.why:
        position.bad_steps = 0
    return Training(task, model, optimizer, device, precision, position, here, average, ranks), found, warnings


def _found(task: Task, below: int | None, ranks: Ranks) -> tuple[Checkpoint | None, list[str]]:
    """The checkpoint to go on from, as the first rank sees it, and warnings. Raises ModelError if another cannot read it."""
    found, warnings = checkpoint.newest(task.checkpoints, below) if ranks.first else (None, [])
    step = ranks.decided(found.position.step if found else -1)
    if not ranks.first and step >= 0:
        found = checkpoint.of_step(task.checkpoints, step)
    missing = "" if step < 0 or found is not None else socket.gethostname()
    where = [host for host in ranks.said_by_all(missing) if host]
    if where:
        raise ModelError(
            f"checkpoint {step} cannot be read on {where[0]}: {task.checkpoints} has to be one folder for all machines"
        )
    return found, warnings


def _restored(found: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, average: Average | None) -> str:
    """Put everything back as it was; what is wrong with the checkpoint, or nothing."""
    try:
        checkpoint.restore(found, model, optimizer, average)
    except checkpoint.CannotRestore as error:
        return str(error) or type(error).__name__
    return ""


def _same_weights(model: nn.Module, ranks: Ranks) -> None:
    """Raise ModelError where a rank would begin with other weights than the first: they would never come together."""
    if ranks.size == 1:
        return
    found = hashlib.sha256()
    for parameter in model.parameters():
        found.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    said = ranks.told_by_all({"weights": found.hexdigest(), "host": socket.gethostname()})
    for rank, other in enumerate(said):
        if other["weights"] != said[0]["weights"]:
            raise ModelError(
                f"rank {rank} on {other['host']} would begin with other weights than the first: the encoder and the "
                f"versions of torch have to be the same on all machines"
            )


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
