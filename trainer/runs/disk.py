"""What a run takes on disk, and which checkpoints are there: names and sizes, never the contents.

Needs no torch. Whether a checkpoint is sound is for the worker to say, which verifies it before it goes on from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CHECKPOINTS = "checkpoints"
MODEL = "model"
FORMAT = 2
"""Of a checkpoint. Format 1 knew no random state but torch's."""
PASSED_OVER = ".passed-over-"
"""Before the name of a checkpoint that was not gone on from: the story goes another way now."""
_NAME = "step-"
_ASIDE = ".replaced-"


def size(folder: Path) -> int:
    """Bytes of all files in it. Links are not followed, and what goes away meanwhile counts for nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(where, name).lstat().st_size
    return total


def checkpoints(run_folder: Path) -> list[Path]:
    """The checkpoints of a run, oldest first.

    One that a killed worker had put aside without putting another in its place is among them: the next brings it back.
    """
    found = {folder.name: folder for folder in folders(run_folder / CHECKPOINTS)}
    named = [f for name, f in found.items() if _step(name) is not None]
    alone = [f for name, f in found.items() if is_alone(f)]
    return sorted(named + alone, key=lambda f: _step(f.name.removeprefix(_ASIDE)) or 0)


def is_alone(folder: Path) -> bool:
    """True for a checkpoint that was put aside and has no other in its place: there is no copy but this one."""
    name = folder.name.removeprefix(_ASIDE)
    return folder.name != name and _step(name) is not None and not _there(folder.with_name(name))


def resumes_at(run_folder: Path) -> int:
    """The step from which a worker that takes the run up goes on; 0 where no checkpoint is left, and it starts over."""
    whole = [folder for folder in checkpoints(run_folder) if _readable(folder)]
    return (_step(whole[-1].name.removeprefix(_ASIDE)) or 0) if whole else 0


def _readable(folder: Path) -> bool:
    """False for a checkpoint that says itself that another version is to read it."""
    path = folder / "manifest.json"
    try:
        return bool(dict(json.loads(path.read_text("utf-8"))).get("format", FORMAT) == FORMAT)
    except (ValueError, TypeError):
        return True
    except OSError:
        return False


def folders(folder: Path) -> Iterator[Path]:
    """The folders in it, hidden ones too, links left out; none where it is not there or is a link itself."""
    if folder.is_symlink():
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _there(path: Path) -> bool:
    """False also for what may not be looked at, in a run of somebody else."""
    try:
        return path.exists()
    except OSError:
        return False


def _step(name: str) -> int | None:
    number = name.removeprefix(_NAME)
    return int(number) if number != name and number.isdecimal() and number.isascii() else None
