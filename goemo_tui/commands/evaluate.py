"""`goemo-tui eval`: how well a model reads a split whose labels are known. Does its work in this process."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.predict import load
from goemo_tui.safe_text import clean, json_line

if TYPE_CHECKING:
    from trainer.corpus import Corpus


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "eval", help="score a model on a split", description="How well a model reads a split whose labels are known."
    )
    parser.add_argument("--model", help="a run, a folder, a Hub name or starter")
    parser.add_argument("--data", help="sample, goemotions, a folder or a file (default: the settings', else sample)")
    parser.add_argument("--split", help="train, dev or test (default: test where there is one, else dev)")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate and print; what is doubtful about the data is said before, on stderr."""
    from goemo_tui.commands.progress import say
    from goemo_tui.settings import read_settings
    from trainer.corpus import load_corpus
    from trainer.infer.evaluate import evaluate

    # `goemo-tui --data PATH eval` means the same
    data = options.data or getattr(options, "app_data", None) or read_settings()[0].data
    for doubt in doubts(load_corpus(data), options.split):
        say(f"warning: {doubt}")
    predictor = load(options)
    report = evaluate(predictor, data, options.split, options.threshold)
    print(json_line(report) if options.json else table(predictor.name, report))
    return 0


def doubts(corpus: Corpus, split: str | None) -> Iterator[str]:
    """What to know of a corpus before its scores are believed: its warnings, and the bad rows behind `split`."""
    yield from corpus.warnings
    rows = corpus.splits.get(split or corpus.scored)
    if rows is None:
        return
    remedy = f"goemo-tui data check {corpus.path} lists all"
    # of a file that was divided, the bad rows stay with train
    for source in corpus.splits.values():
        if source is not rows and (source.file is None or source.file != rows.file):
            continue
        if source.refused:
            refusal = source.refused.partition("\n")[0].rstrip(":")
            yield refusal + ("; the scores are of its other rows" if rows.text else "") + f"; {remedy}"
        elif source.problems:
            first = source.problems[0]
            place = f"{first.file}:{first.line}" if first.line else first.file
            count = len(source.problems)
            yield f"{count:,} row{'s' if count != 1 else ''} skipped, the first {place}: {first.what}; {remedy}"


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
