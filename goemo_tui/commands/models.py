"""`goemo-tui models`: which models there are, a copy of one as a plain folder, the mean of several, and an imported one's end."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from goemo_tui.commands import export
from goemo_tui.commands.progress import say
from goemo_tui.safe_text import clean, json_line
from trainer.errors import GoemoError, NotFoundError
from trainer.paths import expanded


def add(commands: Any) -> None:
    """The command's own part of the command line."""
    parser = commands.add_parser(
        "models", help="the models there are; a copy of one for other programs; the mean of several"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser(
        "list", help="the starter, all runs that have a model, and imported ones (the default)"
    )
    for each in (parser, listing):
        each.add_argument("--json", action="store_true", help="one JSON document on stdout")
        each.set_defaults(run=list_)
    export.describe(
        actions.add_parser("export", help="write a model as a folder that other programs load: goemo-tui export")
    )
    remove = actions.add_parser("rm", help="remove an imported model")
    remove.add_argument("model", metavar="NAME", help="an imported model; runs are removed by goemo-tui runs rm")
    remove.add_argument("-y", "--yes", action="store_true", help="without asking")
    remove.set_defaults(run=remove_)
    average = actions.add_parser(
        "average",
        help="the mean of the weights of several runs as one model",
        description="The mean of the weights of several runs over one encoder: near to what they say together, at the price "
        "of one. Thresholds are fitted anew on dev.",
    )
    average.add_argument("models", nargs="+", metavar="RUN", help="two runs or more, with the same encoder and labels")
    average.add_argument("--into", required=True, metavar="FOLDER", help="where to; it must not be there yet")
    average.add_argument("--data", help="the corpus whose dev split fits the thresholds; left out: the first run's")
    average.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    average.add_argument("--json", action="store_true", help="one JSON document on stdout")
    average.set_defaults(run=average_)


def list_(options: argparse.Namespace) -> int:
    """One model a line: name, kind and folder."""
    from trainer.modelfolder import list_models

    found = list_models()
    if options.json:
        print(json_line({"models": [{"model": m.name, "kind": m.kind, "folder": str(m.path)} for m in found]}))
        return 0
    for model in found:
        print("\t".join(clean(part) for part in (model.name, model.kind, str(model.path))))
    if not found:
        say("there is no model yet. Make one: goemo-tui train")
    return 0


def remove_(options: argparse.Namespace) -> int:
    """Remove one imported model, after a yes where somebody is there to ask. 1 where it was not wished."""
    from trainer.modelfolder import imported_models

    found = {model.name: model.path for model in imported_models()}.get(options.model)
    if found is None:
        raise NotFoundError(f"no imported model is called {options.model}; goemo-tui models lists them")
    if not options.yes and sys.stdin.isatty():
        print(f"Remove {clean(str(found))}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing was removed")
            return 1
    try:
        # out of sight first: a removal that breaks off leaves no half a model
        with tempfile.TemporaryDirectory(prefix=f".{found.name}-", dir=found.parent) as hidden:
            found.rename(Path(hidden) / found.name)
    except OSError as error:
        raise GoemoError(f"{found} cannot be removed: {error.strerror or error}") from error
    say(f"{options.model} is removed")
    return 0


def average_(options: argparse.Namespace) -> int:
    """Make one model of several and tell what it scores on dev."""
    from trainer.learn.soup import soup

    target = expanded(options.into).resolve()
    scores = soup(options.models, target, options.data, options.device, say)
    if options.json:
        print(json_line({"model": str(target), "mean_of": len(set(options.models)), "validation": scores}))
        return 0
    say(f"dev, cross-fitted: macro-F1 {scores['macro_f1']:.3f}, micro-F1 {scores['micro_f1']:.3f}")
    print(clean(str(target)))
    return 0
