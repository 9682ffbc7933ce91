"""Shows one figure of the corpus: its head stays, its body scrolls, and a cursor goes through its stops.

Enter or a click on a stop posts the filter that shows its rows; the pointer or the cursor says a stop in words. Which
figure is shown, and of what, is a subclass's affair.
"""

from __future__ import annotations

from bisect import bisect_right

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from goemo_tui import safe_text
from goemo_tui.widgets.figure import Figure, Stop
from goemo_tui.widgets.lines import Row
from goemo_tui.widgets.measured import Measured

BAR_CELLS = frozenset(" ▏▎▍▌▋▊▉█")
"""What a bar is drawn with."""


class FigureView(Measured, can_focus=True):
    """`put(figure)` draws it; `cursor` is the stop that the cursor stands on."""

    BINDINGS = [
        Binding("up,k", "move(0, -1)", "Up", show=False),
        Binding("down,j", "move(0, 1)", "Down", show=False),
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("right,l", "move(1, 0)", "Right", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "A page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "A page down", show=False),
        Binding("home,g", "move(0, -1000000)", "First", show=False),
        Binding("end,G", "move(0, 1000000)", "Last", show=False),
        Binding("enter,space", "choose", "Show these rows in the table", show=False),
    ]
    COMPONENT_CLASSES = {
        "figures--cursor",
        "figures--here",
        "figures--head",
        "figures--quiet",
        "figures--bar",
        "figures--warn",
        "figures--strong",
        "figures--said",
        "figures--shade1",
        "figures--shade2",
        "figures--shade3",
        "figures--shade4",
    }
    DEFAULT_CSS = """
    FigureView {
        background: $surface; scrollbar-gutter: stable; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
    }
    FigureView > .figures--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    FigureView > .figures--here { color: $accent; text-style: bold; }
    FigureView > .figures--head { color: $accent; text-style: bold; }
    FigureView > .figures--quiet { color: $quiet; }
    FigureView > .figures--bar { color: $bar; }
    FigureView > .figures--warn { color: $warning; text-style: bold; }
    FigureView > .figures--strong { text-style: bold; }
    FigureView > .figures--said { color: $foreground; background: $boost; }
    FigureView > .figures--shade1 { color: $bar 50%; }
    FigureView > .figures--shade2 { color: $bar 75%; }
    FigureView > .figures--shade3 { color: $bar; }
    FigureView > .figures--shade4 { color: $accent; }
    """

    class Chosen(Message):
        """Rows were asked for: the filter line that finds them, in `split` ("": in the split that is shown)."""

        def __init__(self, filter_text: str, split: str = "") -> None:
            super().__init__()
            self.filter_text = filter_text
            self.split = split

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self.figure = Figure("", empty="")
        self._hovered: int | None = None

    @property
    def title(self) -> str:
        """A few words on what is shown, for a border."""
        return self.figure.title

    @property
    def text(self) -> str:
        """All that is drawn, in sight or not, and the words below it."""
        return f"{self.figure.text}\n{self._said()}"

    def put(self, figure: Figure) -> None:
        """Draw another figure; the cursor stays at its place as far as there are stops."""
        self.figure = figure
        self.cursor = max(0, min(self.cursor, len(figure.stops) - 1))
        if self._hovered is not None and self._hovered >= len(figure.stops):
            self._hovered = None
        size = Size(max(1, figure.width), len(figure.head) + len(figure.body) + self._foot_height)
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    def begin(self) -> None:
        """Back to the first stop."""
        self.cursor, self._hovered = 0, None
        self.scroll_home(animate=False)

    # Drawing

    @property
    def _foot_height(self) -> int:
        return 2 if self.size.width < 110 and self.size.height >= 10 else 1

    def _said(self) -> str:
        stops = self.figure.stops
        if not stops:
            return self.figure.empty
        at = self._hovered if self._hovered is not None else self.cursor
        return stops[at].said if at < len(stops) else ""

    def render_line(self, y: int) -> Strip:
        """Head, body or foot."""
        width, height = self.scrollable_content_region.size
        figure, base = self.figure, self.base
        foot = self._foot_height
        head = min(len(figure.head), max(0, height - foot - 1))
        if y < head:
            sideways = y >= len(figure.head) - figure.head_moves
            strip = self._strip(figure.head[y], base)
            if sideways and figure.columns > 1 and figure.stops:
                stop = figure.stops[self.cursor]
                strip = self._overlaid(strip, stop.x, stop.width, "", "figures--here")
            return self._cropped(strip, width, sideways)
        if y >= height - foot:
            return self._foot_line(y - (height - foot), width, base)
        line = y - head + self.scroll_offset.y
        if line >= len(figure.body):
            return Strip.blank(width, base)
        return self._cropped(self._body_line(line, base), width, True)

    def _body_line(self, line: int, base: Style) -> Strip:
        figure = self.figure
        strip = self._strip(figure.body[line], base)
        if not figure.stops:
            return strip
        stop = figure.stops[self.cursor]
        if stop.line <= line < stop.line + stop.height:
            if figure.columns > 1 and figure.frozen:
                strip = self._overlaid(strip, 0, figure.frozen, "▸", "figures--here")
            cells = stop.width or max(strip.cell_length, self.size.width)
            if self.has_focus:
                marked = self._overlaid(strip, stop.x, cells, stop.sign if line == stop.line else "", "figures--cursor")
                strip = _with_bars_of(strip, marked, figure.body[line])
        return strip

    def _foot_line(self, part: int, width: int, base: Style) -> Strip:
        lines = Content(safe_text.clean(self._said())).wrap(max(10, width))
        text = lines[part].plain if part < len(lines) else ""
        if part == self._foot_height - 1 and len(lines) > self._foot_height:
            text = safe_text.cells(f"{text} {lines[part + 1].plain}", width)
        style = base + self.get_component_rich_style("figures--said")
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _strip(self, row: Row, base: Style) -> Strip:
        return Strip(
            [
                Segment(text, base + self.get_component_rich_style(f"figures--{name}", partial=True) if name else base)
                for text, name in row
                if text
            ]
        )

    def _overlaid(self, strip: Strip, x: int, width: int, sign: str, component: str) -> Strip:
        """The cells from `x` on in a component's colours, `sign` written over the first of them."""
        style = self.get_component_rich_style(component, partial=True)
        strip = strip.adjust_cell_length(max(strip.cell_length, x + width), self.base)
        sign_cells = Segment(sign).cell_length
        before, rest = strip.crop(0, x), strip.crop(x + sign_cells, x + width)
        inside = [Segment(sign, self.base), *rest] if sign else list(rest)
        return Strip.join(
            [before, Strip([Segment(s.text, (s.style or Style()) + style) for s in inside]), strip.crop(x + width)]
        )

    def _cropped(self, strip: Strip, width: int, sideways: bool) -> Strip:
        """The part of a row that is in sight."""
        frozen, moved = self.figure.frozen, self.scroll_offset.x
        if sideways and moved:
            strip = Strip.join([strip.crop(0, frozen), strip.crop(frozen + moved)])
        return strip.adjust_cell_length(width, self.base)

    # Moving

    def action_move(self, across: int, along: int) -> None:
        """Move the cursor by stops."""
        figure = self.figure
        if not figure.stops:
            return
        row, column = divmod(self.cursor, figure.columns)
        rows = len(figure.stops) // figure.columns
        row = max(0, min(rows - 1, row + along))
        column = max(0, min(figure.columns - 1, column + across))
        self._go(row * figure.columns + column)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what is in sight."""
        stop = self.figure.stops[self.cursor] if self.figure.stops else None
        if stop is not None:
            self.action_move(0, direction * max(1, self._room // stop.height - 1))

    @property
    def _room(self) -> int:
        """Body lines in sight."""
        return max(1, self.scrollable_content_region.height - len(self.figure.head) - self._foot_height)

    def _go(self, stop: int) -> None:
        self.cursor, self._hovered = stop, None
        at, figure = self.figure.stops[stop], self.figure
        head, foot = len(figure.head), self._foot_height
        # The region that must be in sight, in the scrolled coordinates in which head and foot take room as well.
        x = at.x if at.width else 0
        left = max(0, x - figure.frozen) if at.width else self.scroll_offset.x
        cells = figure.frozen + at.width if at.width else 1
        self.scroll_to_region(Region(left, at.line, max(1, cells), at.height + head + foot), animate=False, force=True)
        self.refresh()

    def action_choose(self) -> None:
        """Ask for the rows under the cursor."""
        if not self.figure.stops:
            return
        stop = self.figure.stops[self.cursor]
        if stop.filter:
            self.post_message(self.Chosen(stop.filter, stop.split))
        else:
            self.notify(stop.said, timeout=3)

    def _stop_at(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        figure, height = self.figure, self.scrollable_content_region.height
        head = min(len(figure.head), max(0, height - self._foot_height - 1))
        if not head <= offset.y < height - self._foot_height:
            return None
        line = offset.y - head + self.scroll_offset.y
        x = offset.x if offset.x < figure.frozen else offset.x + self.scroll_offset.x
        for i, stop in self._stops_near(line):
            inside = not stop.width or stop.x <= x < stop.x + stop.width
            if stop.line <= line < stop.line + stop.height and inside:
                return i
        return None

    def _stops_near(self, line: int) -> list[tuple[int, Stop]]:
        stops = self.figure.stops
        last = bisect_right(stops, line, key=lambda stop: stop.line)
        first = max(0, last - max(self.figure.columns, 2))
        return list(enumerate(stops[first:last], first))

    def on_click(self, event: events.Click) -> None:
        """Ask for the rows under the pointer."""
        found = self._stop_at(event)
        if found is not None:
            self._go(found)
            self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say what is under the pointer."""
        found = self._stop_at(event)
        if found != self._hovered:
            self._hovered = found
            self.refresh()

    def on_leave(self) -> None:
        """The words are about the cursor again."""
        if self._hovered is not None:
            self._hovered = None
            self.refresh()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()


def _with_bars_of(plain: Strip, marked: Strip, row: Row) -> Strip:
    """`marked` with the bars of `plain`: on the cursor's ground, a bar that is empty would look like a full one."""
    at = 0
    for text, name in row:
        wide = cell_len(text)
        if wide and name in ("bar", "warn") and BAR_CELLS.issuperset(text):
            marked = Strip.join([marked.crop(0, at), plain.crop(at, at + wide), marked.crop(at + wide)])
        at += wide
    return marked
