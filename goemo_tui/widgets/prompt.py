"""The line where a sentence is typed: Up and Down walk through what was asked before, several pasted lines are a batch.

It knows neither model nor history; it says what was done to it.
"""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.message import Message

from goemo_tui.safe_text import clean
from goemo_tui.services.batch import split_lines
from goemo_tui.widgets.field import Field


class Prompt(Field):
    """Enter keeps the sentence; Down in a sentence of one's own goes on to the bars."""

    BINDINGS = [
        Binding(
            "up", "back", "Earlier", key_display="↑", tooltip="An empty line: the sentence asked before", show=False
        ),
    ]

    class Walk(Message):
        """To the sentence asked before (`by` 1) or after (-1) the one that is shown."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Many(Message):
        """Several lines were pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str, placeholder: str, about: str) -> None:
        super().__init__(id=id, placeholder=placeholder, about=about)
        self._recalled: str | None = None

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """A slash is text here too; Textual does not know which character its name stands for."""
        return key == "slash" or super().check_consume_key(key, character)

    @property
    def walking(self) -> bool:
        """Whether what stands here was brought back, unchanged, or nothing stands here."""
        return not self.value or self.value == self._recalled

    def recall(self, text: str) -> None:
        """Put back a sentence of before, the cursor at its end."""
        self._recalled = self.value = clean(text)
        self.action_end()

    def action_back(self) -> None:
        """The Up key."""
        if self.walking:
            self.post_message(self.Walk(1))

    def action_onward(self) -> None:
        """The Down key."""
        if self.value and self.value == self._recalled:
            self.post_message(self.Walk(-1))
        else:
            super().action_onward()

    def _on_paste(self, event: events.Paste) -> None:
        if len(split_lines(event.text)) > 1:
            event.stop()
            event.prevent_default()
            self.post_message(self.Many(event.text))
