"""The filter line: a text field whose Up and Down walk through the filters typed before.

Below the newest of them stands what was being typed; Down from there goes on to the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.binding import Binding

from goemo_tui.widgets.field import Field
from goemo_tui.widgets.measured import Measured


class FilterField(Field, Measured):
    """`history` is set by whoever keeps it, newest first. `hints` stand in the empty field, as many as fit."""

    KEYS_IN_ORDER = True
    """Nobody needs to look at its keys before it does: each has its turn behind the ones before."""

    BINDINGS = [
        Binding("up", "earlier", "Earlier", key_display="↑", tooltip="An earlier filter"),
        Binding("down", "later", "Later", key_display="↓", tooltip="A later filter, then on to the rows"),
    ]

    def __init__(self, *, id: str | None = None, hints: Sequence[str] = (), about: str = "") -> None:
        super().__init__(id=id, placeholder=" ".join(hints), about=about)
        self._hints = hints
        self.history: tuple[str, ...] = ()
        self._typed = ""
        self._at = -1
        self._written = ""

    def on_resize(self) -> None:
        """As many hints as there is room for, each of them whole."""
        fitting = [k for k in range(1, len(self._hints) + 1) if cell_len(" ".join(self._hints[:k])) < self.size.width]
        self.placeholder = " ".join(self._hints[: max(fitting, default=1)])

    @property
    def at(self) -> int:
        """Which of `history` is shown; -1 for what was typed."""
        return self._at if self.value == self._written else -1

    def action_earlier(self) -> None:
        """The filter before this one."""
        at = self.at
        if at < 0:
            self._typed = self.value
        following = [i for i in range(at + 1, len(self.history)) if self.history[i] != self.value.strip()]
        if following:
            self._write(following[0])

    async def action_later(self) -> None:
        """The filter after this one; from what was typed on to the rows."""
        at = self.at
        if at < 0:
            await self.action_submit()
        else:
            self._write(at - 1)

    def _write(self, at: int) -> None:
        self._at = at
        self._written = self.value = self.history[at] if at >= 0 else self._typed
        self.cursor_position = len(self.value)

    async def action_submit(self) -> None:
        """Enter: to the rows, at once."""
        await super().action_submit()
        await self.run_action("screen.leave_field")

    async def _on_key(self, event: events.Key) -> None:
        """Keys take effect here and in their order, also those that come in one breath with `/` or Enter.

        A key that was on its way here when the focus went elsewhere goes there.
        """
        there = self.screen.focused
        if there is not None and there is not self:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.is_printable or not await self.app._check_bindings(event.key):
            return
        event.stop()
        event.prevent_default()
