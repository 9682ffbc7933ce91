"""An app that keeps what was chosen between starts: in memory at once, on the disk now and then and when it is left.

A folder that cannot be written costs the memory, never the session.
"""

from __future__ import annotations

from dataclasses import replace

from goemo_tui.forgiving import ForgivingApp
from goemo_tui.remembered import Remembered, read_state, write_state
from goemo_tui.services import keeping


class RememberingApp(ForgivingApp):
    """What `GoemoApp` knows about `state.json`. `begin_where_left`: in the place that was left last."""

    def __init__(self, begin_where_left: bool) -> None:
        self.remembered: Remembered = read_state()
        self._written = self.remembered
        if begin_where_left and self.remembered.place in self.MODES:
            self.__dict__["DEFAULT_MODE"] = self.remembered.place  # Textual reads it once, now
        super().__init__()

    def on_mount(self) -> None:
        """Say once if nothing that is made here will last."""
        if trouble := keeping.trouble():
            self.notify(trouble, title="Nothing is kept", severity="warning", timeout=12)

    def remember(self, state: Remembered) -> None:
        """Keep `state` between starts, and say so if that cannot be."""
        self.remembered = state
        error = self.write_remembered()
        if error is not None:
            self.notify(f"What you chose cannot be remembered: {error}", severity="warning")

    def keep(self, place: str, **values: object) -> None:
        """Remember plain JSON values for a place until the next start; written when the app is left, and now and then."""
        self.remembered = self.remembered.keeping(place, **values)

    def write_remembered(self) -> OSError | None:
        """Write what is remembered, if it changed since the last time. Returns what prevented it."""
        state = replace(self.remembered, place=self.current_mode)
        if state == self._written:
            return None
        try:
            write_state(state)
        except OSError as error:
            return error
        self.remembered = self._written = state
        return None
