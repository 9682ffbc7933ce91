"""What the user chose: `settings.toml` and the environment.

A broken file never stops the start: it is reported as a warning and the defaults hold.
"""

from __future__ import annotations

import ast
import itertools
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import ConfigError


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

    folder: str = ""
    """The folder that the picker of corpora opens in; empty: where the app was started."""

    language: str = "en"
    """The language of help and of the labels' names: en or ar."""

    bidi: str = "auto"
    """Who puts right-to-left text into order: app, terminal, or auto (found out)."""

    signs: str = "auto"
    """What frames, curves and signs are drawn with: unicode, ascii, or auto (by locale and terminal)."""

    smoothing: float = 0.9
    """The share, 0 to 0.99, that a smoothed loss keeps of the points before."""

    update_rate: float = 2.0
    """How often a second, 0.2 to 10, the screen looks at a living run; over SSH at most once."""

    alerts: str = "toast"
    """How to tell that a run ended, died or diverged: toast, bell (the terminal's) or desktop (OSC 9); each shows the toast too."""

    track: str = ""
    """Where every new run is mirrored to while it trains: tensorboard, trackio, wandb, mlflow, divided by commas; empty: nowhere."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """The table `[keys]`: an action's id = its keys divided by commas, such as "data.filter" = "ctrl+l"."""


KEYS: tuple[str, ...] = tuple(f.name for f in fields(Settings))
CHOICES: dict[str, tuple[str, ...]] = {
    "language": ("en", "ar"),
    "bidi": ("auto", "app", "terminal"),
    "signs": ("auto", "unicode", "ascii"),
    "alerts": ("toast", "bell", "desktop"),
}
RANGES: dict[str, tuple[float, float]] = {"max_length": (4, 512), "smoothing": (0.0, 0.99), "update_rate": (0.2, 10.0)}


def read_settings(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """The settings and warnings about what could not be used in them.

    Read from `file` (default `paths.settings_file()`, which may be absent) and `environment` (default: ours).
    """
    found = find_settings(file, environment)
    return found.settings, found.warnings


@dataclass(frozen=True)
class Found:
    """Settings, and where each value comes from: `default`, the file, or a variable of the environment."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def find_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Found:
    """As `read_settings`, with the origin of each value. What is wrong in one place leaves the next one its say."""
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
    taken: dict[str, Any] = {}
    origins = dict.fromkeys(KEYS, "default")
    for key, value in given.items():
        try:
            taken[key] = checked(key, value)
            origins[key] = str(file)
        except ValueError as error:
            warnings.append(f"{file}: {error}" if key not in KEYS else f"{error}: the default holds")
    for key in KEYS:
        name = f"GOEMO_{key.upper()}"
        if key == "keys" or name not in environment:
            continue
        try:
            taken[key] = checked(key, environment[name])
            origins[key] = name
        except ValueError as error:
            warnings.append(f"{name}: {error}")
    return Found(Settings(**taken), origins, tuple(warnings))


def checked(key: str, value: object) -> Any:
    """A setting's value as its field wants it. Raises ValueError with what is wrong, beginning with `key = value`."""
    if key not in KEYS:
        raise ValueError(f"no setting is called {key!r}; there are {', '.join(KEYS)}")
    try:
        return _checked(key, value)
    except ValueError as error:
        raise ValueError(f"{key} = {value!r} {error}") from None


@cache
def docs() -> dict[str, str]:
    """Setting -> the docstring under its field, which is all that is said about it anywhere."""
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    found: dict[str, str] = {}
    for field_node, doc in itertools.pairwise(body):
        if isinstance(field_node, ast.AnnAssign) and isinstance(field_node.target, ast.Name):
            text = doc.value.value if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) else ""
            found[field_node.target.id] = " ".join(str(text).split())
    return found


def _checked(key: str, value: object) -> Any:
    """As `checked`; the ValueError's words follow `key = value`."""
    default = getattr(Settings(), key)
    if key == "keys":
        flat = _flat(value) if isinstance(value, dict) else None
        if flat is None:
            raise ValueError('is no table of keys, such as "data.filter" = "ctrl+l"')
        return flat
    wanted = type(default)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"is no {_KINDS[wanted]}")
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ValueError("is no text")
        if key in CHOICES and value not in CHOICES[key]:
            raise ValueError(f"is none of {', '.join(CHOICES[key])}")
        return _trackers(value) if key == "track" else value
    try:
        number = wanted(value)
    except (ValueError, OverflowError):
        raise ValueError(f"is no {_KINDS[wanted]}") from None
    if isinstance(default, int) and isinstance(value, float) and value != number:
        raise ValueError("is no whole number")
    low, high = RANGES[key]
    if not low <= number <= high:
        raise ValueError(f"is not within {low:g} to {high:g}")
    return number


def _trackers(value: str) -> str:
    from trainer.track.tracker import chosen

    try:
        return ",".join(chosen(value))
    except ConfigError as error:
        raise ValueError(f"cannot be used: {error}") from None


def _flat(table: Mapping[str, object], head: str = "") -> dict[str, str] | None:
    """Action id -> keys. TOML reads `data.filter` without quotes as a table in a table. None where a value is no text."""
    found: dict[str, str] = {}
    for name, value in table.items():
        inner = _flat(value, f"{head}{name}.") if isinstance(value, dict) else None
        if inner is not None:
            found |= inner
        elif isinstance(value, str):
            found[head + name] = value
        else:
            return None
    return found


_KINDS: dict[type, str] = {int: "whole number", float: "number", str: "text"}
