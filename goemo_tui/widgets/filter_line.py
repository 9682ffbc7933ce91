"""The filter line, and below it what is wrong with it or what to know about it. Keeps the history of filters.

It knows no rows: whoever shows them answers each line with `complain`.
"""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from goemo_tui import safe_text
from goemo_tui.services import filter_history
from goemo_tui.widgets.filter_field import FilterField

HINTS = ("words", '"a phrase"', "label:joy", "-label:neutral", "tokens:>20", "labels:>1", "/regex/", "a or (b c)")
"""What can be typed, the plainest first."""

PAUSE = 2.0
"""Seconds without a key after which a filter is kept in the history."""


class FilterLine(Vertical):
    """Posts `Typed` for every change, `Left` when somebody goes on to the rows, `Kept` when the history has a new line."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        & #filter-row { height: 1; }
        & #slash { width: 2; color: $accent; text-style: bold; }
        & #filter { width: 1fr; }
        & #complaint { height: auto; max-height: 2; color: $error; display: none; }
        & #complaint.-note { color: $quiet; }
    }
    """

    class Typed(Message):
        """Another line stands there."""

    class Left(Message):
        """Enter, or Down from the newest filter: on to the rows."""

    class Kept(Message):
        """The history has a new line."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pause: Timer | None = None
        self._kept_while_typing = ""
        self._said = ""
        self._wrong = False

    def compose(self) -> ComposeResult:
        """A slash, the field, and the complaint."""
        with Horizontal(id="filter-row"):
            yield Static("/", id="slash")
            yield FilterField(
                id="filter",
                hints=HINTS,
                about='All must hold: words, "phrases", label:joy, -label:neutral, tokens:>20, labels:>1, line:10..20, '
                "id:…, /regex/. A minus or not turns what follows round; or (also |) lets one side do and binds weaker "
                'than a blank; parentheses group: (joy or love) -"the end". Quotes make or, and, not and ( ordinary '
                'text: "or". Up and Down walk through earlier filters.',
            )
        yield Static(Content(""), id="complaint")

    @property
    def field(self) -> FilterField:
        """The field itself."""
        return self.query_one(FilterField)

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.field.value

    @text.setter
    def text(self, text: str) -> None:
        self.field.value = text
        self.field.cursor_position = len(text)

    def put(self, text: str) -> None:
        """Another line, of which nobody is told."""
        with self.prevent(Input.Changed):
            self.text = text

    def complain(self, error: str, note: str = "") -> None:
        """Say what is wrong, or else what to know; nothing where nothing is."""
        said = f"✗ {error}" if error else note
        self._wrong = bool(error)
        if said == self._said:
            return  # the line that is there costs no layout
        self._said = said
        complaint = self.query_one("#complaint", Static)
        complaint.display = bool(said)
        complaint.set_class(not error, "-note")
        complaint.update(safe_text.content(said))

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed())
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._paused)

    @on(Input.Submitted, "#filter")
    def _left(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())

    def _paused(self) -> None:
        self.keep(done=not self.field.has_focus)

    def keep(self, done: bool = True) -> None:
        """Into the history, if it is a filter that can be used; `done`: nobody types any more.

        What was half typed at a pause gives way to the whole. Call it once the line is answered.
        """
        if self._pause is not None:
            self._pause.stop()
        if not self._wrong:
            self.field.history = filter_history.added(self.field.history, self.text, self._kept_while_typing)
            self.post_message(self.Kept())
        self._kept_while_typing = "" if done else self.text.strip()
