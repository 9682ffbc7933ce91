"""One model's line, or two below each other: which one the keys are about, and by which threshold each judges."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from goemo_tui.services.prediction import Threshold
from goemo_tui.services.reading import STEP
from goemo_tui.services.readings import Readings
from goemo_tui.services.talk import A, B
from goemo_tui.widgets.model_line import ModelLine, Shown


class ModelLines(Vertical):
    """Moves the thresholds of what `show` was given, and says so."""

    DEFAULT_CSS = "ModelLines { height: auto; }"

    class Judged(Message):
        """A threshold is another one, or another model is meant."""

    class Named(Message):
        """Another model is wanted for the one that is meant."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._readings: Readings | None = None

    def compose(self) -> ComposeResult:
        """Both lines."""
        yield ModelLine(id="model-a")
        yield ModelLine(id="model-b")

    def show(self, readings: Readings) -> None:
        """Draw the present state."""
        self._readings = readings
        two = readings.b is not None
        for side in (A, B):
            line, reading = self.query_one(f"#model-{side}", ModelLine), readings.of(side)
            if line.display is not (reading is not None):
                line.display = reading is not None
            if reading is not None:
                mark, active = side.upper() if two else "", reading is readings.active
                line.show(Shown(reading.model, reading.threshold, bool(reading.loading), mark, active))

    def choose(self, side: str) -> None:
        """This model is meant from now on."""
        if self._readings is not None and self._readings.of(side) is not None and self._readings.side != side:
            self._readings.side = side
            self.post_message(self.Judged())

    def judge(self, threshold: Threshold) -> None:
        """The model that is meant judges by this threshold."""
        if self._readings is not None:
            self._readings.active.threshold = threshold
            self.post_message(self.Judged())

    def move(self, by: float) -> None:
        """Move its one threshold for all."""
        if self._readings is not None:
            self._readings.active.move(by)
            self.post_message(self.Judged())

    def _choose_line(self, line: ModelLine) -> None:
        self.choose(B if line.id == "model-b" else A)

    @on(ModelLine.Chosen)
    def _chosen(self, event: ModelLine.Chosen) -> None:
        event.stop()
        self._choose_line(event.line)

    @on(ModelLine.Moved)
    def _moved(self, event: ModelLine.Moved) -> None:
        event.stop()
        self._choose_line(event.line)
        if event.value is not None:
            self.judge(event.value)
        else:
            self.move(event.steps * STEP)

    @on(ModelLine.Tuned)
    def _tuned(self, event: ModelLine.Tuned) -> None:
        event.stop()
        self._choose_line(event.line)
        self.judge("tuned")

    @on(ModelLine.Named)
    def _named(self, event: ModelLine.Named) -> None:
        event.stop()
        self._choose_line(event.line)
        self.post_message(self.Named())
