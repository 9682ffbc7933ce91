"""Texts in, emotions out: one loaded classifier with its thresholds. Knows no screen; the service and the CLI drive it.

torch takes seconds to import, so it is imported where it is used: a few sentences do without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.corpus.tokens import TokenArrays, load_tokenizer, tokenize
from trainer.errors import ConfigError, ModelError
from trainer.model.metrics import CLASSIC
from trainer.modelfolder import ModelFolder, find_model, read_label_names, read_max_length, read_thresholds

if TYPE_CHECKING:
    import torch
    from torch import nn

    from trainer.model.light import LightBert

Array = np.ndarray[Any, np.dtype[Any]]
Threshold = str | float

TUNED = "tuned"

PRECISIONS = ("fp32", "bf16")

_AT_ONCE = {"cpu": 2_048}
"""Padded tokens that are computed together, by device: what fits into a processor's cache, or keeps a GPU busy."""


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


class Predictor:
    """A classifier ready to predict.

    `model` is a run id, a folder, a Hub name or `starter` (left out: the default model); `threshold` is "tuned" (the
    model's own where it has them, else 0.3) or one value for all labels. `light`: a few texts are all that is asked, so
    a stock BERT is computed in numpy and torch is not imported; other models, and devices by name, are as ever.
    `precision`: fp32, or bf16, which computes in half precision and moves a probability by up to about .01.
    Raises NotFoundError, ModelError, ConfigError.
    """

    device: torch.device
    """Where it computes. Not there where it is light."""
    model: nn.Module
    """The classifier in torch. Not there where it is light."""

    def __init__(
        self,
        model: str | ModelFolder | None = None,
        device: str = "auto",
        threshold: Threshold = TUNED,
        light: bool = False,
        precision: str = "fp32",
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
        self.light: LightBert | None = self._light(path) if light and device in ("auto", "cpu") else None
        outputs = self.light.labels if self.light is not None else self._heavy(path, device)
        if outputs != len(self.labels):
            raise ModelError(f"{path}: the model has {outputs} outputs, but names {len(self.labels)}")
        if self.tuned is not None and set(self.tuned) != set(self.labels):
            odd = sorted(set(self.tuned) ^ set(self.labels))
            raise ModelError(f"{path / 'thresholds.json'} and config.json name other labels: {', '.join(odd[:3])}")
        self.threshold = threshold
        self.thresholds(threshold)

    @staticmethod
    def _light(path: Path) -> LightBert | None:
        from trainer.model import light

        return light.load(path)

    def _heavy(self, path: Path, device: str) -> int:
        """Load the model in torch; how many labels it has."""
        from trainer.learn.device import choose_device
        from trainer.model import bert, classifier

        self.device = choose_device(device)
        self.model = (bert.load(path) or classifier.load(path)).to(self.device)
        return classifier.outputs(self.model)

    @property
    def name(self) -> str:
        """What the user calls the model."""
        return self.folder.name

    def thresholds(self, threshold: Threshold | None = None) -> Array:
        """One cut a label, float64 of shape (labels,), for "tuned" or one value. Raises ConfigError."""
        threshold = self.threshold if threshold is None else threshold
        if threshold == TUNED:
            if self.tuned is None:
                return np.full(len(self.labels), CLASSIC)
            return np.array([self.tuned[name] for name in self.labels])
        try:
            value = float(threshold)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise ConfigError(f"threshold {threshold!r}: give {TUNED} or a value between 0 and 1", key="threshold")
        return np.full(len(self.labels), value)

    def probabilities(self, texts: Sequence[str], stop: Callable[[], bool] | None = None) -> Array:
        """float32 of shape (texts, labels), in order. `stop` ends the work with Cancelled."""
        return self.of_tokens(tokenize(list(texts), self.tokenizer, self.max_length), stop=stop)

    def of_tokens(
        self,
        tokens: TokenArrays,
        tell: Callable[[int], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Array:
        """The same of texts that this model's tokenizer has seen. `tell` hears how many rows are done."""
        if self.light is not None:
            return self.light.probabilities(tokens)
        import torch

        from trainer.model import classifier

        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bf16"):
            at_once = _AT_ONCE.get(kind, 32_768)
            return classifier.probabilities(self.model, tokens, self.device, at_once, stop, tell)

    def predict(self, texts: str | Sequence[str], threshold: Threshold | None = None) -> list[Prediction]:
        """One prediction a text, in order. A text without words still gets the scores the model gives it."""
        texts = [texts] if isinstance(texts, str) else texts
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
            for text, p in zip(texts, self.probabilities(texts), strict=True)
        ]
