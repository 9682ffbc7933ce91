"""The log of a run: its events in words and what its worker printed, with follow and search.

The files are read beside the screen; what is drawn is the screenful in view. It owns no file and writes none.
"""

from __future__ import annotations

import time
from typing import cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from goemo_tui.services.beside import Done, beside
from goemo_tui.services.log_book import MOST_LINES, LogBook, LogLine
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.curve import fitting
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.lines import Lines, Row
from goemo_tui.widgets.log_lines import LogLines
from goemo_tui.wording import count

READING = "log"
POLL = 1.0
"""Seconds between two looks whether the worker printed something, while its log is looked at."""


class LogHeading(Lines):
    """How many lines, in which time zone, and whether the end is followed."""

    COMPONENT_CLASSES = {"log--name", "log--follow", "log--paused"}
    DEFAULT_CSS = """
    LogHeading { height: 1; width: 1fr; }
    LogHeading > .log--name { color: $quiet; }
    LogHeading > .log--follow { color: $success; text-style: bold; }
    LogHeading > .log--paused { color: $accent; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[Row] = []

    def show(self, lines: LogLines) -> int:
        """Say it. Returns how many rows were painted again."""
        new = f", {lines.unseen:,} new line{'s' if lines.unseen != 1 else ''}" if lines.unseen else ""
        state: Row = (("▼ following", "log--follow"),) if lines.following else ((f"‖ paused{new}", "log--paused"),)
        many = f"{count(lines.count)} line{'s' if lines.count != 1 else ''}"
        self._parts = [state, ((f"times are {zone()}", "log--name"),), ((many, "log--name"),)]
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """One row."""
        return [fitting(self._parts, width)]


class SearchField(Field):
    """The search line; Esc closes it instead of going home."""

    class Closed(Message):
        """Esc was pressed in it."""

    async def action_leave(self) -> None:
        """Esc."""
        self.post_message(self.Closed())


class LogView(Vertical):
    """A heading, the lines, and the search line when it is open."""

    BINDINGS = [
        Binding("n", "next_match(1)", "Next", show=False, tooltip="The next match"),
        Binding("N", "next_match(-1)", "Previous", show=False, tooltip="The match before"),
        Binding("escape", "close_search", "Close", show=False, tooltip="Close the search"),
    ]
    DEFAULT_CSS = """
    LogView { height: 1fr; }
    LogView > #log-search { height: 1; display: none; }
    LogView.-searching > #log-search { display: block; }
    LogView #log-slash { width: 2; color: $accent; text-style: bold; }
    LogView #log-found { width: auto; min-width: 8; padding: 0 1; color: $quiet; }
    LogView #log-needle { width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: RunView | None = None
        self._book: LogBook | None = None
        self._filled = False
        self._busy = False
        self._painted = 0

    def compose(self) -> ComposeResult:
        """Heading, lines, search."""
        yield LogHeading()
        yield LogLines(id="log-lines")
        with Horizontal(id="log-search"):
            yield Static("/", id="log-slash", markup=False)
            yield SearchField(
                id="log-needle", placeholder="what to look for", about="Search the log; Enter goes on to it"
            )
            yield Static(id="log-found", markup=False)

    def on_mount(self) -> None:
        """Look by itself too: what a worker prints is no event."""
        self.set_interval(POLL, self._tick)

    # What is shown

    def show(self, view: RunView) -> int:
        """Draw the log of this run; it is read beside the screen. Returns how many rows the last reading painted."""
        if self._book is None or self._book.folder != view.folder:
            self._book, self._filled, self._busy = LogBook(view.folder), False, False
            self.query_one(LogLines).fill(())
            self.query_one(LogHeading).show(self.query_one(LogLines))
        self._view = view
        painted, self._painted = self._painted, 0
        self._read()
        return painted

    def _tick(self) -> None:
        if self._view is not None and self._view.living and self.is_on_screen and self.screen.is_active:
            self._read()

    def _read(self) -> None:
        book = self._book
        if book is not None and not self._busy and book.has_grown():
            self._busy = True
            ended = self._view is not None and not self._view.living
            beside(READING, lambda: (book, book.read(ended)), self.post_message)

    @on(Done)
    def _read_done(self, message: Done) -> None:
        message.stop()
        book, lines = cast("tuple[LogBook, tuple[LogLine, ...]]", message.value)
        if book is not self._book:
            return  # another run was chosen meanwhile
        self._busy = False
        log = self.query_one(LogLines)
        if self._filled:
            self._painted += log.add(lines, MOST_LINES)
        else:
            self._filled = True
            self._painted += log.fill(lines)
        self._say()
        self._read()  # what came while it was read

    def _say(self) -> None:
        log = self.query_one(LogLines)
        self._painted += self.query_one(LogHeading).show(log)
        found = ""
        if log.needle:
            at = log.matches.index(log.current) + 1 if log.current in log.matches else 0
            found = f"{count(at)}/{count(len(log.matches))}" if log.matches else "no match"
        place = self.query_one("#log-found", Static)
        if place.content != Content(found):
            place.update(Content(found))

    @on(LogLines.Moved)
    def _moved(self, message: LogLines.Moved) -> None:
        message.stop()
        self._say()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """n, N and Esc are the search's only while it is open."""
        if action in ("next_match", "close_search"):
            return self.has_class("-searching")
        return True

    def action_follow(self) -> None:
        """Follow the end, or hold still."""
        log = self.query_one(LogLines)
        log.follow(not log.following)

    def action_search(self) -> None:
        """Open the search line."""
        self.add_class("-searching")
        field = self.query_one(SearchField)
        field.focus()
        field.select_all()

    def action_next_match(self, by: int) -> None:
        """To the next match, or the one before."""
        self.query_one(LogLines).step(by)

    def action_close_search(self) -> None:
        """Close the search line; nothing is marked any more."""
        self.remove_class("-searching")
        log, field = self.query_one(LogLines), self.query_one(SearchField)
        with self.prevent(Input.Changed):
            field.value = ""
        log.find("")
        log.focus()
        self._say()

    @on(Input.Changed, "#log-needle")
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        self.query_one(LogLines).find(message.value)
        self._say()

    @on(Input.Submitted, "#log-needle")
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.query_one(LogLines).focus()

    @on(Field.Onward, "#log-needle")
    def _onward(self, message: Field.Onward) -> None:
        message.stop()
        self.query_one(LogLines).focus()

    @on(SearchField.Closed)
    def _search_closed(self, message: SearchField.Closed) -> None:
        message.stop()
        self.action_close_search()

    def on_click(self, event: events.Click) -> None:
        """A click on what the heading says follows or holds still."""
        if isinstance(event.widget, LogHeading):
            self.action_follow()


def zone(wall: float | None = None) -> str:
    """The time zone that all times are in, such as `UTC` or `CET (UTC+01:00)`."""
    now = time.localtime(wall)
    offset = now.tm_gmtoff or 0
    if not offset:
        return "UTC"
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{now.tm_zone} (UTC{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d})"
