"""Lets the app end at once: Textual's input thread looks up only every tenth of a second, twice, before it ends.

Ours waits for the terminal and for a pipe that is written to when it shall end. What it reads is Textual's affair.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Any

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.driver import Driver

from goemo_tui.pasted import KeyReader

TICK = 0.1
"""Seconds after which the parser is asked whether a lone Esc was meant."""


def waking(driver: type[Driver]) -> type[Driver]:
    """`driver` with an input thread that ends when it is told to. A driver without one (headless, web) is returned as it is."""
    if not hasattr(driver, "run_input_thread") or any(base.__name__ == "WebDriver" for base in driver.__mro__):
        return driver

    class WakingDriver(driver):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._waker = os.pipe()

        def run_input_thread(self) -> None:
            """Wait for input and hand on what it means, until `exit_event` is set or the terminal has gone."""
            try:
                self._listen()
            except OSError:
                os.kill(os.getpid(), signal.SIGHUP)
            except Exception as error:  # Textual would draw the traceback
                self._app.call_later(self._app._handle_exception, error)

        def _listen(self) -> None:
            parser = XTermParser(self._debug)
            decode = KeyReader().decode
            while not self.exit_event.is_set():
                ready, _, _ = select.select([self.fileno, self._waker[0]], [], [], TICK)
                if self.fileno in ready:
                    data = os.read(self.fileno, 4096)
                    if not data:
                        raise OSError("the terminal has gone")
                    text = decode(data)
                    for event in parser.feed(text) if text else ():  # an empty text would mean the end
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
            with suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass

        def disable_input(self) -> None:
            os.write(self._waker[1], b"!")
            super().disable_input()
            os.read(self._waker[0], 4096)  # a suspended app begins anew

    return WakingDriver
