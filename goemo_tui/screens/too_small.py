"""What is shown while the terminal is too small for anything else."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from goemo_tui.language import word
from goemo_tui.screens.present_size import PresentSize


class TooSmall(PresentSize, Screen[None]):
    """Covers everything; the app takes it away when there is room again."""

    DEFAULT_CSS = """
    TooSmall { align: center middle; background: $background; overflow: hidden; }
    TooSmall > Static { width: 100%; height: auto; text-align: center; color: $warning; }
    """

    def compose(self) -> ComposeResult:
        """One line with the present size."""
        yield Static("")

    def on_resize(self) -> None:
        """Say how much is missing."""
        from goemo_tui.app import SMALLEST

        width, height = self.size
        said = [f"{word('too small')}: {width}x{height}", f"{word('goemo needs')} {SMALLEST[0]}x{SMALLEST[1]}"]
        if height > 2:
            said.append(word("nothing is lost: make it larger"))
        self.query_one(Static).update(Content("\n".join(said)), layout=True)
