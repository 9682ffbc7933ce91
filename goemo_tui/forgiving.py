"""An app that outlives what goes wrong in it: a failed action or worker is a toast and an entry in the log.

Nobody ever sees a traceback. Only an error in the machinery itself ends the app, with one line.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.app import App
from textual.command import CommandInput
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.widget import MountError
from textual.worker import WorkerFailed

from goemo_tui import crash
from goemo_tui.gone import missed_on_what_is_gone, was_put_off
from goemo_tui.safe_text import clean
from trainer.errors import GoemoError


class ForgivingApp(App[int]):
    """What `GoemoApp` knows about errors and toasts."""

    fatal_line: str | None = None
    """What to say on the restored terminal; None as long as nothing fatal happened."""

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

    async def on_event(self, event: events.Event) -> None:
        """As Textual's; keys and clicks behind the one that left the app are for nobody."""
        if isinstance(event, events.Paste) and isinstance(self.focused, CommandInput):
            event.text = clean(
                event.text, newlines=True
            )  # the palette's field is Textual's and shows whatever it holds
        if not (self._exit and isinstance(event, events.InputEvent)):
            await super().on_event(event)

    async def run_action(
        self,
        action: str | tuple[str, str, tuple[object, ...]],
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual's; an action that fails says so in a toast instead of ending the app. None begins after the end."""
        if self._exit:
            return True
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except GoemoError as error:
            self.notify(str(error), severity="error", timeout=8)
        except Exception as error:
            if not missed_on_what_is_gone(error):
                self.tell_error(error, f"action {action}")
        return True

    def tell_error(self, error: Exception, where: str) -> None:
        """A toast with one line and an id; the whole story goes to the log under that id."""
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
        if self._exit and isinstance(error, NoMatches | MountError):
            return  # a screen that was opened in the same breath as the app was left: nothing is put on it any more
        cause = error.error if isinstance(error, WorkerFailed) else error
        if missed_on_what_is_gone(cause) and (cause is not error or was_put_off(error)):
            return
        self._show_to_tests(error)
        if isinstance(error, WorkerFailed) and isinstance(cause, Exception) and self.is_running:
            if isinstance(cause, GoemoError):
                self.notify(str(cause), severity="error", timeout=8)
            else:
                self.tell_error(cause, "worker")
            return
        self._return_code = 1
        if self.fatal_line is None:
            error_id = crash.log_error(cause, "app")
            self.fatal_line = (
                f"goemo-tui had to stop: {crash.one_line(cause)} (details under {error_id} in {crash.log_file()})"
            )
        self._close_messages_no_wait()
