"""What a person calls a run and notes about it: `about.json` in the run's folder. The run's id never changes.

Written by terminal and command line alone, whole or not at all; a worker never touches it. It can be lost without harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, RunError
from trainer.paths import write_private
from trainer.runs.permission import require_writable

if TYPE_CHECKING:
    from trainer.runs.run import Run

NAME = "about.json"
LONGEST_NAME = 40
LONGEST_NOTE = 500
"""Characters."""

MOST_BYTES = 16_384
"""A larger file is none of ours and is not read."""

TAKEN = frozenset({"starter", "sample", "goemotions", "tuned"})
"""Words that mean something else where a run's name may stand."""


@dataclass(frozen=True)
class About:
    """Name and note of a run, empty where none was given. As a file may hold them: clean them before they are shown."""

    name: str = ""
    note: str = ""


def read_about(folder: Path) -> About:
    """What is noted in a run's folder; nothing where the file is absent, broken or not ours."""
    try:
        with (folder / NAME).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        found: Any = json.loads(data) if len(data) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return About()
    if not isinstance(found, dict):
        return About()
    return About(_text(found.get("name"), LONGEST_NAME), _text(found.get("note"), LONGEST_NOTE))


def write_about(run: Run, name: str | None = None, note: str | None = None, others: Iterable[Run] = ()) -> About:
    """Give `run` a name, a note or both; None leaves what is there, an empty text takes it away.

    `others` are the runs whose names are not to be had. Raises ConfigError for a text that cannot be used, RunError
    where the folder is somebody else's or cannot be written.
    """
    require_writable(run)
    about = read_about(run.folder)
    if name is not None:
        about = replace(about, name=checked_name(name, run, others))
    if note is not None:
        about = replace(about, note=checked_note(note))
    text = json.dumps({"name": about.name, "note": about.note}, ensure_ascii=False)
    try:
        write_private(run.folder / NAME, text.encode())
    except OSError as error:
        raise RunError(f"{run.folder / NAME} cannot be written: {error.strerror}") from None
    return about


def checked_name(name: str, run: Run, others: Iterable[Run] = ()) -> str:
    """`name` without blanks around it. Raises ConfigError where it could be taken for something else, or is taken."""
    name = name.strip(" ")
    if not name:
        return ""
    why = _unfit(name)
    if why:
        raise ConfigError(f"{name[:80]!r} {why}", key="name")
    for other in others:
        if other.id != run.id and name in (other.id, other.short, read_about(other.folder).name):
            raise ConfigError(f"{name!r} is what run {other.id} is called", key="name")
    return name


def checked_note(note: str) -> str:
    """`note` as one line. Raises ConfigError where it is too long or holds codes that a terminal would obey."""
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise ConfigError(f"a note has {LONGEST_NOTE} characters at most, this one {len(note):,}", key="note")
    if not note.isprintable():
        raise ConfigError("a note is plain text: there is a character in it that cannot be seen", key="note")
    return note


def _unfit(name: str) -> str:
    """Why a text can be no name, in words that follow it; empty where it can."""
    if len(name) > LONGEST_NAME:
        return f"is too long for a name: {LONGEST_NAME} characters at most"
    if not name.isprintable():
        return "can be no name: there is a character in it that cannot be seen"
    if re.search(r"[/\\]", name) or name[0] in ".~-":
        return "can be no name: it looks like a path or an option"
    if re.match(r"\d{8}-\d{4}", name) or name.isdecimal():
        return "can be no name: it looks like the id of a run"
    if name.lower() in TAKEN:
        return "can be no name: it means something else already"
    return ""


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else ""
