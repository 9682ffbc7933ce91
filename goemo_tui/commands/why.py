"""`predict --because --like`: which words speak for an emotion, and which training comments are nearest, headless."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from goemo_tui.safe_text import clean
from goemo_tui.services.why import from_words, marked
from goemo_tui.wording import count
from trainer.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from trainer.infer.like import Like
    from trainer.infer.predictor import Prediction, Predictor

NEAREST = 3
MOST = 100
WIDTH = 96
DETECTED = ""
"""`--because` without an emotion."""


def add_why(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--because",
        nargs="?",
        const=DETECTED,
        metavar="EMOTION",
        help="the words that speak for an emotion and against it; left out: for each detected one, else the most probable",
    )
    parser.add_argument(
        "--like",
        nargs="?",
        const=NEAREST,
        type=_number,
        metavar="K",
        help=f"the K training comments that are most like it ({NEAREST})",
    )
    parser.add_argument("--data", help="the corpus that --like looks in (default: the model's own, else the settings')")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number; a text stands before it: goemo-tui predict "what a day" --like'
        ) from None


def check_why(options: argparse.Namespace) -> None:
    """Raises ConfigError before a model is loaded for nothing."""
    if options.data and options.like is None:
        raise ConfigError("--data names the corpus that --like looks in: add --like")
    if options.like is not None and not 1 <= options.like <= MOST:
        raise ConfigError(f"--like {options.like}: give a number from 1 to {MOST}")


def names_emotion(text: str, predictor: Predictor) -> str | None:
    """The emotion of the model that `text` names, in whatever case; None where it names none."""
    return next((name for name in predictor.labels if name.lower() == text.lower()), None)


def why_of(predictor: Predictor, options: argparse.Namespace) -> Why:
    """What is to be added to each result; the index is built first where there is none yet."""
    emotion = names_emotion(options.because, predictor) if options.because else options.because
    if options.because and emotion is None:
        known = ", ".join(predictor.labels)
        raise NotFoundError(
            f"--because {options.because}: the model knows no such emotion; it knows {known}. A text stands before "
            f'--because: goemo-tui predict "what a day" --because'
        )
    return Why(predictor, emotion, None if options.like is None else _index(predictor, options), options.like)


def _index(predictor: Predictor, options: argparse.Namespace) -> Like:
    from goemo_tui.settings import read_settings
    from trainer.infer.like import build

    tell = sys.stderr.isatty()

    def progress(done: int, of: int) -> None:
        if tell:
            print(f"\rindexing {count(done)} of {count(of)} training comments ", end="", file=sys.stderr, flush=True)

    settings, _ = read_settings()
    try:
        like = build(predictor, options.data or settings.data, progress, asked=bool(options.data))
    finally:
        if tell:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if like.note:
        print(f"goemo-tui: like: {clean(like.note)}", file=sys.stderr)
    return like


class Why:
    """Adds words and comments to results."""

    def __init__(self, predictor: Predictor, emotion: str | None, like: Like | None, k: int | None) -> None:
        self.predictor, self.emotion, self.like, self.k = predictor, emotion, like, k or NEAREST

    def document(self, result: Prediction) -> dict[str, Any]:
        """The keys `because` and `like` of a result, as far as they were asked for."""
        found: dict[str, Any] = {}
        if self.emotion is not None:
            found["because"] = {name: [w.to_dict() for w in words] for name, words in self._because(result).items()}
        if self.like is not None:
            found["like"] = [n.to_dict() for n in self.like.ask(result.text, self.k)]
        return found

    def lines(self, result: Prediction) -> list[str]:
        """The same for people."""
        lines: list[str] = []
        if not result.text.strip() and (self.emotion is not None or self.like is not None):
            return ["  a text without words: no word speaks for an emotion, and no comment is like it"]
        for name, words in (self._because(result) if self.emotion is not None else {}).items():
            because = from_words(result.text, name, words)
            text = " ".join(clean(piece) for piece, _ in marked(because))
            unread = f" ({count(because.unread)} more not read)" if because.unread else ""
            head = f"  because {clean(name)}: "
            lines += textwrap.wrap(text + unread, WIDTH, initial_indent=head, subsequent_indent="    ") or []
        for near in self.like.ask(result.text, self.k) if self.like is not None else ():
            how = "same" if near.similarity >= 1 else f"{near.similarity:.2f}"
            lines.append(f"  like {how:>5}  {clean(near.text)}  [{clean(' '.join(near.labels))}]")
        return lines

    def _because(self, result: Prediction) -> dict[str, Any]:
        from trainer.infer.explain import because

        reasons = because(self.predictor, result.text)
        if not reasons.spans:
            return {}
        best = max(result.scores, key=lambda name: result.scores[name])
        names = [self.emotion] if self.emotion else [e.emotion for e in result.emotions] or [best]
        return {name: reasons.of(name) for name in names}
