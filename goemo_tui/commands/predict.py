"""`goemo-tui predict`: texts in, emotions out; the headless twin of Inspect. Does its work in this process."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goemo_tui.safe_text import clean
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.infer.predictor import Prediction, Predictor

STREAM = "-"

LINES = 3
"""Emotions shown of a text at the least, whether over their threshold or not."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "predict", help="what a sentence feels", description="What each text feels, the most probable emotion first."
    )
    parser.add_argument("text", nargs="*", help="texts; - reads stdin and answers line by line")
    parser.add_argument("--model", help="a run, a folder, a Hub name or starter")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict and print."""
    stream = options.text == [STREAM] or (not options.text and not sys.stdin.isatty())
    if STREAM in options.text and not stream:
        raise ConfigError("- reads the texts from stdin and stands alone")
    if not stream and not options.text:
        raise ConfigError('give a text: goemo-tui predict "what a day", or - to read lines from stdin')
    texts = [as_text(text) for text in options.text]
    predictor = load(options)
    thresholds = dict(zip(predictor.labels, predictor.thresholds().tolist(), strict=True))
    if not stream:
        results = predictor.predict(texts)
        if options.json:
            print(json.dumps({"model": predictor.name, "results": [r.to_dict() for r in results]}, ensure_ascii=False))
        else:
            for result in results:
                print(words(result, thresholds))
        return 0
    answers = (predictor.predict([line])[0] for line in lines())
    if options.json:
        document(predictor.name, answers)
    else:
        for result in answers:
            print(words(result, thresholds), flush=True)
    return 0


def load(options: argparse.Namespace) -> Predictor:
    """The predictor that the options ask for, with its warnings said."""
    from goemo_tui.settings import read_settings
    from trainer.infer.predictor import Predictor
    from trainer.modelfolder import find_model

    settings, _ = read_settings()
    predictor = Predictor(find_model(options.model, settings.model or None), options.device, options.threshold)
    for text in predictor.warnings:
        print(f"goemo-tui: {clean(text)}", file=sys.stderr)
    return predictor


def as_text(argument: str) -> str:
    """An argument as text. Python smuggles its bytes that are not UTF-8 in as surrogates; here they are replaced."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def lines() -> Iterator[str]:
    """The lines of stdin as they come, without their ends; bytes that are not UTF-8 become the replacement character."""
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace").rstrip("\r\n")


def document(model: str, answers: Iterator[Prediction]) -> None:
    """One JSON document that grows by a line for each answer, so that a stream is both live and whole at its end."""
    print(json.dumps({"model": model})[:-1] + ', "results": [', end="", flush=True)
    for number, result in enumerate(answers):
        print("," if number else "", end="\n")
        print(json.dumps(result.to_dict(), ensure_ascii=False), end="", flush=True)
    print("\n]}")


def words(result: Prediction, thresholds: dict[str, float]) -> str:
    """A prediction for people: the text, then its emotions; those that come next are shown as below their threshold."""
    detected = {e.emotion for e in result.emotions}
    ranked = sorted(result.scores.items(), key=lambda item: -item[1])
    shown = {name for name, _ in ranked[:LINES]} | detected
    rows = [
        f"  {'•' if name in detected else ' '} {clean(name):<16}{p:>5.0%}   "
        f"{'over' if name in detected else 'below'} {thresholds[name]:.0%}"
        for name, p in ranked
        if name in shown
    ]
    return "\n".join([clean(result.text), *rows])
