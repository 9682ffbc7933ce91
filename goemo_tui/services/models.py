"""The models that can be picked: the starter, runs that have one, imported ones, folders and Hub names used before.

Looks at the disk, loads nothing, asks no network; a model that cannot be read costs its own line only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goemo_tui.wording import duration, score
from trainer.errors import GoemoError
from trainer.modelfolder import find_model, list_models
from trainer.paths import expanded
from trainer.runs.run import Run, short_name
from trainer.runs.snapshot import number

RECENT = 8
"""Folders and Hub names that are remembered."""


@dataclass(frozen=True)
class Choice:
    """One model: `name` is what `find_model` takes, `short` how people call it, `about` what is known of it."""

    name: str
    short: str
    about: str

    def fits(self, words: str) -> bool:
        """Whether every word occurs in it, whatever the case."""
        everything = f"{self.name} {self.short} {self.about}".casefold()
        return all(word in everything for word in words.casefold().split())


def list_choices(recent: Iterable[str] = (), now: float | None = None) -> tuple[Choice, ...]:
    """All of them, in the order in which they are offered. `now` is in unix seconds."""
    now = time.time() if now is None else now
    found = []
    for model in list_models():
        if model.kind == "run":
            found.append(_of_run(model.name, model.path.parent, now))
        else:
            about = "imported" if model.kind == "imported" else "ships with the program"
            found.append(Choice(model.name, model.name, about))
    known = {choice.name for choice in found}
    return (*found, *(Choice(name, name, "used before") for name in recent if name not in known and still_there(name)))


def still_there(name: str) -> bool:
    """Whether a name of before may still be loaded; of a Hub name only its cache or the Hub can tell."""
    if not is_path(name):
        return True
    try:
        return (expanded(name) / "config.json").is_file()
    except OSError:
        return False


def remembered_of(state: Mapping[str, Any]) -> str | None:
    """The model picked last, out of what the place keeps; None where there is none or it is gone."""
    name = state.get("model")
    return name if isinstance(name, str) and name and still_there(name) else None


def recent_of(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Folders and Hub names picked before, out of what the place keeps."""
    found = state.get("recent")
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def is_path(name: str) -> bool:
    """Whether it is written as a folder."""
    return name.startswith(("/", ".", "~"))


def complaint_about(answer: str) -> str:
    """Why a typed model cannot be loaded, or nothing; of what may lie on the Hub only its spelling is looked at."""
    answer = answer.strip()
    if not answer or "\0" in answer:
        return "type a model's folder, a run or a Hub name"
    try:
        if "/" in answer and not is_path(answer) and not Path(answer).is_dir():
            parts = answer.split("/")
            plain = all(part and all(c.isalnum() or c in "-_." for c in part) for part in parts)
            return "" if plain and len(parts) == 2 else "a Hub name is written owner/model"
        find_model(answer)
    except GoemoError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""


def used(recent: Iterable[str], name: str) -> list[str]:
    """The folders and Hub names used before with `name` as the newest; runs and the starter are found anyway."""
    kept = [n for n in recent if n != name]
    return [name, *kept][:RECENT] if "/" in name or is_path(name) else kept[:RECENT]


def _of_run(name: str, folder: Path, now: float) -> Choice:
    short = short_name(name)
    try:
        run = Run.open(folder)
        look = run.look()
        short = run.about.name or short
    except (GoemoError, OSError) as error:
        return Choice(name, short, f"cannot be read: {error}")
    best = look.snapshot.best
    parts = [look.state]
    if best:
        parts.append(f"F1 {score(number(best.get('macro_f1')))}")
    if look.snapshot.wall is not None:
        parts.append(f"{duration(max(0.0, now - look.snapshot.wall))} ago")
    return Choice(name, short, " · ".join(parts))
