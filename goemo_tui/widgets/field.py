"""A text field that fits on one line, does not blink over SSH, and cleans what is pasted into it.

Lines that are pasted become one text; nothing of them is dropped without a word.
"""

from __future__ import annotations

import re

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from goemo_tui.over_ssh import REMOTE
from goemo_tui.safe_text import MARKS, clean

LONGEST_PASTE = 4_000
"""Characters that one paste brings at most."""

_MARKS = re.compile(rf"(?<=[^\w\s!-~]{{{MARKS}}})[^\w\s!-~]+")
"""Marks in a row behind those that clean() lets be."""

TOGGLES = 10
"""How often the cursor comes or goes after the last key (every half second): an app that nobody uses sends nothing."""

EDITING = frozenset(
    key
    for binding in Binding.make_bindings(Input.BINDINGS)
    for key in binding.key.split(",")
    if binding.action != "submit"
)
"""Keys that change the text or move in it."""


class ShownClean(Input):
    """An input that shows nothing that must not reach a terminal, whatever it holds."""

    @property
    def _value(self) -> Text:
        """What is shown: of a value that holds what must not reach a terminal (a label's name, a path), a sign for each."""
        if clean(self.value) == self.value:
            return super()._value
        shown = (clean(char) if len(clean(char)) == 1 else "\ufffd" for char in self.value)
        return Text(_MARKS.sub(lambda run: "\ufffd" * len(run.group()), "".join(shown)), no_wrap=True, end="")


class Field(ShownClean):
    """Enter submits; Down posts `Onward`, which means: to what this field is about."""

    BINDINGS = [
        Binding("down", "onward", "Next", key_display="↓", tooltip="Go on to what the field is about"),
        Binding("escape", "leave", "Leave", key_display="Esc", tooltip="Leave the field"),
    ]
    DEFAULT_CSS = """
    Field { height: 1; border: none; padding: 0; background: $surface; }
    Field:focus { border: none; background: $boost; }
    Field > .input--placeholder, Field > .input--suggestion { color: $quiet; }
    Field:focus > .input--placeholder { color: $foreground 90%; text-style: italic; }
    Field > .input--selection { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    class Onward(Message):
        """Leave the field for what it is about."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> Field:
            """The field, for `@on` with a selector."""
            return self.field

    def __init__(self, *, id: str | None = None, placeholder: str = "", about: str = "") -> None:
        super().__init__(id=id, placeholder=placeholder)
        self.ABOUT = about
        self.cursor_blink = not REMOTE
        self._toggled = 0

    def _restart_blink(self) -> None:
        self._toggled = 0
        super()._restart_blink()

    def _toggle_cursor(self) -> None:
        self._toggled += 1
        if self._toggled < TOGGLES:
            super()._toggle_cursor()
        else:
            self._pause_blink(visible=True)

    async def action_leave(self) -> None:
        """Esc: what it does is the screen's affair (a place goes home, a dialog closes)."""
        await self.run_action("screen.leave_field")

    def action_onward(self) -> None:
        """The Down key."""
        self.post_message(self.Onward(self))

    async def _on_key(self, event: events.Key) -> None:
        """Edits at once, in the order of the keys: a binding has its turn only behind letters that came after its key."""
        if event.key in EDITING:
            for binding in self._bindings.get_bindings_for_key(event.key):
                await self.run_action(binding.action)
            event.stop()
            event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        lines = event.text.splitlines()
        text = lines[0] if len(lines) == 1 else " ".join(line.strip() for line in lines if line.strip())
        if text:
            self.replace(clean(text[:LONGEST_PASTE]), *sorted(self.selection))
        if len(text) > LONGEST_PASTE:
            left = f"{len(text) - LONGEST_PASTE:,} more were left out"
            self.notify(f"Only the first {LONGEST_PASTE:,} characters were pasted, {left}.", severity="warning")
        event.stop()
        event.prevent_default()
