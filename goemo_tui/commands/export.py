"""`goemo-tui export` and `goemo-tui models export`: a model as a folder for other programs, in torch's format or as ONNX."""

from __future__ import annotations

import argparse
from typing import Any

from goemo_tui.commands.progress import say
from goemo_tui.safe_text import clean, json_line
from trainer.errors import ConfigError


def add(commands: Any) -> None:
    """The command's own part of the command line."""
    describe(
        commands.add_parser("export", help="write a model as a folder that other programs load, with --onnx as ONNX")
    )


def describe(parser: argparse.ArgumentParser) -> None:
    """Its arguments; `goemo-tui models export` has the same."""
    parser.description = (
        "Write a model as a Hugging Face folder that every program loads; with --onnx as model.onnx, which ONNX Runtime "
        "computes without torch. It is held against torch on comments before it is put in place."
    )
    parser.add_argument("model", metavar="MODEL", help="a run, an imported model, a folder, a Hub name or starter")
    parser.add_argument("folder", metavar="FOLDER", help="where to; it must not be there yet")
    parser.add_argument("--onnx", action="store_true", help="as model.onnx, with labels and thresholds inside")
    parser.add_argument(
        "--int8", action="store_true", help="with --onnx: model_int8.onnx beside it, its weights in int8"
    )
    parser.add_argument("--data", metavar="PATH", help="the corpus whose comments it is tried on (default: sample)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the folder and tell what it was held against; stdout is the folder."""
    from trainer.infer.export import export_onnx, export_whole
    from trainer.modelfolder import find_model
    from trainer.paths import expanded

    if options.int8 and not options.onnx:
        raise ConfigError("--int8 is for ONNX: give --onnx --int8")
    model, target = find_model(options.model), expanded(options.folder).resolve()
    if options.onnx:
        made = export_onnx(model, target, options.int8, options.data or getattr(options, "app_data", None), say)
    elif options.data:
        raise ConfigError("--data is for --onnx, which is tried on its comments")
    else:
        made = export_whole(model, target)
    if options.json:
        print(json_line(made))
        return 0
    for line in told(made):
        say(line)
    print(clean(str(target)))
    return 0


def told(made: dict[str, Any]) -> list[str]:
    """What was written, for people."""
    if made["onnx"] is None:
        return [f"{made['model']} as a Hugging Face folder:"]
    found = made["onnx"]
    on, fp32, int8 = found["verified_on"], found["fp32"], found["int8"]
    lines = [
        f"{made['model']} as ONNX (opset {found['opset']}), held against torch on {on['comments']} comments of {on['data']}:",
        f"model.onnx: a probability differs by {fp32['largest']:.1e} at most, a logit by {fp32['largest_logit']:.1e}",
    ]
    if int8:
        moved = (
            f"model_int8.onnx: a probability moves by {int8['mean']:.4f} on average and {int8['largest']:.3f} at most"
        )
        f1 = int8["macro_f1"]
        # their difference alone: thresholds that were fitted on these very comments flatter both
        lines.append(moved + (f"; macro-F1 by {f1['int8'] - f1['fp32']:+.4f}" if f1 else ""))
    return lines
