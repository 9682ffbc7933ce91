"""The terminal app: three places, one theme, one table of keys.

It holds what every screen shares (settings, running run, errors, signals) and nothing of what a screen does. It never
imports torch, transformers or pandas: models live in other processes.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Callable
from typing import ClassVar

from goemo_tui import over_ssh  # isort: skip  # before textual, which reads its variables at import
from textual import events
from textual.binding import Binding
from textual.driver import Driver
from textual.filter import Monochrome, NoColor
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input, TextArea

from goemo_tui import actions, alerting, crash, glyphs, right_to_left
from goemo_tui.colourless import Colourless
from goemo_tui.ending import NO_TERMINAL, going_on, has_terminal, log_of_loop, log_unseen
from goemo_tui.lost_terminal import has_gone, tolerant
from goemo_tui.palette import ActionProvider, Palette
from goemo_tui.safe_text import clean
from goemo_tui.services.alerts import Alerts
from goemo_tui.services.machine import MachineWatch, Sampled
from goemo_tui.services.runs import RunsChanged, RunWatch, run_line
from goemo_tui.settings import Settings, read_settings
from goemo_tui.settled import SettledApp
from goemo_tui.true_size import believe_the_terminal
from goemo_tui.waking import waking

SMALLEST = (60, 16)
"""Columns and rows below which nothing useful fits."""

TERMINAL_SECONDS = 2.0
"""How often an app that has nothing to do looks whether its terminal is still there."""

LEAVING = frozenset({"tab", "shift+tab", "escape"})
"""Keys that leave a text field at once; the letters before them are in its hands already."""

ALT = "alt+"
"""What Textual makes of Esc and a key that arrive in one breath, as they do over a slow line. Nothing here has Alt."""

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


class GoemoApp(SettledApp):
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

    run_line: reactive[str] = reactive("", repaint=False)
    """The running run as every header shows it; set by `set_run_line`."""

    machine_line: reactive[str] = reactive("", repaint=False)
    """The GPU as every header shows it; empty without one."""

    ready: reactive[bool] = reactive(False, repaint=False)
    """True once the first frame is due: what computes beside the screen waits for it, and so never holds it up."""

    def __init__(self, data: str | None = None) -> None:
        super().__init__(begin_where_left=data is None)
        settings, self._setting_warnings = read_settings()
        self.data = data or settings.data
        self.data_given = data is not None
        self.runs = RunWatch(over_ssh.interval(settings.update_rate))
        self.machine = MachineWatch()
        seen = self.remembered.of("train").get("seen")
        self.alerts = Alerts(seen=seen if isinstance(seen, dict) else None)
        self.run_id: str | None = None
        self.signal_number: int | None = None
        self._setting_warnings += self.use(settings)
        if self.no_color:
            greys = (Monochrome, NoColor)
            self._filters = [
                Colourless(lambda: self.current_theme) if isinstance(f, greys) else f for f in self._filters
            ]
        self._filters.append(right_to_left.RightToLeft())
        if self.in_ascii:
            self._filters.append(glyphs.Ascii())

    def use(self, settings: Settings) -> tuple[str, ...]:
        """As it is said there; the runs are looked at as often as the settings say."""
        self.runs.every(over_ssh.interval(settings.update_rate))
        return super().use(settings)

    # What screens use

    def set_run_line(self, text: str, run_id: str | None = None) -> None:
        """Show `text` at the right of every header; `run_id` names the running run (None: nothing runs)."""
        self.run_line = text
        self.run_id = run_id

    def copy(self, text: str, what: str) -> None:
        """Put `text` into the clipboard of the terminal, and say that `what` was sent there."""
        from goemo_tui import clipboard

        self.notify(f"{what}: {clipboard.send(self, text)}", timeout=3)

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """As Textual's; a key that does something has done it before the next key is looked at, so that what is typed
        in one breath after `/` is text for the field. In a text field keys are the field's affair, but for those that
        leave it: what is typed behind a Tab is for the next one.
        """
        if isinstance(event, events.Key) and event.key.startswith(ALT) and event.key not in self.active_bindings:
            await self.on_event(events.Key("escape", "\x1b"))
            key = event.character if event.character and event.character.isalnum() else event.key.removeprefix(ALT)
            await self.on_event(events.Key(key, event.character))
            return
        if isinstance(event, events.Key) and not event.is_forwarded and self.app_focus:
            field = self.focused if isinstance(self.focused, Input | TextArea) else None
            bound = field is None or (event.key in LEAVING and not getattr(field, "KEYS_IN_ORDER", False))
            if bound and (await self._check_bindings(event.key, True) or await self._check_bindings(event.key)):
                return
        await super().on_event(event)

    def action_place(self, place: str) -> None:
        """Go to a place; what lies on top of the present one (a form, the help) stays there."""
        if place in self.MODES and not self._is_too_small:
            self.switch_mode(place)

    def show_run(self, run_id: str) -> None:
        """Go to Train, with this run selected."""
        from goemo_tui.screens.train import TrainScreen

        self.action_place("train")
        for screen in self.screen_stack:
            if isinstance(screen, TrainScreen):
                screen.choose(run_id)

    def action_help(self) -> None:
        """Help for the focused part and the place."""
        from goemo_tui.screens.help import HelpScreen
        from goemo_tui.screens.place import Place

        if not isinstance(self.screen, HelpScreen) and not self._is_too_small:
            over = None if isinstance(self.screen, Place) else self.screen
            self.push_screen(HelpScreen(self.current_mode, self.screen.focused, over))

    def action_help_quit(self) -> None:
        """Ctrl+c: it stops many programs, so it says what leaves this one."""
        keys = " or ".join(action.shown_key for action in actions.of("everywhere") if action.name == "app.quit")
        self.notify(f"{keys} leaves; a training goes on.", title="Still here", timeout=4)

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
        if not any(isinstance(screen, Palette) for screen in self.screen_stack) and not self._is_too_small:
            self.push_screen(Palette())  # without an id: the one before may still be going away

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
        """Textual's driver, able to end at once, and to outlive its terminal for as long as that takes."""
        return right_to_left.explicit(tolerant(waking(super().get_driver_class())))

    def on_mount(self) -> None:
        """Take the signals that end a terminal, and say what was wrong with the settings."""
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            loop.set_exception_handler(log_of_loop)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by, number)
            # a loop with much to read is awake: that its bell is full is no news, least of all on the screen
            signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
            self.set_interval(TERMINAL_SECONDS, self._look_for_terminal)
        # a shell wrote over the screen while the app was stopped, and Textual draws only what has changed since
        self.app_resume_signal.subscribe(self, lambda _: [screen.refresh() for screen in self.screen_stack])
        self.set_interval(KEEP_SECONDS, self.write_remembered)
        for warning in self._setting_warnings:
            self.notify(warning, title="Settings", severity="warning", timeout=8)
        self.machine.subscribe(self.post_message)
        self.runs.together = asyncio.get_running_loop().call_soon_threadsafe
        self.runs.subscribe(self.post_message)

    def on_ready(self) -> None:
        """The first frame, then the work: threads that began earlier would hold the interpreter while it is drawn."""
        self.ready = True
        self.screen.call_after_refresh(self.runs.start)

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


def run_app(data: str | None = None, in_browser: bool = False) -> int:
    """Run the terminal until it is left. Returns the exit code; 2 where there is no terminal, which a browser needs not."""
    if not in_browser and not has_terminal():
        print(NO_TERMINAL, file=sys.stderr)
        return 2
    believe_the_terminal()
    log_unseen()
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
    said = [app.fatal_line or "", going_on(app.runs.runs) if app.signal_number is None else ""]
    for line in filter(None, said):
        print(clean(line), file=sys.stderr)
    return 1 if app.fatal_line is not None else code or 0
