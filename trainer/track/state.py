"""How a run's mirrors are doing: a small file for each tracker in the run's folder, written by the mirror alone.

The lock beside it says whether that mirror lives. All of it can be lost without harm.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import RunError
from trainer.track.tracker import NAMES

FOLDER = "track"
MOST_BYTES = 65_536

FOLLOWING, DONE, FAILED, GONE = "following", "done", "failed", "gone"
"""What a mirror is: at work, through, ended by an error, or dead without a word."""


@dataclass(frozen=True)
class Mirror:
    """One tracker's mirror of a run, up to `step`; `pid` wrote this at `wall`. As a file may hold it: clean it before it is shown."""

    tracker: str
    state: str
    where: str = ""
    step: int = 0
    points: int = 0
    error: str = ""
    pid: int = 0
    wall: float = 0.0


_KINDS = {"where": str, "step": int, "points": int, "error": str, "pid": int, "wall": float}


def log_of(folder: Path, tracker: str) -> Path:
    """Where a detached mirror's output goes."""
    return folder / FOLDER / f"{tracker}.log"


def write(folder: Path, mirror: Mirror) -> None:
    """Note it in the run's folder; a full disk or a run that is gone hinders nothing."""
    with suppress(OSError):
        data = json.dumps({**asdict(mirror), "pid": os.getpid(), "wall": time.time()}).encode()
        paths.write_private(folder / FOLDER / f"{mirror.tracker}.json", data)


def read(folder: Path) -> list[Mirror]:
    """All mirrors that a run ever had, one a tracker; what cannot be read is left out."""
    found = [_read(folder, name) for name in NAMES]
    return [mirror for mirror in found if mirror is not None]


def _read(folder: Path, tracker: str) -> Mirror | None:
    try:
        with (folder / FOLDER / f"{tracker}.json").open("rb") as file:
            told = json.loads(file.read(MOST_BYTES))
        known: dict[str, Any] = {name: kind(told[name]) for name, kind in _KINDS.items() if name in told}
        state = str(told["state"])
        if state == FOLLOWING and not _held(folder / FOLDER / f"{tracker}.lock"):
            state = GONE
        return Mirror(tracker, state, **known)
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextmanager
def alone(folder: Path, tracker: str) -> Iterator[None]:
    """Hold the lock of a run's mirror. Raises RunError where another mirror holds it.

    In a folder that cannot be written, such as somebody else's, nothing is held: its mirrors are not noted either.
    """
    place = folder / FOLDER
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(place / f"{tracker}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"run {folder.name} is being mirrored to {tracker} by another process, which goes on until the run ends"
            ) from None
        yield
    finally:
        os.close(handle)


def _held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
