"""A list that may be very long: a row is made when it is drawn, so that 100,000 entries cost no more than a page.

It knows no data: whoever shows something says how many rows there are and what stands in one.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from goemo_tui.widgets.lines import Row, fit


class LongList(ScrollView, can_focus=True):
    """Posts `Looked` when the cursor is on another row, `Chosen` for Enter or a click."""

    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "A page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "A page down", show=False),
        Binding("home,g", "move(-100000000)", "First", show=False),
        Binding("end,G", "move(100000000)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]
    COMPONENT_CLASSES = {
        "long-list--cursor",
        "long-list--quiet",
        "long-list--strong",
        "long-list--accent",
        "long-list--warn",
        "long-list--error",
    }
    DEFAULT_CSS = """
    LongList { background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    LongList > .long-list--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    LongList > .long-list--quiet { color: $quiet; }
    LongList > .long-list--strong { text-style: bold; }
    LongList > .long-list--accent { color: $accent; }
    LongList > .long-list--warn { color: $warning; text-style: bold; }
    LongList > .long-list--error { color: $error; text-style: bold; }
    """

    class Looked(Message):
        """The cursor is on row `index`."""

        def __init__(self, long_list: LongList, index: int) -> None:
            super().__init__()
            self.long_list = long_list
            self.index = index

        @property
        def control(self) -> LongList:
            """The list, for `@on` with a selector."""
            return self.long_list

    class Chosen(Looked):
        """Row `index` was chosen."""

    class Above(Message):
        """Up was pressed on the first row: on to what stands above the list."""

        def __init__(self, long_list: LongList) -> None:
            super().__init__()
            self.long_list = long_list

        @property
        def control(self) -> LongList:
            """The list, for `@on` with a selector."""
            return self.long_list

    def __init__(self, *, id: str | None = None, about: str = "", empty: str = "nothing here") -> None:
        super().__init__(id=id)
        self.ABOUT = about
        self.empty = empty
        self.count = 0
        self.cursor = 0
        self._row_of: Callable[[int], Row] = lambda index: ()

    def show(self, count: int, row_of: Callable[[int], Row], cursor: int = 0) -> None:
        """Draw `count` rows; `row_of` gives the spans of one. The cursor stands on row `cursor`."""
        self.count, self._row_of = count, row_of
        self.cursor = max(0, min(cursor, count - 1))
        self.virtual_size = Size(1, count)
        self._to_cursor()
        if count:
            self.post_message(self.Looked(self, self.cursor))

    def row_text(self, index: int) -> str:
        """What a row says, without its colours."""
        return "".join(text for text, _ in self._row_of(index)).rstrip()

    def render_line(self, y: int) -> Strip:
        """One row, or what is to be said of an empty list."""
        width, base, index = self.scrollable_content_region.width, self.rich_style, y + self.scroll_offset.y
        if index >= self.count:
            text = self.empty if y == 0 and not self.count else ""
            return Strip(
                [Segment(text, base + self.get_component_rich_style("long-list--quiet", partial=True))]
            ).adjust_cell_length(width, base)
        here = index == self.cursor and self.has_focus
        cursor = self.get_component_rich_style("long-list--cursor", partial=True) if here else None
        segments = [Segment("▸ " if index == self.cursor else "  ", base)]
        for text, name in fit(self._row_of(index), width - 2):
            style = self.get_component_rich_style(f"long-list--{name}", partial=True) if name else None
            segments.append(Segment(text, base + style if style else base))
        if cursor is not None:
            segments = [Segment(s.text, (s.style or base) + cursor) for s in segments]
        return Strip(segments).adjust_cell_length(width, base + cursor if cursor else base)

    def action_move(self, by: int) -> None:
        """Move the cursor; up from the first row leaves the list."""
        if by == -1 and self.cursor == 0:
            self.post_message(self.Above(self))
            return
        self.go(self.cursor + by)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what is in sight."""
        self.go(self.cursor + direction * max(1, self.scrollable_content_region.height - 1))

    def go(self, index: int) -> None:
        """Put the cursor on a row, the nearest there is."""
        index = max(0, min(self.count - 1, index))
        if self.count and index != self.cursor:
            self.cursor = index
            self._to_cursor()
            self.post_message(self.Looked(self, index))

    def _to_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)
        self.refresh()

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the pointer."""
        offset = event.get_content_offset(self)
        index = offset.y + self.scroll_offset.y if offset is not None else self.count
        if index < self.count:
            self.go(index)
            self.action_choose()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()
