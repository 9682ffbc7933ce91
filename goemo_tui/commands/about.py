"""`goemo-tui runs rename` and `note`: what a run is called and what is noted about it, headless."""

from __future__ import annotations

import argparse
import json

from trainer.errors import ConfigError


def rename(args: argparse.Namespace) -> int:
    """Give a run a name; an empty one takes it away. Raises GoemoError."""
    if args.id is None or len(args.more) != 1:
        raise ConfigError('say which run and what it is to be called: goemo-tui runs rename ID NAME ("" takes it away)')
    return _write(args, "name", args.more[0])


def note(args: argparse.Namespace) -> int:
    """Note something about a run; an empty text takes it away. Raises GoemoError."""
    if args.id is None or not args.more:
        raise ConfigError('say which run and what is to be noted: goemo-tui runs note ID TEXT ("" takes it away)')
    return _write(args, "note", " ".join(args.more))


def _write(args: argparse.Namespace, what: str, text: str) -> int:
    from goemo_tui.commands.progress import say
    from trainer.runs.about import write_about
    from trainer.runs.run import Run, list_runs

    run = Run.open(args.id)
    about = write_about(run, **{what: text}, others=list_runs() if what == "name" else ())
    if args.json:
        print(json.dumps({"run": run.id, "name": about.name, "note": about.note}))
    now = getattr(about, what)
    if what == "name":
        say(f"{run.id} is called {now}" if now else f"{run.id} has no name of its own any more")
    else:
        say(f"noted about {run.id}: {now}" if now else f"the note about {run.id} is gone")
    return 0
