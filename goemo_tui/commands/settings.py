"""`goemo-tui settings`: what is set and by whom, where the file is, and the editor on it with a check afterwards."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from goemo_tui.safe_text import clean, json_line
from goemo_tui.settings import KEYS, Found, docs, find_settings
from goemo_tui.settings_file import make_if_absent, problems, written
from trainer import paths
from trainer.errors import GoemoError


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "settings",
        help="what is set and by whom; change it in your editor",
        description="Every setting with its value, where that comes from, and what it does.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--edit", action="store_true", help="open settings.toml in $VISUAL or $EDITOR and check it afterwards"
    )
    what.add_argument("--locate", action="store_true", help="print the path of settings.toml")
    what.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print, or edit. 1 where something in the settings cannot be used."""
    file = paths.settings_file()
    if options.locate:
        print(clean(str(file)))
        return 0
    if options.edit:
        return _edit(file)
    found = find_settings(file)
    wrong = _wrong(file)
    if options.json:
        print(json_line(_document(file, found, wrong)))
    else:
        _tell(file, found)
        _complain(file, wrong, found)
    return int(bool(wrong or found.warnings))


def _tell(file: Path, found: Found) -> None:
    """One setting after the other, for people."""
    for key in KEYS:
        value = getattr(found.settings, key)
        origin = found.origins[key]
        where = "settings.toml" if origin == str(file) else origin
        shown = ", ".join(f"{id} = {keys}" for id, keys in value.items()) or "none" if key == "keys" else written(value)
        print(clean(f"{key} = {shown}  ({where})"))
        print(clean(f"    {docs()[key]}"))


def _document(file: Path, found: Found, wrong: list[tuple[int, str]]) -> dict[str, Any]:
    kind = {"default": "default", str(file): "file"}
    return {
        "file": str(file),
        "settings": {
            key: {
                "value": dict(found.settings.keys) if key == "keys" else getattr(found.settings, key),
                "from": kind.get(found.origins[key], "environment"),
                "about": docs()[key],
            }
            for key in KEYS
        },
        "problems": [{"line": line, "what": what} for line, what in wrong],
        "warnings": list(found.warnings),
    }


def _wrong(file: Path) -> list[tuple[int, str]]:
    try:
        return problems(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        return [(0, f"it cannot be read: {error}")]


def _complain(file: Path, wrong: list[tuple[int, str]], found: Found | None = None) -> None:
    """What is wrong, by line, on stderr."""
    for line, what in wrong:
        print(clean(f"{file}:{line}: {what}" if line else f"{file}: {what}"), file=sys.stderr)
    if found is not None:
        for warning in found.warnings:
            if warning.startswith("GOEMO_"):
                print(clean(warning), file=sys.stderr)


def _edit(file: Path) -> int:
    """Open the editor on the file and wait; 1 if what it leaves cannot be used."""
    command = [*_editor(), str(file)]
    try:
        make_if_absent(file)
    except OSError as error:
        raise GoemoError(f"{file} cannot be made: {error}") from None
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise GoemoError(f"the editor {command[0]!r} cannot be started ({error}): set VISUAL or EDITOR") from None
    if code:
        raise GoemoError(f"the editor {command[0]!r} ended with {code}; {file} is as it left it")
    wrong = _wrong(file)
    _complain(file, wrong)
    if wrong:
        print("goemo-tui: what is wrong is passed over; goemo-tui settings --edit opens it again", file=sys.stderr)
    return int(bool(wrong))


def _editor() -> list[str]:
    """The editor's command line, in parts; no shell reads it."""
    for name in ("VISUAL", "EDITOR"):
        try:
            parts = shlex.split(os.environ.get(name, ""))
        except ValueError as error:
            raise GoemoError(f"{name} = {os.environ[name]!r} is no command line: {error}") from None
        if parts:
            return parts
    for known in ("editor", "nano", "vim", "vi"):
        if shutil.which(known):
            return [known]
    raise GoemoError("there is no editor: set VISUAL or EDITOR to one, or edit the file of goemo-tui settings --locate")
