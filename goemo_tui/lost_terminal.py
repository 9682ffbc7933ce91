"""Lets the app end when its terminal has gone: Textual's writer thread would die of the first failed write, and whoever
writes next would wait for it for ever. And it never stops where nobody could wake it again.

Knows the driver's file only; what the end looks like is the app's affair.
"""

from __future__ import annotations

import errno
import os
import signal
import termios
from contextlib import suppress
from typing import IO, Any

from textual.driver import Driver


def has_gone() -> bool:
    """Whether the terminal that this process reads from was taken away. An idle app writes nothing and would never know:
    the signal goes to the leader of the session alone, such as a `make` that waits for us.
    """
    try:
        termios.tcgetattr(0)
    except termios.error as error:
        return bool(error.args and error.args[0] == errno.EIO)
    return False


def can_be_woken() -> bool:
    """Whether a shell with jobs stands above this process, from which it can be taken up again when it was stopped.

    There is none where the app is the command of a tmux window, of `ssh HOST COMMAND` or of `--web`: the kernel itself
    stops nobody there by ctrl+z, but Textual, which takes the signal, stops itself by another one.
    """
    import psutil

    session, group = os.getsid(0), os.getpgrp()
    with suppress(psutil.Error, OSError):
        for above in psutil.Process().parents():
            if os.getsid(above.pid) != session:
                return False
            if os.getpgid(above.pid) != group:
                return True
    return False


class TolerantFile:
    """Stands before the terminal's file: the first write that fails raises SIGHUP in this process, later ones do nothing."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.lost = False

    def write(self, text: str) -> int:
        """Write as far as there is a terminal."""
        return self._attempt(self._file.write, text) or 0

    def flush(self) -> None:
        """Flush as far as there is a terminal."""
        self._attempt(self._file.flush)

    def _attempt(self, what: Any, *arguments: str) -> Any:
        if self.lost:
            return None
        try:
            return what(*arguments)
        except (OSError, ValueError):  # ValueError: the file was closed
            self.lost = True
            os.kill(os.getpid(), signal.SIGHUP)
            return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def tolerant(driver: type[Driver]) -> type[Driver]:
    """`driver` with its file behind a TolerantFile. A driver without one (headless, web) is returned as it is."""

    class TolerantDriver(driver):  # type: ignore[valid-type, misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            file: Any = getattr(self, "_file", None)
            if file is not None:
                self._file = TolerantFile(file)

        def _sigtstp_application(self, *signals: Any) -> None:
            """As Textual's. ctrl+z is a signal while the terminal is not ours yet, at the start, or not any more."""
            if can_be_woken():
                super()._sigtstp_application(*signals)

        def stop_application_mode(self) -> None:
            # a multiplexer that was resized meanwhile would leave a part of the picture on the normal screen
            self.write("\x1b[H\x1b[2J")
            super().stop_application_mode()

    return TolerantDriver
