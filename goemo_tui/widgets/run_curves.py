"""The curves of one run, fed with its snapshots, and what stands at a step or an epoch of it.

Numbers and words only: how they are drawn is the chart's affair.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from goemo_tui.services.runs import RunView
from goemo_tui.widgets.curve import Legend
from goemo_tui.widgets.trace import Trace
from goemo_tui.wording import count, score
from trainer.runs.snapshot import Snapshot, number


class RunCurves:
    """Loss by step, dev loss by step, macro-F1 and micro-F1 by epoch. `smoothing` is that of the loss, 0 to 0.99."""

    def __init__(self, smoothing: float) -> None:
        self.loss = Trace(smoothing)
        self.dev_loss = Trace()
        self.macro = Trace()
        self.micro = Trace()
        self.snapshot = Snapshot()

    def feed(self, snapshot: Snapshot) -> None:
        """Take the run as it now is."""
        if snapshot is self.snapshot:
            return
        self.snapshot = snapshot
        self.loss.feed(snapshot.curve.step, snapshot.curve.loss)
        scored = [v for v in snapshot.validations if number(v.get("step")) is not None]
        self.dev_loss.feed([float(v["step"]) for v in scored], [number(v.get("loss")) for v in scored])
        timed = [v for v in snapshot.validations if number(v.get("epoch")) is not None]
        epochs = [float(v["epoch"]) for v in timed]
        self.macro.feed(epochs, [number(v.get("macro_f1")) for v in timed])
        self.micro.feed(epochs, [number(v.get("micro_f1")) for v in timed])

    def smooth_at(self, step: float) -> float | None:
        """The smoothed loss at the point nearest to a step; None beyond the last."""
        at = self.loss.nearest(step)
        return None if at is None or step > self.loss.x[-1] else self.loss.smooth[at]

    def raw_at(self, step: float) -> float | None:
        """The loss of the logged step nearest to it."""
        steps = self.snapshot.curve.step
        right = bisect_left(steps, step)
        around = [i for i in (right - 1, right) if 0 <= i < len(steps)]
        return number(self.snapshot.curve.loss[min(around, key=lambda i: abs(steps[i] - step))]) if around else None

    def macro_at(self, epoch: float) -> float | None:
        """macro-F1 after an epoch; None where it was not scored."""
        at = self.macro.nearest(epoch)
        return None if at is None or self.macro.x[at] != epoch else self.macro.smooth[at]

    def at_step(self, step: float) -> tuple[Legend, ...]:
        """What the loss chart says of a step."""
        s = self.snapshot
        told = [Legend("", "step", count(round(step)), short="")]
        told += [
            Legend("⣿", "raw", score(self.raw_at(step)), "plot--raw"),
            Legend("━", "smoothed", score(self.smooth_at(step)), "plot--line"),
        ]
        before = [v for v in s.validations if (number(v.get("step")) or 0) <= step]
        dev = number(before[-1].get("loss")) if before else None
        if dev is not None:
            told.append(Legend("◆", "dev", score(dev), "plot--mark"))
        if s.steps and s.epochs:
            told.insert(1, Legend("", "epoch", f"{step * s.epochs / s.steps:.1f}", short="ep"))
        return tuple(told)

    def at_epoch(self, epoch: float) -> tuple[Legend, ...]:
        """What the chart of scores says of an epoch."""
        found = self._validation(epoch)
        told = [Legend("", "epoch", f"{epoch:g}", short="ep")]
        if found is not None:
            told += [
                Legend("●", "macro-F1", score(number(found.get("macro_f1"))), "plot--mark"),
                Legend("○", "micro-F1", score(number(found.get("micro_f1"))), "plot--second"),
                Legend("", "dev loss", score(number(found.get("loss")))),
            ]
        return tuple(told)

    def _validation(self, epoch: float) -> dict[str, Any] | None:
        return next((v for v in self.snapshot.validations if number(v.get("epoch")) == epoch), None)


class Pins:
    """The curves of the pinned runs. A run keeps its letter (A to F) and its colour for as long as it is pinned."""

    MOST = 6

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing
        self._slots: dict[str, int] = {}
        self._curves: dict[str, RunCurves] = {}
        self.views: tuple[RunView, ...] = ()

    def feed(self, views: tuple[RunView, ...]) -> None:
        """These are pinned now, as they now are; beyond six they are left out."""
        self.views = views[: self.MOST]
        for gone in self._slots.keys() - {view.id for view in self.views}:
            del self._slots[gone], self._curves[gone]
        for view in self.views:
            if view.id not in self._slots:
                self._slots[view.id] = min(set(range(self.MOST)) - set(self._slots.values()))
                self._curves[view.id] = RunCurves(self.smoothing)
            self._curves[view.id].feed(view.snapshot)

    def each(self) -> list[tuple[RunView, str, str, RunCurves]]:
        """Run, letter, style and curves of each, in the order of the letters."""
        order = sorted(self.views, key=lambda view: self._slots[view.id])
        slots = [self._slots[view.id] for view in order]
        return [
            (view, "ABCDEF"[slot], f"plot--pin{slot}", self._curves[view.id])
            for view, slot in zip(order, slots, strict=True)
        ]
