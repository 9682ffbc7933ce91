"""A chart of curves over steps or epochs: a title row, braille, numbered axes; a cursor reads values, a window zooms.

Drawn on the Line API, row by row; a new point repaints the rows it touches. It knows no run: it is told what stands at
a place on its x axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message

from goemo_tui.widgets import plot
from goemo_tui.widgets.lines import Lines, Row, Span, fit, row_width
from goemo_tui.widgets.scale import Axes, log_range, nice_range, number
from goemo_tui.widgets.trace import Trace
from goemo_tui.widgets.zoom import Zoom

SHORTEST = 20
"""Steps that a step axis spans at least, where the run has as many."""

FOCUSED = "▸ "
"""Stands before the title of the chart that has the focus."""


@dataclass(frozen=True)
class Legend:
    """What the title row says of one layer: a sign, a name and a value."""

    sign: str
    name: str
    value: str
    style: str = ""
    short: str | None = None
    """What stands for sign and name where there is no room for both; None: the sign."""
    brief: str | None = None
    """The value where there is no room for all of it; None: the value."""


Reader = Callable[[float], tuple[Legend, ...]]
"""What stands at an x, for the title row while the cursor is there."""


class Curve(Lines, can_focus=True):
    """A chart. `show()` takes the layers as they now are; what did not change is not painted again.

    `logarithmic` is the y axis, `zoom` the part of the x axis that is shown, `cursor` an x or None.
    """

    ABOUT = "A chart. The cursor reads its values, z and the mouse wheel come closer, dragging picks a part."
    ALLOW_SELECT = False
    STANDS_ALONE = True  # screens/one_pane.py asks
    BINDINGS = [
        Binding("left,h", "move(-1)", "Left", show=False, tooltip="The cursor one column to the left"),
        Binding("right,l", "move(1)", "Right", show=False, tooltip="The cursor one column to the right"),
        Binding("shift+left,ctrl+left,b", "move(-10)", "Left ten", show=False, tooltip="Ten columns to the left"),
        Binding("shift+right,ctrl+right,w", "move(10)", "Right ten", show=False, tooltip="Ten columns to the right"),
        Binding("home,g,0", "edge(-1)", "First", show=False, tooltip="To the first point"),
        Binding("end,G,dollar_sign", "edge(1)", "Last", show=False, tooltip="To the newest point"),
        Binding("escape", "leave", "Leave", show=False, tooltip="Put the cursor away and leave the chart"),
    ]
    PINS = tuple(f"plot--pin{n}" for n in range(6))
    COMPONENT_CLASSES = {
        "plot--axis", "plot--raw", "plot--line", "plot--mark", "plot--second", "plot--title", "plot--focus", "plot--cursor",
        "plot--note", *PINS,
    }  # fmt: skip
    DEFAULT_CSS = """
    Curve { height: 1fr; width: 1fr; min-height: 4; }
    Curve > .plot--axis { color: $quiet; }
    Curve:focus > .plot--axis { color: $accent; }
    Curve > .plot--raw { color: $primary 50%; }
    Curve > .plot--line { color: $primary; text-style: bold; }
    Curve > .plot--mark { color: $success; text-style: bold; }
    Curve > .plot--second { color: $secondary; }
    Curve > .plot--title { text-style: bold; }
    Curve > .plot--focus { color: $accent; text-style: bold underline; }
    Curve > .plot--cursor { color: $accent; text-style: bold; }
    Curve > .plot--note { color: $quiet; }
    Curve > .plot--pin0 { color: $secondary; }
    Curve > .plot--pin1 { color: $accent; }
    Curve > .plot--pin2 { color: $error; }
    Curve > .plot--pin3 { color: $warning-lighten-2; }
    Curve > .plot--pin4 { color: $success-darken-1; }
    Curve > .plot--pin5 { color: $foreground 70%; }
    """

    class Moved(Message):
        """The cursor of a chart went elsewhere, or away."""

    class Reshaped(Message):
        """It has another size: what is worth drawing may be another."""

    def __init__(self, title: str, x_name: str, empty: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title, self.x_name, self.empty = title, x_name, empty
        self.logarithmic = False
        self.cursor: float | None = None
        self.zoom = Zoom()
        self._layers: tuple[plot.Layer, ...] = ()
        self._legend: tuple[Legend, ...] = ()
        self._span = (0.0, 1.0)
        self._read: Reader = lambda x: ()
        self._main: Trace | None = None
        self._axes: Axes | None = None
        self._frame: plot.Frame | None = None
        self._dragged_from: float | None = None
        self._drawn: dict[plot.Layer, plot.Drawn] = {}

    def show(
        self, layers: Sequence[plot.Layer], legend: Sequence[Legend] = (), x_end: float = 1.0, main: Trace | None = None,
        read: Reader = lambda x: (), x_start: float = 0.0,
    ) -> int:  # fmt: skip
        """Draw these layers over x_start..x_end. Returns how many rows were painted again.

        The cursor moves over the points of `main` (else of the first layer); `read` says what stands there.
        """
        self._layers, self._legend, self._read = tuple(layers), tuple(legend), read
        self._main = main if main is not None else layers[0].trace if layers else None
        self._span = (x_start, max(x_end, x_start + 1e-9))
        return self.redraw()

    def on_resize(self) -> None:
        """Tell who decides what is drawn."""
        self.post_message(self.Reshaped())

    def forget(self) -> None:
        """Another run: its curve has no window and no cursor yet."""
        self.zoom, self.cursor, self._dragged_from = Zoom(), None, None

    # What is drawn

    def rows(self, width: int, height: int) -> list[Row]:
        """A title row and the drawing below it."""
        low_x, high_x = self.zoom.within(*self._span)
        spread = plot.value_range(self._layers, low_x, high_x)
        self._axes = self._frame = None
        if spread is None:
            empty = self.empty if self.zoom.whole else "nothing in this part: Z shows more"
            return [self._title(width), (), fitting([((f"  {empty}", "plot--axis"),)], width)]
        low, high = spread
        if self.logarithmic and low > 0:
            low, high = log_range(low, high)
        else:
            low, high = nice_range(low, high, parts=max(4, (height - 2) // 3))
            low = max(0.0, low) if spread[0] >= 0 else low
        log = self.logarithmic and spread[0] > 0
        self._axes = Axes(low_x, high_x, low, high, self.x_name, log=log)
        self._frame = plot.frame(self._axes, width, height - 1)
        cursors = [x for x in (self.cursor, self._dragged_from) if x is not None]
        drawn = plot.draw(self._layers, self._axes, width, height - 1, cursors, self._drawn)
        return [self._title(width), *drawn]

    def _title(self, width: int) -> Row:
        parts: list[Row] = [((FOCUSED, "plot--focus"), (self.title, "plot--focus"))]
        if not self.has_focus:
            parts = [((self.title, "plot--title"),)]
        if self._dragged_from is not None and self.cursor is not None:
            low, high = sorted((self._dragged_from, self.cursor))
            parts.append(((f"{self.x_name} {number(round(low))} to {number(round(high))}", "plot--cursor"),))
            return fitting(parts, width)
        told = self._legend if self.cursor is None else self._read(self.cursor)
        notes = self._notes()
        full = [*parts, *notes, *(_legend_part(entry) for entry in told)]
        if row_width(fitting(full, 10_000)) <= width:
            return fitting(full, width)
        if self.cursor is None:  # a curve that nobody names is worse than a name cut short
            return fitting([*parts, *notes, *(_short_part(entry) for entry in told)], width)
        # all values without their names are worth more than some of them with theirs
        short = [_short_part(entry) for entry in told]
        if self.has_focus:
            short = [((FOCUSED, "plot--focus"), *short[0]), *short[1:]]
        return fitting([*short, *notes], width, " ")

    def _notes(self) -> list[Row]:
        notes: list[Row] = []
        if not self.zoom.whole:
            notes.append((("zoom", "plot--note"),))
        if self.logarithmic:
            shown = self._axes is None or self._axes.log or not self._layers
            notes.append((("log" if shown else "no log: a value is 0 or less", "plot--note"),))
        return notes

    @property
    def no_log(self) -> str:
        """In words why its values have no logarithm; empty where they have."""
        lowest = min((min(layer.trace.low) for layer in self._layers if len(layer.trace)), default=None)
        if lowest is None:
            return f"{self.title}: there is no value yet"
        if lowest <= 0:
            return f"{self.title} has a value of {number(lowest)}: a log scale shows only what is above 0"
        return ""

    # The cursor

    def _points(self) -> list[float]:
        return self._main.x if self._main is not None else []

    def put(self, x: float) -> None:
        """Put the cursor on the point nearest to `x`."""
        at = self._main.nearest(x) if self._main is not None else None
        self._take(None if at is None else self._points()[at])

    def _take(self, cursor: float | None) -> None:
        if cursor != self.cursor:
            self.cursor = cursor
            self.post_message(self.Moved())
        self.redraw()

    def action_move(self, columns: int) -> None:
        """Move the cursor by so many columns, and at least to the next point; the window follows it."""
        points = self._points()
        if not points or self._main is None or self._axes is None or self._frame is None:
            return
        if self.cursor is None:
            low, high = self.zoom.within(*self._span)
            self.put(min(points[-1], high) if points[-1] >= low else high)
            return
        column = (self._axes.x_high - self._axes.x_low) / self._frame.columns
        now, new = self._main.nearest(self.cursor), self._main.nearest(self.cursor + columns * column)
        assert now is not None and new is not None
        if new == now:
            new = min(len(points) - 1, max(0, now + (1 if columns > 0 else -1)))
        self._go(points[new])

    def action_edge(self, side: int) -> None:
        """To the first point or the newest."""
        if self._points():
            self._go(self._points()[0 if side < 0 else -1])

    def _go(self, x: float) -> None:
        self.zoom = self.zoom.showing(x, *self._span)
        self.put(x)

    async def action_leave(self) -> None:
        """Esc: a chosen part first, then the cursor; the focus goes where the screen wants it."""
        self._dragged_from = None
        self._take(None)
        go_home = getattr(self.screen, "go_home", None)
        if go_home is not None:
            go_home()
        else:
            self.screen.set_focus(None)

    # The window

    def come_closer(self, around: float | None = None) -> bool:
        """Zoom in, around the cursor where there is one. False where it is as close as its points allow."""
        start, end = self._span
        points = self._points()
        if len(points) < 3 or self._main is None:
            return False
        low, high = self.zoom.within(start, end)
        middle = around if around is not None else self.cursor
        if middle is None or not low <= middle <= high:
            middle = min(points[-1], high)
        near = self._main.nearest(middle) or 0
        near = min(max(1, near), len(points) - 2)
        before = self.zoom
        self.zoom = self.zoom.narrowed(middle, start, end, points[near + 1] - points[near - 1])
        self.redraw()
        return self.zoom != before

    def go_back(self, around: float | None = None) -> None:
        """Zoom out."""
        low, high = self.zoom.within(*self._span)
        middle = around if around is not None else self.cursor
        self.zoom = self.zoom.widened((low + high) / 2 if middle is None else middle, *self._span)
        self.redraw()

    # The mouse

    def _x_of(self, event: events.MouseEvent) -> float | None:
        offset = event.get_content_offset(self)
        if offset is None or self._axes is None or self._frame is None:
            return None
        return self._frame.x_at(offset.x, self._axes)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor here; dragging on from here picks a part."""
        x = self._x_of(event)
        if x is not None:
            self.put(x)
            self._dragged_from = self.cursor
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The cursor goes with the pointer."""
        x = self._x_of(event)
        if x is not None:
            self.put(x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Show the part that was dragged over."""
        self.release_mouse()
        start, self._dragged_from = self._dragged_from, None
        if start is None or self.cursor is None or self._axes is None or self._frame is None:
            return
        low, high = sorted((start, self.cursor))
        if self._frame.cell_at(high, self._axes) - self._frame.cell_at(low, self._axes) >= 2:
            self.zoom = Zoom(low, high)
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Closer to what is under the pointer."""
        event.stop()
        self.come_closer(self._x_of(event))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Away from it."""
        event.stop()
        self.go_back(self._x_of(event))

    def on_leave(self) -> None:
        """The pointer went away; a chart with the focus keeps its cursor."""
        if not self.has_focus and self._dragged_from is None:
            self._take(None)

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor shows, on the newest point at first; without the focus it hides."""
        super().watch_has_focus(has_focus)
        if not has_focus:
            self._take(None)
        elif self.cursor is None:
            self.action_move(0)
        self.redraw()


def _legend_part(entry: Legend) -> Row:
    name = " ".join(part for part in (entry.sign, entry.name) if part)
    return ((f"{name} " if name else "", entry.style), (entry.value, "plot--title"))


def _short_part(entry: Legend) -> Row:
    """A value with the shortest that tells what it is."""
    name = (entry.sign or entry.name) if entry.short is None else entry.short
    return ((f"{name} " if name else "", entry.style), (entry.brief or entry.value, "plot--title"))


def fitting(parts: Sequence[Row], width: int, gap: str = "  ") -> Row:
    """Parts beside each other, as many from the first on as there is room for: none is cut in its middle but the first."""
    spans: list[Span] = []
    for part in parts:
        more: list[Span] = [(gap, ""), *part] if spans else list(part)
        if spans and row_width((*spans, *more)) > width:
            break
        spans += more
    return fit(tuple(spans), width)


def step_end(step: int, steps: int) -> float:
    """Where a step axis ends: the whole run once it is under way, a round share of it while it is young.

    The end moves a few times in a run and not with every step, so a chart is not repainted whole each time.
    """
    end = float(max(steps, step, 1))
    while end / 2 >= max(step, SHORTEST):
        end /= 2
    return end
