"""The line that says which model answers and by which threshold it judges, with a slider to move it.

Keys and mouse post messages; what they do is the screen's affair.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.message import Message

from goemo_tui.safe_text import cells, clean
from goemo_tui.services.called import called
from goemo_tui.services.prediction import Model, Threshold
from goemo_tui.services.reading import STEP
from goemo_tui.widgets.lines import Lines, Row
from goemo_tui.wording import millions, size

TRACK = 21
"""Cells of the slider: one for each step of .05 from 0 to 1."""

SHORT_TRACK = 11
NARROW = 76
"""Cells below which the slider is the short one."""

VALUE = 5
"""Cells of the threshold's value before the slider: `tuned`, `.30`."""

KNOB, RAIL = "●", "─"


@dataclass(frozen=True)
class Shown:
    """What the line tells. `mark` is `A` or `B` where two models stand side by side; `active`: keys are about this one."""

    model: Model | None = None
    threshold: Threshold = "tuned"
    loading: bool = False
    mark: str = ""
    active: bool = True


class ModelLine(Lines, can_focus=True):
    """Left and Right move the threshold, Enter picks a model; click and drag on the slider, click on the name."""

    ABOUT = "The model that answers, and the threshold from which an emotion counts. Click or drag the slider."
    BINDINGS = [
        Binding("left,h", "move(-1)", "Threshold down", tooltip="Threshold down by .05", show=False),
        Binding("right,l", "move(1)", "Threshold up", tooltip="Threshold up by .05", show=False),
        Binding("enter", "pick", "Pick a model", tooltip="Pick a model", show=False),
    ]
    COMPONENT_CLASSES = {"model--quiet", "model--name", "model--mark", "model--knob", "model--rail", "model--value"}
    DEFAULT_CSS = """
    ModelLine { height: 1; width: 1fr; padding: 0 2; }
    ModelLine:focus { background: $boost; }
    ModelLine > .model--quiet { color: $quiet; }
    ModelLine > .model--name { text-style: bold; }
    ModelLine:focus > .model--name { text-style: bold underline; }
    ModelLine > .model--mark { color: $accent; text-style: bold; }
    ModelLine > .model--knob { color: $accent; text-style: bold; }
    ModelLine > .model--rail { color: $foreground 40%; }
    ModelLine > .model--value { text-style: bold; }
    """

    class Moved(Message):
        """The threshold is to be `value`, or by `steps` from where it is."""

        def __init__(self, line: ModelLine, value: float | None = None, steps: int = 0) -> None:
            super().__init__()
            self.line, self.value, self.steps = line, value, steps

    class Tuned(Message):
        """Back to the model's own thresholds."""

        def __init__(self, line: ModelLine) -> None:
            super().__init__()
            self.line = line

    class Named(Message):
        """Another model is wanted."""

        def __init__(self, line: ModelLine) -> None:
            super().__init__()
            self.line = line

    class Chosen(Message):
        """The keys are to be about this model."""

        def __init__(self, line: ModelLine) -> None:
            super().__init__()
            self.line = line

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.shown = Shown()
        self._dragging = False

    def show(self, shown: Shown) -> int:
        """Draw this. Returns how many rows were painted again."""
        self.shown = shown
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """The one row."""
        return [model_row(self.shown, width)]

    # Keys and mouse

    def action_move(self, steps: int) -> None:
        """By one step of .05."""
        self.post_message(self.Moved(self, steps=steps))

    def action_pick(self) -> None:
        """Another model."""
        self.post_message(self.Named(self))

    def on_focus(self) -> None:
        """Whoever has the focus is meant."""
        self.post_message(self.Chosen(self))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On the slider: there; on its value: back to tuned; elsewhere: another model."""
        event.stop()
        self.post_message(self.Chosen(self))
        at = event.get_content_offset(self)
        if at is None:
            return
        first, cells_of_it = track(self.size.width)
        if first <= at.x < first + cells_of_it:
            self._dragging = True
            self.capture_mouse()
            self._slide(at.x)
        elif first - VALUE - 1 <= at.x < first:
            self.post_message(self.Tuned(self))
        elif at.x < first - VALUE - 12:
            self.post_message(self.Named(self))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the knob."""
        if self._dragging:
            event.stop()
            self._slide(event.x - self.gutter.left)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let it go."""
        if self._dragging:
            event.stop()
            self._dragging = False
            self.release_mouse()

    def _slide(self, x: int) -> None:
        first, long = track(self.size.width)
        share = min(1.0, max(0.0, (x - first) / (long - 1)))
        self.post_message(self.Moved(self, value=round(round(share / STEP) * STEP, 2)))


def track(width: int) -> tuple[int, int]:
    """Where the slider begins in a line of `width` cells, and how long it is."""
    long = TRACK if width >= NARROW else SHORT_TRACK
    return width - long, long


def model_row(shown: Shown, width: int) -> Row:
    """Mark, name and anatomy at the left; threshold and slider at the right."""
    first, long = track(width)
    value = _value(shown.threshold)
    word = "threshold " if width >= NARROW else "≥ "
    right = f"{word}{value:>{VALUE}} "
    room = first - cell_len(right) - 1
    head = f"{'▸' if shown.active else ' '}{shown.mark} " if shown.mark else "model  "
    row: list[tuple[str, str]] = [(head, "model--mark" if shown.mark else "model--quiet")]
    room -= cell_len(head)
    model = shown.model
    if model is None:
        name, about = ("…" if shown.loading else "–"), ""
    else:
        name = cells(called(model.name), max(4, room))
        own = "" if model.thresholds or not isinstance(shown.threshold, str) else "no thresholds of its own: .30"
        about = _as_many(own, *_anatomy(model), room=room - cell_len(name))
    left = max(0, room - cell_len(name))
    row.append((name, "model--name"))
    row.append((about + " " * (left - cell_len(about) + 1), "model--quiet"))
    row += [(word, "model--quiet"), (f"{value:>{VALUE}} ", "model--value")]
    return (*row, *_slider(shown.threshold, long))


def _as_many(*parts: str, room: int) -> str:
    """As many of the parts as fit, whole: half a number says something else."""
    text = ""
    for part in parts:
        if part and cell_len(text) + cell_len(more := f" · {clean(part)}") <= room:
            text += more
    return text


def _anatomy(model: Model) -> tuple[str, ...]:
    return (
        f"{model.layers} layers × {model.width}",
        f"{millions(model.parameters)} parameters",
        size(model.bytes),
        model.device,
    )


def _value(threshold: Threshold) -> str:
    return threshold if isinstance(threshold, str) else f"{threshold:.2f}".removeprefix("0")


def _slider(threshold: Threshold, long: int) -> Row:
    if isinstance(threshold, str):
        return ((RAIL * long, "model--rail"),)
    at = round(threshold * (long - 1))
    return ((RAIL * at, "model--rail"), (KNOB, "model--knob"), (RAIL * (long - 1 - at), "model--rail"))
