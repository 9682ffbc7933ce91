"""The page behind `?`: what the focused part can do, the place's keys, and the keys that work everywhere."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from goemo_tui import safe_text
from goemo_tui.actions import ACTIONS, PLACES, Action, show_key

_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn"}


class HelpScreen(ModalScreen[None]):
    """Closed by Esc, q or ?."""

    CSS_PATH = "help.tcss"
    BINDINGS = [
        Binding("escape,q,question_mark,ctrl+g", "dismiss", "Close", priority=True),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, place: str, focused: Widget | None) -> None:
        super().__init__()
        self.place = place
        self.of_focused = _keys_of(focused) if focused is not None else []
        about = getattr(focused, "ABOUT", "") if focused is not None else ""
        self.about = str(about)

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll(id="help"):
            yield Static(self.page(min(96, self.app.size.width * 9 // 10) - 8))

    def on_mount(self) -> None:
        """The page takes the arrow keys."""
        box = self.query_one("#help")
        box.border_title = "Help"
        box.border_subtitle = "Esc closes"
        box.focus()

    def page(self, width: int = 200) -> Content:
        """The page's text for `width` cells."""
        parts: list[Content] = []
        if self.about or self.of_focused:
            parts.append(Content.styled("Here", "bold $accent"))
            if self.about:
                parts.append(safe_text.content(self.about))
            parts += [_line(keys, what, width) for keys, what in self.of_focused]
            parts.append(Content(""))
        for place, title, purpose in PLACES:
            if place == self.place:
                parts.append(Content.assemble((title, "bold $accent"), (f"  {purpose}", "$quiet")))
                parts += _table(place, width)
                parts.append(Content(""))
        parts.append(Content.styled("Everywhere", "bold $accent"))
        parts += _table("everywhere", width)
        parts.append(_line("Tab", "Next part; Shift+Tab goes back", width))
        parts.append(_line("mouse", "Click, wheel and header click work wherever a key does", width))
        return Content("\n").join(parts)

    def action_down(self) -> None:
        """vim's j."""
        self.query_one("#help").scroll_down(animate=False)

    def action_up(self) -> None:
        """vim's k."""
        self.query_one("#help").scroll_up(animate=False)


def _table(where: str, width: int) -> list[Content]:
    """One line an action; a twin for typing stands behind the key it doubles."""
    lines: dict[str, tuple[list[str], Action]] = {}
    for action in ACTIONS:
        if action.where == where:
            lines.setdefault(action.name, ([], action))[0].extend(show_key(key) for key in action.keys)
    return [_line(" ".join(keys), action.help, width) for keys, action in lines.values()]


def _keys_of(widget: Widget) -> list[tuple[str, str]]:
    """Keys that the widget's own class binds. What a toolkit's text field or scroll bar can do is left out."""
    found: dict[str, tuple[list[str], str]] = {}
    for cls in type(widget).__mro__:
        if cls.__module__.startswith("goemo_tui."):
            for binding in Binding.make_bindings(vars(cls).get("BINDINGS", [])):
                keys = found.setdefault(binding.action, ([], binding.tooltip or binding.description))[0]
                keys.append(_ARROWS.get(binding.key, show_key(binding.key)))
    return [(" ".join(keys), what) for keys, what in found.values() if what]


_KEYS = 12
"""Cells that the keys of a line take."""


def _line(keys: str, what: str, width: int) -> Content:
    """Keys, and what they do wrapped beside them."""
    wrapped = Content(what).wrap(max(20, width - _KEYS - 2))
    rest = [Content(" " * (_KEYS + 2) + line.plain) for line in wrapped[1:]]
    return Content("\n").join([Content.assemble((f"  {keys:<{_KEYS}}", "bold"), wrapped[0]), *rest])
