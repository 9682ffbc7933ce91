"""What was asked in Inspect, kept between starts: `history.jsonl` in the state folder, readable by its owner alone.

One line an entry, appended in one write; several apps may share the file. A line that is broken costs that line only.
Knows no widget and no model.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goemo_tui.services.prediction import TUNED, Emotion, Threshold
from trainer import paths
from trainer.errors import GoemoError

MOST = 1_000
"""Entries that are kept."""

LONGEST = 64_000
"""Bytes of a line; the prompt takes far less. A longer one is not ours."""

MOST_BYTES = 16_000_000
"""Of a file that somebody else has grown, only the end is looked at."""


class HistoryError(GoemoError):
    """The history cannot be read or written."""


@dataclass(frozen=True)
class Entry:
    """One sentence, which model answered it, and what was above its threshold then, the most probable first.

    `when` is in unix seconds.
    """

    text: str
    model: str
    threshold: Threshold
    emotions: tuple[Emotion, ...]
    when: float = 0.0

    def same_as(self, other: Entry) -> bool:
        """Whether both say the same, whenever it was."""
        return (self.text, self.model, self.threshold) == (other.text, other.model, other.threshold)

    def document(self) -> dict[str, Any]:
        """As `predict --json` says it, without the scores, which are not kept."""
        return {"model": self.model, "results": [{"text": self.text, "emotions": _plain(self.emotions)}]}


def history_file() -> Path:
    """Where the history lies."""
    return paths.state_folder() / "history.jsonl"


def read_history(file: Path | None = None) -> tuple[Entry, ...]:
    """The entries, the newest first. Raises HistoryError where there is a file that cannot be read."""
    file = file or history_file()
    try:
        lines = _lines(file)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise HistoryError(f"the history cannot be read: {error}") from error
    entries = [entry for line in lines if (entry := _entry(line)) is not None]
    return tuple(reversed(entries[-MOST:]))


def append(entry: Entry, file: Path | None = None) -> None:
    """Add an entry; where there are more than `MOST` then, the oldest go. Raises HistoryError."""
    file = file or history_file()
    line = _line(entry)
    if len(line) > LONGEST:
        raise HistoryError("this text is too long to be kept in the history")
    try:
        with _alone(file):
            _append(file, line)
            lines = _lines(file)
            if len(lines) > MOST:
                _rewrite(file, lines[-MOST:])
    except OSError as error:
        raise HistoryError(f"the history cannot be kept: {error}") from error


def clear(file: Path | None = None) -> None:
    """Forget everything. Raises HistoryError."""
    file = file or history_file()
    try:
        with _alone(file):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise HistoryError(f"the history cannot be cleared: {error}") from error


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """No other app writes meanwhile: what it appends while this one rewrites the file would be lost."""
    paths.private_folder(file.parent)
    handle = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _append(file: Path, line: bytes) -> None:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o600)
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # a full disk or a power cut left half a line
        os.write(handle, (b"\n" if torn else b"") + line)
    finally:
        os.close(handle)


def _rewrite(file: Path, lines: list[bytes]) -> None:
    """The whole file anew, or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.writelines(line + b"\n" for line in lines)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _lines(file: Path) -> list[bytes]:
    with file.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(max(0, size - MOST_BYTES))
        return [line for line in source.read().split(b"\n") if line.strip()]


def _line(entry: Entry) -> bytes:
    document = {
        "when": round(entry.when, 3), "model": entry.model, "threshold": entry.threshold, "text": entry.text,
        "emotions": _plain(entry.emotions),
    }  # fmt: skip
    return (json.dumps(document) + "\n").encode()


def _plain(emotions: tuple[Emotion, ...]) -> list[dict[str, Any]]:
    return [{"emotion": e.name, "probability": e.probability, "threshold": e.threshold} for e in emotions]


def _entry(line: bytes) -> Entry | None:
    """What a line says, or None where it says nothing that can be used."""
    if len(line) > LONGEST:
        return None
    try:
        found = json.loads(line)
        text, model, threshold = found["text"], found["model"], found["threshold"]
        emotions = tuple(_emotion(e) for e in found["emotions"])
        when = _number(found["when"])
        given = TUNED if threshold == TUNED else _number(threshold)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(text, str) or not isinstance(model, str) or not text.strip():
        return None
    return Entry(text, model, given, emotions, when)


def _emotion(found: Mapping[str, Any]) -> Emotion:
    if not isinstance(found["emotion"], str):
        raise ValueError("a name is text")
    return Emotion(found["emotion"], _number(found["probability"]), _number(found["threshold"]), True)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)
