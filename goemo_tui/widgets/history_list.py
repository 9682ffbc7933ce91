"""The sentences asked before, newest first: only the rows on the screen are ever laid out.

Enter or a click brings one back. What it keeps and forgets is kept and forgotten on the disk too, beside the screen.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual import events, on
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from goemo_tui.language import label, word
from goemo_tui.safe_text import cells
from goemo_tui.services import history
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.called import called
from goemo_tui.services.history import Entry
from goemo_tui.wording import percent

WIDE = 100
"""Cells from which a row names its model too."""


class HistoryList(ScrollView, can_focus=True):
    """One row an entry."""

    ABOUT = "Sentences that you kept with Enter, or copied. Enter or a click brings one back; y copies it, x clears them all."
    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move(-5)", "Up five", show=False),
        Binding("pagedown,ctrl+d", "move(5)", "Down five", show=False),
        Binding("home,g", "move(-100000)", "First", show=False),
        Binding("end,G", "move(100000)", "Last", show=False),
        Binding("enter,space", "pick", "Bring back", tooltip="Bring this sentence back", show=False),
    ]
    COMPONENT_CLASSES = {"history--cursor", "history--arrow", "history--quiet"}
    DEFAULT_CSS = """
    HistoryList { background: $surface; overflow-x: hidden; }
    HistoryList > .history--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    HistoryList > .history--arrow { color: $accent; }
    HistoryList > .history--quiet { color: $quiet; }
    """

    class Picked(Message):
        """An entry is wanted back."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.entries: tuple[Entry, ...] = ()
        self.cursor = 0
        self._walked = -1

    def on_mount(self) -> None:
        """Read what was kept before, beside the screen."""
        self.border_title = word("history")
        self.show(())
        beside("history", history.read_history, self.post_message)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.notify(str(message.error), severity="warning", timeout=8)
        elif isinstance(message.value, tuple):
            self.show((*self.entries, *message.value)[: history.MOST])

    def keep(self, entry: Entry) -> bool:
        """Add one, here and on the disk; not where the newest says the same. Returns whether it was added."""
        new = not self.entries or not self.entries[0].same_as(entry)
        if new:
            self.show((entry, *self.entries)[: history.MOST])
            beside("history", lambda: history.append(entry), self.post_message)
        return new

    def forget(self) -> None:
        """Forget all, here and on the disk."""
        self.show(())
        beside("history", history.clear, self.post_message)

    def walk(self, by: int) -> str | None:
        """The sentence `by` before (after) the one walked to last; "" after the newest, None before the oldest."""
        to = max(-1, self._walked + by)
        if to >= len(self.entries):
            return None
        self._walked = to
        return self.entries[to].text if to >= 0 else ""

    def walk_anew(self) -> None:
        """The next walk starts at the newest."""
        self._walked = -1

    @property
    def looked_at(self) -> Entry | None:
        """The entry under the cursor."""
        return self.entries[self.cursor] if self.cursor < len(self.entries) else None

    def show(self, entries: tuple[Entry, ...]) -> None:
        """Draw these, if there are any; the cursor goes to the first."""
        self.entries, self.cursor, self._walked = entries, 0, -1
        self.display = bool(entries)
        self.virtual_size = Size(1, len(entries))
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One entry."""
        width, base = self.scrollable_content_region.width, self.rich_style
        index = y + self.scroll_offset.y
        if index >= len(self.entries):
            return Strip.blank(width, base)
        text, felt, model = entry_parts(self.entries[index], width)
        if self.has_focus and index == self.cursor:
            row = self.get_component_rich_style("history--cursor")
            return Strip([Segment(text + "  → " + felt + model, row)]).adjust_cell_length(width, row)
        quiet = self.get_component_rich_style("history--quiet")
        arrow = self.get_component_rich_style("history--arrow")
        parts = [Segment(text, base), Segment("  → ", arrow), Segment(felt + model, quiet)]
        return Strip(parts).adjust_cell_length(width, base)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(len(self.entries) - 1, self.cursor + by))
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)
        self.refresh()

    def action_pick(self) -> None:
        """Bring the entry under the cursor back."""
        if (entry := self.looked_at) is not None:
            self.post_message(self.Picked(entry))

    def on_click(self, event: events.Click) -> None:
        """Bring the entry under the pointer back."""
        at = event.get_content_offset(self)
        if at is not None and at.y + self.scroll_offset.y < len(self.entries):
            self.cursor = at.y + self.scroll_offset.y
            self.action_pick()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()


def entry_parts(entry: Entry, width: int) -> tuple[str, str, str]:
    """Sentence, what it felt and (where there is room) which model said so, within `width` cells together."""
    felt = " ".join(f"{label(e.name)} {percent(e.probability)}" for e in entry.emotions) or "below every threshold"
    model = "  " + cells(called(entry.model), 24) if width >= WIDE else ""
    felt = cells(felt, max(8, width // 2 - cell_len(model)))
    return cells(entry.text, max(4, width - cell_len(felt) - cell_len(model) - 4)), felt, model
