"""How good the model is on dev by now: computed in fp32, as the predictor will, and told as one event's fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import TokenArrays
from trainer.labels import LabelSet
from trainer.learn.memory import out_of_memory, release
from trainer.learn.ranks import FINE, LONE, STOP, Ranks
from trainer.learn.task import Array, Diverged, Rows
from trainer.model import classifier, metrics

BATCH_TOKENS, GPU_BATCH_TOKENS = 2_048, 32_768
"""Padded tokens computed at a time: what fits into a processor's cache, or keeps a GPU busy. Halved where the memory is short."""


def batch_tokens(device: torch.device) -> int:
    """Padded tokens that are computed at a time to begin with."""
    return BATCH_TOKENS if device.type == "cpu" else GPU_BATCH_TOKENS


@dataclass(frozen=True)
class Scored:
    """Dev scored: its loss, the fields of the event, and each label's threshold."""

    loss: float
    macro_f1: float
    fields: dict[str, Any]
    thresholds: dict[str, float]
    probabilities: Array
    """(rows, labels) in 0..1."""


def score(
    model: nn.Module,
    dev: Rows,
    labels: LabelSet,
    device: torch.device,
    threshold: float,
    way: str,
    stop: Callable[[], bool],
    ranks: Ranks = LONE,
) -> Scored:
    """Score `dev`. A `threshold` above 0 stands for all labels; else they are fitted in this `way`.

    Each of several ranks computes its share of the rows, and all come to the same scores of all of them.
    Raises Cancelled when asked to stop, or Diverged.
    """
    p = _shared(model, dev.tokens, device, stop, ranks)
    if not np.isfinite(p).all():
        raise Diverged("the scores on dev are NaN or infinite")
    return judged(dev.truth, p, labels, threshold, way)


def judged(truth: Array, p: Array, labels: LabelSet, threshold: float, way: str) -> Scored:
    """What probabilities of dev are worth; `truth` and `p` are (rows, labels). The rest is as in `score`."""
    honest = metrics.scores(truth, metrics.cross_fitted(truth, p, way))
    classic = metrics.scores(truth, p >= metrics.CLASSIC)
    fitted = np.full(len(labels), threshold) if threshold else metrics.fit_thresholds(truth, p, way)
    thresholds = {name: round(float(t), 4) for name, t in zip(labels.names, fitted, strict=True)}
    loss = metrics.bce(truth, p)
    # every figure is taken from the cross-fitted cut but for those that name another
    fields = {
        "loss": loss, "macro_f1": honest.macro_f1, "micro_f1": honest.micro_f1, "weighted_f1": honest.weighted_f1,
        "macro_f1_at_0.3": classic.macro_f1,
        "per_label": {
            name: {
                "precision": float(honest.precision[k]), "recall": float(honest.recall[k]), "f1": float(honest.f1[k]),
                "support": int(honest.support[k]), "threshold": thresholds[name],
            }
            for k, name in enumerate(labels.names)
        },
    }  # fmt: skip
    return Scored(loss, honest.macro_f1, fields, thresholds, p)


def _shared(
    model: nn.Module, tokens: TokenArrays, device: torch.device, stop: Callable[[], bool], ranks: Ranks
) -> Array:
    """The probabilities of all rows, each computed by one rank."""
    if ranks.size == 1:
        return _probabilities(model, tokens, device, stop)
    rows = ranks.part(np.argsort(-tokens.lengths, kind="stable"))
    word, p = FINE, np.zeros((len(rows), classifier.outputs(model)), np.float32)
    try:
        p = _probabilities(model, tokens.take(rows), device, stop)
    except Cancelled:
        word = STOP
    if ranks.worst(word) == STOP:
        raise Cancelled("asked to stop")
    return ranks.gathered(rows, p, len(tokens))


def _probabilities(model: nn.Module, tokens: TokenArrays, device: torch.device, stop: Callable[[], bool]) -> Array:
    at_a_time = batch_tokens(device)
    while True:
        try:
            return classifier.probabilities(model, tokens, device, at_a_time, stop)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or at_a_time <= 1:
                raise
        at_a_time //= 2
        release(device)
