"""`goemo-tui predict`: texts in, emotions out; the headless twin of Inspect. Does its work in this process."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.why import DETECTED, add_why, check_why, names_emotion, why_of
from goemo_tui.safe_text import clean, json_line
from goemo_tui.wording import MOST_DIGITS, digits_against, percent
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.infer.predictor import Prediction, Predictor

STREAM = "-"

NO_TEXT = 'give a text: goemo-tui predict "what a day", or - to read lines from stdin'

FEW = 32
"""So many texts are answered before torch would find a GPU."""

LINES = 3
"""Emotions shown of a text at the least, whether over their threshold or not."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "predict", help="what a sentence feels", description="What each text feels, the most probable emotion first."
    )
    parser.add_argument("text", nargs="*", help="texts; - reads stdin and answers line by line")
    parser.add_argument("--model", help="a run, an imported model, a folder, a Hub name or starter")
    parser.add_argument("--against", metavar="MODEL", help="a second model whose answers stand beside the first's")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    add_why(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict and print."""
    stream = options.text == [STREAM] or (not options.text and not sys.stdin.isatty())
    if STREAM in options.text and not stream:
        raise ConfigError("- reads the texts from stdin and stands alone")
    behind = not options.text and " " in (options.because or "")  # `--because "what a day"`: it may be the text
    if not stream and not options.text and not behind:
        raise ConfigError(NO_TEXT)
    texts = [as_text(text) for text in options.text]
    check_why(options)
    few = (stream or len(texts) <= FEW) and options.like is None  # an index is thousands of texts
    predictor = load(options, few=few)
    if behind and not names_emotion(options.because, predictor):
        stream, texts, options.because = False, [as_text(options.because)], DETECTED
    elif not stream and not texts:
        raise ConfigError(NO_TEXT)
    why = why_of(predictor, options)
    second = load(options, options.against, few) if options.against else None
    source: Iterable[str] = lines() if stream else texts
    answers = _answers(predictor, second, source, stream)
    if not options.json:
        thresholds = dict(zip(predictor.labels, predictor.thresholds().tolist(), strict=True))
        for result, other in answers:
            told = words(result, thresholds) if other is None else beside(result, other)
            print("\n".join([told, *why.lines(result)]), flush=stream)
        return 0
    head = {"model": predictor.name, **({"against": second.name} if second is not None else {})}
    results = ({**as_dict(result, other), **why.document(result)} for result, other in answers)
    if stream:
        document(head, results)
    else:
        print(json_line({**head, "results": list(results)}))
    return 0


Answers = Iterator[tuple["Prediction", "Prediction | None"]]


def _answers(first: Predictor, second: Predictor | None, texts: Iterable[str], stream: bool) -> Answers:
    """What both say of each text; of a stream line by line, as it comes."""
    portions = ([line] for line in texts) if stream else iter([list(texts)])
    for portion in portions:
        others = second.predict(portion) if second is not None else [None] * len(portion)
        yield from zip(first.predict(portion), others, strict=True)


def as_dict(result: Prediction, other: Prediction | None) -> dict[str, Any]:
    """An element of `results`; `against` is there only where there is a second model."""
    found = result.to_dict()
    if other is not None:
        found["against"] = {key: value for key, value in other.to_dict().items() if key != "text"}
    return found


def load(options: argparse.Namespace, model: str | None = None, few: bool = False) -> Predictor:
    """The predictor of `model` (None: the one that the options ask for), with its warnings said; `few` if few texts ask it."""
    from goemo_tui.settings import read_settings
    from trainer.infer.predictor import Predictor
    from trainer.modelfolder import find_model

    settings, _ = read_settings()
    folder = find_model(model or options.model, settings.model or None)
    predictor = Predictor(folder, options.device, options.threshold, few)
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


def document(head: dict[str, Any], results: Iterator[dict[str, Any]]) -> None:
    """One JSON document that grows by a line for each answer, so that a stream is both live and whole at its end."""
    print(json.dumps(head)[:-1] + ', "results": [', end="", flush=True)
    for number, result in enumerate(results):
        print("," if number else "", end="\n")
        print(json_line(result), end="", flush=True)
    print("\n]}")


def words(result: Prediction, thresholds: dict[str, float]) -> str:
    """A prediction for people: the text, then its emotions; those that come next are shown as below their threshold."""
    detected = {e.emotion for e in result.emotions}
    ranked = sorted(result.scores.items(), key=lambda item: -item[1])
    shown = {name for name, _ in ranked[:LINES]} | detected
    listed = [(name, p) for name, p in ranked if name in shown]
    digits = {name: _digits(p, thresholds[name], name in detected) for name, p in listed}
    least = min(1, max(digits.values(), default=0))  # where one row needs a digit all have it: no 5% stands under 4.8%
    rows = []
    for name, p in listed:
        over, places = name in detected, max(least, digits[name])
        told = f"{percent(p, places):>5}   {'over' if over else 'below'} {percent(thresholds[name], places)}"
        rows.append(f"  {'•' if over else ' '} {clean(name):<16}{told}")
    return "\n".join([clean(result.text), *rows])


def _digits(p: float, threshold: float, over: bool) -> int:
    """How many digits of a percentage it takes to see which is larger, and that no threshold is 0."""
    digits = digits_against(p, threshold, over)
    while digits < MOST_DIGITS and threshold > 0 and float(f"{100 * threshold:.{digits}f}") == 0:
        digits += 1
    return digits


def beside(result: Prediction, other: Prediction) -> str:
    """Two predictions of a text for people: what either feels or holds most probable, and how many points B is higher."""
    felt = [{e.emotion for e in prediction.emotions} for prediction in (result, other)]
    names = list(dict.fromkeys((*result.scores, *other.scores)))
    names.sort(key=lambda name: -max(result.scores.get(name, 0.0), other.scores.get(name, 0.0)))
    rows = [f"  {'':<16}{'A':>7}{'B':>7}  {'B-A':>6}"]
    for name in names:
        if name not in names[:LINES] and name not in felt[0] | felt[1]:
            continue
        shares = [
            f"{'•' if name in chosen else ' '}{prediction.scores[name]:>5.0%}" if name in prediction.scores else "–"
            for prediction, chosen in zip((result, other), felt, strict=True)
        ]
        both = name in result.scores and name in other.scores
        points = f"{100 * (other.scores[name] - result.scores[name]):+.0f}" if both else "–"
        rows.append(f"  {clean(name):<16}{shares[0]:>7}{shares[1]:>7}  {points:>6}")
    return "\n".join([clean(result.text), *rows])
