"""One setting of a form: its name, a field or a choice, and beside it what it means or what is wrong with it.

A sign before the name tells that the value is not the usual one; a click on the sign asks to put that back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Select, Static

from goemo_tui.safe_text import cells, content
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.paged import PagedSelect

OTHER = "\0other"
"""Value of the choice that opens a field of its own."""

SIGN = "*"
"""Before the name of a setting that differs from what it would be by itself."""


@dataclass(frozen=True)
class Choice:
    """One of a select: its value, what is shown for it, and the note beside the row while it is chosen."""

    value: str
    label: str = ""
    note: str = ""


class SettingRow(Horizontal):
    """A row of a form. `choices` makes it a select; with `other` one of them asks for a text (a folder, a name)."""

    DEFAULT_CSS = """
    SettingRow { height: 1; width: 1fr; }
    SettingRow > .row--sign { width: 2; color: $warning; text-style: bold; }
    SettingRow > .row--name { width: 19; color: $text-muted; }
    SettingRow:focus-within > .row--name { color: $accent; text-style: bold; }
    SettingRow > Field { width: 26; background: $boost; padding: 0 1 0 0; }
    SettingRow > Field:focus { background: $block-cursor-blurred-background; }
    SettingRow > Select { width: 26; }
    SettingRow > .row--note {
        width: 1fr; padding-left: 2; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    SettingRow.-wrong > .row--note { color: $error; text-style: bold; }
    SettingRow > .-hidden { display: none; }
    """

    class Changed(Message):
        """Its value is another now."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    class Onward(Message):
        """Enter in the field: go on to the next."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    class PutBack(Message):
        """The sign was clicked: the usual value is wanted."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    def __init__(
        self, key: str, value: str, note: str, choices: Sequence[Choice] = (), other: str = "", about: str = ""
    ) -> None:
        super().__init__(id=f"row-{key}")
        self.key, self.note, self.other = key, note, other
        self.about = about or note
        """What the help page says while it has the focus."""
        self._value = value
        self._choices = list(choices)
        self._before = value
        self._wrong = ""
        self.usual: str | None = None

    @property
    def text(self) -> str:
        """What is said beside the field now, in full."""
        if self._wrong:
            return f"✗ {self._wrong}"
        back = f" · {SIGN} usually {self.usual or 'empty'}: ^r puts it back" if self.usual is not None else ""
        return self._noted + back

    @property
    def _noted(self) -> str:
        return next((c.note for c in self._choices if c.value == self._value and c.note), self.note)

    @property
    def choices(self) -> list[Choice]:
        """What is offered to choose from now."""
        return self._choices

    @property
    def value(self) -> str:
        """The text of the setting."""
        return self._value

    def compose(self) -> ComposeResult:
        """Sign, name, field or choice, note."""
        yield Static(classes="row--sign", markup=False)
        yield Static(self.key, classes="row--name", markup=False)
        if self._choices:
            select = PagedSelect(
                self._options(), value=self._value, allow_blank=False, compact=True, id=f"select-{self.key}"
            )
            select.ABOUT = self.about  # type: ignore[attr-defined]  # what the help page looks for
            yield select
        if self.other or not self._choices:
            field = Field(id=f"field-{self.key}", placeholder=self.other, about=self.about)
            field.value = self._value
            field.set_class(bool(self._choices), "-hidden")
            yield field
        yield Static(content(self._noted), classes="row--note")

    def take_focus(self) -> None:
        """Give the focus to its choice or its field, whichever is shown."""
        shown = (found for found in self.query("Select, Field") if not found.has_class("-hidden"))
        next(shown).focus()

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer these from now on; the value stays."""
        self._choices = list(choices)
        select = self.query_one(Select)
        with self.prevent(Select.Changed):
            asking = select.value == OTHER
            options = self._options()
            select.set_options(options)
            select.value = options[-1][1]  # a value that stays would go on being shown by the name it had
            select.value = OTHER if asking else self._value

    def put(self, value: str) -> None:
        """Set the value from outside, as a recipe does; nothing is reported."""
        self._value = self._before = value  # a field that this closes must not bring back what was chosen before it
        if not self.children:  # not composed yet; it will be with this value
            return
        with self.prevent(Select.Changed, Input.Changed):
            for field in self.query(Field):
                field.value = value
            if self._choices:
                select = self.query_one(Select)
                select.set_options(self._options())
                select.value = value
                self._ask(False)

    def say(self, note: str | None = None, wrong: str = "") -> None:
        """The text beside the field: `wrong` with a sign, else `note`, else the setting's own."""
        if note is not None:
            self.note = note
        self._wrong = wrong
        text = content(f"✗ {_short(self.key, wrong)}" if wrong else self._noted)
        place = self.query_one(".row--note", Static)
        if place.content != text:
            place.update(text, layout=False)
            place.tooltip = content(self.text)
        self.set_class(bool(wrong), "-wrong")

    def mark(self, usual: str | None) -> None:
        """Say with the sign that the value is not the `usual` one; None: it is."""
        if usual == self.usual:
            return
        self.usual = usual
        sign = self.query_one(".row--sign", Static)
        sign.update(Content(SIGN if usual is not None else ""), layout=False)
        sign.tooltip = content(f"usually {usual}: a click or ^r puts it back") if usual is not None else None

    def _options(self) -> list[tuple[Content, str]]:
        shown = [(content(cells(choice.label or choice.value, 60)), choice.value) for choice in self._choices]
        if self._value not in {choice.value for choice in self._choices} and self._value:
            shown.append((content(cells(self._value, 60)), self._value))
        if self.other:
            shown.append((content(self.other), OTHER))
        return shown

    def _ask(self, asking: bool) -> None:
        self.query(Field).set_class(not asking, "-hidden")
        self.query_one(Select).set_class(asking, "-hidden")

    def on_click(self, event: events.Click) -> None:
        """A click on the sign puts the value back, one on the name goes to the field."""
        if event.widget is None or not (event.widget.has_class("row--sign") or event.widget.has_class("row--name")):
            return
        event.stop()
        if event.widget.has_class("row--sign") and self.usual is not None:
            self.post_message(self.PutBack(self))
        else:
            self.take_focus()

    def on_select_changed(self, event: Select.Changed) -> None:
        """A choice was made."""
        event.stop()
        if event.value == OTHER:
            self._before = self._value
            self._ask(True)
            field = self.query_one(Field)
            field.value = ""
            field.focus()
        elif isinstance(event.value, str) and event.value != self._value:
            self._value = event.value
            self.post_message(self.Changed(self))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field that was opened and left empty gives way to the choices again."""
        # The choices lose the focus, too, just when the field has opened: that is no reason to close it.
        # What the field holds counts: the news of letters that came in one breath with the Tab is still on its way here.
        field = event.widget
        if self._choices and isinstance(field, Field) and not field.value.strip():
            self.put(self._before)
            self.post_message(self.Changed(self))

    def on_input_changed(self, event: Input.Changed) -> None:
        """A key was typed."""
        event.stop()
        if event.value != self._value:
            self._value = event.value
            self.post_message(self.Changed(self))

    def on_field_onward(self, event: Field.Onward) -> None:
        """Down in the field."""
        event.stop()
        self.post_message(self.Onward(self))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Onward(self))


def _short(key: str, wrong: str) -> str:
    """A complaint without the setting's name, which stands before it in the row: `0 is out of range: 1 to 1000`."""
    return wrong.removeprefix(f"{key} = ")
