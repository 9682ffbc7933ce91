"""What the user chose (`settings.toml`, environment) and what the app remembers between starts (`state.json`).

A broken file never stops the start: it is reported as a warning and the defaults hold.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from trainer import paths


@dataclass(frozen=True)
class Settings:
    """One field for each key of `settings.toml`; `GOEMO_<KEY>` in the environment wins over the file."""

    theme: str = ""
    """Name of a theme; empty keeps the one last chosen with ctrl+t."""

    data: str = "sample"
    """The corpus opened at start: sample, goemotions, a folder or a file."""

    model: str = ""
    """The model that Inspect loads; empty takes the starter, else the newest finished run."""

    encoder: str = "minilm"
    """The encoder whose tokenizer the Data screen shows."""

    max_length: int = 64
    """Tokens of a comment that a model will see; the Data screen shows where this cuts."""


KEYS: tuple[str, ...] = tuple(f.name for f in fields(Settings))


def read_settings(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """The settings and warnings about what could not be used in them.

    Read from `file` (default `paths.settings_file()`, which may be absent) and `environment` (default: ours).
    """
    file = paths.settings_file() if file is None else file
    environment = os.environ if environment is None else environment
    warnings: list[str] = []
    given: dict[str, Any] = {}
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        warnings.append(f"{file} cannot be used ({error}): the defaults hold")
    for key in KEYS:
        if f"GOEMO_{key.upper()}" in environment:
            given[key] = environment[f"GOEMO_{key.upper()}"]
    settings = Settings()
    for key, value in given.items():
        if key not in KEYS:
            warnings.append(f"{file}: no setting is called {key!r}; there are {', '.join(KEYS)}")
            continue
        wanted = type(getattr(settings, key))
        try:
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError(value)
            settings = replace(settings, **{key: wanted(value)})
        except ValueError:
            warnings.append(f"{key} = {value!r} is no {'whole number' if wanted is int else 'text'}: the default holds")
    if settings.max_length < 4:
        warnings.append(f"max_length = {settings.max_length} is too short for any comment: 64 is taken")
        settings = replace(settings, max_length=64)
    return settings, tuple(warnings)


RECENT = 8
"""How many opened corpora are remembered."""


@dataclass(frozen=True)
class Remembered:
    """What the app keeps between starts without being asked."""

    theme: str = ""
    recent: tuple[str, ...] = field(default_factory=tuple)
    """Folders and files opened before, newest first."""

    def opened(self, path: str) -> Remembered:
        """With `path` as the newest of the recent ones."""
        return replace(self, recent=(path, *(p for p in self.recent if p != path))[:RECENT])


def _state_file() -> Path:
    return paths.state_folder() / "state.json"


def read_state() -> Remembered:
    """What was remembered; nothing where the file is absent or broken (it holds no work of the user)."""
    try:
        found = json.loads(_state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Remembered()
    if not isinstance(found, dict):
        return Remembered()
    theme, recent = found.get("theme"), found.get("recent")
    return Remembered(
        theme if isinstance(theme, str) else "",
        tuple(p for p in recent if isinstance(p, str))[:RECENT] if isinstance(recent, list) else (),
    )


def write_state(state: Remembered) -> None:
    """Write `state.json` whole or not at all. Raises OSError where the folder cannot be written."""
    file = _state_file()
    paths.private_folder(file.parent)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(json.dumps({"theme": state.theme, "recent": list(state.recent)}), encoding="utf-8")
    part.replace(file)
