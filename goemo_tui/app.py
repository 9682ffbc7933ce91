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
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from goemo_tui import over_ssh  # noqa: F401  # isort: skip  # before textual, which reads its variables at import
from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import WorkerFailed

from goemo_tui import actions, crash, themes
from goemo_tui.lost_terminal import has_gone, tolerant
from goemo_tui.palette import ActionProvider
from goemo_tui.remembered import Remembered, read_state, write_state
from goemo_tui.safe_text import clean
from goemo_tui.services.runs import RunsChanged, RunView, RunWatch, run_line
from goemo_tui.settings import Settings, read_settings
from trainer.errors import GoemoError

SMALLEST = (60, 16)
"""Columns and rows below which nothing useful fits."""

TERMINAL_SECONDS = 2.0
"""How often an app that has nothing to do looks whether its terminal is still there."""

MOST_NAMED = 4
"""Runs that are named to somebody who leaves."""

NO_TERMINAL = """\
goemo-tui needs a terminal for its screens; headless commands do the same work:
  goemo-tui train | runs | predict | eval | data | doctor      (each with --help)"""


def _data_screen() -> Screen[None]:
    from goemo_tui.screens.data import DataScreen

    return DataScreen()


def _train_screen() -> Screen[None]:
    from goemo_tui.screens.train import TrainScreen

    return TrainScreen()


def _inspect_screen() -> Screen[None]:
    from goemo_tui.screens.inspect import InspectScreen

    return InspectScreen()


class GoemoApp(App[int]):
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
    BINDINGS = actions.bindings("everywhere")

    run_line: reactive[str] = reactive("", repaint=False)
    """The running run as every header shows it; set by `set_run_line`."""

    machine_line: reactive[str] = reactive("", repaint=False)
    """The GPU as every header shows it; empty without one."""

    def __init__(self, data: str | None = None) -> None:
        super().__init__()
        self.settings: Settings
        self.settings, self._setting_warnings = read_settings()
        self.remembered: Remembered = read_state()
        self.data = data or self.settings.data
        self.runs = RunWatch()
        self.run_id: str | None = None
        self.fatal_line: str | None = None
        self.signal_number: int | None = None
        for theme in themes.THEMES:
            self.register_theme(theme)
        wanted = self.settings.theme or self.remembered.theme or themes.DEFAULT
        self.theme = wanted if wanted in self.available_themes else themes.DEFAULT
        if wanted not in self.available_themes:
            known = ", ".join(theme.name for theme in themes.THEMES)
            self._setting_warnings += (f"theme = {wanted!r} is unknown: there are {known}",)

    # What screens use

    def set_run_line(self, text: str, run_id: str | None = None) -> None:
        """Show `text` at the right of every header; `run_id` names the running run (None: nothing runs)."""
        self.run_line = text
        self.run_id = run_id

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast. Whatever it says is cleaned and never read as markup."""
        super().notify(
            clean(message, newlines=True, limit=600),
            title=clean(title, limit=80),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def remember(self, state: Remembered) -> None:
        """Keep `state` between starts; a folder that cannot be written costs the memory, not the session."""
        self.remembered = state
        try:
            write_state(state)
        except OSError as error:
            self.notify(f"What you chose cannot be remembered: {error}", severity="warning")

    def keep(self, place: str, **values: object) -> None:
        """Remember plain JSON values for a place until the next start; written when the app is left."""
        self.remembered = self.remembered.keeping(place, **values)

    def copy(self, text: str, what: str) -> None:
        """Put `text` into the clipboard of the terminal, and say that `what` was sent there."""
        from goemo_tui import clipboard

        self.notify(f"{what}: {clipboard.send(self, text)}", timeout=3)

    # Keys

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
        from dataclasses import replace

        self.theme = themes.after(self.theme)
        self.notify(self.theme, title="Theme", timeout=1.5)
        self.remember(replace(self.remembered, theme=self.theme))

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
        return tolerant(super().get_driver_class())

    def on_mount(self) -> None:
        """Take the signals that end a terminal, and say what was wrong with the settings."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by, number)
            self.set_interval(TERMINAL_SECONDS, self._look_for_terminal)
        for warning in self._setting_warnings:
            self.notify(warning, title="Settings", severity="warning", timeout=8)
        self.runs.subscribe(self.post_message)
        self.runs.start()

    def on_unmount(self) -> None:
        """Watch the runs no more."""
        self.runs.stop()

    def on_runs_changed(self, message: RunsChanged) -> None:
        """The header tells of the running run on every screen."""
        self.set_run_line(*run_line(message.runs, compact=self.size.width < 100))

    def _look_for_terminal(self) -> None:
        if has_gone():
            self._end_by(signal.SIGHUP)

    def _end_by(self, number: int) -> None:
        self.signal_number = number
        self.exit(128 + number)

    async def run_action(
        self,
        action: str | tuple[str, str, tuple[object, ...]],
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual's; an action that fails says so in a toast instead of ending the app."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except GoemoError as error:
            self.notify(str(error), severity="error", timeout=8)
        except Exception as error:
            self._toast_of(error, f"action {action}")
        return True

    def _toast_of(self, error: Exception, where: str) -> None:
        self._show_to_tests(error)
        error_id = crash.log_error(error, where)
        self.notify(
            f"{crash.one_line(error)}\nDetails under {error_id} in {crash.log_file()}",
            title="That did not work",
            severity="error",
            timeout=10,
        )

    def _show_to_tests(self, error: Exception) -> None:
        """Without a terminal (a test) an error that people see as a toast is raised at the end all the same."""
        if self.is_headless and self._exception is None:
            self._exception = error
            self._exception_event.set()

    def _handle_exception(self, error: Exception) -> None:
        """A failed worker is a toast; anything else ends the app with one line, once the terminal is restored."""
        self._show_to_tests(error)
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(error, WorkerFailed) and isinstance(cause, Exception) and self.is_running:
            if isinstance(cause, GoemoError):
                self.notify(str(cause), severity="error", timeout=8)
            else:
                self._toast_of(cause, "worker")
            return
        self._return_code = 1
        if self.fatal_line is None:
            error_id = crash.log_error(cause, "app")
            self.fatal_line = (
                f"goemo-tui had to stop: {crash.one_line(cause)} (details under {error_id} in {crash.log_file()})"
            )
        self._close_messages_no_wait()


def run_app(data: str | None = None) -> int:
    """Run the terminal until it is left. Returns the exit code; 2 where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(NO_TERMINAL, file=sys.stderr)
        return 2
    threading.excepthook = lambda args: _log_thread(args)
    app = GoemoApp(data)
    try:
        code = app.run()
    except OSError as error:
        if app.signal_number is None:
            raise
        crash.log_error(error, "the terminal went away")
        code = 128 + app.signal_number
    gc.freeze()  # the end of the process would walk a whole corpus for cycles that are not there
    if app.fatal_line is not None:
        print(app.fatal_line, file=sys.stderr)
        return 1
    goes_on = going_on(app.runs.runs)
    if goes_on and app.signal_number is None:
        print(clean(goes_on), file=sys.stderr)
    return code or 0


def going_on(runs: Sequence[RunView]) -> str:
    """What to say to somebody who leaves: which runs are still trained or wait, and how to see them again."""
    living = [run for run in runs if run.living]
    if len(living) < 2:
        what = "waits for its turn" if living and living[0].state == "waiting" else "goes on training"
        return f"{living[0].id} {what}; goemo-tui shows it again." if living else ""
    names = [f"{run.short} (waiting)" if run.state == "waiting" else run.short for run in living[:MOST_NAMED]]
    more = len(living) - len(names)
    return f"{len(living)} runs go on: {', '.join(names)}{f' and {more} more' if more else ''}; goemo-tui runs list"


def _log_thread(args: threading.ExceptHookArgs) -> None:
    """A thread that fails writes to the log, not across the screen."""
    if args.exc_value is not None:
        crash.log_error(args.exc_value, f"thread {args.thread.name if args.thread else '?'}")
