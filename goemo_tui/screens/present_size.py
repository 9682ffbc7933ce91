"""A screen that is laid out for the size that the terminal has, never for one that it had.

Textual tells a screen its size each time it was laid out. Where two sizes are on their way at once (an edge that is
dragged, a slow terminal), each layout brings its own size back, and the screen goes to and fro between them for ever.
"""

from __future__ import annotations

from textual.events import Resize
from textual.message import Message

from goemo_tui.screens.still_beneath import StillBeneath


class PresentSize(StillBeneath):
    """Stands before the screen's class, as ClosesOnce does."""

    def post_message(self, message: Message) -> bool:
        """As Textual's; a size of before is no news. The present one comes from the app in any case."""
        if isinstance(message, Resize) and message.size != self.app.size:
            return False
        posted: bool = super().post_message(message)
        return posted
