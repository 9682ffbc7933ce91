"""The settings, to be read and changed: one line each, written into `settings.toml` at once, without touching the rest of it.

What a setting means is its docstring; what it may be is what `settings` says. Nothing is decided here.
"""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from goemo_tui import actions, settings_file, themes
from goemo_tui.safe_text import cells, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.settings import CHOICES, KEYS, Found, checked, docs, find_settings
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.paged import PagedList
from trainer import paths
from trainer.errors import ConfigError

STEPS: dict[str, tuple[str | float, ...]] = {
    "theme": ("", *(theme.name for theme in themes.THEMES)),
    "language": CHOICES["language"],
    "alerts": CHOICES["alerts"],
    "bidi": CHOICES["bidi"],
    "signs": CHOICES["signs"],
    "smoothing": (0.0, 0.5, 0.8, 0.9, 0.95, 0.98),
    "update_rate": (0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
}
"""Setting -> what the arrows go through. The others are typed."""

EMPTY = {"theme": "as chosen last", "model": "starter, else the newest", "folder": "where the app was started"}
"""Setting -> what it means to leave it empty."""

SHOWN = ("theme", "language", "alerts", "smoothing", "update_rate", "data", "model", "folder")
"""The settings most people look for stand first."""

LATER = {
    "data": "Open it now with o in Data; the app starts with it from the next time on.",
    "language": "Help and keys speak it at once, the rest of the screen from the next start on.",
    "signs": "It holds from the next start on.",
    "encoder": "It holds from the next start on.",
    "max_length": "It holds from the next start on.",
}
"""Setting -> what is said where a change does not show at once."""


class SettingsScreen(Dialog[None]):
    """Arrows or clicks change a value, Enter types one. Closed by Esc or q."""

    HEADING = "Settings"
    FOOT = "↑↓ choose · ←→ change · Enter types · ? help · Esc closes"
    ABOUT = (
        "Every setting, its value, and who set it. A change is written into settings.toml at once; what the environment says "
        "wins over the file."
    )
    BINDINGS = [
        Binding("right,l,space", "step(1)", "Next value", show=False),
        Binding("left,h", "step(-1)", "Value before", show=False),
        Binding("q,comma", "close", "Close", show=False),
    ]
    DEFAULT_CSS = """
    SettingsScreen > #box { padding: 0 1; }
    SettingsScreen OptionList { height: auto; max-height: 50vh; padding: 0; background: $surface; }
    SettingsScreen OptionList, SettingsScreen OptionList:focus { border: none; }
    SettingsScreen #about { height: 3; padding: 0 1; color: $quiet; }
    SettingsScreen #typed { height: 1; margin: 0 1; display: none; background: $boost; }
    SettingsScreen #typed.-open { display: block; }
    SettingsScreen #said { height: auto; max-height: 3; padding: 0 1; color: $warning; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Found = find_settings()
        self.names = (*SHOWN, *(key for key in KEYS if key not in SHOWN and key != "keys"))
        self.typing = ""

    def body(self) -> ComposeResult:
        """The settings, what the chosen one does, and a line to type into."""
        yield PagedList(*(Option(self._row(key), id=key) for key in self.names), id="settings")
        yield Static(Content(""), id="about")
        yield Field(id="typed", about="The setting's new value; Enter takes it, Esc leaves it as it was")
        yield Static(Content(""), id="said")

    def on_mount(self) -> None:
        """The list takes the keys."""
        box = self.query_one("#settings", OptionList)
        box.focus()
        box.highlighted = 0

    def on_resize(self, event: events.Resize) -> None:
        """Another width, other rows."""
        for key in self.names:
            self._redraw(key)

    def _value(self, key: str) -> str | int | float:
        value: str | int | float = getattr(self.found.settings, key)
        return value

    def _row(self, key: str) -> Content:
        """`theme         goemo-dark · dark          settings.toml`"""
        width = max(40, min(92, self.app.size.width * 9 // 10) - 8)
        value = self._value(key)
        shown = f"{value:g}" if isinstance(value, float) else str(value) or EMPTY.get(key, "–")
        if key == "theme" and value in themes.ABOUT:
            shown += f" · {themes.ABOUT[str(value)]}"
        arrows = "‹ › " if key in STEPS else "    "
        origin = self.found.origins[key]
        origin = "settings.toml" if origin == str(paths.settings_file()) else origin
        room = width - 14 - 4 - 20
        return Content.assemble(
            # one colour: a quiet one could not be read on the cursor's ground
            (f"{key:<14}", "bold"),
            f"{arrows}{cells(shown, room):<{room}}{origin:>20}",
        )

    def _redraw(self, key: str) -> None:
        self.query_one("#settings", OptionList).replace_option_prompt(key, self._row(key))

    @property
    def _chosen(self) -> str:
        index = self.query_one("#settings", OptionList).highlighted
        return self.names[index if index is not None else 0]

    @on(OptionList.OptionHighlighted, "#settings")
    def _tell(self) -> None:
        """What the chosen one does."""
        self.query_one("#about", Static).update(content(docs()[self._chosen]))
        self._say("")

    @on(OptionList.OptionSelected, "#settings")
    def _enter(self) -> None:
        """Enter or a click: type a value, or go on to the next one."""
        if self._chosen in STEPS:
            self.action_step(1)
        else:
            self._type(self._chosen)

    def action_step(self, by: int) -> None:
        """Go through the values there are."""
        key = self._chosen
        if key not in STEPS:
            self._type(key)
            return
        steps = STEPS[key]
        value = self._value(key)
        if value in steps:
            new = steps[(steps.index(value) + by) % len(steps)]
        else:  # somebody's own number: on to the next in this direction
            beyond = [s for s in steps if isinstance(s, float) and isinstance(value, float) and (s > value) == (by > 0)]
            new = (min(beyond) if by > 0 else max(beyond)) if beyond else steps[0]
        self._change(key, new)

    def _type(self, key: str) -> None:
        field = self.query_one("#typed", Field)
        self.typing = key
        field.placeholder = key
        field.value = str(self._value(key))
        field.add_class("-open")
        field.focus()

    @on(Input.Submitted, "#typed")
    def _typed(self, event: Input.Submitted) -> None:
        """Take what was typed, or say what is wrong and leave it to be mended."""
        if not self.typing:
            return
        try:
            value = checked(self.typing, event.value.strip())
        except ValueError as error:
            self._say(str(error))
            return
        key = self.typing
        self._stop_typing()
        self._change(key, value)

    def action_leave_field(self) -> None:
        """Esc while typing: the value stays as it was."""
        self._stop_typing()

    def _stop_typing(self) -> None:
        self.typing = ""
        self.query_one("#typed").remove_class("-open")
        self.query_one("#settings").focus()

    def _change(self, key: str, value: str | int | float) -> None:
        """Write it, use it, show it."""
        from goemo_tui.app import GoemoApp

        origin = self.found.origins[key]
        if origin.startswith("GOEMO_"):
            self._say(f"{origin} in the environment wins over settings.toml: change it there")
            return
        try:
            settings_file.change(key, value)
        except ConfigError as error:
            self._say(str(error))
            return
        self.found = find_settings()
        self._redraw(key)
        self._say(LATER.get(key, ""))
        if isinstance(self.app, GoemoApp):
            self.app.change(self.found.settings)
        if key == "theme" and not value:
            self._say(f"{actions.show_key('ctrl+t')} chooses, and what it chose last is taken")

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(content(text))
