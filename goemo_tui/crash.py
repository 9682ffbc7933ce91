"""Where an unforeseen error goes: to the app's log with an id. People see the id and one line, never a traceback.

This module may not import textual; it is called when anything else may be broken.
"""

from __future__ import annotations

import secrets
import time
import traceback
from pathlib import Path

from goemo_tui.safe_text import clean
from trainer import paths
from trainer.errors import GoemoError

LARGEST = 2_000_000
"""Bytes after which the log starts anew; the old one is kept once."""


def log_file() -> Path:
    """`app.log` in the state folder."""
    return paths.state_folder() / "app.log"


def log_error(error: BaseException, where: str) -> str:
    """Write the whole traceback to the log and return its id (six hex digits).

    Never raises: where the log cannot be written the id is returned all the same.
    """
    error_id = secrets.token_hex(3)
    text = "".join(traceback.format_exception(error))
    try:
        file = log_file()
        paths.private_folder(file.parent)
        if file.exists() and file.stat().st_size > LARGEST:
            file.replace(file.with_suffix(".log.1"))
        with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {error_id} {where}\n{clean(text, newlines=True)}\n")
    except OSError:
        return error_id
    return error_id


def one_line(error: BaseException, limit: int = 300) -> str:
    """`ValueError: what it said`, cleaned, on one line."""
    said = clean(" ".join(str(error).split()), limit=limit)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def for_people(error: Exception, where: str) -> GoemoError:
    """What nobody foresaw, as an error that a screen can show: its story is in the log, under the id that it names."""
    error_id = log_error(error, where)
    return GoemoError(
        f"something unforeseen went wrong: {one_line(error)}. It is written down as {error_id} in {log_file()}"
    )
