"""The headless command that does the same as what is set up on the screen: shown whole, and copied by a click."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from goemo_tui.safe_text import content


class CommandLine(VerticalScroll):
    """Wraps where it is long and scrolls where it is longer than that. `text` is what a copy gives, None without one."""

    DEFAULT_CSS = """
    CommandLine {
        height: auto; max-height: 5; pointer: pointer;
        & > Static { height: auto; width: 1fr; }
        & > Static:hover { background: $boost; }
    }
    """

    class Copied(Message):
        """A click asks for a copy."""

    def __init__(self) -> None:
        super().__init__(can_focus=False)
        self.text: str | None = None

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(id="command", markup=False)

    def on_mount(self) -> None:
        """Say what a click does."""
        self.query_one("#command").tooltip = "a click or ^y copies it"

    def show(self, text: str | None, instead: Content) -> None:
        """Show a command, or say `instead` why there is none."""
        self.text = text
        shown = Content.assemble(("$ ", "$text-muted"), content(text)) if text is not None else instead
        line = self.query_one("#command", Static)
        if line.content != shown:
            line.update(shown)

    def on_click(self) -> None:
        """Copy it."""
        self.post_message(self.Copied())
