"""A run as it goes: loss and dev scores as curves, those of pinned runs over them, and how far it is.

Fed with whole snapshots; each part repaints only what differs from the picture before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from goemo_tui.safe_text import cells
from goemo_tui.services.machine import Sampled
from goemo_tui.services.runs import RunView
from goemo_tui.widgets import plot
from goemo_tui.widgets.curve import Curve, Legend, fitting, step_end
from goemo_tui.widgets.gauges import gauges
from goemo_tui.widgets.lines import Lines, Row
from goemo_tui.widgets.progress_line import ProgressLine
from goemo_tui.widgets.run_curves import Pins, RunCurves
from goemo_tui.widgets.run_progress import note as note
from goemo_tui.widgets.run_progress import progress_of as progress_of
from goemo_tui.widgets.run_progress import warning_of
from goemo_tui.widgets.sparks import Sparks
from goemo_tui.wording import score
from trainer.runs.snapshot import number

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp

ALARMING = ("failed", "died", "stalled")
"""States whose note is written in red."""

BESIDE = 66
"""Cells from which the two charts stand beside each other."""

MICRO = (34, 9)
"""Cells and rows of the chart of scores from which micro-F1 is drawn too."""

LONGEST_NAME = 24

NO_STEP, ALL_NAN = "no step yet", "no loss so far was a number (NaN)"

SOON = 0.8
"""Seconds that a sample of the machine waits for news of the run: one frame for both costs half of two."""

Shown = Literal["both", "smoothed", "raw"]
SHOWN: tuple[Shown, ...] = ("both", "smoothed", "raw")
"""What of the loss is drawn; `a` goes through them."""


class PinLegend(Lines):
    """Which letter and colour on the charts is which pinned run."""

    COMPONENT_CLASSES = {*Curve.PINS, "pins--name"}
    DEFAULT_CSS = """
    PinLegend { height: 1; width: 1fr; display: none; }
    PinLegend > .pins--name { color: $quiet; }
    PinLegend > .plot--pin0 { color: $secondary; text-style: bold; }
    PinLegend > .plot--pin1 { color: $accent; text-style: bold; }
    PinLegend > .plot--pin2 { color: $error; text-style: bold; }
    PinLegend > .plot--pin3 { color: $warning-lighten-2; text-style: bold; }
    PinLegend > .plot--pin4 { color: $success-darken-1; text-style: bold; }
    PinLegend > .plot--pin5 { color: $foreground 70%; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: list[Row] = []

    def show(self, pins: Pins, step: float | None = None, epoch: float | None = None) -> int:
        """Draw the legend, with each run's loss at a step or its score after an epoch where a cursor stands there.

        Returns how many rows were painted again.
        """
        self._parts = []
        for view, letter, style, curves in pins.each():
            said = f" F1 {score(view.best_f1)}" if view.best_f1 is not None else ""
            if step is not None:
                said = f" loss {score(curves.smooth_at(step))}"
            elif epoch is not None:
                said = f" F1 {score(curves.macro_at(epoch))}"
            self._parts.append(((f"{letter} ", style), (cells(view.title, LONGEST_NAME) + said, "pins--name")))
        self._parts.append((("A is train, a is dev", "pins--name"),))
        self.display = len(self._parts) > 1
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """As many names as there is room for."""
        return [fitting(self._parts, width)]


class Live(Vertical):
    """Two charts, the progress of one run, and in whole sentences why it does not go on."""

    DEFAULT_CSS = """
    Live { height: 1fr; }
    Live > #charts { height: 1fr; layout: vertical; }
    Live.-beside > #charts { layout: horizontal; }
    Live.-beside #loss-chart { margin-right: 2; }
    Live.-low #score-chart { display: none; }
    Live.-roomy > ProgressLine { height: 4; }
    Live.-roomy.-slim > ProgressLine { height: 5; }
    Live > #note { height: auto; max-height: 4; display: none; text-style: bold; }
    Live > #note.-alarm { color: $error; }
    Live > #note.-warning { height: 1; color: $warning; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: RunView | None = None
        self._curves = RunCurves(0.0)
        self._pins = Pins(0.0)
        self._shown: Shown = "both"
        self._sampled: Timer | None = None

    @property
    def goemo(self) -> GoemoApp:
        """The app, as what it is."""
        from goemo_tui.app import GoemoApp

        assert isinstance(self.app, GoemoApp)
        return self.app

    def compose(self) -> ComposeResult:
        """Charts above, figures below."""
        with Horizontal(id="charts"):
            yield Curve("loss", "step", NO_STEP, id="loss-chart")
            yield Curve("macro-F1 (dev)", "epoch", "the first score comes after epoch 1", id="score-chart")
        yield PinLegend(id="pin-legend")
        yield ProgressLine(id="progress")
        yield Sparks(id="sparks")
        yield Static(id="note", markup=False)

    def on_mount(self) -> None:
        """Take what was chosen last time, and hear of the machine."""
        kept = self.goemo.remembered.of("train")
        self._shown = next((shown for shown in SHOWN if shown == kept.get("curves")), "both")
        self.query_one("#loss-chart", Curve).logarithmic = kept.get("log") is True
        self.goemo.machine.subscribe(self.post_message)

    def on_unmount(self) -> None:
        """Hear of it no more."""
        self.goemo.machine.unsubscribe(self.post_message)

    def on_resize(self, event: events.Resize) -> None:
        """Another shape for another room."""
        width, height = event.size
        self.set_class(width >= BESIDE, "-beside")
        self.set_class(height >= 23, "-roomy")
        self.set_class(width < 90, "-slim")
        self.set_class(height < 14 and width < BESIDE, "-low")
        if self._view is not None:
            self.goemo.machine.look_at(self._view.id)
            self._show_sparks(self._view)

    # What is drawn

    def show(self, view: RunView, pinned: Sequence[RunView] = ()) -> int:
        """Draw this run, and the curves of the pinned ones over its own. Returns how many rows were painted again."""
        smoothing = self.goemo.settings.smoothing
        if self._view is None or view.id != self._view.id or self._curves.loss.smoothing != smoothing:
            self._curves = RunCurves(smoothing)
        if self._view is not None and view.id != self._view.id:
            for chart in self.query(Curve):
                chart.forget()
        if self._pins.smoothing != smoothing:
            self._pins = Pins(smoothing)
        self._view = view
        self._curves.feed(view.snapshot)
        self._pins.feed(tuple(run for run in pinned if run.id != view.id))
        if view.living and self.size and self.screen.is_active:
            self.goemo.machine.look_at(view.id)
        painted = self._draw_charts() + self._show_pins()
        painted += self.query_one(ProgressLine).show(progress_of(view))
        return painted + self._show_sparks(view) + self._show_note(view)

    def _draw_charts(self) -> int:
        return self._show_loss() + self._show_score() if self._view is not None else 0

    @on(Curve.Reshaped)
    def _charts_reshaped(self, message: Curve.Reshaped) -> None:
        """A run that has ended tells nothing more that would draw them for the room that they have now."""
        message.stop()
        self._draw_charts()

    def _show_pins(self) -> int:
        cursors = [self.query_one(f"#{id}", Curve).cursor for id in ("loss-chart", "score-chart")]
        return self.query_one(PinLegend).show(self._pins, *cursors)

    @on(Curve.Moved)
    def _cursor_moved(self, message: Curve.Moved) -> None:
        message.stop()
        self._show_pins()

    def _show_note(self, view: RunView) -> int:
        """Sentences of any length, which a row of figures would cut."""
        said = note(view)
        warned = "" if said else warning_of(view)
        place, text = self.query_one("#note", Static), Content(said or warned)
        if place.content == text:
            return 0
        place.set_class(bool(warned), "-warning")
        place.update(text)
        place.display = bool(text)
        place.set_class(view.state in ALARMING, "-alarm")
        return 1

    def _show_sparks(self, view: RunView) -> int:
        height = self.size.height
        most = (
            0
            if height < 14
            else 1
            if height < 18
            else 2
            if height < 23
            else 3
            if height < 29
            else 6
            if height < 45
            else 9
        )
        if self._sampled is not None:
            self._sampled.stop()
            self._sampled = None
        samples = self.goemo.machine.samples(view.id) if view.living else ()
        return self.query_one(Sparks).show(gauges(view, samples), most)

    def on_sampled(self, message: Sampled) -> None:
        """A second of the machine: drawn with what the run tells next, or soon where it tells nothing."""
        if self._view is not None and message.run_id == self._view.id and self.is_on_screen and self.screen.is_active:
            self.goemo.machine.look_at(self._view.id)
            if self._sampled is None:
                self._sampled = self.set_timer(SOON, self._show_sampled)

    def _show_sampled(self) -> None:
        self._sampled = None
        if self._view is not None:
            self._show_sparks(self._view)

    def _show_loss(self) -> int:
        curves, style = self._curves, "plot--line" if self._shown == "raw" else "plot--raw"
        legend = []
        if curves.loss.smooth and self._shown != "raw":
            legend.append(Legend("━", "smoothed", score(curves.loss.smooth[-1]), "plot--line"))
        if curves.dev_loss.last is not None:
            legend.append(Legend("◆", "dev", score(curves.dev_loss.last), "plot--mark", "◆ dev"))
        if curves.loss.last is not None and self._shown != "smoothed":
            words = "plot--axis" if style == "plot--raw" else style  # a colour for a band is too faint for letters
            legend.append(Legend("⣿", "raw", score(curves.loss.last), words, "⣿ raw"))
        layers, end = [], 0.0
        for _, letter, colour, pin in self._pins.each():
            layers.append(plot.Layer(pin.loss, "line", colour, end=letter))
            layers.append(plot.Layer(pin.dev_loss, "points", colour, letter.lower()))
            end = max(end, *pin.loss.x[-1:], 0.0)
        if self._shown != "smoothed":
            layers.append(plot.Layer(curves.loss, "band", style))
        if self._shown != "raw":
            layers.append(plot.Layer(curves.loss, "line", "plot--line"))
        layers.append(plot.Layer(curves.dev_loss, "points", "plot--mark", "◆"))
        s, chart = curves.snapshot, self.query_one("#loss-chart", Curve)
        chart.empty = ALL_NAN if s.curve.step else NO_STEP
        end = max(end, step_end(s.step, s.steps))
        return chart.show(layers, legend, end, curves.loss, curves.at_step)

    def _show_score(self) -> int:
        curves, chart = self._curves, self.query_one("#score-chart", Curve)
        both = chart.size.width >= MICRO[0] and chart.size.height >= MICRO[1]
        s = curves.snapshot
        best, f1 = s.best or {}, number((s.best or {}).get("macro_f1"))
        legend = []
        if f1 is not None:
            value = f"{score(f1)} (epoch {_epoch(best.get('epoch'))})"
            legend.append(Legend("●", "best", value, "plot--mark", brief=score(f1)))
        if curves.micro.last is not None and both:
            legend.append(Legend("○", "micro-F1", score(curves.micro.last), "plot--second", "○ micro"))
        layers, epochs = [], [float(s.epochs), 1.0]
        for _, letter, colour, pin in self._pins.each():
            layers.append(plot.Layer(pin.macro, "marks", colour, letter))
            epochs += pin.macro.x[-1:]
        if both:
            layers.append(plot.Layer(curves.micro, "marks", "plot--second", "○"))
        layers.append(plot.Layer(curves.macro, "marks", "plot--mark", "●"))
        end = max(*epochs, *(curves.macro.x[-1:] or [1.0]))
        return chart.show(layers, legend, end, curves.macro, curves.at_epoch)

    # What can be done

    @property
    def chart(self) -> Curve:
        """The chart that the keys are for: the one with the focus, else the loss."""
        focused = self.screen.focused
        return focused if isinstance(focused, Curve) else self.query_one("#loss-chart", Curve)

    def log_scale(self) -> None:
        """Turn the y axis of the chart logarithmic, or straight again."""
        chart = self.chart
        if not chart.logarithmic and chart.no_log:
            self.goemo.notify(chart.no_log, title="Log scale", severity="warning")
            return
        chart.logarithmic = not chart.logarithmic
        if chart.id == "loss-chart":
            self.goemo.keep("train", log=chart.logarithmic)
        chart.redraw()

    def next_smoothing(self) -> None:
        """Loss raw and smoothed, smoothed only, raw only."""
        self._shown = SHOWN[(SHOWN.index(self._shown) + 1) % len(SHOWN)]
        self.goemo.keep("train", curves=self._shown)
        self._draw_charts()

    def zoom_in(self) -> None:
        """The chart closer, around its cursor."""
        if not self.chart.come_closer():
            self.goemo.notify("No closer: there are too few points here", title="Zoom", timeout=2)

    def zoom_out(self) -> None:
        """The chart from further away, until the whole is seen."""
        self.chart.go_back()


def _epoch(value: object) -> str:
    found = number(value)
    return "?" if found is None else f"{found:g}"
