"""Inspect's `because` and `like`: which emotion is explained, and when its words and the nearest comments are asked for.

Never before the bars are there and nobody has typed for a moment.
"""

from __future__ import annotations

from typing import Any

from textual import on
from textual.timer import Timer

from goemo_tui.screens.inspect_keys import InspectKeys
from goemo_tui.services.explaining import Explaining
from goemo_tui.services.predictor import COMMAND
from goemo_tui.services.talk import Explained, Indexing
from goemo_tui.widgets.feelings import BarsScroll, Feelings

PAUSE = 0.15
"""Seconds without a key after which they are asked for."""


class InspectWhy(InspectKeys):
    """`why_soon` is called whenever bars, model or emotion are other ones."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        super().__init__(command)
        self.explaining = Explaining()
        self._pause: Timer | None = None

    def on_mount(self) -> None:
        """As it was left."""
        self.explaining.hidden = self.goemo.remembered.of("inspect").get("why") is False

    @property
    def explained(self) -> str:
        """The emotion whose words are shown."""
        return self.explaining.emotion(self.query_one(Feelings).names)

    def why_soon(self, pause: float = PAUSE) -> None:
        """Ask when nobody has typed for a moment."""
        self.explaining.keep_to(self.readings.active, self.readings.text)
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(pause, self._ask_why, name="why")

    def _ask_why(self) -> None:
        self._pause = None
        if not self.is_mounted or not self.query_one(Feelings).has_why:
            return
        reading = self.readings.active
        recent = self.goemo.remembered.recent
        data = recent[0] if recent else self.goemo.settings.data
        for request in self.explaining.wanted(reading, self.readings.text, self.explained, data):
            reading.service.aside(request)

    def why_of(self, text: str) -> dict[str, Any]:
        """What is shown, as `predict --because --like --json` says it."""
        return self.explaining.document(text) if self.query_one(Feelings).has_why else {}

    @on(Explained)
    def _explained(self, message: Explained) -> None:
        message.stop()
        if message.side == self.readings.active.side and self.explaining.take(
            message, self.readings.text, self.explained
        ):
            self.show()

    @on(Indexing)
    def _indexing(self, message: Indexing) -> None:
        message.stop()
        if message.side != self.readings.active.side:
            return
        if self.explaining.far(message):
            self._ask_why()
        self.show()

    @on(BarsScroll.Choose)
    def _chosen(self, event: BarsScroll.Choose) -> None:
        event.stop()
        self.action_choose(event.by)

    @on(BarsScroll.Pick)
    def _picked_bar(self, event: BarsScroll.Pick) -> None:
        event.stop()
        self.explaining.chosen = event.name
        self._choice_changed()

    def action_choose(self, by: int) -> None:
        """Another emotion is explained."""
        self.explaining.choose(by, self.query_one(Feelings).names)
        self._choice_changed()

    def _choice_changed(self) -> None:
        if self.explaining.because is not None and self.explaining.because.emotion != self.explained:
            self.explaining.because = None
        self.show()
        self.query_one(Feelings).keep_in_sight(self.explained)
        self.why_soon(0.05)

    def keep_choice_in_sight(self) -> None:
        """The emotion that a person chose is seen, wherever its bar stands by now."""
        if self.is_mounted:
            self.query_one(Feelings).keep_in_sight(self.explained)

    def action_toggle_why(self) -> None:
        """Show or hide the lines under the bars, here and at the next start."""
        self.explaining.hidden = not self.explaining.hidden
        self.goemo.keep("inspect", why=not self.explaining.hidden)
        if self.explaining.hidden:
            for reading in self.readings.all:
                reading.service.leave_index()
        self.show()
        self.call_after_refresh(self.why_soon)
