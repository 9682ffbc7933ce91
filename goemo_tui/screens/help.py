"""The page behind `?`: what the focused part can do, the place's keys, and the keys that work everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from goemo_tui import actions, right_to_left, safe_text
from goemo_tui.actions import ACTIONS, MOTIONS, Where, places, show_key, told_once
from goemo_tui.language import language, word
from goemo_tui.screens.closes_once import ClosesOnce
from goemo_tui.screens.present_size import PresentSize


class HelpScreen(ClosesOnce, PresentSize, ModalScreen[None]):
    """Closed by Esc, q, or whatever key opens it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [
        Binding("escape,q", "dismiss", "Close", priority=True),
        *actions.motions("motion"),
    ]

    def __init__(self, place: str, focused: Widget | None, over: Screen[Any] | None = None) -> None:
        """`over`: what lies upon the place (a form, a table of its own); its keys are told instead of the place's."""
        super().__init__()
        self.place = place if over is None else ""
        self.of_focused = [line for part in (focused, over) if part is not None for line in _keys_of(part)]
        self.about = next(filter(None, (_about(part) for part in (focused, over) if part is not None)), "")
        self.over_dialog = over is not None and over.is_modal

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll(id="help"):
            yield Static(self.page(self._room(self.app.size.width)), id="page")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What shows through is ready."""
        return right_to_left.for_modal(super().get_line_filters())

    def on_mount(self) -> None:
        """The page takes the arrow keys."""
        box = self.query_one("#help")
        box.border_title = word("Help")
        box.border_subtitle = word("Esc closes")
        box.focus()

    def on_resize(self, event: events.Resize) -> None:
        """The page for this width."""
        self.query_one("#page", Static).update(self.page(self._room(event.size.width)))

    @staticmethod
    def _room(width: int) -> int:
        """Cells of a line in the box."""
        return min(96, width * 9 // 10) - 8

    def on_key(self, event: events.Key) -> None:
        """The key that opened the page closes it."""
        if any(event.key in a.present_keys for a in ACTIONS if a.name == "app.help"):
            event.stop()
            self.dismiss()

    def page(self, width: int = 200) -> Content:
        """The page's text for `width` cells."""
        parts: list[Content] = []
        if self.about or self.of_focused:
            parts.append(_heading(word("Here"), "", width))
            if self.about:
                parts += _paragraph(self.about, width)
            parts += [_line(keys, what, width) for keys, what in self.of_focused]
            parts.append(Content(""))
        for place, title, purpose in places():
            if place == self.place:
                parts.append(_heading(title, purpose, width))
                parts += _table(place, width)  # type: ignore[arg-type]
                parts.append(Content(""))
        parts.append(_heading(word("Everywhere"), "", width))
        parts += _table("everywhere", width, self.over_dialog)
        parts.append(_line("Tab", word("Next part; Shift+Tab goes back"), width))
        parts.append(_line(word("mouse"), word("Click, wheel and header click work wherever a key does"), width))
        parts.append(Content(""))
        parts.append(_heading(word("In lists and tables"), "", width))
        down, up, first, last, page, back = (show_key(key) for key, _ in MOTIONS)
        parts.append(_line(f"{down} {up}", word("Down and up, as in vim; the arrows do it, too"), width))
        parts.append(_line(f"{first} {last}", word("To the first and to the last"), width))
        parts.append(_line(f"{page} {back}", word("A page down and up"), width))
        return Content("\n").join(parts)

    def action_motion(self, key: str) -> None:
        """vim's motions."""
        self.app.simulate_key(key)


def _table(where: Where, width: int, over_dialog: bool = False) -> list[Content]:
    """One line an action, with all its keys; over a dialog those that work there."""
    told = actions.beneath_dialogs() if over_dialog else told_once(where)
    return [_line(" ".join(keys), action.shown_help, width) for action, keys in told]


def _heading(title: str, purpose: str, width: int) -> Content:
    """What the lines below are about; at the right where it is read from right to left."""
    text = f"{title}  {purpose}".rstrip()
    if language() == "ar":
        blanks = " " * max(0, width - cell_len(text))
        return Content.assemble(blanks, (purpose, "$quiet"), "  " if purpose else "", (title, "bold $accent"))
    return Content.assemble((title, "bold $accent"), (text[len(title) :], "$quiet"))


def _keys_of(widget: Widget) -> list[tuple[str, str]]:
    """Keys that the widget's own class binds. What a toolkit's text field or scroll bar can do is left out."""
    found: dict[str, tuple[list[str], str]] = {}
    for cls in type(widget).__mro__:
        if cls.__module__.startswith("goemo_tui."):
            for binding in Binding.make_bindings(vars(cls).get("BINDINGS", [])):
                keys, said = found.get(binding.action, ([], ""))
                found[binding.action] = ([*keys, binding.key], said or _said(binding))
    told = [each for each in found.values() if not set(each[0]) & dict(MOTIONS).keys()]  # those are told once for all
    return [(" ".join(show_key(key) for key in keys), what) for keys, what in told if what]


def _said(binding: Binding) -> str:
    """What a key of a part does, in the language of the screen."""
    said = binding.tooltip or binding.description
    if language() != "ar":
        return said
    from goemo_tui.arabic_help import KEYS

    return KEYS.get(said, said)


def _about(widget: Widget) -> str:
    """What a part is, in the language of the screen; empty where it does not say."""
    about = str(getattr(widget, "ABOUT", ""))
    if language() != "ar":
        return about
    from goemo_tui.arabic_help import ABOUT

    names = [f"#{widget.id}", *(cls.__name__ for cls in type(widget).__mro__)]
    return next((ABOUT[name] for name in names if name in ABOUT), about)


def _paragraph(text: str, width: int) -> list[Content]:
    """A few sentences; at the right where they are read from right to left."""
    if language() != "ar":
        return [safe_text.content(text)]
    lines = [line.plain.rstrip() for line in safe_text.content(text).wrap(width)]
    return [Content(" " * max(0, width - cell_len(line)) + line) for line in lines]


_KEYS = 12
"""Cells that the keys of a line take."""


def _line(keys: str, what: str, width: int) -> Content:
    """Keys, and what they do wrapped beside them. What is read from right to left stands at the right, keys at its right."""
    wrapped = Content(what).wrap(max(20, width - _KEYS - 2))
    if language() == "ar" and any(ord(char) > 0x5FF for char in what):
        room = width - _KEYS - 2
        lines = [" " * max(0, room - cell_len(line.plain.rstrip())) + line.plain.rstrip() for line in wrapped]
        first = Content.assemble(lines[0], (f"  {keys:<{_KEYS}}", "bold"))
        return Content("\n").join([first, *(Content(line) for line in lines[1:])])
    rest = [Content(" " * (_KEYS + 2) + line.plain) for line in wrapped[1:]]
    return Content("\n").join([Content.assemble((f"  {keys:<{_KEYS}}", "bold"), wrapped[0]), *rest])
