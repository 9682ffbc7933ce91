"""What a screen draws of a run: its events folded into one immutable picture.

Grows by what was appended and stays small however long the run is. Trusts no event: what does not fit is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.runs.events import END_KINDS, ENVELOPE, VERSION, restart_step, superseded
from trainer.runs.events import number as number
from trainer.runs.pace import Pace

MOST_POINTS = 8192
"""A curve with more points than any screen has columns is thinned; its peaks and dips stay."""
MOST_WARNINGS = 100


@dataclass(frozen=True)
class Curve:
    """Parallel values, one for each logged step, steps rising. A value that was not finite or not said is NaN."""

    step: tuple[int, ...] = ()
    loss: tuple[float, ...] = ()
    lr: tuple[float, ...] = ()
    grad_norm: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True)
class Snapshot:
    """A run as its events tell it. Rates are per second, times in seconds, `wall` and `mono` of the last event."""

    curve: Curve = field(default_factory=Curve)
    validations: tuple[dict[str, Any], ...] = ()
    step: int = 0
    steps: int = 0
    """All steps of the whole run; 0 until `started` said so."""
    epoch: float = 0
    epochs: int = 0
    loss: float | None = None
    lr: float | None = None
    grad_norm: float | None = None
    examples_per_s: float | None = None
    tokens_per_s: float | None = None
    rows_per_s: float | None = None
    """Rows trained on in each second of training over the whole run; `examples_per_s` is of the last steps alone."""
    eta_s: float | None = None
    warnings: tuple[str, ...] = ()
    started: dict[str, Any] | None = None
    checkpoint: dict[str, Any] | None = None
    waiting: dict[str, Any] | None = None
    """The `waiting` event, until the run it is of begins or ends; its `on` says in words what is waited for."""
    preparing: str = ""
    """How far it is with what takes minutes before the first step, in words; empty once that is behind it."""
    end: dict[str, Any] | None = None
    """The `finished`, `failed` or `stopped` event, unless the run went on after it."""
    seq: int = 0
    wall: float | None = None
    mono: float | None = None
    bad: int = 0
    """Lines of the log that are no event."""

    @property
    def fraction(self) -> float | None:
        """How much of the run is done, 0..1; None until that is known."""
        return min(1.0, self.step / self.steps) if self.steps else None

    @property
    def best(self) -> dict[str, Any] | None:
        """The validation whose epoch is kept: the last one called best, else the one with the highest macro-F1."""
        called = [v for v in self.validations if v.get("best") is True]
        if called:
            return called[-1]
        scored = [v for v in self.validations if number(v.get("macro_f1")) is not None]
        return max(scored, key=lambda v: float(v["macro_f1"])) if scored else None


def own_fields(event: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An event without what every event carries (v, seq, kind, wall, mono); None stays None."""
    return None if event is None else {key: value for key, value in event.items() if key not in ENVELOPE}


class Story:
    """Folds events into snapshots. `fold` takes what was appended since the last call, `[]` included."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float, float, float]] = []
        self._validations: list[dict[str, Any]] = []
        self._warnings: list[str] = []
        self._last: dict[str, float | None] = {}
        self._started: dict[str, Any] | None = None
        self._checkpoint: dict[str, Any] | None = None
        self._waiting: dict[str, Any] | None = None
        self._preparing = ""
        self._end: dict[str, Any] | None = None
        self._step = self._steps = self._epochs = self._seq = self._bad = 0
        self._epoch: float = 0
        self._wall: float | None = None
        self._mono: float | None = None
        self._foreign = False
        self._pace = Pace()
        self._snapshot = Snapshot()

    def fold(self, events: Iterable[Mapping[str, Any]], bad: int = 0) -> Snapshot:
        """Take `events` in and return the picture; the same object as before where nothing came.

        `bad` is how many lines of the log were no event so far.
        """
        changed, self._bad = bad != self._bad, bad
        for event in events:
            self._take(dict(event))
            changed = True
        if changed:
            self._snapshot = self._draw()
        return self._snapshot

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("v") != VERSION:
            if not self._foreign:
                self._warn(f"the log holds events of format {event.get('v')!r}; this program reads format {VERSION}")
            self._foreign = True
            return
        kind = event.get("kind")
        seq = number(event.get("seq"))
        self._seq = int(seq) if seq is not None else self._seq
        self._wall, self._mono = number(event.get("wall")), number(event.get("mono"))
        self._pace.take(event)
        restart = restart_step(event)
        if restart is not None:
            self._validations = [v for v in self._validations if not superseded(v, event)]
            self._go_back(restart)
            self._end = None
        if kind == "started":
            self._started = event
        if kind != "warning":
            self._preparing = str(event.get("text", "")) if kind == "preparing" else ""
            self._waiting = event if kind == "waiting" and event.get("turn") is not True else None
        if kind in ("started", "resumed"):
            self._steps = _whole(event.get("steps"), self._steps)
            self._epochs = _whole(event.get("epochs"), self._epochs)
        elif kind == "step":
            self._take_step(event)
        elif kind == "validation":
            self._validations = [v for v in self._validations if not superseded(v, event)]
            self._validations.append(event)
        elif kind == "checkpoint":
            self._checkpoint = event
        elif kind == "warning":
            self._warn(str(event.get("text", "")))
        elif kind in END_KINDS:
            self._end = event
        if kind != "step":
            self._step = max(self._step, _whole(event.get("step"), 0))
        epoch = number(event.get("epoch"))
        if epoch is not None:
            self._epoch = int(epoch) if epoch.is_integer() else epoch

    def _take_step(self, event: dict[str, Any]) -> None:
        step = number(event.get("step"))
        if step is None or step < 0:
            return
        if self._points and self._points[-1][0] >= step:
            self._points = [p for p in self._points if p[0] < step]
        values = [number(event.get(key)) for key in ("loss", "lr", "grad_norm")]
        loss, lr, grad = (math.nan if value is None else value for value in values)
        self._points.append((int(step), loss, lr, grad))
        self._step = int(step)
        keys = ("loss", "lr", "grad_norm", "examples_per_s", "tokens_per_s", "eta_s")
        self._last = {key: number(event.get(key)) for key in keys}
        if len(self._points) > MOST_POINTS:
            self._points = _thinned(self._points)

    def _go_back(self, step: float) -> None:
        self._points = [p for p in self._points if p[0] <= step]
        if self._checkpoint is not None and (number(self._checkpoint.get("step")) or 0) > step:
            self._checkpoint = None
        self._step = int(step)
        if not step:
            self._epoch = 0
        last = self._points[-1] if self._points else None
        names = ("loss", "lr", "grad_norm")
        # Rates and the time left are of the worker that is gone; the new one has not measured yet.
        self._last = {} if last is None else dict(zip(names, (number(x) for x in last[1:]), strict=True))

    def _warn(self, text: str) -> None:
        self._warnings = [*self._warnings, text][-MOST_WARNINGS:]

    def _draw(self) -> Snapshot:
        columns = tuple(zip(*self._points, strict=True)) if self._points else ((), (), (), ())
        return Snapshot(
            curve=Curve(*columns),
            validations=tuple(self._validations),
            step=self._step,
            steps=self._steps,
            epoch=self._epoch,
            epochs=self._epochs,
            warnings=tuple(self._warnings),
            started=self._started,
            checkpoint=self._checkpoint,
            waiting=self._waiting,
            preparing=self._preparing,
            end=self._end,
            seq=self._seq,
            wall=self._wall,
            mono=self._mono,
            bad=self._bad,
            rows_per_s=self._pace.rows_per_s,
            **self._last,
        )


def _whole(value: Any, otherwise: int) -> int:
    found = number(value)
    return int(found) if found is not None and found >= 0 else otherwise


def _thinned(points: list[tuple[int, float, float, float]]) -> list[tuple[int, float, float, float]]:
    """Half as many points: of every four neighbours, the two with the lowest and the highest loss, in order."""
    thinned = []
    for start in range(0, len(points), 4):
        group = points[start : start + 4]
        measured = [p for p in group if not math.isnan(p[1])] or group
        low, high = min(measured, key=lambda p: p[1]), max(measured, key=lambda p: p[1])
        thinned += [low] if low is high else sorted((low, high))
    if thinned[-1] is not points[-1]:
        thinned.append(points[-1])
    return thinned
