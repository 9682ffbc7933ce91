"""A screen that is painted seldom while a dialog lies on it.

What changes beneath a dialog makes Textual paint the whole terminal, and after the first time for every message that the
screen beneath gets: 15 KB for nothing at each of them. What is read then is the dialog.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from goemo_tui.over_ssh import REMOTE

if TYPE_CHECKING:
    from textual.screen import Screen

    _Screen = Screen[Any]
else:
    _Screen = object

SECONDS = 10.0 if REMOTE else 5.0
"""Between two looks through a dialog."""


class StillBeneath(_Screen):
    """Stands before the screen's class."""

    _seen_at = -SECONDS
    _seen_size: object = None
    _soon: Timer | None = None

    def _compositor_refresh(self) -> None:
        """As Textual's while nothing lies on it, or it was laid out for another size; else now and then."""
        if self.app.screen is self:
            super()._compositor_refresh()
            return
        wait = self._seen_at + SECONDS - time.monotonic()
        if wait <= 0 or self._seen_size != self.size:
            self._seen_at, self._seen_size = time.monotonic(), self.size
            super()._compositor_refresh()
        elif self._soon is None:
            self._soon = self.set_timer(wait, self._look_again)
        self._dirty_widgets.clear()
        self._repaint_required = False  # Textual leaves it on, and paints again at every message

    def _look_again(self) -> None:
        self._soon = None
        self._compositor_refresh()
