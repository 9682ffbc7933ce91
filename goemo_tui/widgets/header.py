"""The header: the three places at the left, the running run and the GPU at the right, the same on every screen."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from goemo_tui import safe_text
from goemo_tui.actions import places
from goemo_tui.right_to_left import apart

SLACK = 3
"""Cells that the machine's line may be shorter than its place."""


class PlaceTab(Static):
    """One place's name and key; a click goes there."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, place: str) -> None:
            super().__init__()
            self.place = place

    def __init__(self, place: str, key: str, title: str, here: bool) -> None:
        self.place, self._key, self._title, self._here = place, key, title, here
        super().__init__(self._words(False), classes="-here" if here else "", id=f"tab-{place}")

    def _words(self, typing: bool) -> Content:
        """`[1]Data`; as wide, `F1 Data` where digits are text."""
        key = f"F{self._key} " if typing else f"[{self._key}]"
        return Content.assemble(" ", (key, "" if self._here else "$accent"), apart(self._title), " ")

    def tell_key(self, typing: bool) -> None:
        """The key that works now, also while somebody types."""
        words = self._words(typing)
        if self.content != words:
            self.update(words, layout=False)

    def on_click(self, event: Click) -> None:
        """Go there."""
        event.stop()
        self.post_message(self.Chosen(self.place))


class RunLine(Static):
    """The running run; a click goes to it."""

    def on_click(self, event: Click) -> None:
        """To Train, with it selected."""
        from goemo_tui.app import GoemoApp

        event.stop()
        if isinstance(self.app, GoemoApp) and self.app.run_id is not None:
            self.app.show_run(self.app.run_id)


class GoemoHeader(Horizontal):
    """Tabs left, `run_line` and `machine_line` right. Both lines are plain text, cleaned here."""

    DEFAULT_CSS = """
    GoemoHeader {
        dock: top; height: 1; background: $panel;
        & > .header--name { width: auto; padding: 0 1; text-style: bold; color: $primary; }
        & > PlaceTab { width: auto; pointer: pointer; }
        & > PlaceTab:hover { background: $boost; }
        & > PlaceTab.-here { background: $primary; color: $background; text-style: bold; }
        & > .header--run { width: 1fr; text-align: right; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > RunLine:hover { text-style: underline; }
        & > .header--machine { width: 0; color: $quiet; text-align: right; text-wrap: nowrap; }
    }
    """

    run_line: reactive[str] = reactive("", repaint=False)
    """`● calm-otter  epoch 2/3  61%  1m40s left`, or empty where nothing runs."""

    machine_line: reactive[str] = reactive("", repaint=False)
    """`GPU 87% 9.1/80 GB`, or empty without a GPU."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def compose(self) -> ComposeResult:
        """Name, tabs, right side."""
        yield Static("goemo", classes="header--name")
        for number, (place, title, _) in enumerate(places(), start=1):
            yield PlaceTab(place, str(number), title, place == self.place)
        yield RunLine(Content(""), classes="header--run")
        yield Static(Content(""), classes="header--machine")

    def watch_run_line(self, text: str) -> None:
        """Show the running run."""
        if self.is_mounted:
            # no layout: its width is what is left over, and a layout would repaint the whole screen
            self.query_one(".header--run", Static).update(safe_text.content(text), layout=False)
            self._show_machine()

    def watch_machine_line(self, text: str) -> None:
        """Show the GPU."""
        if self.is_mounted:
            self._show_machine()

    def on_resize(self) -> None:
        """Another room for both."""
        self._show_machine()

    def _focus_went(self, focused: Widget | None) -> None:
        for tab in self.query(PlaceTab):
            tab.tell_key(isinstance(focused, Input | TextArea))

    def _show_machine(self) -> None:
        """As much of the machine's line as the run leaves room for; it keeps its width while its figures change."""
        place = self.query_one(".header--machine", Static)
        taken = sum(part.outer_size.width for part in self.query("PlaceTab, .header--name"))
        room = self.size.width - taken - cell_len(safe_text.clean(self.run_line)) - 2
        text = shortened(safe_text.clean(self.machine_line), room - 1)
        content = Content(f"{text} " if text else "")
        if place.content == content:
            return
        width, now = cell_len(content.plain), round(place.styles.width.value) if place.styles.width else 0
        grows = width > now or width < now - SLACK  # a layout paints the whole screen: not for each digit
        if grows:
            place.styles.width = width
        place.update(content, layout=grows)

    def on_mount(self) -> None:
        """Show what was set before the parts were there."""
        self.watch(self.screen, "focused", self._focus_went)
        self.watch_run_line(self.run_line)
        self.watch_machine_line(self.machine_line)


def shortened(line: str, room: int) -> str:
    """`GPU 87% 9.1/80 GB` whole, as `GPU 87%`, or not at all: whatever fits into `room` cells."""
    short = " ".join(line.split(" ")[:2])
    return next((text for text in (line, short) if cell_len(text) <= room), "")
