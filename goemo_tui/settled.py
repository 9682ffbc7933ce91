"""An app that takes its settings: at its start and while it runs, with the theme, the keys, the language they ask for.

What cannot be used is said in words and left as it was. Nothing here reads or writes a file.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from textual.reactive import reactive

from goemo_tui import actions, glyphs, keymap, language, themes
from goemo_tui.remembering import RememberingApp
from goemo_tui.settings import Settings


class SettledApp(RememberingApp):
    """What `GoemoApp` knows about settings and themes."""

    settings: reactive[Settings] = reactive(Settings, init=False, repaint=False)
    """What the user chose; screens may watch it."""

    _theme_asked: str | None = None
    """The setting `theme` at the last look at it; None before the first."""

    in_ascii = False
    """Whether the terminal shows nothing but ASCII."""

    def __init__(self, begin_where_left: bool) -> None:
        super().__init__(begin_where_left)
        for theme in themes.for_colours(self.console.color_system):
            self.register_theme(theme)

    def use(self, settings: Settings) -> tuple[str, ...]:
        """Take `settings` from now on, as far as a running app can. Returns warnings about what cannot be used."""
        self.set_reactive(SettledApp.settings, settings)
        self.in_ascii = glyphs.ascii_only(
            settings.signs, os.environ, bool(sys.flags.utf8_mode), getattr(sys.__stderr__, "encoding", None) or "utf-8"
        )
        plain = self.in_ascii or self.no_color or self.console.color_system in (None, "standard", "windows")
        self.set_class(plain, "-plain")
        spoken = "en" if self.in_ascii else settings.language  # Arabic cannot be written in ASCII
        language.set_language(spoken, settings.bidi, self.in_ascii)
        keys, warnings = keymap.read_keys(settings.keys)
        actions.use_keys(keys)
        self.set_keymap({id: ",".join(names) for id, names in keys.items()})
        if settings.theme == self._theme_asked:
            wanted = self.theme  # chosen with ctrl+t meanwhile, perhaps
        else:
            wanted = settings.theme or self.remembered.theme or themes.default(self.console.color_system)
        self._theme_asked = settings.theme
        if wanted not in self.available_themes:
            known = ", ".join(theme.name for theme in themes.THEMES)
            warnings += (f"theme = {wanted!r} is unknown: there are {known}",)
            wanted = themes.default(self.console.color_system)
        self.theme = wanted
        return warnings

    def change(self, settings: Settings) -> None:
        """Take other settings while the app runs, and tell whoever watches them."""
        for warning in self.use(settings):
            self.notify(warning, title="Settings", severity="warning", timeout=8)
        self.mutate_reactive(SettledApp.settings)
        self.refresh_bindings()

    def action_next_theme(self) -> None:
        """The theme after the present one, remembered."""
        self.take_theme(themes.after(self.theme))

    def take_theme(self, name: str) -> None:
        """Another theme, remembered."""
        self.theme = name
        self.notify(name, title="Theme", timeout=1.5)
        self.remember(replace(self.remembered, theme=name))
