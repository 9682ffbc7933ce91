"""All that a run told, as lines with their time: its events in words and what its worker printed, in one order.

Reads what was appended, forgets the oldest beyond a limit, and gives only cleaned text. No widget is known here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from goemo_tui.safe_text import clean
from goemo_tui.services.run_log import event_words
from trainer.runs.events import LOG
from trainer.runs.snapshot import number
from trainer.runs.tail import EventTail

MOST_LINES = 200_000
CHUNK = 1 << 20
"""Bytes of events read at a time."""
MOST_BYTES = 64 << 20
"""Of a worker.log that is longer, the end is read."""
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)) ")


@dataclass(frozen=True)
class LogLine:
    """`wall` is in seconds since 1970, None where the worker said no time; `event` tells the run's own words from its output."""

    wall: float | None
    text: str
    event: bool


class LogBook:
    """The lines of one run's folder. `read` may be called from any one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tail = EventTail(folder / LOG)
        self._printed = folder / "worker.log"
        self._offset = 0
        self._inode: int | None = None
        self._torn = b""
        self._stamp: tuple[int, ...] = ()

    def has_grown(self) -> bool:
        """Whether a file changed since `read` began last: two looks at the disk."""
        return self._sizes() != self._stamp

    def _sizes(self) -> tuple[int, ...]:
        found: list[int] = []
        for path in (self._tail.path, self._printed):
            try:
                stat = path.stat()
                found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
            except OSError:
                found.append(0)
        return tuple(found)

    def read(self, ended: bool = False) -> tuple[LogLine, ...]:
        """What came since the last time, in order of time; a line that says none stands where it was printed.

        A last line without its end is given only where the run has `ended`: nobody will write on.
        """
        self._stamp = self._sizes()
        found = [*self._events(), *self._output(ended)]
        # lines without a time are as old as the file's last change, or as the line before them
        return tuple(line for _, line in sorted(found, key=lambda pair: pair[0]))[-MOST_LINES:]

    def _events(self) -> list[tuple[float, LogLine]]:
        found: list[tuple[float, LogLine]] = []
        at = 0.0
        while True:
            try:
                events = self._tail.poll(CHUNK)
            except OSError as error:
                return [*found, (at, LogLine(None, clean(f"the event log cannot be read: {error}"), True))]
            for event in events:
                wall = number(event.get("wall"))
                at = at if wall is None else max(at, wall)  # a clock that was put back does not turn the story round
                if event["kind"] != "step":
                    found.append((at, LogLine(wall, clean(event_words(event)), True)))
            if not self._tail.behind:
                return found

    def _output(self, ended: bool) -> list[tuple[float, LogLine]]:
        try:
            with self._printed.open("rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_ino != self._inode or stat.st_size < self._offset:
                    self._inode, self._offset, self._torn = stat.st_ino, max(0, stat.st_size - MOST_BYTES), b""
                file.seek(self._offset)
                data = self._torn + file.read()
                self._offset = file.tell()
        except OSError:
            return []
        whole, _, self._torn = data.rpartition(b"\n")
        if ended and self._torn:
            whole, self._torn = (whole + b"\n" if whole else b"") + self._torn, b""
        found: list[tuple[float, LogLine]] = []
        at, latest = stat.st_mtime, 0.0
        for raw in whole.split(b"\n") if whole else []:
            wall, text = _timed(raw.decode("utf-8", "replace").rstrip("\r"))
            at = at if wall is None else max(wall, latest)
            latest = max(latest, wall or 0.0)
            found.append((at, LogLine(wall, clean(text), False)))
        return found


def _timed(text: str) -> tuple[float | None, str]:
    """A line's own time, taken from its beginning, and the rest of it."""
    found = _STAMP.match(text)
    if found is None:
        return None, text
    try:
        return datetime.fromisoformat(found[1].replace(",", ".")).timestamp(), text[found.end() :]
    except (ValueError, OverflowError, OSError):
        return None, text
