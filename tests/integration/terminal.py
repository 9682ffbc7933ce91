"""A person at a terminal: the app in a real pty, with pyte as the screen that is looked at."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from types import TracebackType

import pyte

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "down": "\x1b[B",
    "ctrl+s": "\x13",
    "ctrl+u": "\x15",
}


class Terminal:
    """`goemo-tui` running at `columns` x `rows`, by a command `under` which it stands. The process is gone afterwards."""

    def __init__(
        self, *arguments: str, columns: int = 120, rows: int = 36, under: tuple[str, ...] = (), **environment: str
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.code: int | None = None
        size = struct.pack("HHHH", rows, columns, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            # execve, not execv: readline sets COLUMNS and LINES behind the back of os.environ, and they would win over
            # the terminal's own size
            kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "SSH_CONNECTION")}
            kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
            command = [*under, sys.executable, "-m", "goemo_tui", *arguments]
            os.execve(command[0], command, kept)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
        os.close(self.fd)

    @property
    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Type: names of KEYS, or text as it is. A lone Esc is left alone for a moment, or it would begin a longer code."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())
            self.look(0.3 if key == "escape" else 0.05)

    def look(self, seconds: float) -> None:
        """Take in what the app draws for a while."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                return
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return  # the other side is closed
            if not data:
                return
            self.raw += data
            self.stream.feed(data)

    def until(self, seen: str | Callable[[str], bool], seconds: float = 60.0) -> str:
        """Look until a text is on the screen (or a test of it holds), and return the screen."""
        holds = seen if callable(seen) else lambda text: seen in text
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look(0.1)
            if holds(self.text):
                return self.text
        raise AssertionError(f"never seen: {seen}\n{self.text}")

    def wait(self, seconds: float = 20.0) -> int:
        """The exit code, once the app has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.look(0.1)
                return self.code
        raise AssertionError(f"still running\n{self.text}")
