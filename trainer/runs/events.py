"""The story of a run: an append-only file of one JSON object a line, with one writer and any number of readers (tail.py).

Whoever dies while writing costs at most the line being written. Nothing here interprets an event: see snapshot.py.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer import paths

VERSION = 1
LOG = "events.jsonl"
"""The log's name in the run folder."""
KINDS = (
    "waiting", "preparing", "started", "step", "validation", "checkpoint", "warning", "finished", "failed", "stopped",
    "resumed",
)  # fmt: skip
END_KINDS = frozenset({"finished", "failed", "stopped"})
ENVELOPE = ("v", "seq", "kind", "wall", "mono")

_DURABLE = frozenset({"waiting", "started", "validation", "checkpoint", "finished", "failed", "stopped", "resumed"})
_SUPERSEDED = frozenset({"step", "validation", "checkpoint"})
_SYNC_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class EventLog:
    """The one writer of `events.jsonl`; opening it continues the sequence of what is there.

    What tells of a change of state is durable when `append` returns, anything else within a few seconds, also while
    nothing more comes. A full or failing disk never ends a training: step events that cannot be written are dropped and
    counted, all others wait for the next append, and the trouble is said on stderr and, once it is over, as a `warning`.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, mono: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self.lost = 0
        """Events dropped because the disk took none."""
        self._clock, self._mono = clock, mono
        self._mutex = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque()
        self._trouble: str | None = None
        self._unsynced = False
        new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(self._fd, 0o600)
        if new:
            with suppress(OSError):  # where the file system can
                paths.sync(path.parent)
        self._seq, self._torn = _tail(self._fd)
        self._synced = mono()
        self._dirty = False
        self._closing = threading.Event()
        self._syncer: threading.Thread | None = None

    @property
    def seq(self) -> int:
        """Number of the last line written; 0 for an empty log."""
        return self._seq

    def append(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Write one event and return it. Numbers that JSON does not know (NaN, infinity) are written as null.

        Raises ValueError for a field that would hide one of the envelope, TypeError for a value that is no JSON.
        """
        hidden = [name for name in ENVELOPE if name in fields]
        if hidden:
            raise ValueError(f"an event's own fields cannot be called {', '.join(hidden)}")
        with self._mutex:
            now = self._mono()
            record = {"v": VERSION, "seq": 0, "kind": kind, "wall": self._clock(), "mono": now, **strict(fields)}
            self._waiting.append(record)
            written = self._write_waiting()
            self._dirty = self._dirty or written
            if written and (kind in _DURABLE or now - self._synced >= _SYNC_SECONDS):
                self._flush(now)
            elif self._syncer is None:
                self._start_syncer()
            return record

    def close(self) -> None:
        """Write what still waits, make it durable and close the file. Closing twice is fine."""
        self._closing.set()
        if self._syncer is not None:
            self._syncer.join()
        with self._mutex:
            if self._fd >= 0:
                self._write_waiting()
                self._flush(self._mono())
                os.close(self._fd)
                self._fd = -1

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_waiting(self) -> bool:
        while self._waiting:
            record = self._waiting[0]
            record["seq"] = self._seq + 1
            line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
            whole = b"\n" + line if self._torn else line
            try:
                count = os.write(self._fd, whole)
            except OSError as error:
                return self._keep(str(error))
            self._torn = count < len(whole)
            if count < len(whole) - 1:  # short of the newline alone, the line is whole and must not be written twice
                return self._keep("the disk took only a part of a line")
            self._seq += 1
            self._waiting.popleft()
            if self._trouble and not self._waiting:
                text = (
                    f"the event log could not be written for a while ({self._trouble}); {self.lost} steps are missing"
                )
                self._trouble, self.lost = None, 0
                self._waiting.append(
                    {
                        "v": VERSION,
                        "seq": 0,
                        "kind": "warning",
                        "wall": self._clock(),
                        "mono": self._mono(),
                        "text": text,
                    }
                )
        return True

    def _keep(self, trouble: str) -> bool:
        kept = deque(record for record in self._waiting if record["kind"] != "step")
        self.lost += len(self._waiting) - len(kept)
        self._waiting = kept
        self._complain(trouble)
        return False

    def _start_syncer(self) -> None:
        syncer = threading.Thread(target=self._sync_later, name="event log", daemon=True)
        try:
            syncer.start()
        except RuntimeError:
            return  # no more threads for this user now: until there are, only an append looks at the clock
        self._syncer = syncer

    def _sync_later(self) -> None:
        """The last lines before a long silence, as in a validation, are made durable too."""
        while not self._closing.wait(_LOOK_SECONDS):
            now = self._mono()
            if self._dirty and now - self._synced >= _SYNC_SECONDS:
                self._flush(now)

    def _flush(self, now: float) -> None:
        self._dirty = False  # first: what is appended meanwhile is for the next time
        try:
            _sync(self._fd)
            self._synced = now
            self._unsynced = False
        except OSError as error:
            if not self._unsynced:  # the lines are there for every reader; only a power cut could take the last ones
                self._unsynced = True
                _say(f"{self.path} cannot be made durable: {error}")

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            _say(f"{self.path} cannot be written: {trouble}")
        self._trouble = trouble


def restart_step(event: Mapping[str, Any]) -> float | None:
    """The step from which the story goes on after this event, or None if it goes on as before.

    `resumed` says its step; `started` begins at 0, also in a log that has a story already.
    """
    if event.get("kind") not in ("resumed", "started"):
        return None
    return number(event.get("step")) or 0.0


def validated_epoch(event: Mapping[str, Any]) -> float | None:
    """The epoch that a `validation` is of; None if it does not say, and for every other kind."""
    return number(event.get("epoch")) if event.get("kind") == "validation" else None


def superseded(event: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """True if `later` takes this earlier event back.

    A restart takes back what lies beyond its step. A validation takes back an earlier one of the same epoch: a worker
    that died between an epoch's validation and the next checkpoint leaves one at the very step where the next goes on.
    """
    step = restart_step(later)
    if step is not None:
        return event.get("kind") in _SUPERSEDED and (number(event.get("step")) or 0.0) > step
    epoch = validated_epoch(later)
    return epoch is not None and epoch == validated_epoch(event)


def number(value: Any) -> float | None:
    """`value` as a finite float, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def last_seq(path: Path) -> int:
    """Number of the last good line of a log; 0 where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        return _tail(fd)[0]
    finally:
        os.close(fd)


def parse_line(line: bytes) -> dict[str, Any] | None:
    """One line as an event, or None if it is none. Kinds and fields that this version does not know pass through."""
    try:
        event = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("kind"), str) or not isinstance(event.get("seq"), int):
        return None
    return event


def strict(value: Any) -> Any:
    """`value` as strict JSON: NaN and infinities become null; array scalars and arrays become numbers and lists.

    Raises TypeError for what has no JSON form.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if callable(getattr(value, "tolist", None)):  # numpy and torch, which this module does not know
        return strict(value.tolist())
    if isinstance(value, Iterable):
        return [strict(item) for item in value]
    raise TypeError(f"an event cannot hold a {type(value).__name__}: {value!r}")


def _say(text: str) -> None:
    """On stderr, if it takes it: a worker's is a file on the very disk that has the trouble."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _tail(fd: int) -> tuple[int, bool]:
    """(number of the last good line, whether the file ends in the middle of a line)."""
    size = os.fstat(fd).st_size
    if not size:
        return 0, False
    block = 1 << 16
    while True:
        start = max(0, size - block)
        lines = span(fd, start, size).split(b"\n")
        torn = lines[-1] != b""
        for line in reversed(lines[1:] if start else lines):
            event = parse_line(line.strip(b"\0")) if line else None
            if event is not None:
                return int(event["seq"]), torn
        if not start:
            return 0, torn
        block *= 4


def span(fd: int, start: int, end: int) -> bytes:
    """The bytes of an open file from `start` to before `end`; fewer where it ends before that."""
    parts = []
    while start < end:
        part = os.pread(fd, min(end - start, 1 << 24), start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)
