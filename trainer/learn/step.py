"""One optimizer step: the gradients of a window of batches, on this rank and on the others, and what is made of them.

Where the memory is short, batches are cut smaller; a step without a number changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from trainer.corpus.interrupt import Cancelled
from trainer.learn import objective
from trainer.learn.checkpoint import Position
from trainer.learn.clipping import clip
from trainer.learn.feed import feed_of
from trainer.learn.memory import out_of_memory, release
from trainer.learn.objective import Objective
from trainer.learn.randomness import put_torch_state, torch_state
from trainer.learn.ranks import FINE, LONE, SHORT, STOP, UPDATE, Ranks
from trainer.learn.task import Array, Event, MemoryShort, Task
from trainer.model import classifier


@dataclass(frozen=True)
class Taken:
    """One step: its summed loss and gradient norm (tensors, not yet waited for) and its tokens."""

    loss: torch.Tensor
    tokens: int
    norm: torch.Tensor


class Steps:
    """What a step needs of a training; `Training` is the rest of it."""

    def __init__(
        self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, precision: str,
        position: Position, ranks: Ranks = LONE,
    ) -> None:  # fmt: skip
        self.task, self.config, self.model, self.optimizer = task, task.config, model, optimizer
        self.device, self.precision, self.position, self.ranks = device, precision, position, ranks
        self.feed = feed_of(task.train, device)
        self.lengths = task.train.tokens.lengths
        self.objective = Objective.of(self.config, task.train.truth, device)
        # counted on the device, so that no step has to wait for it
        self.bad_steps = torch.tensor(position.bad_steps, device=device)
        self.most_bad_steps, self.left_out = self.bad_steps.clone(), torch.zeros_like(self.bad_steps)
        ranks.reserve(self.learned, device)

    @property
    def learned(self) -> list[nn.Parameter]:
        """The parameters that a step changes."""
        return [p for p in self.model.parameters() if p.requires_grad]

    @property
    def rows_at_once(self) -> int:
        """The most rows of a batch that this rank computes as one, if the memory holds them."""
        return self.ranks.longest_part(self.config.batch_size)

    @property
    def splittable(self) -> bool:
        """Whether a batch can be cut into smaller micro-batches than it is."""
        return self.position.split < self.rows_at_once

    def step(self, window: list[Array], stop: Callable[[], bool]) -> Generator[Event, None, Taken]:
        """One optimizer step over a window of batches. A step whose loss or gradient is no number changes nothing.

        Where the memory is short, batches are cut into smaller micro-batches, whose gradients add up to the same.
        Raises Cancelled when asked to stop inside the window, with everything as it was before it.
        """
        self.ranks.seed(self.config.seed, self.position.step)
        before = torch_state(self.device)
        while True:
            word, (loss, tokens) = self.tried(window, stop)
            word = self.ranks.worst(word)  # one that cannot go on keeps all of them from it, before anything changed
            if word == FINE:
                break
            if word == STOP:
                self.optimizer.zero_grad(set_to_none=True)
                put_torch_state(before, self.device)
                raise Cancelled("asked to stop")
            if not self.splittable:
                raise MemoryShort(f"the memory of {self.device} does not hold even one comment at a time")
            yield self.split(before)
        try:
            loss = self.ranks.add_gradients(self.learned, loss)
            norm = self.update(loss)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if self.ranks.size > 1:
                self.ranks.worst(UPDATE)  # raises, here and wherever the others speak next
            raise MemoryShort(f"the memory of {self.device} ran out in an update") from None
        if self.ranks.size > 1:
            tokens = int(self.lengths[np.concatenate(window)].sum())
        return Taken(loss, tokens, norm)

    def tried(self, window: list[Array], stop: Callable[[], bool]) -> tuple[int, tuple[torch.Tensor, int]]:
        """`gradients`, and a word on how that went: FINE, SHORT of memory, or STOP."""
        try:
            return FINE, self.gradients(window, stop)
        except Cancelled:
            word = STOP
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            word = SHORT
        return word, (torch.zeros((), device=self.device), 0)

    def split(self, before: dict[str, torch.Tensor]) -> Event:
        """Halve the micro-batches, and go back to the beginning of the step."""
        at, batch = self.position, self.rows_at_once
        self.optimizer.zero_grad(set_to_none=True)
        release(self.device)
        put_torch_state(before, self.device)
        at.split = min(at.split * 2, batch)
        smaller = math.ceil(batch / at.split)
        text = (
            f"the memory of {self.device} ran out at step {at.step + 1}. From here on {smaller} of {batch} comments at a "
            f"time, their gradients added up. The order of the comments is the same; dropout draws other numbers, so that the "
            f"weights differ as those of another seed do"
        )
        return "warning", {"text": text, "micro_batch": smaller, "split": at.split}

    def gradients(self, window: list[Array], stop: Callable[[], bool]) -> tuple[torch.Tensor, int]:
        """Add up this rank's gradients of the mean loss over all rows of the window; its summed loss and its tokens.

        The sum of them over all ranks is that of one process. They are sent once a step, not once a micro-batch.
        """
        rows = sum(len(batch) for batch in window)
        width = self.config.max_length if self.config.padding == "max_length" else None
        summed, tokens = torch.zeros((), device=self.device), 0
        micro = math.ceil(self.rows_at_once / self.position.split)
        own = [self.ranks.part(batch) for batch in window]
        parts = [batch[i : i + micro] for batch in own for i in range(0, len(batch), micro)]
        for part in parts:
            if stop():
                raise Cancelled("asked to stop")
            ids, mask, seen = self.feed.tokens(part, classifier.pad_id(self.model), width)
            tokens += seen
            if self.config.r_drop:  # each row twice in one batch, under two draws of dropout
                ids, mask = ids.repeat(2, 1), None if mask is None else mask.repeat(2, 1)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                logits = self.model(input_ids=ids, attention_mask=mask).logits
            loss, told = self.loss(logits.float(), part)
            (loss * (len(part) / rows)).backward()
            summed += told.detach() * len(part)
        return summed, tokens

    def loss(self, logits: torch.Tensor, part: Array) -> tuple[torch.Tensor, torch.Tensor]:
        """What is learned on for these rows, and what is told of it: cross-entropy with the labels, for every recipe."""
        truth, targets, weights = self.feed.truth(part), self.feed.targets(part), self.feed.weights(part)
        if self.objective.is_plain and targets is None and weights is None:
            loss = objective.plain(logits, truth)
            return loss, loss
        targets = truth if targets is None else targets
        return self.objective(logits, targets, weights), objective.plain(logits.detach()[: len(part)], truth)

    def update(self, loss: torch.Tensor) -> torch.Tensor:
        """Clip and apply the gradients, unless they or the loss are no number; the norm before the clipping."""
        norm = clip(self.model, self.config.clip or math.inf)
        bad = ~(torch.isfinite(norm) & torch.isfinite(loss))
        self.bad_steps = (self.bad_steps + 1) * bad
        self.most_bad_steps = torch.maximum(self.most_bad_steps, self.bad_steps)
        self.left_out += bad
        if self.optimizer.defaults.get("fused"):
            self.optimizer.found_inf = bad.float()  # type: ignore[attr-defined]  # the kernel itself leaves the step out
            self.optimizer.step()
        elif not bool(bad):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm
