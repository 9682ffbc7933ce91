"""A list of names with counts and bars: the splits, and the emotions that are also a filter.

One line an entry where there is room for the bar beside the name, else the bar stands below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from goemo_tui.safe_text import cells, content
from goemo_tui.widgets.measured import Measured

ONE_LINE = 27
"""Cells from which name, bar and count stand on one line."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Entry:
    """`count` None is drawn as a dash: there is no such thing here. `sign` is one cell before the name."""

    name: str
    count: int | None
    sign: str = " "
    share: float = 0.0
    """Length of the bar, 0 to 1."""


def bar(share: float, width: int) -> str:
    """A bar of `share` of `width` cells in eighths of a cell; something that is there shows at least one eighth."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0 and eighths == 0:
        eighths = 1
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


class BarList(Measured, can_focus=True):
    """Posts `Picked` for Enter, Space or a click on an entry. `empty` is said while there are none.

    Without `bars` an entry is a name and a count.
    """

    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move(-10)", "Up ten", show=False),
        Binding("pagedown,ctrl+d", "move(10)", "Down ten", show=False),
        Binding("home,g", "move(-100000)", "First", show=False),
        Binding("end,G", "move(100000)", "Last", show=False),
        Binding("enter,space", "pick", "Choose", show=False),
    ]
    COMPONENT_CLASSES = {"bars--cursor", "bars--bar", "bars--count", "bars--sign", "bars--absent"}
    DEFAULT_CSS = """
    BarList { background: $surface; overflow-x: hidden; }
    BarList > .bars--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    BarList > .bars--bar { color: $bar; }
    BarList > .bars--count { color: $quiet; }
    BarList > .bars--absent { color: $quiet; }
    BarList > .bars--sign { color: $accent; text-style: bold; }
    """

    class Picked(Message):
        """An entry was chosen."""

        def __init__(self, bar_list: BarList, index: int) -> None:
            super().__init__()
            self.bar_list = bar_list
            self.index = index

        @property
        def control(self) -> BarList:
            """The list, for `@on` with a selector."""
            return self.bar_list

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, about: str = "", bars: bool = True
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.ABOUT = about
        self.bars = bars
        self.entries: tuple[Entry, ...] = ()
        self.empty = ""
        self.cursor = 0
        self._widest = self._digits = 0

    def show(self, entries: tuple[Entry, ...]) -> None:
        """Draw these entries; the cursor stays at its place."""
        if entries == self.entries:
            return
        same_shape = len(entries) == len(self.entries)
        self.entries = entries
        self.cursor = max(0, min(self.cursor, len(entries) - 1))
        self._widest = max((cell_len(entry.name) for entry in entries), default=0)
        self._digits = max(3, *(len(f"{entry.count or 0:,}") for entry in entries)) if entries else 3
        if not same_shape:
            self._measure()
        self.refresh()

    def say(self, why: str) -> None:
        """There are no entries, and `why`."""
        self.empty = why
        self.show(())
        self.refresh()

    @property
    def height_of_entry(self) -> int:
        """Lines an entry takes: two where there are bars and no room for them beside the names."""
        return 2 if self.bars and self.room < ONE_LINE else 1

    @property
    def room(self) -> int:
        """Cells of a line, beside the scroll bar."""
        return self.scrollable_content_region.width

    def _measure(self) -> None:
        self.virtual_size = Size(1, len(self.entries) * self.height_of_entry)

    def on_resize(self) -> None:
        """Another width, another shape."""
        self._measure()

    def render_line(self, y: int) -> Strip:
        """One line of an entry."""
        width = self.room
        line = y + self.scroll_offset.y
        tall = self.height_of_entry
        index, part = divmod(line, tall)
        base = self.base
        if not self.entries and y < len(said := self._wrapped(width)):
            return Strip([Segment(said[y], self._on(base, "bars--absent"))]).adjust_cell_length(width, base)
        if not 0 <= index < len(self.entries):
            return Strip.blank(width, base)
        entry = self.entries[index]
        here = self.has_focus and index == self.cursor
        row = self.get_component_rich_style("bars--cursor") if here else base
        count = "–" if entry.count is None else f"{entry.count:,}"
        if part == 1:
            segments = [Segment("  " + bar(entry.share, max(0, width - 3)), self._on(row, "bars--bar"))]
        else:
            bars, numbers = tall == 1 and self.bars, self._digits
            name_width = max(1, min(self._widest, width - numbers - 3)) if bars else max(1, width - len(count) - 3)
            name = set_cell_size(cells(entry.name, name_width), name_width)
            style = self._on(row, "bars--absent") if entry.count is None else row
            segments = [Segment(entry.sign, self._on(row, "bars--sign")), Segment(" " + name, style)]
            if bars:
                room = width - 2 - name_width - numbers - 2
                segments.append(Segment(" " + bar(entry.share, max(0, room)), self._on(row, "bars--bar")))
                count = count.rjust(numbers)
            segments.append(Segment(f" {count}", self._on(row, "bars--count") if not here else row))
        return Strip(segments).adjust_cell_length(width, row)

    def _wrapped(self, width: int) -> list[str]:
        """What stands in the place of entries, in lines."""
        return [line.plain for line in content(self.empty).wrap(max(4, width))] if self.empty else []

    def _on(self, row: Style, component: str) -> Style:
        """A component's colour on the row's background."""
        return row + self.get_component_rich_style(component, partial=True)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(max(0, min(len(self.entries) - 1, self.cursor + by)))

    def _go(self, index: int) -> None:
        self.cursor = max(0, index)
        tall = self.height_of_entry
        self.scroll_to_region(Region(0, self.cursor * tall, 1, tall), animate=False, force=True)
        self.refresh()

    def action_pick(self) -> None:
        """Choose the entry under the cursor."""
        if self.entries:
            self.post_message(self.Picked(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Choose the entry under the pointer."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = (offset.y + self.scroll_offset.y) // self.height_of_entry
        if 0 <= index < len(self.entries):
            self._go(index)
            self.action_pick()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()
