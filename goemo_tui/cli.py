"""`goemo-tui`: the terminal, and a headless twin for each thing it does.

stdout is data, stderr is talk. Commands are modules of `goemo_tui.commands`; whatever is heavy is imported when they run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from goemo_tui.crash import for_people
from goemo_tui.folding import folded
from goemo_tui.safe_text import clean
from trainer import __version__
from trainer.errors import GoemoError

HEADLESS = "train, runs, models, predict, eval, data, settings, doctor"


class Parser(argparse.ArgumentParser):
    """Python's; what it complains about may be anything."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end."""
        super().error(clean(message, newlines=True))


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    from goemo_tui.commands import data, doctor, evaluate, models, predict, runs, settings, train

    top = Parser(
        prog="goemo-tui",
        description="Know a corpus of emotional comments, fine-tune a small encoder on it, and see what a sentence feels.",
        epilog="Without a command the terminal opens. Exit codes: 0 ok, 1 error, 2 usage, 3 not found.",
    )
    top.add_argument(
        "--data", dest="app_data", metavar="PATH", help="corpus to open: sample, goemotions, a folder or a file"
    )
    top.add_argument("--home", metavar="DIR", help="folder for runs, corpora and settings (GOEMO_HOME)")
    top.add_argument("--version", action="version", version=f"goemo-tui {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for module in (train, runs, models, predict, evaluate, data, settings, doctor):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 ok, 1 error, 2 usage, 3 not found, 130 or 143 on signals."""
    options = parser().parse_args(arguments)
    if options.home:
        os.environ["GOEMO_HOME"] = os.path.abspath(os.path.expanduser(options.home))  # noqa: PTH100, PTH111
    # libraries that draw bars or print advice would write into our output
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        code = _terminal(options.app_data) if options.command is None else int(options.run(options))
        if sys.stdout is not None:  # closed before we started
            sys.stdout.flush()
    except GoemoError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has gone; the interpreter must not try to flush it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        say(str(for_people(error, f"goemo-tui {options.command or ''}".strip())))
        return 1
    return code


def say(text: str) -> None:
    """One message for people on stderr."""
    print(folded(f"goemo-tui: {clean(text, newlines=True)}", sys.stderr), file=sys.stderr)


def _terminal(data: str | None) -> int:
    from goemo_tui.ending import has_terminal

    if not has_terminal():
        say(
            f"this is no terminal, so there is nothing to draw on. Headless commands: {HEADLESS}; goemo-tui --help lists them"
        )
        return 2
    # Arrow's own allocator keeps megabytes for a server's sake; a few filters a second are as fast without it.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from goemo_tui.app import run_app

    return run_app(data)


if __name__ == "__main__":
    sys.exit(main())
