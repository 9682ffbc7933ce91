"""Which words speak for an emotion, and which against it: each word is left out once, and the model reads the rest.

Asks the model nothing but probabilities, so that it works for every classifier and says what the model really does; a
word is what a person typed, not a token. `benchmarks/explain.py` holds it against gradients.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.corpus.tokens import TokenArrays, framed
from trainer.errors import NotFoundError

if TYPE_CHECKING:
    from trainer.infer.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]

MOST_WORDS = 512
"""Words of a text that are looked at; no model here reads more."""

_JOINED = "'’\u200c\u200d"
"""What holds a word together where it stands inside of one."""

_BREAK = "\u200b"
"""A blank that takes no room: where scripts without blanks may be broken."""


@dataclass(frozen=True)
class Span:
    """One word: `text[start:end]`."""

    word: str
    start: int
    end: int


@dataclass(frozen=True)
class Word:
    """One word and what it does: `weight` over 0 speaks for the emotion, under 0 against it; None: it was not read.

    The weight is in log-odds: how much the emotion's falls when the word is left out. A probability near 0 or 1 would
    hardly move.
    """

    word: str
    weight: float | None

    def to_dict(self) -> dict[str, Any]:
        """The element of `because` in the JSON of `predict`."""
        return {"word": self.word, "weight": None if self.weight is None else round(self.weight, 4)}


@dataclass(frozen=True)
class Reasons:
    """A text's words and, in `weights`, float32 of shape (words, labels), what each does to each label; NaN: not read."""

    text: str
    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    weights: Array

    def of(self, emotion: str) -> list[Word]:
        """What each word does to `emotion`, in the order of the text. Raises NotFoundError for an unknown one."""
        if emotion not in self.labels:
            raise NotFoundError(f"the model knows no emotion {emotion!r}; it knows {', '.join(self.labels)}")
        column = self.weights[:, self.labels.index(emotion)]
        return [Word(s.word, None if np.isnan(w) else float(w)) for s, w in zip(self.spans, column, strict=True)]


def words_of(text: str) -> tuple[Span, ...]:
    """The words of a text, at most `MOST_WORDS`: runs of letters and digits with their marks and inner apostrophes, runs
    of other signs, and what stands in square brackets as in `[NAME]`. Each sign of a script without blanks is a word.

    What cannot be seen, such as the codes that say which way a text is read, belongs to the word where it stands.
    """
    found: list[Span] = []
    at = 0
    while at < len(text) and len(found) < MOST_WORDS:
        first = at
        while first < len(text) and _kind(text[first]) == "mark":
            first += 1  # it belongs to no word before it
        if first == len(text) or _kind(text[first]) == "blank":
            at = first + 1
            continue
        end = _end(text, first)
        found.append(Span(text[at:end], at, end))
        at = end
    return tuple(found)


def _end(text: str, at: int) -> int:
    """Where the word ends whose first letter or sign is at `at`."""
    if text[at] == "[":
        close = text.find("]", at)
        inner = text[at + 1 : close]
        if close > 0 and inner.isascii() and inner.isalpha():
            return close + 1
    kind = _kind(text[at])
    end = at + 1
    while end < len(text):
        here = _kind(text[end])
        inside = text[end] in _JOINED and kind == "letter" and end + 1 < len(text) and _kind(text[end + 1]) == "letter"
        if here != "mark" and not inside and (here != kind or kind in ("sign of its own", "blank") or text[end] == "["):
            break
        end += 1
    return end


def _kind(char: str) -> str:
    code = ord(char)
    if 0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF:
        return "sign of its own"
    if char.isspace() or char == _BREAK:
        return "blank"
    if char.isalnum() or char == "_":
        return "letter"
    category = unicodedata.category(char)
    return "mark" if category[0] == "M" or category == "Cf" else "sign"


def because(predictor: Predictor, text: str, stop: Callable[[], bool] | None = None) -> Reasons:
    """What each word of `text` does to each label of the model; no words where there are none.

    Rows are computed in one go, `stop` ends the work with Cancelled between batches of them.
    """
    spans = words_of(text)
    start, end, room = framed(predictor.tokenizer, predictor.max_length)
    body = predictor.tokenizer.encode(text, add_special_tokens=False)
    ids, owner = body.ids[:room], _owners(spans, body.offsets[:room])
    read = sorted({k for k in owner if k >= 0})
    weights = np.full((len(spans), len(predictor.labels)), np.nan, dtype=np.float32)
    if not read:
        return Reasons(text, spans, predictor.labels, weights)
    without = [[i for i, k in zip(ids, owner, strict=True) if k != word] for word in read]
    rows = [[*start, *row, *end] for row in (ids, *without)]
    odds = log_odds(predictor.of_tokens(_arrays(rows), stop=stop))
    weights[read] = odds[0] - odds[1:]
    return Reasons(text, spans, predictor.labels, weights)


def log_odds(probabilities: Array) -> Array:
    """The logits behind probabilities, float64, finite also at 0 and 1."""
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    odds: Array = np.log(p / (1 - p))
    return odds


def _owners(spans: tuple[Span, ...], offsets: list[tuple[int, int]]) -> list[int]:
    """For each token the word that it is of, by where it stands in the text; -1 for one that stands in none."""
    owners, word = [], 0
    for begin, end in offsets:
        while word < len(spans) and spans[word].end <= begin:
            word += 1
        # a tokenizer such as RoBERTa's takes the blank before a word into its token
        inside = word < len(spans) and spans[word].start < end
        owners.append(word if inside else -1)
    return owners


def _arrays(rows: list[list[int]]) -> TokenArrays:
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return TokenArrays(np.array([i for row in rows for i in row], dtype=np.int32), offsets)
