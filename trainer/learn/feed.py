"""What a step reads of the training rows: made on the host for a processor, kept on a GPU for a GPU.

A GPU that holds tokens and targets itself is sent nothing but row numbers, and no step waits here for an answer of it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from trainer.learn.memory import out_of_memory, release
from trainer.learn.task import Array, Rows
from trainer.model import classifier

ROOM = 0.25
"""The share of a GPU's free memory that the rows may take; larger corpora are sent batch by batch."""


class Feed(Protocol):
    """Where batches come from. `rows` are row numbers (n,); what is answered lies on the training's device."""

    def tokens(self, rows: Array, fill: int, to: int | None = None) -> tuple[Tensor, Tensor | None, int]:
        """Token ids and attention mask, int64 of (n, width), and how many tokens are no padding.

        `width` is the longest row, or `to`. The mask is None where nothing is padded.
        """

    def truth(self, rows: Array) -> Tensor:
        """The labels, float32 of (n, labels)."""

    def targets(self, rows: Array) -> Tensor | None:
        """What is learned in place of the labels, or None: the labels."""

    def weights(self, rows: Array) -> Tensor | None:
        """How much each row counts, (n,), or None: all alike."""


def feed_of(rows: Rows, device: torch.device) -> Feed:
    """Keep `rows` on the `device` if that is a GPU with room for them, else on the host."""
    if device.type == "cuda" and _bytes(rows) <= ROOM * torch.cuda.mem_get_info(device)[0]:
        try:
            return Resident(rows, device)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        release(device)
    return OnHost(rows, device)


class OnHost:
    """Batches are padded by numpy and sent as they are needed."""

    def __init__(self, rows: Rows, device: torch.device) -> None:
        self._rows, self._device = rows, device
        self._truth = torch.from_numpy(rows.truth)
        self._targets = None if rows.targets is None else torch.from_numpy(rows.targets)
        self._weights = None if rows.weights is None else torch.from_numpy(rows.weights)

    def tokens(self, rows: Array, fill: int, to: int | None = None) -> tuple[Tensor, Tensor | None, int]:
        """As of `Feed`; the mask is always there."""
        ids, mask = classifier.padded(self._rows.tokens, rows, fill, to)
        return ids.to(self._device), mask.to(self._device), int(mask.sum())

    def truth(self, rows: Array) -> Tensor:
        """As of `Feed`."""
        return self._truth[rows].to(self._device)

    def targets(self, rows: Array) -> Tensor | None:
        """As of `Feed`."""
        return None if self._targets is None else self._targets[rows].to(self._device)

    def weights(self, rows: Array) -> Tensor | None:
        """As of `Feed`."""
        return None if self._weights is None else self._weights[rows].to(self._device)


class Resident:
    """Tokens, labels and weights lie on the device, where batches are gathered and padded. Raises what says that it is full."""

    def __init__(self, rows: Rows, device: torch.device) -> None:
        self._device = device
        self._lengths = np.maximum(rows.tokens.lengths, 1)  # a row without a token looks at one [PAD]
        self._none_empty = bool((rows.tokens.lengths > 0).all())
        self._ids = torch.from_numpy(rows.tokens.ids).to(device)
        self._starts = torch.from_numpy(rows.tokens.offsets[:-1]).to(device)
        self._counts = torch.from_numpy(rows.tokens.lengths).to(device)
        self._column = torch.arange(int(self._lengths.max(initial=1)), device=device)
        self._truth = torch.from_numpy(rows.truth).to(device)
        self._targets = None if rows.targets is None else torch.from_numpy(rows.targets).to(device)
        self._weights = None if rows.weights is None else torch.from_numpy(rows.weights).to(device)
        self._sent: tuple[Array, Tensor] | None = None

    def _there(self, rows: Array) -> Tensor:
        """The row numbers on the device; asked for three times a step, they are sent once."""
        if self._sent is None or self._sent[0] is not rows:
            numbers = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64))
            if self._device.type == "cuda":
                numbers = numbers.pin_memory()  # what is not pinned would be waited for
            self._sent = rows, numbers.to(self._device, non_blocking=True)
        return self._sent[1]

    def tokens(self, rows: Array, fill: int, to: int | None = None) -> tuple[Tensor, Tensor | None, int]:
        """As of `Feed`. How wide it is, and whether anything is padded, the host knows by itself."""
        lengths, there = self._lengths[rows], self._there(rows)
        width = max(1, int(to or lengths.max()))
        column = self._column[:width] if width <= len(self._column) else torch.arange(width, device=self._device)
        mask = column < self._counts[there][:, None]
        where = (self._starts[there][:, None] + column).clamp_(max=max(0, len(self._ids) - 1))
        ids = torch.where(mask, self._ids[where], fill) if len(self._ids) else torch.full_like(where, fill)
        tokens = int(np.minimum(lengths, width).sum())
        if self._none_empty and int(lengths.min()) >= width:
            return ids.long(), None, tokens
        mask[:, 0] = True
        return ids.long(), mask.long(), tokens

    def truth(self, rows: Array) -> Tensor:
        """As of `Feed`."""
        return self._truth[self._there(rows)]

    def targets(self, rows: Array) -> Tensor | None:
        """As of `Feed`."""
        return None if self._targets is None else self._targets[self._there(rows)]

    def weights(self, rows: Array) -> Tensor | None:
        """As of `Feed`."""
        return None if self._weights is None else self._weights[self._there(rows)]


def _bytes(rows: Rows) -> int:
    arrays = (rows.tokens.ids, rows.tokens.offsets, rows.truth, rows.targets, rows.weights)
    return sum(array.nbytes for array in arrays if array is not None)
