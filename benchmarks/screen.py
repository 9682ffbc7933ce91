"""The app over a real pty, watched from outside: when which bytes come, and what its process costs.

Bytes are not drawn but searched with their escape codes taken out: a terminal emulator in Python would cost more time
than what is measured. May not look into the app.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from benchmarks.moment import Moment, waits

KEYS = {
    "enter": b"\r", "escape": b"\x1b", "tab": b"\t", "backspace": b"\x7f", "f1": b"\x1bOP", "f2": b"\x1bOQ",
    "f3": b"\x1bOR", "down": b"\x1b[B", "right": b"\x1b[C", "ctrl+u": b"\x15", "ctrl+o": b"\x0f", "ctrl+a": b"\x01",
}  # fmt: skip

FOREIGN = ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""What of this process' environment would change what is measured; installed programs have their bytecode."""

_CODES = re.compile(
    rb"\x1b\[[0-9;:?<>=$ ]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[^\[\]PX^_]"
)


class NotSeenError(Exception):
    """What was waited for did not come."""


class Screen:
    """`goemo-tui` at `columns` x `rows`. Use as a context: its process and those it started are gone afterwards."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 120,
        rows: int = 36,
        python: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = bytearray()
        self.last = Moment(0.0)
        """When the last bytes came."""
        self.ended: Moment | None = None
        self._mark = 0
        self._answered = 0
        self._waits: dict[int, float] = {}
        kept = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        command = [sys.executable, *python, "-m", "goemo_tui", *arguments]
        size = struct.pack("HHHH", rows, columns, 0, 0)
        self.began = Moment(time.perf_counter())
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execve(command[0], command, kept)

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ended is None:
            children = self.children()
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            for child in children:
                _end(child)
        os.close(self.fd)

    # Bytes

    def _take(self, seconds: float) -> bool:
        """Take in what comes within `seconds`; False where nothing came."""
        own = waits("self")
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return False
        came = time.perf_counter()
        lag = waits("self") - own  # they were there, and nobody who looked
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            time.sleep(0.001)
            return False
        self.last = Moment(came, self.waited(), lag)
        self.raw += data
        self._reply()
        return True

    def _reply(self) -> None:
        """Answer as a modern terminal does: it knows synchronized output, whose marks are then among the bytes."""
        asked = self.raw.find(b"\x1b[?2026$p", self._answered)
        if asked >= 0:
            self._answered = asked + 1
            os.write(self.fd, b"\x1b[?2026;2$y")

    def mark(self) -> None:
        """From here on: what `arrives` and `since` look at."""
        while self._take(0.0):
            pass
        self._mark = len(self.raw)

    @property
    def since(self) -> str:
        """The text that came since the mark, without escape codes."""
        return _CODES.sub(b"", bytes(self.raw[self._mark :])).decode("utf-8", "replace")

    def arrives(self, *patterns: str, seconds: float = 60.0) -> Moment:
        """The moment at which the text since the mark holds all patterns. Raises NotSeenError."""
        until = time.perf_counter() + seconds
        wanted = [re.compile(pattern) for pattern in patterns]
        while True:
            text = self.since
            wanted = [pattern for pattern in wanted if not pattern.search(text)]
            if not wanted:
                return self.last
            if time.perf_counter() > until:
                raise NotSeenError(f"{wanted[0].pattern} did not come within {seconds:g} s: …{text[-300:]!r}")
            self._take(0.05)

    def settle(self, quiet: float = 0.3, seconds: float = 60.0) -> Moment:
        """Wait until nothing came for `quiet` seconds; the moment of the last bytes."""
        until = time.perf_counter() + seconds
        while self._take(quiet):
            if time.perf_counter() > until:
                break
        return self.last

    def bytes_in(self, seconds: float) -> int:
        """How many bytes come within `seconds`."""
        self.mark()
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._take(left)
        return len(self.raw) - self._mark

    def press(self, *keys: str) -> Moment:
        """Type names of KEYS, or text as it is, from a new mark on; the moment of it."""
        self.mark()
        moment = Moment(time.perf_counter(), self.waited())
        os.write(self.fd, b"".join(KEYS.get(key) or key.encode() for key in keys))
        return moment

    # The process

    def waited(self) -> dict[int, float]:
        """Seconds for which the app and each process it started had waited for a core so far."""
        for pid in (self.pid, *self.children()):
            self._waits[pid] = max(self._waits.get(pid, 0.0), waits(pid))
        return dict(self._waits)

    def cpu(self) -> float:
        """Seconds that the app's own process has computed, its children not among them."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        exact = 0.0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                exact += int((task / "schedstat").read_text().split()[0]) / 1e9
            except (OSError, ValueError, IndexError):
                return ticks
        return exact

    def memory(self) -> tuple[int, int]:
        """(PSS, RSS) in bytes."""
        found = {}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Pss", "Rss"):
                found[name] = int(rest.split()[0]) * 1024
        return found["Pss"], found["Rss"]

    def children(self) -> list[int]:
        """Processes that it started and that live."""
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except OSError:
            return []

    def wait(self, seconds: float = 20.0) -> int:
        """The exit code; `ended` is the moment at which it was known."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                self.ended = Moment(time.perf_counter(), self.waited())
                while self._take(0.02):
                    pass
                return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            if not self._take(0.002):
                time.sleep(0.001)
        raise NotSeenError(f"it did not end within {seconds:g} s")


def _end(pid: int) -> None:
    """SIGKILL for a child that its parent left behind; it may be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
