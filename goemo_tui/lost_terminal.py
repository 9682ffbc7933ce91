"""Lets the app end when its terminal has gone: Textual's writer thread would die of the first failed write, and whoever
writes next would wait for it for ever.

Knows the driver's file only; what the end looks like is the app's affair.
"""

from __future__ import annotations

import errno
import os
import signal
import termios
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

        def stop_application_mode(self) -> None:
            # a multiplexer that was resized meanwhile would leave a part of the picture on the normal screen
            self.write("\x1b[H\x1b[2J")
            super().stop_application_mode()

    return TolerantDriver
