"""Texts in, emotions out: one loaded classifier with its thresholds. Knows no screen; the service and the CLI drive it.

torch takes seconds to import, so it is imported where it is needed: ONNX Runtime computes the stock encoders without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trainer import devices
from trainer.corpus.interrupt import Stop, Tell
from trainer.corpus.tokens import TokenArrays, load_tokenizer, tokenize
from trainer.errors import ConfigError, ModelError
from trainer.model.metrics import CLASSIC
from trainer.model.stock_bert import is_plain
from trainer.modelfolder import ModelFolder, find_model, read_label_names, read_max_length, read_thresholds

Array = np.ndarray[Any, np.dtype[Any]]
Threshold = str | float

TUNED = "tuned"

PRECISIONS = ("fp32", "bf16", "int8")


class Engine(Protocol):
    """What computes a classifier, and where: `device`, as a user names it. `labels`: how many it has."""

    device: str
    labels: int

    def probabilities(self, tokens: TokenArrays, stop: Stop = None, tell: Tell = None) -> Array:
        """Sigmoid probabilities, float32 of (rows, labels), in the rows' order. `stop` ends it with Cancelled."""
        ...

    def vectors(self, tokens: TokenArrays, rows: Array) -> Array:
        """By which comments are compared: unit vectors of `rows`, float32 of (rows, hidden). Raises ModelError."""
        ...


def engine_of(
    folder: Path, device: str, precision: str, few: bool = False, tell: Callable[[str], None] = lambda what: None
) -> Engine:
    """ONNX Runtime for a stock encoder on a processor in fp32, else torch; `few` as with `Predictor`.

    `tell` hears what takes long. Raises ConfigError, ModelError, NotFoundError.
    """
    if precision == "int8":
        return _in_int8(folder, device, few)
    if device == "auto" and not few and devices.may_have_gpu():
        from trainer.learn.device import choose_device

        device = str(choose_device(device))
    if device in ("auto", "cpu") and precision == "fp32":
        with suppress(ImportError):  # where ONNX Runtime has no build that works, torch computes the same
            from trainer.model import onnx_bert

            found = onnx_bert.load(folder, few)
            if found is not None:
                return found
    if "torch" not in sys.modules:
        tell("importing torch")
    from trainer.infer.torch_engine import TorchEngine

    if not is_plain(folder) and "transformers" not in sys.modules:
        tell("importing transformers")
    return TorchEngine(folder, device, precision, few)


def _in_int8(folder: Path, device: str, few: bool) -> Engine:
    """Raises ConfigError for another device than a processor, ModelError for what is no stock encoder."""
    if device not in ("auto", "cpu"):
        raise ConfigError(
            f"precision int8 is computed on a processor; with device={device} use fp32 or bf16", key="precision"
        )
    from trainer.model import int8_bert

    found = int8_bert.load(folder, few)
    if found is None:
        raise ModelError(f"{folder}: int8 is for stock BERT and DistilBERT models; use precision fp32 or bf16")
    return found


@dataclass(frozen=True)
class Emotion:
    """One detected emotion; `probability` and `threshold` are 0..1."""

    emotion: str
    probability: float
    threshold: float


@dataclass(frozen=True)
class Prediction:
    """What one text feels. `emotions` are those at or over their threshold, the most probable first; `scores` holds all."""

    text: str
    emotions: tuple[Emotion, ...]
    scores: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The element of `results` in the JSON of `predict`."""
        return {"text": self.text, "emotions": [vars(e) for e in self.emotions], "scores": self.scores}


def cuts_of(threshold: Threshold, tuned: Mapping[str, float] | None, labels: Sequence[str]) -> Array:
    """One cut a label, float64 of shape (labels,), for "tuned" or one value; `tuned` are the model's. Raises ConfigError."""
    if threshold == TUNED:
        return np.full(len(labels), CLASSIC) if tuned is None else np.array([tuned[name] for name in labels])
    try:
        value = float(threshold)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ConfigError(f"threshold {threshold!r}: give {TUNED} or a value between 0 and 1", key="threshold")
    return np.full(len(labels), value)


class Predictor:
    """A classifier ready to predict.

    `model` is a run id, an imported model, a folder, a Hub name or `starter` (left out: the default model); `threshold` is "tuned" (the
    model's own where it has them, else 0.3) or one value for all labels. `few`: a few texts at a time are all that is asked;
    a stock encoder is then computed on the processor, with as many cores as a sentence is worth: no GPU is woken for it or
    held. `tell` hears what takes long while it loads.
    `precision`: fp32, or bf16, which computes in half precision and moves a probability by up to about .01, or int8 (stock
    encoders on a processor), which moves one by .0025 on average and by .2 at most.
    Afterwards `labels` names its outputs in order, `tuned` holds the model's own thresholds (None where it has none),
    `max_length` how many tokens it reads, and `warnings` what should be known of it, in words.
    Raises NotFoundError, ModelError, ConfigError.
    """

    def __init__(
        self,
        model: str | ModelFolder | None = None,
        device: str = "auto",
        threshold: Threshold = TUNED,
        few: bool = False,
        precision: str = "fp32",
        tell: Callable[[str], None] = lambda what: None,
    ) -> None:
        if precision not in PRECISIONS:
            raise ConfigError(f"precision {precision!r}: one of {', '.join(PRECISIONS)}", key="precision")
        self.precision = precision
        self.folder = model if isinstance(model, ModelFolder) else find_model(model)
        path = self.folder.path
        self.labels, self.warnings = read_label_names(path)
        self.tuned = read_thresholds(path)
        self.max_length = read_max_length(path)
        self.tokenizer = load_tokenizer(path)
        self.engine = engine_of(path, device, precision, few, tell)
        if self.engine.labels != len(self.labels):
            raise ModelError(f"{path}: the model has {self.engine.labels} outputs, but names {len(self.labels)}")
        if self.tuned is not None and set(self.tuned) != set(self.labels):
            odd = sorted(set(self.tuned) ^ set(self.labels))
            raise ModelError(f"{path / 'thresholds.json'} and config.json name other labels: {', '.join(odd[:3])}")
        self.threshold = threshold
        self.thresholds(threshold)

    @property
    def name(self) -> str:
        """What the user calls the model."""
        return self.folder.name

    def thresholds(self, threshold: Threshold | None = None) -> Array:
        """One cut a label, float64 of shape (labels,), for "tuned" or one value. Raises ConfigError."""
        return cuts_of(self.threshold if threshold is None else threshold, self.tuned, self.labels)

    def probabilities(self, texts: Sequence[str], stop: Stop = None) -> Array:
        """float32 of shape (texts, labels), in order. `stop` ends the work with Cancelled."""
        return self.of_tokens(tokenize(list(texts), self.tokenizer, self.max_length), stop=stop)

    def of_tokens(self, tokens: TokenArrays, tell: Tell = None, stop: Stop = None) -> Array:
        """The same of texts that this model's tokenizer has seen. `tell` hears how many rows are done."""
        return self.engine.probabilities(tokens, stop, tell)

    def predict(self, texts: str | Sequence[str], threshold: Threshold | None = None) -> list[Prediction]:
        """One prediction a text, in order. A text without words still gets the scores the model gives it."""
        texts = [texts] if isinstance(texts, str) else texts
        self.thresholds(threshold)  # what is wrong with it is said before anything is computed
        return self.predictions(texts, self.probabilities(texts), threshold)

    def predictions(
        self, texts: Sequence[str], probabilities: Array, threshold: Threshold | None = None
    ) -> list[Prediction]:
        """What is said of texts whose probabilities are known, float of (texts, labels). Raises ConfigError."""
        cuts = self.thresholds(threshold)
        return [
            Prediction(
                text,
                tuple(
                    Emotion(self.labels[k], round(float(p[k]), 6), round(float(cuts[k]), 6))
                    for k in np.argsort(-p, kind="stable")
                    if p[k] >= cuts[k]
                ),
                {name: round(float(p[k]), 6) for k, name in enumerate(self.labels)},
            )
            for text, p in zip(texts, probabilities, strict=True)
        ]
