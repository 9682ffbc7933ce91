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

from goemo_tui import one_document
from goemo_tui.crash import for_people
from goemo_tui.folding import folded
from goemo_tui.safe_text import clean
from trainer import __version__
from trainer.errors import GoemoError

HEADLESS = (
    "train, runs, models, import, export, push, pull, predict, score, serve, eval, data, settings, doctor, completion"
)


class Refused(SystemExit):
    """A command line that cannot be understood; `message` says why. Ends with 2, as argparse does."""

    def __init__(self, message: str) -> None:
        super().__init__(2)
        self.message = message


class Parser(argparse.ArgumentParser):
    """Python's; what it complains about may be anything."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end."""
        said = clean(message, newlines=True)
        try:
            super().error(said)
        except SystemExit:
            raise Refused(said) from None


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    from goemo_tui.commands import (
        completion,
        data,
        doctor,
        evaluate,
        export,
        import_,
        models,
        predict,
        pull,
        push,
        runs,
        score,
        serve,
        settings,
        train,
    )

    top = Parser(
        prog="goemo-tui",
        description="Know a corpus of emotional comments, fine-tune a small encoder on it, and see what a sentence feels.",
        epilog="Without a command the terminal opens. Exit codes: 0 ok, 1 error, 2 usage, 3 not found.",
    )
    top.add_argument(
        "--data", dest="app_data", metavar="PATH", help="corpus to open: sample, goemotions, a folder or a file"
    )
    top.add_argument("--home", metavar="DIR", help="folder for runs, corpora and settings (GOEMO_HOME)")
    top.add_argument("--web", action="store_true", help="open the terminal in a browser on this machine instead")
    top.add_argument("--port", type=int, metavar="PORT", help="of --web; 0 takes a free one (default: 8080)")
    top.add_argument("--version", action="version", version=f"goemo-tui {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for module in (
        train,
        runs,
        models,
        import_,
        export,
        push,
        pull,
        predict,
        score,
        serve,
        evaluate,
        data,
        settings,
        doctor,
        completion,
    ):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 ok, 1 error, 2 usage, 3 not found, 130 or 143 on signals."""
    options = _understood(sys.argv[1:] if arguments is None else arguments)
    if options.home:
        os.environ["GOEMO_HOME"] = os.path.abspath(os.path.expanduser(options.home))  # noqa: PTH100, PTH111
    # libraries that draw bars or print advice would write into our output
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has gone; the interpreter must not try to flush it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _understood(arguments: Sequence[str]) -> argparse.Namespace:
    try:
        known = parser()
        options = known.parse_args(arguments)
        if options.web and options.command is not None:
            known.error(f"--web opens the app; {options.command} works without it")
        if options.port is not None and not options.web:
            known.error("--port goes with --web")
        return options
    except Refused as refused:
        if "--json" in arguments:
            print(one_document.refusal(refused.message))
        raise


def _run(options: argparse.Namespace) -> int:
    """Do what was asked; what goes wrong is said, and is the document where one was asked for and none is printed yet."""
    if sys.stdout is None:  # closed before we started
        return _tried(options)[0]
    with one_document.noticed() as stdout:
        code, trouble = _tried(options)
        if trouble and getattr(options, "json", False) and not stdout.written:
            print(one_document.refusal(trouble), flush=True)
    return code


def _tried(options: argparse.Namespace) -> tuple[int, str]:
    """The exit code, and what went wrong, which has been said; empty where nothing did."""
    try:
        code = _app(options) if options.command is None else int(options.run(options))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code, ""
    except GoemoError as error:
        trouble = error
    except BrokenPipeError:
        raise
    except Exception as error:
        trouble = for_people(error, f"goemo-tui {options.command or ''}".strip())
    say(str(trouble))
    return trouble.exit_code, str(trouble)


def say(text: str) -> None:
    """One message for people on stderr."""
    print(folded(f"goemo-tui: {clean(text, newlines=True)}", sys.stderr), file=sys.stderr)


def _app(options: argparse.Namespace) -> int:
    if not options.web:
        return _terminal(options.app_data)
    from goemo_tui.commands.web import run

    return run(options.app_data, options.port)


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
