"""A classifier in torch: any encoder on any device, and half precision. Importing it takes seconds.

What ONNX Runtime computes faster is `trainer.model.onnx_bert`'s; both answer the same questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.corpus.interrupt import Stop, Tell
from trainer.corpus.tokens import TokenArrays
from trainer.learn.device import choose_device, choose_precision
from trainer.model import bert, classifier
from trainer.model.vectors import vectors

Array = np.ndarray[Any, np.dtype[Any]]

_AT_ONCE = {"cpu": 2_048}
"""Padded tokens that are computed together, by device: what fits into a processor's cache, or keeps a GPU busy."""

SMALL = 40_000_000
"""Parameters up to which one core answers a sentence between two keys. More cores would only wait for each other as soon
as anything else runs, a training for example: p95 490 ms on two busy cores, 94 ms on one of them."""


class TorchEngine:
    """`model` on `torch_device`, in fp32 or bf16. `labels`: how many. Raises ConfigError, ModelError."""

    def __init__(self, folder: Path, device: str, precision: str, few: bool) -> None:
        self.torch_device, self.precision = choose_device(device), precision
        self.device = str(self.torch_device)
        self.model = (bert.load(folder) or classifier.load(folder)).to(self.torch_device)
        self.labels = classifier.outputs(self.model)
        self._one_core = few and sum(p.numel() for p in (*self.model.parameters(), *self.model.buffers())) <= SMALL

    def probabilities(self, tokens: TokenArrays, stop: Stop = None, tell: Tell = None) -> Array:
        """As those of `OnnxBert`."""
        kind = self.torch_device.type
        with self._cores(), torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bf16"):
            at_once = _AT_ONCE.get(kind, 32_768)
            return classifier.probabilities(self.model, tokens, self.torch_device, at_once, stop, tell)

    def vectors(self, tokens: TokenArrays, rows: Array) -> Array:
        """As those of `OnnxBert`; in half precision where that is fast, an index keeps no more anyway."""
        half = choose_precision("auto", self.torch_device) == "bf16"
        with self._cores(), torch.autocast(self.torch_device.type, torch.bfloat16, enabled=half):
            return vectors(self.model, tokens, rows, self.torch_device)

    @contextmanager
    def _cores(self) -> Iterator[None]:
        """One core for a while, where more would only wait for each other."""
        before = torch.get_num_threads()
        torch.set_num_threads(1 if self._one_core else before)
        try:
            yield
        finally:
            torch.set_num_threads(before)
