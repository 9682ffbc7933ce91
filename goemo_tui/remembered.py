"""What the app keeps between starts without being asked: `state.json`, written whole or not at all.

It holds no work of the user: a file that is absent or broken costs the memory, never the start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trainer import paths

RECENT = 8
"""How many opened corpora are remembered."""


@dataclass(frozen=True)
class Remembered:
    """What was chosen last."""

    theme: str = ""
    recent: tuple[str, ...] = field(default_factory=tuple)
    """Folders and files opened before, newest first."""
    place: str = ""
    """The place that was left last: data, train or inspect."""
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Place -> what its screen keeps (filter, sort order, sizes), as plain JSON values that the screen itself checks."""

    def opened(self, path: str) -> Remembered:
        """With `path` as the newest of the recent ones."""
        return replace(self, recent=(path, *(p for p in self.recent if p != path))[:RECENT])

    def of(self, place: str) -> Mapping[str, Any]:
        """What a place keeps; empty at the first start. Values are as a file may hold them: check their types."""
        return self.places.get(place, {})

    def keeping(self, place: str, **values: Any) -> Remembered:
        """With `values` among what a place keeps."""
        return replace(self, places={**self.places, place: {**self.of(place), **values}})


def _state_file() -> Path:
    return paths.state_folder() / "state.json"


def read_state() -> Remembered:
    """What was remembered; nothing where the file is absent or broken."""
    try:
        found = json.loads(_state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Remembered()
    if not isinstance(found, dict):
        return Remembered()
    recent, places = found.get("recent"), found.get("places")
    return Remembered(
        _text(found.get("theme")),
        tuple(p for p in recent if isinstance(p, str))[:RECENT] if isinstance(recent, list) else (),
        _text(found.get("place")),
        {k: v for k, v in places.items() if isinstance(v, dict)} if isinstance(places, dict) else {},
    )


def write_state(state: Remembered) -> None:
    """Write `state.json` whole or not at all. Raises OSError where the folder cannot be written."""
    file = _state_file()
    paths.private_folder(file.parent)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    text = json.dumps({"theme": state.theme, "recent": state.recent, "place": state.place, "places": state.places})
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
