"""`goemo-tui models`: which models there are, a copy of one as a plain folder, and the mean of several."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from goemo_tui.commands.progress import say
from goemo_tui.safe_text import clean, json_line
from trainer.errors import GoemoError
from trainer.paths import expanded


def add(commands: Any) -> None:
    """The command's own part of the command line."""
    parser = commands.add_parser(
        "models", help="the models there are; a copy of one for other programs; the mean of several"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="the starter and all runs that have a model (this is the default)")
    for each in (parser, listing):
        each.add_argument("--json", action="store_true", help="one JSON document on stdout")
        each.set_defaults(run=list_)
    export = actions.add_parser("export", help="write a model as a Hugging Face folder that every program loads")
    export.add_argument("model", help="a run, a folder or starter")
    export.add_argument("folder", help="where to; it must not be there yet")
    export.set_defaults(run=export_)
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


def export_(options: argparse.Namespace) -> int:
    """Copy a model, or write out the starter, beside the target first: it is there whole or not at all."""
    from trainer.encoders import COMPACT
    from trainer.modelfolder import find_model

    model, target = find_model(options.model), expanded(options.folder).resolve()
    if target.exists():
        raise GoemoError(f"{target} is there already: name a folder that is not")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
            fresh = Path(beside) / "model"
            if (model.path / COMPACT).is_file():
                from trainer.model.compact import write_whole

                write_whole(model.path, fresh)
            else:
                shutil.copytree(model.path, fresh)
            fresh.rename(target)
    except OSError as error:
        raise GoemoError(f"{target} cannot be written: {error.strerror or error}") from error
    say(f"{model.name} as a Hugging Face folder:")
    print(clean(str(target)))
    return 0


def average_(options: argparse.Namespace) -> int:
    """Make one model of several and tell what it scores on dev."""
    from trainer.learn.soup import soup

    target = expanded(options.into).resolve()
    scores = soup(options.models, target, options.data, options.device)
    if options.json:
        print(json_line({"model": str(target), "mean_of": len(set(options.models)), "validation": scores}))
        return 0
    say(f"dev, cross-fitted: macro-F1 {scores['macro_f1']:.3f}, micro-F1 {scores['micro_f1']:.3f}")
    print(clean(str(target)))
    return 0
