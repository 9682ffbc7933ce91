"""The Data screen's views that are not the table: counts, co-occurrence, lengths, duplicates. A cursor goes through them.

Enter or a click on a bar, cell, bucket or group posts the filter that shows its rows. What takes long on a large corpus
is counted in a thread. numpy comes with what is drawn, never with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from goemo_tui import safe_text
from goemo_tui.services.beside import Done, beside
from goemo_tui.widgets.figure import Figure, Stop
from goemo_tui.widgets.lines import Row

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns

GROUPINGS = ("emotions", "ekman", "sentiment")
"""What `c` goes through; the names are those of the setting `taxonomy`."""

_ABOUT = {
    "counts": "How many rows carry each label, in every split. Enter or a click shows these rows in the table.",
    "together": "Which labels stand on the same row. A cell is the share of its row's label that carries the column's "
    "label too; the diagonal is the label alone. Enter or a click shows these rows in the table.",
    "lengths": "How long the comments are, and what max_length cuts off. Enter or a click shows the comments of a bar.",
    "duplicates": "Texts that stand on several rows: ⇄ in several splits (a leak), ≠ with different labels, = the same. "
    "Enter or a click shows exactly these rows.",
}


class Figures(ScrollView, can_focus=True):
    """`show()` says what is drawn; it is drawn for the present width, and again when that changes."""

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
    Figures {
        background: $surface; scrollbar-gutter: stable; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
    }
    Figures > .figures--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    Figures > .figures--here { color: $accent; text-style: bold; }
    Figures > .figures--head { color: $accent; text-style: bold; }
    Figures > .figures--quiet { color: $quiet; }
    Figures > .figures--bar { color: $bar; }
    Figures > .figures--warn { color: $warning; text-style: bold; }
    Figures > .figures--strong { text-style: bold; }
    Figures > .figures--said { color: $foreground; background: $boost; }
    Figures > .figures--shade1 { color: $bar 50%; }
    Figures > .figures--shade2 { color: $bar 75%; }
    Figures > .figures--shade3 { color: $bar; }
    Figures > .figures--shade4 { color: $accent; }
    """

    class Chosen(Message):
        """Rows were asked for: the filter line that finds them, in `split` ("": in the split that is shown)."""

        def __init__(self, filter_text: str, split: str = "") -> None:
            super().__init__()
            self.filter_text = filter_text
            self.split = split

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.view = ""
        self.grouping = GROUPINGS[0]
        self.cursor = 0
        self.figure = Figure("", empty="")
        self._columns: SplitColumns | None = None
        self._splits: dict[str, SplitColumns] = {}
        self._max_length = 0
        self._known: dict[tuple[str, int], tuple[object, Any]] = {}
        self._counting: set[tuple[str, int]] = set()
        self._hovered: int | None = None

    @property
    def ABOUT(self) -> str:
        """What help says of the view that is shown."""
        return _ABOUT.get(self.view, "The corpus in figures.")

    @property
    def title(self) -> str:
        """A few words on what is shown, for a border."""
        return self.figure.title

    @property
    def text(self) -> str:
        """All that is drawn, in sight or not, and the words below it."""
        return f"{self.figure.text}\n{self._said()}"

    # What is shown

    def show(self, view: str, columns: SplitColumns, splits: dict[str, SplitColumns], max_length: int) -> None:
        """Draw `view` (counts, together, lengths, duplicates) of a split among its corpus's splits.

        The same view of the same split keeps the cursor: call it again when token counts have come in.
        """
        same = view == self.view and columns is self._columns
        if splits is not self._splits:
            self._known.clear()
        self.view, self._columns, self._splits, self._max_length = view, columns, splits, max_length
        if not same:
            self.cursor, self._hovered = 0, None
            self.scroll_home(animate=False)
        self._draw()

    def next_grouping(self) -> None:
        """Counts by the labels themselves, by Ekman's emotions, by sentiment; a corpus with labels of its own says no."""
        columns = self._columns
        if columns is None or self.view != "counts":
            self.notify("Only the counts are grouped: v goes on to them.", timeout=3)
        elif not columns.labels.official:
            self.notify(
                "Ekman's emotions and sentiments group the official 28 labels only; this corpus has labels of its own.",
                severity="warning",
            )
        else:
            self.grouping = GROUPINGS[(GROUPINGS.index(self.grouping) + 1) % len(GROUPINGS)]
            self.cursor, self._hovered = 0, None
            self.scroll_home(animate=False)
            self._draw()

    def _draw(self) -> None:
        """Work the figure out for the present size."""
        columns = self._columns
        if columns is None or self.size.width < 10:
            return
        self.figure = self._figure(columns)
        self.cursor = max(0, min(self.cursor, len(self.figure.stops) - 1))
        if self._hovered is not None and self._hovered >= len(self.figure.stops):
            self._hovered = None
        size = Size(
            max(1, self.figure.width),
            len(self.figure.head) + len(self.figure.body) + self._foot_height,
        )
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    def _figure(self, columns: SplitColumns) -> Figure:
        from goemo_tui.widgets import corpus_views, heat_map

        width, height = self.scrollable_content_region.size
        if self.view == "counts":
            grouping = self.grouping if columns.labels.official else GROUPINGS[0]
            return corpus_views.counts(self._splits, grouping, width)
        if self.view == "lengths":
            return corpus_views.lengths(columns, width, self._max_length)
        if self.view == "together":
            found = self._counted(columns, lambda: heat_map.count(columns))
            return (
                Figure("which go together", empty="counting …")
                if found is None
                else heat_map.draw(found, columns.labels, width, height)
            )
        splits = self._splits
        found = self._counted(columns, lambda: corpus_views.repeats(splits))
        if found is None:
            return Figure("duplicates", empty="comparing the texts …")
        return corpus_views.duplicates(found, columns, splits, width)

    def _counted(self, columns: SplitColumns, work: Callable[[], Any]) -> Any:
        """What `work` counts, if it is known; else it is counted in a thread, and drawn when it is there."""
        key = (self.view, id(columns))
        if key in self._known:
            return self._known[key][1]
        if key not in self._counting:
            self._counting.add(key)
            beside("figures", lambda: (key, columns, work()), self.post_message)
        return None

    def on_done(self, message: Done) -> None:
        """Something was counted."""
        if message.name != "figures" or not isinstance(message.value, tuple):
            return
        message.stop()
        key, columns, value = message.value
        self._counting.discard(key)
        if any(columns is there for there in self._splits.values()):
            self._known[key] = (columns, value)  # kept with its columns, so that the id in the key stays theirs
            self._draw()

    def on_resize(self) -> None:
        """Another size, another drawing."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme or language."""
        super().notify_style_update()
        self._draw()

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
        figure, base = self.figure, self.rich_style
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
                strip = self._overlaid(strip, stop.x, cells, stop.sign if line == stop.line else "", "figures--cursor")
        return strip

    def _foot_line(self, part: int, width: int, base: Style) -> Strip:
        from textual.content import Content

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
        strip = strip.adjust_cell_length(max(strip.cell_length, x + width), self.rich_style)
        sign_cells = Segment(sign).cell_length
        before, rest = strip.crop(0, x), strip.crop(x + sign_cells, x + width)
        inside = [Segment(sign, self.rich_style), *rest] if sign else list(rest)
        return Strip.join(
            [before, Strip([Segment(s.text, (s.style or Style()) + style) for s in inside]), strip.crop(x + width)]
        )

    def _cropped(self, strip: Strip, width: int, sideways: bool) -> Strip:
        """The part of a row that is in sight."""
        frozen, moved = self.figure.frozen, self.scroll_offset.x
        if sideways and moved:
            strip = Strip.join([strip.crop(0, frozen), strip.crop(frozen + moved)])
        return strip.adjust_cell_length(width, self.rich_style)

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
        from bisect import bisect_right

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
