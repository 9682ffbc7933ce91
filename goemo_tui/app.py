"""The terminal app: three places, one theme, one table of keys.

It holds what every screen shares (settings, running run, errors, signals) and nothing of what a screen does. It never
imports torch, transformers or pandas: models live in other processes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from goemo_tui import over_ssh  # isort: skip  # before textual, which reads its variables at import
from textual import events
from textual.binding import Binding
from textual.driver import Driver
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input, TextArea

from goemo_tui import actions, alerting, crash, glyphs, keymap, language, right_to_left, themes
from goemo_tui.ending import NO_TERMINAL, going_on, has_terminal, log_thread
from goemo_tui.forgiving import ForgivingApp
from goemo_tui.lost_terminal import has_gone, tolerant
from goemo_tui.palette import ActionProvider, Palette
from goemo_tui.remembered import Remembered, read_state, write_state
from goemo_tui.safe_text import clean
from goemo_tui.services.alerts import Alerts
from goemo_tui.services.machine import MachineWatch, Sampled
from goemo_tui.services.runs import RunsChanged, RunWatch, run_line
from goemo_tui.settings import Settings, read_settings

SMALLEST = (60, 16)
"""Columns and rows below which nothing useful fits."""

TERMINAL_SECONDS = 2.0
"""How often an app that has nothing to do looks whether its terminal is still there."""

KEEP_SECONDS = 30.0
"""How often what is remembered is written, if it changed; and always when the app is left."""


def _data_screen() -> Screen[None]:
    from goemo_tui.screens.data import DataScreen

    return DataScreen()


def _train_screen() -> Screen[None]:
    from goemo_tui.screens.train import TrainScreen

    return TrainScreen()


def _inspect_screen() -> Screen[None]:
    from goemo_tui.screens.inspect import InspectScreen

    return InspectScreen()


class GoemoApp(ForgivingApp):
    """`data` is what the Data screen opens (sample, goemotions, a folder or a file; None: the setting)."""

    TITLE = "goemo"
    CSS_PATH = "app.tcss"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "data": _data_screen,
        "train": _train_screen,
        "inspect": _inspect_screen,
    }
    DEFAULT_MODE = "data"
    COMMANDS = {ActionProvider}
    BINDINGS = [*actions.bindings("everywhere"), *actions.motions("app.motion")]

    settings: reactive[Settings] = reactive(Settings, init=False, repaint=False)
    """What the user chose; screens may watch it."""

    _theme_asked: str | None = None
    """The setting `theme` at the last look at it; None before the first."""

    run_line: reactive[str] = reactive("", repaint=False)
    """The running run as every header shows it; set by `set_run_line`."""

    machine_line: reactive[str] = reactive("", repaint=False)
    """The GPU as every header shows it; empty without one."""

    def __init__(self, data: str | None = None) -> None:
        self.remembered: Remembered = read_state()
        self._written = self.remembered
        place = self.remembered.place
        if data is None and place in self.MODES:
            self.__dict__["DEFAULT_MODE"] = place  # Textual reads it once, now
        super().__init__()
        settings, self._setting_warnings = read_settings()
        self.data = data or settings.data
        self.data_given = data is not None
        self.runs = RunWatch(over_ssh.interval(settings.update_rate))
        self.machine = MachineWatch()
        seen = self.remembered.of("train").get("seen")
        self.alerts = Alerts(seen=seen if isinstance(seen, dict) else None)
        self.run_id: str | None = None
        self.signal_number: int | None = None
        for theme in themes.for_colours(self.console.color_system):
            self.register_theme(theme)
        self._setting_warnings += self.use(settings)
        self._filters.append(right_to_left.RightToLeft())
        if self.in_ascii:
            self._filters.append(glyphs.Ascii())

    def use(self, settings: Settings) -> tuple[str, ...]:
        """Take `settings` from now on, as far as a running app can. Returns warnings about what cannot be used."""
        self.set_reactive(GoemoApp.settings, settings)
        self.in_ascii = glyphs.ascii_only(
            settings.signs, os.environ, bool(sys.flags.utf8_mode), getattr(sys.__stderr__, "encoding", None) or "utf-8"
        )
        spoken = "en" if self.in_ascii else settings.language  # Arabic cannot be written in ASCII
        language.set_language(spoken, settings.bidi)
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
        self.runs.every(over_ssh.interval(settings.update_rate))
        return warnings

    def change(self, settings: Settings) -> None:
        """Take other settings while the app runs, and tell whoever watches them."""
        for warning in self.use(settings):
            self.notify(warning, title="Settings", severity="warning", timeout=8)
        self.mutate_reactive(GoemoApp.settings)
        self.refresh_bindings()

    # What screens use

    def set_run_line(self, text: str, run_id: str | None = None) -> None:
        """Show `text` at the right of every header; `run_id` names the running run (None: nothing runs)."""
        self.run_line = text
        self.run_id = run_id

    def remember(self, state: Remembered) -> None:
        """Keep `state` between starts; a folder that cannot be written costs the memory, not the session."""
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

    def copy(self, text: str, what: str) -> None:
        """Put `text` into the clipboard of the terminal, and say that `what` was sent there."""
        from goemo_tui import clipboard

        self.notify(f"{what}: {clipboard.send(self, text)}", timeout=3)

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """As Textual's; a key that does something has done it before the next key is looked at, so that what is typed
        in one breath after `/` is text for the field. In a text field keys are the field's affair.
        """
        fresh = isinstance(event, events.Key) and not event.is_forwarded and self.app_focus
        if fresh and not isinstance(self.focused, Input | TextArea):
            assert isinstance(event, events.Key)
            if await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key):
                return
        await super().on_event(event)

    def action_place(self, place: str) -> None:
        """Go to a place; what lies on top of the present one (a form, the help) stays there."""
        if place in self.MODES and not self._is_too_small:
            self.switch_mode(place)

    def action_help(self) -> None:
        """Help for the focused part and the place."""
        from goemo_tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen) and not self._is_too_small:
            self.push_screen(HelpScreen(self.current_mode, self.screen.focused))

    def action_next_theme(self) -> None:
        """The theme after the present one, remembered."""
        self.theme = themes.after(self.theme)
        self.notify(self.theme, title="Theme", timeout=1.5)
        self.remember(replace(self.remembered, theme=self.theme))

    def action_settings(self) -> None:
        """The settings, to be read and changed."""
        from goemo_tui.screens.settings import SettingsScreen

        if not self.screen.is_modal and not self._is_too_small:
            self.push_screen(SettingsScreen())

    def action_motion(self, key: str) -> None:
        """vim's motions: what the arrow, Home, End or page keys do where the focus is."""
        if self.focused is not None and not self._is_too_small:
            self.simulate_key(key)

    def action_command_palette(self) -> None:
        """The table of actions, to be searched."""
        if not isinstance(self.screen, Palette) and not self._is_too_small:
            self.push_screen(Palette(id="--command-palette"))

    def get_key_display(self, binding: Binding) -> str:
        """Keys as the whole app writes them, those of the setting `keys` too."""
        return binding.key_display or actions.show_key(binding.key)

    # Size

    @property
    def _is_too_small(self) -> bool:
        from goemo_tui.screens.too_small import TooSmall

        return bool(self.screen_stack) and isinstance(self.screen, TooSmall)

    def on_resize(self, event: events.Resize) -> None:
        """Cover everything while the terminal is too small, and come back when it is not."""
        from goemo_tui.screens.too_small import TooSmall

        small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        if small and not self._is_too_small:
            self.push_screen(TooSmall())
        elif not small and self._is_too_small:
            self.pop_screen()

    # Start, errors, end

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, able to outlive its terminal for as long as it takes to end."""
        return right_to_left.explicit(tolerant(super().get_driver_class()))

    def on_mount(self) -> None:
        """Take the signals that end a terminal, and say what was wrong with the settings."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by, number)
            self.set_interval(TERMINAL_SECONDS, self._look_for_terminal)
        self.set_interval(KEEP_SECONDS, self.write_remembered)
        for warning in self._setting_warnings:
            self.notify(warning, title="Settings", severity="warning", timeout=8)
        self.machine.subscribe(self.post_message)
        self.runs.subscribe(self.post_message)
        self.runs.start()

    def on_unmount(self) -> None:
        """Watch the runs no more, and keep what is remembered."""
        self.runs.stop()
        self.machine.stop()
        self.write_remembered()

    def on_runs_changed(self, message: RunsChanged) -> None:
        """The header tells of the running run on every screen."""
        self.machine.follow(message.runs)
        self.set_run_line(*run_line(message.runs, compact=self.size.width < 100))
        alerting.hear(self, message.runs)

    def on_sampled(self, message: Sampled) -> None:
        """The header tells of the GPU on every screen, while a run lives."""
        self.machine_line = message.gpu.line if message.gpu else ""

    def _look_for_terminal(self) -> None:
        if has_gone():
            self._end_by(signal.SIGHUP)

    def _end_by(self, number: int) -> None:
        self.signal_number = number
        self.exit(128 + number)


def run_app(data: str | None = None) -> int:
    """Run the terminal until it is left. Returns the exit code; 2 where there is no terminal."""
    if not has_terminal():
        print(NO_TERMINAL, file=sys.stderr)
        return 2
    threading.excepthook = log_thread
    app = GoemoApp(data)
    try:
        code = app.run()
    except OSError as error:
        if app.signal_number is None:
            raise
        crash.log_error(error, "the terminal went away")
        code = 128 + app.signal_number
    app.write_remembered()
    gc.freeze()  # the end of the process would walk a whole corpus for cycles that are not there
    if app.fatal_line is not None:
        print(app.fatal_line, file=sys.stderr)
        return 1
    goes_on = going_on(app.runs.runs)
    if goes_on and app.signal_number is None:
        print(clean(goes_on), file=sys.stderr)
    return code or 0
