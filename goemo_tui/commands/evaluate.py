"""`goemo-tui eval`: how well a model reads a split whose labels are known. Does its work in this process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.predict import load
from goemo_tui.safe_text import json_line

if TYPE_CHECKING:
    from trainer.corpus import Corpus


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "eval",
        help="score a model on a split, or two against each other",
        description="How well a model reads a split whose labels are known: precision, recall, F1 with its 95% interval, "
        "average precision, calibration, Ekman and sentiment, and what was said instead. Rows that the model's thresholds "
        "were fitted on are cross-fitted: each half is cut by thresholds fitted on the other.",
    )
    parser.add_argument("--model", help="a run, an imported model, a folder, a Hub name or starter")
    parser.add_argument(
        "--compare", metavar="MODEL", help="a second model, held against the first on the same resamples"
    )
    parser.add_argument("--data", help="sample, goemotions, a folder or a file (default: the settings', else sample)")
    parser.add_argument("--split", help="train, dev or test (default: test where there is one, else dev)")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument(
        "--bootstrap", type=int, default=1_000, metavar="N", help="resamples for the intervals (default 1000, 0: none)"
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="write a report too: FILE.md, or FILE.html that stands alone; given twice, both",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate and print; what is doubtful about the data or the figures is said on stderr."""
    from goemo_tui.commands.progress import say
    from goemo_tui.services.report_file import report_writer
    from goemo_tui.services.report_text import text
    from goemo_tui.settings import read_settings
    from trainer.corpus import load_corpus
    from trainer.infer.evaluate import evaluate
    from trainer.infer.like import trained_on

    writers = [report_writer(name) for name in options.report]
    # `goemo-tui --data PATH eval` means the same
    named = options.data or getattr(options, "app_data", None)
    data = named or read_settings()[0].data
    for doubt in doubts(load_corpus(data), options.split):
        say(f"warning: {doubt}")
    predictor = load(options)
    learned = trained_on(predictor.folder.path) if named is None else None
    if learned not in (None, str(data)):
        say(f"note: scored on {data}; {predictor.name} learned {learned}: --data {learned} scores it there")
    against = load(options, options.compare) if options.compare else None
    if sys.stderr.isatty():
        say(f"{predictor.name} reads the comments …")
    report = evaluate(
        predictor, data, options.split, options.threshold, bootstrap=options.bootstrap, against=against
    )  # fmt: skip
    for note in notes(report):
        say(f"note: {note}")
    print(json_line(report) if options.json else text(report))
    for write in writers:
        say(f"the report is in {write(report)}")
    return 0


def notes(report: dict[str, Any]) -> list[str]:
    """What must be known before the figures are believed, each once; a second model's begin with its name."""
    found = [str(note) for note in report.get("notes", ())]
    other = report.get("against")
    if other:
        found += [f"{other['model']}: {note}" for note in other["notes"] if note not in found]
    return found


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
