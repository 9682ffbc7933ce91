"""Events of a run as points on curves: which number stands under which name, at which step and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.runs.events import VERSION, number

OF_STEP = {
    "loss": "train/loss",
    "lr": "train/lr",
    "grad_norm": "train/grad_norm",
    "examples_per_s": "train/examples_per_s",
}
"""Field of a `step` event -> the curve's name."""

OF_VALIDATION = {
    "train_loss": "train/epoch_loss",
    **{name: f"dev/{name}" for name in ("loss", "macro_f1", "micro_f1", "weighted_f1", "macro_f1_at_0.3")},
}
"""Field of a `validation` event -> the curve's name; each label's F1 is `dev/f1/LABEL`."""


@dataclass(frozen=True)
class Point:
    """What was measured at one step: curve -> value. `wall` is when, in seconds since 1970; `seq` numbers the event."""

    seq: int
    step: int
    wall: float
    values: Mapping[str, float]


def points_of(events: Iterable[Mapping[str, Any]]) -> list[Point]:
    """A point for each event that measured something, in order. A value that was not finite has no point on its curve."""
    found = []
    for event in events:
        step, wall = number(event.get("step")), number(event.get("wall"))
        values = _values(event)
        if event.get("v") == VERSION and values and step is not None and step >= 0 and wall is not None:
            found.append(Point(int(number(event.get("seq")) or 0), int(step), wall, values))
    return found


def _values(event: Mapping[str, Any]) -> dict[str, float]:
    kind = event.get("kind")
    names = OF_STEP if kind == "step" else OF_VALIDATION if kind == "validation" else {}
    values = {curve: value for field, curve in names.items() if (value := number(event.get(field))) is not None}
    labels = event.get("per_label") if kind == "validation" else None
    for label, scores in labels.items() if isinstance(labels, Mapping) else ():
        value = number(scores.get("f1")) if isinstance(scores, Mapping) else None
        if value is not None:
            values[f"dev/f1/{label}"] = value
    return values
