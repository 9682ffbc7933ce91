"""`goemo-tui eval`: how well a model reads a split whose labels are known. Does its work in this process."""

from __future__ import annotations

import argparse
import json
from typing import Any

from goemo_tui.commands.predict import load
from goemo_tui.safe_text import clean


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("eval", help="score a model on a split", description=__doc__)
    parser.add_argument("--model", help="a run, a folder, a Hub name or starter")
    parser.add_argument("--data", help="sample, goemotions, a folder or a file (default: the settings', else sample)")
    parser.add_argument("--split", help="train, dev or test (default: test where there is one, else dev)")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate and print."""
    from goemo_tui.settings import read_settings
    from trainer.infer.evaluate import evaluate

    data = options.data or read_settings()[0].data
    predictor = load(options)
    report = evaluate(predictor, data, options.split, options.threshold)
    print(json.dumps(report, ensure_ascii=False) if options.json else table(predictor.name, report))
    return 0


def table(model: str, report: dict[str, Any]) -> str:
    """The report for people: one line a label, then the means."""
    wide = max(16, *(len(clean(label)) + 2 for label in report["per_label"]))
    head = f"{'emotion':<{wide}}{'precision':>10}{'recall':>8}{'F1':>7}{'support':>9}{'threshold':>11}"
    rows = [
        f"{clean(label):<{wide}}{s['precision']:>10.3f}{s['recall']:>8.3f}{s['f1']:>7.3f}{s['support']:>9}"
        f"{report['thresholds'][label]:>11.3f}"
        for label, s in report["per_label"].items()
    ]
    means = (
        f"macro-F1 {report['macro_f1']:.3f} · micro-F1 {report['micro_f1']:.3f} · weighted-F1 {report['weighted_f1']:.3f} · "
        f"macro-precision {report['macro_precision']:.3f} · macro-recall {report['macro_recall']:.3f} · "
        f"all labels right {report['subset_accuracy']:.1%} · Hamming loss {report['hamming_loss']:.4f}"
    )
    return "\n".join([f"{clean(model)} on {clean(report['split'])}, {report['n']:,} rows", "", head, *rows, "", means])
