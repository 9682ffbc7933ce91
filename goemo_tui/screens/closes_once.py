"""A screen that is closed once, and never closes another in its place.

Textual closes whatever lies on top when any screen is dismissed. But keys come in one breath (Esc, Esc), and answers
come from threads while the help, another place or "too small" lies on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete

if TYPE_CHECKING:
    from textual.screen import Screen

    _Screen = Screen[Any]
else:
    _Screen = object


class ClosesOnce(_Screen):
    """Stands before the screen's class: `class Dialog(ClosesOnce, ModalScreen[Answer])`."""

    _dismissed = False
    _answer: tuple[Any] | None = None
    """What it is to be closed with as soon as nothing lies on top of it."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """As Textual's, for the first time; beneath another screen or in another place, or before there is
        anything on it, that waits."""
        if self._dismissed:
            return _nothing()
        if self.app.screen is not self or not self.is_mounted:
            self._answer = (result,)
            return _nothing()
        self._dismissed = True
        done: AwaitComplete = super().dismiss(result)
        return done

    def on_screen_resume(self) -> None:
        """Close now, if that was wanted meanwhile. Comes after the mount, too."""
        if self._answer is not None:
            self.call_later(self._close_now, *self._answer)

    def _close_now(self, result: Any) -> None:
        self.dismiss(result)  # not awaited: nobody waits for his own end


def _nothing() -> AwaitComplete:
    done: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
    return done
