"""What the workers of one training say to each other: gradients, decisions, scores. One worker alone says nothing.

Every rank has the whole model, learns from its part of each batch, and takes the same step from the sum of all gradients,
as torch's DistributedDataParallel does. That one sends gradients during the backward pass, where a rank whose memory runs
out leaves the others waiting for what never comes. Here all gradients of a step cross at once, after every rank has said
that it has its own; and a rank may have no row of a small batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from trainer.learn.device import choose_device
from trainer.learn.meeting import meet
from trainer.learn.task import Array, MemoryShort
from trainer.runs.torchrun import ALONE, Place, note_meeting

FINE, SHORT, STOP, UPDATE = range(4)
"""What a rank says of its part of a step, the weightier later: its memory ran out before the gradients were there, it was
asked to stop, its memory ran out while the weights changed."""

LONGEST = timedelta(days=7)
"""A rank waits so long for the others: the first one may translate a corpus. torchrun sees which of them is dead."""

LOST = ("connection closed by peer", "connection reset by peer", "broken pipe", "timed out waiting", "connection was")
"""What gloo writes into a plain RuntimeError where another rank is gone."""


class Ranks:
    """The workers of one training as this one sees them. Each method but `part` is called by all of them, in the same order."""

    def __init__(self, place: Place = ALONE) -> None:
        self.rank, self.size = place.rank, place.size
        self._flat: Tensor | None = None

    @property
    def first(self) -> bool:
        """True for the one rank that writes: events, checkpoints, the model."""
        return self.rank == 0

    def part(self, rows: Array) -> Array:
        """This rank's share of the rows of a batch, (n,) -> (about n / size,); of rows by length, about as long ones."""
        return rows if self.size == 1 else rows[self.rank :: self.size]

    def longest_part(self, rows: int) -> int:
        """The most rows that a rank has of a batch of so many."""
        return -(-rows // self.size)

    def seed(self, seed: int, step: int) -> None:
        """Let dropout draw from (seed, step, rank): a training goes on exactly without the state of each rank on disk."""
        if self.size > 1:
            drawn = np.random.SeedSequence([seed, step, self.rank]).generate_state(1, np.uint64)
            torch.manual_seed(int(drawn[0] >> np.uint64(1)))

    def worst(self, word: int) -> int:
        """The weightiest of all ranks' words. Raises MemoryShort where that is UPDATE."""
        return self._said(word, 0)[0]

    def decided(self, value: int) -> int:
        """The first rank's value (at least -1). Raises MemoryShort as `worst` does."""
        return self._said(FINE, value)[1]

    def _said(self, word: int, value: int) -> tuple[int, int]:
        if self.size == 1:
            return word, value
        told = torch.tensor([word, value if self.first else -(2**62)], dtype=torch.int64)
        dist.all_reduce(told, dist.ReduceOp.MAX)
        worst, decided = (int(n) for n in told)
        if worst == UPDATE:
            raise MemoryShort("the memory of one of the devices ran out in an update")
        return worst, decided

    def said_by_all(self, text: str) -> list[str]:
        """The text of each rank, in their order."""
        if self.size == 1:
            return [text]
        own = torch.from_numpy(np.frombuffer(text.encode(), np.uint8).copy())
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(sizes, torch.tensor([len(own)]))
        longest = max(1, *(int(size) for size in sizes))
        places = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
        dist.all_gather(places, torch.nn.functional.pad(own, (0, longest - len(own))))
        return [
            bytes(place[: int(size)].numpy()).decode("utf-8", "replace")
            for place, size in zip(places, sizes, strict=True)
        ]

    def told_by_all(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        """What each rank tells, as JSON; nothing is pickled."""
        return [json.loads(text) for text in self.said_by_all(json.dumps(value))]

    def add_gradients(self, learned: Sequence[torch.nn.Parameter], loss: Tensor) -> Tensor:
        """Put the sum of all ranks' gradients in the place of each own one; the sum of their losses, a scalar.

        One message for all parameters. The gradients are views of one buffer from here to the end of the step.
        """
        if self.size == 1:
            return loss
        wanted = sum(p.numel() for p in learned) + 1
        if self._flat is None or self._flat.numel() != wanted or self._flat.device != loss.device:
            self._flat = torch.empty(wanted, device=loss.device)
        flat = self._flat
        views = [v.view_as(p) for v, p in zip(flat[:-1].split([p.numel() for p in learned]), learned, strict=True)]
        for view, parameter in zip(views, learned, strict=True):
            if parameter.grad is None:
                view.zero_()
            else:
                view.copy_(parameter.grad)
            parameter.grad = None
        flat[-1] = loss
        dist.all_reduce(flat)
        for view, parameter in zip(views, learned, strict=True):
            parameter.grad = view
        return flat[-1].clone()

    def reserve(self, learned: Sequence[torch.nn.Parameter], device: torch.device) -> None:
        """Take the memory for the message of `add_gradients` before the first step, so that it does not run out there."""
        if self.size > 1:
            self._flat = torch.empty(sum(p.numel() for p in learned) + 1, device=device)

    def gathered(self, rows: Array, values: Array, count: int) -> Array:
        """All ranks' `values` (own rows, columns), each in its row of (count, columns); `rows` of two ranks share none."""
        if self.size == 1:
            return values
        whole = torch.zeros((count, values.shape[1]))
        whole[torch.from_numpy(rows)] = torch.from_numpy(values)
        dist.all_reduce(whole)  # every other rank adds 0 to a row, which changes no bit of it
        found: Array = whole.numpy()
        return found


LONE = Ranks()
"""A training in one process."""


def device_of(name: str, place: Place) -> torch.device:
    """The setting `device` -> what this rank computes on: of CUDA devices the one with its number. Raises ConfigError."""
    found = choose_device(name)
    if not place.several or found.type != "cuda":
        return found
    return choose_device(f"cuda:{place.local}")


@contextmanager
def joined(place: Place, device: str) -> Iterator[Ranks]:
    """The ranks of this training, met. Raises ConfigError for a `device` that this rank does not have.

    A wish to stop is heard once they have met: a rank that left before would be waited for.
    Numbers on the processor, decisions too, go over gloo; what lies on a GPU over NCCL.
    """
    if not place.several:
        yield LONE
        return
    on = device_of(device, place)
    backend = "gloo"
    if on.type == "cuda":
        torch.cuda.set_device(on)
        backend = "cpu:gloo,cuda:nccl"
    store = meet(place)
    if store is not None:
        dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.size, timeout=LONGEST)
    else:
        dist.init_process_group(backend, timeout=LONGEST)
    note_meeting()
    yield Ranks(place)
    # Not after an error: it may be that another rank is gone, and this process ends with it.
    dist.destroy_process_group()


def peer_lost(error: BaseException) -> bool:
    """Whether `error` means that another rank is gone."""
    if isinstance(error, dist.DistBackendError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in LOST)
