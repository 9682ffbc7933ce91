"""One question with yes and no, for what cannot be undone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Button, Static

from goemo_tui.safe_text import content
from goemo_tui.screens.dialog import Dialog


class Confirm(Dialog[bool]):
    """Answers True only for `y` or a press of the first button; Esc and `n` mean no."""

    HEADING = "Sure?"
    FOOT = "y yes · n or Esc no"
    DEFAULT_CSS = """
    Confirm #answers { height: 1; margin-top: 1; }
    Confirm Button { margin-right: 2; }
    """
    BINDINGS = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,q", "answer(False)", "No"),
        Binding("left,right", "other", show=False),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self.question, self.yes = question, yes

    def body(self) -> ComposeResult:
        """The question and its two answers; the safe one has the focus."""
        yield Static(content(self.question, newlines=True))
        with Horizontal(id="answers"):
            yield Button(content(self.yes), variant="warning", id="yes", compact=True)
            yield Button(content("Keep it"), id="no", compact=True)

    def on_mount(self) -> None:
        """Enter alone must not delete."""
        self.query_one("#no").focus()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

    def action_other(self) -> None:
        """Between the two."""
        self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click or Enter."""
        self.dismiss(event.button.id == "yes")
