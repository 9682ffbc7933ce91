"""A stock classifier in ONNX Runtime: torch's numbers on a processor, in about half its time, torch never imported.

Chosen by measurement (`make bench`): against torch eager and the runtime's own int8.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as runtime
import psutil

from trainer import devices
from trainer.corpus.interrupt import Cancelled, Stop, Tell
from trainer.corpus.tokens import TokenArrays
from trainer.errors import ModelError
from trainer.model import graph, stock
from trainer.model.batches import by_length

Array = np.ndarray[Any, np.dtype[Any]]

MOST_FOR_FEW = 4
"""Cores that one sentence is worth; more would wait for each other longer than they compute."""

PROVIDERS = ["CPUExecutionProvider"]


class OnnxBert:
    """`device`: where it computes, as a user names it. `labels`: how many. `at_once`: padded tokens that are computed
    together, for each core: what fits into its cache."""

    device = "cpu"
    at_once = 256

    def __init__(self, folder: Path, found: stock.Stock, cores: int) -> None:
        self.folder, self.stock, self.cores = folder, found, cores
        self.labels = found.labels
        self._logits = self._session(hidden=False)
        self._hidden: runtime.InferenceSession | None = None

    def probabilities(self, tokens: TokenArrays, stop: Stop = None, tell: Tell = None) -> Array:
        """Sigmoid probabilities, float32 of (rows, labels), in the rows' order; rows of like length are computed together.

        Raises ModelError for tokens that the model does not have.
        """
        out = np.zeros((len(tokens), self.labels), np.float32)
        done = 0
        for rows in by_length(tokens.lengths, self.at_once * self.cores):
            if stop and stop():
                raise Cancelled("computing probabilities was cancelled")
            out[rows] = np.exp(-np.logaddexp(0, -self._run(self._logits, *tokens.padded(rows, self.stock.pad))))
            done += len(rows)
            if tell:
                tell(done)
        return out

    def vectors(self, tokens: TokenArrays, rows: Array) -> Array:
        """The mean of the last hidden states of each of `rows`, of length one: float32 of (rows, hidden), in one batch."""
        if self._hidden is None:
            self._hidden = self._session(hidden=True)
        ids, mask = tokens.padded(rows, self.stock.pad)
        mean = (self._run(self._hidden, ids, mask) * mask[:, :, None]).sum(1, dtype=np.float32) / mask.sum(
            1, keepdims=True
        )
        found: Array = (mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)).astype(np.float32)
        return found

    def _session(self, hidden: bool) -> runtime.InferenceSession:
        model, weights = graph.build(self.stock, hidden)
        return self._open(model.SerializeToString(), weights)

    def _open(self, model: bytes, weights: dict[str, Array]) -> runtime.InferenceSession:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.cores
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; they are raised, too
        options.enable_mem_pattern = False  # one is kept for each shape, and every batch has its own
        # a core that waits by spinning takes itself away from the training beside it
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        names, values = list(weights), [runtime.OrtValue.ortvalue_from_numpy(value) for value in weights.values()]
        options.add_external_initializers(names, values)
        return runtime.InferenceSession(model, options, providers=PROVIDERS)

    def _run(self, session: runtime.InferenceSession, ids: Array, mask: Array) -> Array:
        try:
            found: Array = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        except Exception as error:  # the runtime's errors have no class in common but this one
            what = str(error).partition("\n")[0]
            raise ModelError(f"{self.folder}: the model could not compute this: {what}") from error
        return found


def load(folder: Path, few: bool = False) -> OnnxBert | None:
    """The classifier in `folder`, ready to predict; None for what only torch or transformers knows, or says what is wrong with.

    `few`: a sentence now and then is what it is for, so that it takes `MOST_FOR_FEW` cores at the most.
    Raises ModelError or NotFoundError for a broken compact form.
    """
    found = stock.read(folder)
    if found is None:
        return None
    return OnnxBert(folder, found, cores_for(few))


def cores_for(few: bool) -> int:
    """Whole ones that this process may use (two threads of one only wait for each other); fewer where OMP_NUM_THREADS says so."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    there = min(devices.cores(), psutil.cpu_count(logical=False) or devices.cores())
    there = max(1, min(there, int(asked))) if asked.isdecimal() else there
    return min(MOST_FOR_FEW, there) if few else there
