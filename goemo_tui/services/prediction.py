"""What the prediction child is asked and what it answers, as plain frozen data, and how probabilities are judged.

Nothing here starts a process or draws; probabilities and thresholds are 0..1 throughout.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

ONE_FOR_ALL = 0.3
"""The threshold of a model that has none of its own."""

ROUNDING = 5e-7
"""Half of the last digit that the child sends: nearer to its threshold than this, only the child itself can judge."""

Threshold = float | str
"""A value in 0..1, or "tuned" for the model's own."""

TUNED = "tuned"


@dataclass(frozen=True)
class Model:
    """What the child says of the model it has loaded. `thresholds` is None for a model that has none of its own."""

    name: str
    path: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, float] | None
    device: str
    layers: int
    width: int
    parameters: int
    bytes: int
    max_length: int
    warnings: tuple[str, ...]
    seconds: float

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Model:
        """The model of a `ready` event; keys a child leaves out stay empty."""
        thresholds = event.get("thresholds")
        return cls(
            name=str(event.get("model", "")),
            path=str(event.get("path", "")),
            labels=tuple(str(x) for x in event.get("labels") or ()),
            thresholds={str(k): float(v) for k, v in thresholds.items()} if isinstance(thresholds, Mapping) else None,
            device=str(event.get("device", "")),
            layers=int(event.get("layers") or 0),
            width=int(event.get("width") or 0),
            parameters=int(event.get("parameters") or 0),
            bytes=int(event.get("bytes") or 0),
            max_length=int(event.get("max_length") or 0),
            warnings=tuple(str(x) for x in event.get("warnings") or ()),
            seconds=float(event.get("seconds") or 0.0),
        )

    @property
    def lasting_name(self) -> str:
        """By what it is found again, here and at the next start: a folder by its whole path, all others by their name."""
        return self.path if self.path and self.name.startswith((".", "~", "/")) else self.name

    def limits(self, threshold: Threshold) -> tuple[float, ...]:
        """The cut of each label, in the order of `labels`."""
        if not isinstance(threshold, str):
            return (threshold,) * len(self.labels)
        own = self.thresholds or {}
        return tuple(own.get(name, ONE_FOR_ALL) for name in self.labels)


@dataclass(frozen=True)
class Emotion:
    """One label's answer. `above` says whether it reached its threshold."""

    name: str
    probability: float
    threshold: float
    above: bool


@dataclass(frozen=True)
class Request:
    """What is asked: one text and the threshold to judge by, or `texts` of a batch, or another `model`.

    `aside` is `because` (of `emotion`) or `like` (with `data`, the corpus at hand): what may wait for everything else.
    """

    text: str = ""
    threshold: Threshold = TUNED
    model: str | None = None
    load: bool = False
    texts: tuple[str, ...] = ()
    aside: str = ""
    emotion: str = ""
    data: str = ""
    k: int = 0


def read_result(results: Any, model: Model | None, threshold: Threshold) -> tuple[Emotion, ...]:
    """The first result of an answer as emotions sorted by probability; every label of the model, chosen or not.

    The child's `emotions` are those at or above their threshold; of the rest the threshold asked for is shown.
    """
    if not isinstance(results, list) or not results:
        return ()
    result = results[0]
    chosen = {str(e["emotion"]): float(e["threshold"]) for e in result.get("emotions", ())}
    tuned = (model.thresholds if model else None) or {}

    def limit(name: str) -> float:
        if name in chosen:
            return chosen[name]
        return tuned.get(name, ONE_FOR_ALL) if isinstance(threshold, str) else threshold

    emotions = [Emotion(str(n), float(p), limit(str(n)), str(n) in chosen) for n, p in result.get("scores", {}).items()]
    return tuple(sorted(emotions, key=lambda e: -e.probability))


def rejudge(emotions: Iterable[Emotion], model: Model, threshold: Threshold) -> tuple[Emotion, ...] | None:
    """The same probabilities by another threshold; None where one lies so near it that the child has to be asked."""
    limits = dict(zip(model.labels, model.limits(threshold), strict=True))
    judged = []
    for emotion in emotions:
        limit = limits.get(emotion.name, ONE_FOR_ALL)
        if abs(emotion.probability - limit) <= ROUNDING:
            return None
        judged.append(replace(emotion, threshold=round(limit, 6), above=emotion.probability > limit))
    return tuple(judged)


def felt_first(emotions: Iterable[Emotion]) -> tuple[Emotion, ...]:
    """Those that reached their threshold, then the others, the most probable of either first: a rare emotion counts at
    3% already, and must not stand out of sight below others that do not."""
    return tuple(sorted(emotions, key=lambda e: (not e.above, -e.probability)))


def result_of(text: str, emotions: Sequence[Emotion], labels: Sequence[str] = ()) -> dict[str, Any]:
    """The element of `results` in the JSON of `predict`: what is above its threshold, and every score."""
    chosen = [{"emotion": e.name, "probability": e.probability, "threshold": e.threshold} for e in emotions if e.above]
    scores = {e.name: e.probability for e in emotions}
    ordered = {name: scores[name] for name in labels if name in scores} or scores
    return {"text": text, "emotions": chosen, "scores": ordered}


def as_json(document: Mapping[str, Any]) -> str:
    """A document as people paste it."""
    return json.dumps(document, ensure_ascii=False, indent=2)
