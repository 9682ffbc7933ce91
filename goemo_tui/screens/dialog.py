"""A box over a place: a frame, a title, and Esc that closes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.filter import LineFilter
from textual.screen import ModalScreen

from goemo_tui import actions, right_to_left
from goemo_tui.language import word
from goemo_tui.screens.closes_once import ClosesOnce
from goemo_tui.screens.present_size import PresentSize

Answer = TypeVar("Answer")


class Dialog(ClosesOnce, PresentSize, ModalScreen[Answer]):
    """Subclasses set `HEADING` and write `body()`. `FOOT` says under the box which keys do what."""

    HEADING: ClassVar[str] = ""
    FOOT: ClassVar[str] = "Esc closes"
    BINDINGS = [Binding("escape", "close", "Close"), actions.help_binding(), *actions.motions("motion")]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > #box {
        width: 90%; max-width: 92; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $border;
        border-title-color: $accent; border-title-style: bold; border-subtitle-color: $quiet;
    }
    """

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What shows through is ready."""
        return right_to_left.for_modal(super().get_line_filters())

    def body(self) -> ComposeResult:
        """What stands in the box."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(id="box") as box:
            box.border_title = word(self.HEADING)
            box.border_subtitle = word(self.FOOT)
            yield from self.body()

    def action_leave_field(self) -> None:
        """Esc in a text field closes as well."""
        self.action_close()

    def action_motion(self, key: str) -> None:
        """vim's motions, in whatever has the focus."""
        self.app.simulate_key(key)

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
