"""`goemo-tui import`: a model saved elsewhere, pickled weights and unnamed outputs included, becomes one of ours."""

from __future__ import annotations

import argparse
from typing import Any

from goemo_tui.commands.progress import say
from goemo_tui.safe_text import clean, json_line


def add(commands: Any) -> None:
    """The command's own part of the command line."""
    parser = commands.add_parser(
        "import",
        help="make one of our models of one that was saved elsewhere",
        description="Make one of our models of a folder that another program saved, such as the notebook's: "
        "pytorch_model.bin, LABEL_0 …. Weights become safetensors, outputs get names, thresholds are fitted where a corpus is "
        "given. Pickled weights are read by a process of their own, with weights_only and without network; nothing else in "
        "this program reads such a file.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="config.json, weights and tokenizer")
    parser.add_argument(
        "--into", metavar="FOLDER", help="where to (left out: among the imported models); must not be there"
    )
    parser.add_argument("--name", help="what the model is called then (left out: as its folder)")
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="what the outputs mean: a file with a name a line, or emotions (the official order), or alphabetical",
    )
    parser.add_argument("--data", metavar="PATH", help="a corpus whose dev split thresholds are fitted on")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import and tell what was noticed; stdout is the name that MODEL arguments take."""
    from trainer.infer.adopt import adopt

    # `goemo-tui --data PATH import` means the same
    data = options.data or getattr(options, "app_data", None)
    made = adopt(options.folder, options.into, options.name, options.labels, data, say)
    if made["weights"]["network"]:
        say(f"it had no network: {made['weights']['network']}")
    for warning in made["warnings"]:
        say(warning)
    for line in mapping(made["labels"]):
        say(line)
    scores = made["validation"]
    if scores:
        say(
            f"dev, cross-fitted: macro-F1 {scores['macro_f1']:.3f}, micro-F1 {scores['micro_f1']:.3f}; thresholds fitted"
        )
    elif made["thresholds"] == "fixed" and not data:
        say("no thresholds were fitted: 0.3 for each label. With --data CORPUS they are fitted on its dev split")
    if options.json:
        print(json_line(made))
        return 0
    say(f"{made['folder']}. Try it: goemo-tui predict TEXT --model {made['model']}")
    print(clean(made["model"]))
    return 0


def mapping(labels: list[str]) -> list[str]:
    """Which output means what, four in a row."""
    cells = [f"{k:>3} {name}" for k, name in enumerate(labels)]
    width = max(len(cell) for cell in cells) + 2
    return [
        "outputs:",
        *("".join(f"{c:<{width}}" for c in cells[at : at + 4]).rstrip() for at in range(0, len(cells), 4)),
    ]
