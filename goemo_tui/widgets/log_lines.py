"""Lines of a log, wrapped to the width, of which only those in view are ever drawn.

It scrolls by itself instead of being laid out, so that an appended line costs the terminal that line. It knows neither
files nor runs.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells
from textual import events
from textual.binding import Binding
from textual.message import Message

from goemo_tui.services.log_book import LogLine
from goemo_tui.widgets.lines import Lines, Row, Span

CLOCK, DATED_CLOCK = "%H:%M:%S", "%m-%d %H:%M:%S"
WHEEL = 3
"""Rows that one notch of the wheel moves."""


class LogLines(Lines, can_focus=True):
    """Shows the end and stays there (`following`) until somebody scrolls up; at the end again, it follows again."""

    ABOUT = "The log. f follows its end or holds still, / searches, n and N go through what was found."
    BINDINGS = [
        Binding("up,k", "scroll(-1)", "Up", show=False, tooltip="One row up"),
        Binding("down,j", "scroll(1)", "Down", show=False, tooltip="One row down"),
        Binding("pageup,ctrl+b", "page(-1.0)", "Page up", show=False, tooltip="A page up"),
        Binding("pagedown,ctrl+f", "page(1.0)", "Page down", show=False, tooltip="A page down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", show=False, tooltip="Half a page up"),
        Binding("ctrl+d", "page(0.5)", "Half down", show=False, tooltip="Half a page down"),
        Binding("home,g", "first", "First", show=False, tooltip="To the beginning"),
        Binding("end,G", "last", "Last", show=False, tooltip="To the end, and follow it"),
    ]
    COMPONENT_CLASSES = {
        "log--time", "log--event", "log--output", "log--match", "log--current", "log--bar", "log--thumb", "log--trouble",
    }  # fmt: skip
    DEFAULT_CSS = """
    LogLines { height: 1fr; width: 1fr; }
    LogLines > .log--time { color: $quiet; }
    LogLines > .log--output { color: $foreground 80%; }
    LogLines > .log--trouble { color: $error; text-style: bold; }
    LogLines > .log--match { text-style: underline; color: $accent; }
    LogLines > .log--current { text-style: bold reverse; color: $accent; }
    LogLines > .log--bar { color: $foreground 25%; }
    LogLines > .log--thumb { color: $foreground 60%; }
    LogLines:focus > .log--thumb { color: $accent; }
    """

    class Moved(Message):
        """Something changed of what the heading says."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[LogLine] = []
        self._starts: list[int] = [0]
        self._starts_for = (0, False)
        self._dated = False
        self._top = 0
        self.following = True
        self.unseen = 0
        self.needle = ""
        self.matches: list[int] = []
        self.current: int | None = None
        self._dragging = False
        self.empty = "  Nothing was told yet."
        """What stands there while there is no line."""

    @property
    def count(self) -> int:
        """Lines that are held."""
        return len(self._lines)

    # What is held

    def fill(self, lines: Sequence[LogLine]) -> int:
        """Hold these lines instead of those before. Returns how many rows were painted again."""
        self._lines, self._starts_for, self._top = list(lines), (0, False), 0
        self.following, self.unseen = True, 0
        self._dated = self._spans_days()
        self._match()
        self._to_end()
        return self.redraw()

    def add(self, lines: Sequence[LogLine], most: int) -> int:
        """Put lines at the end, and drop the oldest beyond `most`. Returns how many rows were painted again."""
        if not lines:
            return 0
        before = len(self._lines)
        self._lines += lines
        self._dated = self._dated or self._spans_days()
        if self.needle:
            wanted = self.needle.casefold()
            self.matches += [i for i in range(before, len(self._lines)) if wanted in self._lines[i].text.casefold()]
        if len(self._lines) > most:
            self._drop(len(self._lines) - most)
        if not self.following:
            self.unseen += len(lines)
        elif self._rows_in_all() > self._top + self.size.height:
            # a third of the page is left free: the next lines cost themselves alone, the page does not move
            self._top = max(0, self._rows_in_all() - self.size.height + self.size.height // 3)
        return self.redraw()

    def _drop(self, count: int) -> None:
        gone = self._starts_of_lines()[count]
        del self._lines[:count]
        self._starts_for = (0, False)
        self._top = max(0, self._top - gone)
        self.matches = [i - count for i in self.matches if i >= count]
        self.current = None if self.current is None or self.current < count else self.current - count

    def _spans_days(self) -> bool:
        timed = [line.wall for line in (self._lines[:1] + self._lines[-1:]) if line.wall is not None]
        return len({time.strftime("%j", time.localtime(wall)) for wall in timed}) > 1

    # Rows

    @property
    def _gutter(self) -> int:
        return len("00:00:00") + 2 + (6 if self._dated else 0)

    @property
    def _room(self) -> int:
        return max(8, self.size.width - self._gutter - 1)

    def _starts_of_lines(self) -> list[int]:
        """The row that each line begins at, and one more for the end."""
        key = (self._room, self._dated)
        if self._starts_for != key:
            self._starts, self._starts_for = [0], key
        starts, room = self._starts, self._room
        for i in range(len(starts) - 1, len(self._lines)):
            starts.append(starts[-1] + _height(self._lines[i].text, room))
        return starts

    def _rows_in_all(self) -> int:
        return self._starts_of_lines()[-1]

    def rows(self, width: int, height: int) -> list[Row]:
        """The rows in view, with a scroll bar in the last column where there is more."""
        if not self._lines:
            return [(), ((self.empty[: width - 1], "log--output"),)]
        starts = self._starts_of_lines()
        total = starts[-1]
        self._top = max(0, min(self._top, total - 1))
        made: list[Row] = []
        line = bisect_right(starts, self._top) - 1
        part = self._top - starts[min(line, len(starts) - 1)]
        while len(made) < height and line < len(self._lines):
            rows = self._rows_of(line)
            made += rows[part:]
            line, part = line + 1, 0
        made = made[:height]
        if total > height:
            made += [()] * (height - len(made))
            made = [self._with_bar(row, y, width, height, total) for y, row in enumerate(made)]
        return made

    def _rows_of(self, index: int) -> list[Row]:
        line = self._lines[index]
        clock = ""
        if line.wall is not None:
            clock = time.strftime(DATED_CLOCK if self._dated else CLOCK, time.localtime(line.wall))
        style = "log--event" if line.event else "log--output"
        if line.event and line.text.startswith(("failed", "warning")):
            style = "log--trouble"
        found = "log--current" if index == self.current else "log--match"
        styled = _marked(line.text, self.needle, style, found)
        made: list[Row] = []
        at = 0
        for part in _parts(line.text, self._room):
            head = f"{clock if not made else '':<{self._gutter - 2}}" + ("  " if line.event else "│ ")
            made.append(((head, "log--time"), *_slice(styled, at, at + len(part.rstrip(" ")))))
            at += len(part)
        return made

    def _with_bar(self, row: Row, y: int, width: int, height: int, total: int) -> Row:
        size = max(1, round(height * height / total))
        at = round((height - size) * self._top / max(1, total - height))
        on = min(at, height - size) <= y < min(at, height - size) + size
        used = sum(cell_len(text) for text, _ in row)
        pad = " " * max(0, width - 1 - used)
        return (*row, (pad, ""), ("┃" if on else "│", "log--thumb" if on else "log--bar"))

    # Moving

    def _to_end(self) -> None:
        if self.size.width:  # else nothing is wrapped yet
            self._top = max(0, self._rows_in_all() - self.size.height)

    def move_to(self, top: int) -> None:
        """Make `top` the first row in view."""
        end = max(0, self._rows_in_all() - self.size.height)
        self._top = max(0, min(top, end))
        self.following = self._top >= end
        self.unseen = 0 if self.following else self.unseen
        self.redraw()
        self.post_message(self.Moved())

    def follow(self, on: bool) -> None:
        """Go to the end and stay there, or hold still."""
        self.following = on
        if on:
            self.unseen = 0
            self._to_end()
            self.redraw()
        self.post_message(self.Moved())

    def action_scroll(self, rows: int) -> None:
        """Move by rows."""
        self.move_to(self._top + rows)

    def action_page(self, pages: float) -> None:
        """Move by pages."""
        self.move_to(self._top + round(pages * max(1, self.size.height - 1)))

    def action_first(self) -> None:
        """To the beginning."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the end."""
        self.follow(True)

    def on_resize(self) -> None:
        """Another width wraps otherwise; the first line in view stays the first."""
        starts = self._starts
        first = max(0, bisect_right(starts, self._top) - 1)
        if self.following:
            self._to_end()
        else:
            self._top = self._starts_of_lines()[min(first, len(self._lines))]
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        event.stop()
        self.action_scroll(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        event.stop()
        self.action_scroll(WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The scroll bar is taken."""
        if event.x == self.size.width - 1:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The scroll bar is dragged."""
        if self._dragging:
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The scroll bar is let go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        share = min(1.0, max(0.0, y / max(1, self.size.height - 1)))
        self.move_to(round(share * max(0, self._rows_in_all() - self.size.height)))

    # Searching

    def _match(self) -> None:
        self.current, wanted = None, self.needle.casefold()
        self.matches = [i for i, line in enumerate(self._lines) if wanted in line.text.casefold()] if wanted else []

    def find(self, needle: str) -> None:
        """Mark each line that holds `needle` (large and small letters alike); go to the first from here on."""
        self.needle = needle
        self._match()
        if self.matches:
            first = bisect_right(self._starts_of_lines(), self._top) - 1
            self._go(next((i for i in self.matches if i >= first), self.matches[-1]))
        self.redraw()

    def step(self, by: int) -> None:
        """To the next match (1) or the one before (-1), and round again at the ends."""
        if not self.matches:
            return
        at = self.matches.index(self.current) if self.current in self.matches else -1 if by > 0 else 0
        self._go(self.matches[(at + by) % len(self.matches)])

    def _go(self, index: int) -> None:
        self.current = index
        row = self._starts_of_lines()[index]
        if not self._top <= row < self._top + self.size.height - 1:
            self.move_to(row - self.size.height // 3)
            self.following = False  # who searches wants to stay where the match is
        self.redraw()
        self.post_message(self.Moved())


def _height(text: str, room: int) -> int:
    if len(text) <= room and text.isascii():
        return 1
    return len(_parts(text, room))


def _parts(text: str, room: int) -> list[str]:
    """The text in rows of `room` cells, cut at blanks, which may stand beyond the room; a longer word is cut itself."""
    plain, start = text.isascii(), 0
    parts: list[str] = []
    while True:
        cut = start + (room if plain else len(chop_cells(text[start : start + 8 * room], room)[0]))
        if cut >= len(text):
            return [*parts, text[start:]]
        blank = text.rfind(" ", start, cut + 1)
        end = blank + 1 if blank > start and text[start:blank].strip(" ") else cut
        parts.append(text[start:end])
        start = end
        if start == len(text):  # a blank beyond the room was the last of it
            return parts


def _marked(text: str, needle: str, style: str, found: str) -> list[Span]:
    """The text in spans, with each place of `needle` in the style `found`."""
    low, wanted = text.casefold(), needle.casefold()
    if not wanted or len(low) != len(text):  # letters that fold to two would shift the marks
        return [(text, style)]
    spans: list[Span] = []
    at = 0
    while (hit := low.find(wanted, at)) >= 0:
        spans += [(text[at:hit], style), (text[hit : hit + len(wanted)], found)]
        at = hit + len(wanted)
    return [span for span in [*spans, (text[at:], style)] if span[0]]


def _slice(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The characters start..end of spans."""
    found: list[Span] = []
    at = 0
    for text, style in spans:
        part = text[max(0, start - at) : max(0, end - at)]
        if part:
            found.append((part, style))
        at += len(text)
    return found
