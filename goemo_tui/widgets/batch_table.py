"""The lines of a batch as a table: row, sentence, emotions over their threshold, the highest probability.

Rows are worked out when they are drawn, so ten thousand cost what a page costs. Sorts by any column; changes no line.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from goemo_tui.language import label
from goemo_tui.safe_text import cells
from goemo_tui.services.batch import COLUMNS, Batch
from goemo_tui.wording import percent

FIRST_WAY = (False, False, True, True)
"""Whether a column is sorted downwards at first: numbers and names up, strengths down."""

TOP = 6
"""Cells of the highest probability."""


class BatchTable(ScrollView, can_focus=True):
    """Posts `Picked` for Enter or a click on the row under the cursor."""

    ABOUT = "Each line that was pasted, with the emotions over their threshold. Click a column's head to sort by it."
    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000)", "First", show=False),
        Binding("end,G", "move(1000000)", "Last", show=False),
        Binding("enter", "pick", "Look", tooltip="Open this line in Inspect; a double click does it too"),
        Binding("s", "sort", "Sort", tooltip="Sort by the next column; a click on its head does it too"),
        Binding("S", "turn", "Turn", tooltip="Turn the order round", show=False),
        Binding("o", "screen.open_lines", "Open", tooltip="Open a text file, one sentence a line"),
        Binding("n", "screen.anew", "New", tooltip="Let these lines go, and begin with an empty table"),
        Binding("w", "screen.write", "Save", tooltip="Save as TSV, CSV or JSONL"),
        Binding("y", "screen.copy_json", "Copy", tooltip="Copy all lines as JSON"),
        Binding("u", "screen.as_one", "As one", tooltip="Read all lines as one text, in Inspect"),
        Binding("r", "screen.go_on", "Go on", tooltip="Go on where it was interrupted", show=False),
    ]
    COMPONENT_CLASSES = {"batch--head", "batch--cursor", "batch--quiet", "batch--number", "batch--felt"}
    DEFAULT_CSS = """
    BatchTable { background: $surface; overflow-x: hidden; height: 1fr; scrollbar-size-vertical: 1; }
    BatchTable > .batch--head { color: $quiet; text-style: bold; }
    BatchTable > .batch--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    BatchTable > .batch--quiet, BatchTable > .batch--number { color: $quiet; }
    BatchTable > .batch--felt { color: $accent; }
    """

    class Picked(Message):
        """This line is to be opened."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.filled: Batch | None = None
        self.order: list[int] = []
        self.cursor = 0
        self.sorting = (0, False)

    def show(self, batch: Batch | None) -> None:
        """Draw another batch from its first line."""
        self.filled, self.cursor, self.sorting = batch, 0, (0, False)
        self.order = batch.order(0, False) if batch else []
        self.virtual_size = Size(1, len(self.order) + 1)
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    @property
    def row(self) -> int:
        """The line under the cursor."""
        return self.order[self.cursor] if self.order else 0

    def come_back(self, row: int, sorting: tuple[int, bool]) -> None:
        """Sorted as it was left, with the cursor on that line."""
        if self.filled is not None:
            self.sorting, self.order = sorting, self.filled.order(*sorting)
            self.cursor = self.order.index(row)
            self.call_after_refresh(lambda: self._go(self.cursor))  # how long a page is, is known then

    def advance(self, before: int) -> None:
        """More lines are answered: those from `before` on. Only visible rows are painted again."""
        if self.filled is None:
            return
        if self.sorting[0] > 1:
            self.order = self.filled.order(*self.sorting)
            self.refresh()
            return
        top = self.scroll_offset.y
        page = self.order[top : top + self.size.height]
        for y, row in enumerate(page):
            if before <= row < self.filled.done:
                self.refresh(Region(0, y + 1, self.size.width, 1))

    def judged(self) -> None:
        """Other thresholds: the cells say something else, and stand elsewhere where emotions are what is sorted by."""
        if self.filled is not None and self.sorting[0] == 2:
            here = self.row
            self.order = self.filled.order(*self.sorting)
            self._go(self.order.index(here) if self.order else 0)
        self.refresh()

    def sort_by(self, column: int) -> None:
        """Sort by a column; by the same one again turns it round. The cursor stays on its line."""
        if self.filled is None:
            return
        now, downwards = self.sorting
        self.sorting = (column, not downwards if column == now else FIRST_WAY[column])
        here = self.row
        self.order = self.filled.order(*self.sorting)
        self._go(self.order.index(here) if self.order else 0)

    def render_line(self, y: int) -> Strip:
        """The head, or one row."""
        width, base = self.scrollable_content_region.width, self.rich_style
        widths = self._widths(width)
        if y == 0:
            return self._head(widths).adjust_cell_length(width, base)
        index = y - 1 + self.scroll_offset.y
        if self.filled is None or index >= len(self.order):
            return Strip.blank(width, base)
        row = self.order[index]
        texts = _cells(self.filled, row, widths)
        if index == self.cursor and self.has_focus:
            style = self.get_component_rich_style("batch--cursor")
            return Strip([Segment("  ".join(texts), style)]).adjust_cell_length(width, style)
        above = row < self.filled.done and any(e.above for e in self.filled.emotions(row))
        names = ("batch--number", "", "batch--felt" if above else "batch--quiet", "")
        segments = [
            Segment(text + "  ", self.get_component_rich_style(name) if name else base)
            for text, name in zip(texts, names, strict=True)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _widths(self, width: int) -> tuple[int, int, int, int]:
        number = max(3, len(str(len(self.order))))
        emotions = max(14, (width - number - TOP - 6) * (2 if width >= 90 else 3) // 6)
        return number, max(4, width - number - emotions - TOP - 6), emotions, TOP

    def _head(self, widths: tuple[int, ...]) -> Strip:
        style = self.get_component_rich_style("batch--head")
        parts = []
        for i, (name, width) in enumerate(zip(COLUMNS, widths, strict=True)):
            arrow = (" ▼" if self.sorting[1] else " ▲") if self.sorting[0] == i else ""
            text = (name + arrow)[:width] if width > 4 else name
            parts.append(f"{text:>{width}}" if i in (0, 3) else f"{text:<{width}}")
        return Strip([Segment("  ".join(parts), style)])

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """A page on or back."""
        self._go(self.cursor + by * max(1, self.size.height - 2))

    def _go(self, index: int) -> None:
        self.cursor = max(0, min(len(self.order) - 1, index))
        top, page = self.scroll_offset.y, max(1, self.size.height - 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + page:
            self.scroll_to(y=self.cursor - page + 1, animate=False, force=True)
        self.refresh()

    def action_sort(self) -> None:
        """By the next column."""
        self.sort_by((self.sorting[0] + 1) % len(COLUMNS))

    def action_turn(self) -> None:
        """The other way round."""
        self.sort_by(self.sorting[0])

    def action_pick(self) -> None:
        """Open the line under the cursor."""
        if self.filled is not None and self.order:
            self.post_message(self.Picked(self.filled.texts[self.order[self.cursor]]))

    def on_click(self, event: events.Click) -> None:
        """A head sorts; a row takes the cursor, and opens where it had it already."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            end = 0
            for column, width in enumerate(self._widths(self.scrollable_content_region.width)):
                end += width + 2
                if at.x < end:
                    self.sort_by(column)
                    return
            return
        index = at.y - 1 + self.scroll_offset.y
        if index < len(self.order):
            if index == self.cursor and event.chain > 1:
                self.action_pick()
            self._go(index)

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()


def _cells(batch: Batch, row: int, widths: tuple[int, int, int, int]) -> tuple[str, str, str, str]:
    """The four cells of a row, each exactly as wide as its column."""
    number, sentence, felt, top = widths
    emotions = batch.emotions(row)
    if emotions:
        above = " ".join(f"{label(e.name)} {percent(e.probability)}" for e in emotions if e.above)
        words = above or f"below: {label(emotions[0].name)}"
        highest = percent(emotions[0].probability)
    else:
        words, highest = ("could not be read" if row < batch.done else "…"), "–"
    return (
        f"{row + 1:>{number}}",
        _exactly(batch.texts[row], sentence),
        _exactly(words, felt),
        " " * (top - cell_len(highest)) + highest,
    )


def _exactly(text: str, width: int) -> str:
    return set_cell_size(cells(text, width), width)
