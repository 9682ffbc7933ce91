"""`settings.toml` as a file of its user: a first one with every setting explained, one line changed and the rest left alone.

It is written whole or not at all, and never over something that is there. What stands in it is judged by `settings`.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from pathlib import Path

from goemo_tui.settings import CHOICES, KEYS, RANGES, Settings, checked, docs
from trainer import paths
from trainer.errors import ConfigError

Value = str | int | float


def template() -> str:
    """A first `settings.toml`: every setting with its docstring and its default, commented out."""
    parts = [
        "# Settings of goemo-tui. Take the # off a line and change its value; GOEMO_<NAME> in the environment wins over it.",
        "# `goemo-tui settings` shows what holds, `goemo-tui settings --edit` checks what you write.",
    ]
    for key in KEYS:
        parts += ["", *(f"# {line}" for line in _wrapped(docs()[key]))]
        if key in CHOICES:
            parts.append(f"# One of: {', '.join(CHOICES[key])}")
        if key in RANGES:
            parts.append("# From {:g} to {:g}".format(*RANGES[key]))
        if key == "keys":
            parts += ["# [keys]", '# "data.filter" = "ctrl+l"', '# "app.theme" = "ctrl+y,f6"']
        else:
            parts.append(f"# {key} = {written(getattr(Settings(), key))}")
    return "\n".join(parts) + "\n"


def _wrapped(text: str, width: int = 110) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def written(value: Value) -> str:
    """A value as TOML."""
    if not isinstance(value, str):
        return repr(value)
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def make_if_absent(file: Path) -> bool:
    """Write the template where there is no file yet. True if it was made. Raises OSError."""
    paths.private_folder(file.parent)
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(template())
    except FileExistsError:
        return False
    return True


def change(key: str, value: Value, file: Path | None = None) -> None:
    """Set one setting in the file: its line is changed, or one is added; everything else stays as its user left it.

    Raises ConfigError for a value that cannot be, a file that is no TOML, and one that cannot be written.
    """
    file = paths.settings_file() if file is None else file
    try:
        checked(key, value)
        text = file.read_text(encoding="utf-8") if file.exists() else template()
        new = with_value(text, key, value)
        _write(file, new)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is no TOML ({error}): mend it with goemo-tui settings --edit", key) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not written in UTF-8 ({error}): mend it in an editor", key) from None
    except ValueError as error:
        raise ConfigError(str(error), key) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error}", key) from None


def with_value(text: str, key: str, value: Value) -> str:
    """`text` with `key = value`; a comment behind the old value stays. Raises ValueError (TOMLDecodeError is one)."""
    before = tomllib.loads(text)
    lines = text.splitlines(keepends=True)
    line = f"{key} = {written(value)}"
    end = next((i for i, old in enumerate(lines) if re.match(r"\s*\[", old)), len(lines))
    live = _line_of(lines[:end], rf"\s*[\"']?{key}[\"']?\s*=")
    comment = _line_of(lines[:end], rf"#\s*{key}\s*=")
    if live is not None:
        ending = lines[live][len(lines[live].rstrip("\r\n")) :]
        lines[live] = line + _comment_behind(lines[live]) + ending
    elif comment is not None:
        if not lines[comment].endswith("\n"):
            lines[comment] += "\n"
        lines.insert(comment + 1, line + "\n")
    else:
        if end and not lines[end - 1].endswith("\n"):
            lines[end - 1] += "\n"
        lines[end:end] = [line + "\n"] if end == len(lines) else [line + "\n", "\n"]
    new = "".join(lines)
    if tomllib.loads(new) != {**before, key: value}:
        raise ValueError(f"{key} is written in a way that cannot be changed from here: use goemo-tui settings --edit")
    return new


def _line_of(lines: list[str], pattern: str) -> int | None:
    return next((i for i, line in enumerate(lines) if re.match(pattern, line)), None)


def _comment_behind(line: str) -> str:
    """The comment at a line's end with the blanks before it; empty without one."""
    text = re.match(r"""[^#"']*(?:"(?:\\.|[^"\\])*"|'[^']*'|[^#"'])*""", line.rstrip("\r\n"))
    rest = line.rstrip("\r\n")[text.end() :] if text else ""
    return f"  {rest}" if rest.startswith("#") else ""


def _write(file: Path, text: str) -> None:
    """Replace the file (what a link points to, not the link) whole, with its mode."""
    file = file.resolve()
    paths.private_folder(file.parent)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        if file.exists():
            part.chmod(stat.S_IMODE(file.stat().st_mode))
        paths.sync(part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def problems(text: str) -> list[tuple[int, str]]:
    """What is wrong in a `settings.toml`, each with its line (1 is the first; 0: the whole)."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        return [(int(at[1]) if at else len(text.splitlines()), f"this is no TOML: {error}")]
    lines = text.splitlines()
    found: list[tuple[int, str]] = []
    for key, value in given.items():
        try:
            value = checked(key, value)
        except ValueError as error:
            found.append((_where(lines, key), str(error)))
            continue
        found += [(_where(lines, key), said) for said in _of_theme(value)] if key == "theme" else []
        found += [(_where_of_key(lines, said), said) for said in _of_keys(value)] if key == "keys" else []
    return sorted(found)


def _of_theme(name: str) -> list[str]:
    from textual.theme import BUILTIN_THEMES

    from goemo_tui.themes import THEMES

    known = [theme.name for theme in THEMES]
    if not name or name in known or name in BUILTIN_THEMES:
        return []
    return [f"theme = {name!r} is unknown: there are {', '.join(known)}"]


def _of_keys(asked: dict[str, str]) -> tuple[str, ...]:
    from goemo_tui.keymap import read_keys

    return read_keys(asked)[1]


def _where(lines: list[str], key: str) -> int:
    index = _line_of(lines, rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    return 0 if index is None else index + 1


def _where_of_key(lines: list[str], said: str) -> int:
    """The line of the action that a warning about `[keys]` names first."""
    named: list[tuple[int, int]] = []
    for number, line in enumerate(lines, start=1):
        name = re.match(r"\s*[\"']?([\w.]+?)[\"']?\s*=", line)
        at = re.search(rf"(?<![\w.]){re.escape(name[1])}(?![\w.])", said) if name else None
        if at:
            named.append((at.start(), number))
    return min(named)[1] if named else _where(lines, "keys")
