"""How the terminal is begun and left: whether there is one, and what is said to somebody who goes.

Nothing here draws; what it prints comes before the app or after it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from goemo_tui import crash

if TYPE_CHECKING:
    from goemo_tui.services.runs import RunView

MOST_NAMED = 4
"""Runs that are named to somebody who leaves."""

NO_TERMINAL = """\
goemo-tui needs a terminal for its screens; headless commands do the same work:
  goemo-tui train | runs | predict | eval | data | settings | doctor      (each with --help)"""


def has_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from: not behind a pipe, not closed, not a dumb one."""
    return os.environ.get("TERM") != "dumb" and all(_is_terminal(stream) for stream in (sys.stdin, sys.stdout))


def _is_terminal(stream: IO[str] | None) -> bool:
    """Python has None for a stream that was closed before it started."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def going_on(runs: Sequence[RunView]) -> str:
    """What to say to somebody who leaves: which runs are still trained or wait, and how to see them again."""
    living = [run for run in runs if run.living]
    if len(living) < 2:
        what = "waits for its turn" if living and living[0].state == "waiting" else "goes on training"
        return f"{living[0].id} {what}; goemo-tui shows it again." if living else ""
    names = [f"{run.short} (waiting)" if run.state == "waiting" else run.short for run in living[:MOST_NAMED]]
    more = len(living) - len(names)
    return f"{len(living)} runs go on: {', '.join(names)}{f' and {more} more' if more else ''}; goemo-tui runs list"


def log_unseen() -> None:
    """From now on what fails where nobody waits for it, and every warning, is written to the log and not on the screen."""
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable
    warnings.showwarning = _log_warning


def log_of_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's handler for callbacks and tasks that fail unheard."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        crash.log_error(error, str(context.get("message", "loop")))


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        crash.log_error(args.exc_value, f"thread {args.thread.name if args.thread else '?'}")


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        crash.log_error(args.exc_value, args.err_msg or "an object at its end")


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    crash.log_error(message if isinstance(message, Warning) else category(message), f"warning in {filename}:{lineno}")
