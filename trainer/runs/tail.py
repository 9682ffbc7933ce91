"""The reader of a run's story: what came since the last time, whatever happened to the file in between.

Only reads. Lines that are no event are counted and passed over; nothing here interprets one that is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainer.runs.events import parse_line, restart_step, span, superseded, validated_epoch


class EventTail:
    """Reads a log that somebody else is writing: each `poll` gives the events that came whole since the last one.

    `bad` counts lines that are no event (they are skipped); `restarts` counts how often the file was replaced or cut
    off, after which `poll` gives the new file from its beginning; `behind` is True while a limited poll left some.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bad = 0
        self.restarts = 0
        self.behind = False
        self._offset = 0
        self._file: tuple[int, int] | None = None
        self._stamp: tuple[int, ...] | None = None
        self._before = b""  # the bytes that end at the offset: an inode number can come back with another file

    def poll(self, limit: int | None = None) -> list[dict[str, Any]]:
        """New events in order, reading about `limit` bytes at most. A log that is not there yet has none."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self.behind = False
            return []
        try:
            return self._read(fd, limit)
        finally:
            os.close(fd)

    def _read(self, fd: int, limit: int | None) -> list[dict[str, Any]]:
        now = os.fstat(fd)
        stamp = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
        if stamp == self._stamp and not self.behind:
            return []
        self._stamp = stamp
        if self._file is not None and not self._same(fd, now):
            self.restarts += 1
            self.bad = self._offset = 0
            self._before = b""
        self._file = (now.st_dev, now.st_ino)
        end = now.st_size if limit is None else min(now.st_size, self._offset + limit)
        data = span(fd, self._offset, end)
        while b"\n" not in data and end < now.st_size:  # a line longer than the limit
            end = min(now.st_size, end + max(len(data), 1))
            data = span(fd, self._offset, end)
        self.behind = end < now.st_size
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._before = (self._before + whole[-256:])[-256:]
        return self._events(whole)

    def _same(self, fd: int, now: os.stat_result) -> bool:
        if (now.st_dev, now.st_ino) != self._file:
            return False
        return span(fd, self._offset - len(self._before), self._offset) == self._before  # fewer where it was cut off

    def _events(self, data: bytes) -> list[dict[str, Any]]:
        events = []
        for raw in data.split(b"\n"):
            line = raw.strip()
            if b"\0" in line:  # what some file systems leave behind after a crash; an event may follow in the same line
                self.bad += 1
                line = line.strip(b"\0")
            if line:
                event = parse_line(line)
                if event is None:
                    self.bad += b"\0" not in raw
                else:
                    events.append(event)
        return events


def read_events(path: Path) -> list[dict[str, Any]]:
    """All events of a log as they count now: what a later one took back (see `superseded`) is left out.

    Bad lines and a torn last line are skipped; a log that is not there has no events.
    """
    return standing(EventTail(path).poll())


def standing(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of events in their order, those that no later one took back."""
    kept: list[dict[str, Any]] = []
    validated: set[float | None] = set()
    for event in events:
        epoch = validated_epoch(event)
        # asked only where something can have been taken back: a log has many steps
        if restart_step(event) is not None or (epoch is not None and epoch in validated):
            kept = [e for e in kept if not superseded(e, event)]
        validated.add(epoch)
        kept.append(event)
    return kept
