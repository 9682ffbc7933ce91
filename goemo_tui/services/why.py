"""What `because` and `like` are once they have come over: words with weights, training comments, and how they are marked.

Plain data; nothing here starts a process or draws. Weights are log-odds, similarities cosines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STRONG, SOME = 0.5, 0.3
"""Shares of the largest weight of a text from which a word is shown as strong, and as one that speaks at all."""

LEAST = 0.1
"""Log-odds under which even the largest weight says nothing."""


@dataclass(frozen=True)
class Word:
    """A word of the text; `weight` over 0 speaks for the emotion, under 0 against it, None: not read by the model."""

    word: str
    weight: float | None


@dataclass(frozen=True)
class Because:
    """The words of `text`, in its order, and what they do to `emotion`."""

    text: str
    emotion: str
    words: tuple[Word, ...]

    @property
    def unread(self) -> int:
        """Words at the end that the model does not read."""
        return sum(word.weight is None for word in self.words)

    def levels(self) -> tuple[int, ...]:
        """For each word 2 or 1 where it speaks for the emotion, -1 or -2 against it, 0 where it says little."""
        most = max((abs(w.weight) for w in self.words if w.weight is not None), default=0.0)
        return tuple(_level(w.weight, most) for w in self.words)


def _level(weight: float | None, most: float) -> int:
    if weight is None or most < LEAST:
        return 0
    size = 2 if abs(weight) >= STRONG * most else 1 if abs(weight) >= SOME * most else 0
    return size if weight > 0 else -size


@dataclass(frozen=True)
class Neighbour:
    """A training comment, its labels, and how similar it is; 1 is the very same text."""

    text: str
    labels: tuple[str, ...]
    similarity: float
    id: str

    @property
    def same(self) -> bool:
        """Whether it is the text that was asked about."""
        return self.similarity >= 1


@dataclass(frozen=True)
class Like:
    """The nearest training comments of `text`; `note` says if they are not those that the model was trained on.

    While the index is built, `rows` are empty and `done` of `of` comments are read.
    """

    text: str
    rows: tuple[Neighbour, ...] = ()
    note: str = ""
    indexing: bool = False
    done: int = 0
    of: int = 0


def read_because(text: str, said: Any) -> Because:
    """The answer to `because`. Raises ValueError, LookupError or TypeError for what is none."""
    ((emotion, words),) = dict(said).items()
    return Because(text, str(emotion), tuple(Word(str(w["word"]), _weight(w["weight"])) for w in words))


def _weight(value: Any) -> float | None:
    return None if value is None else float(value)


def read_like(text: str, said: Mapping[str, Any]) -> Like:
    """The answer to `like`. Raises ValueError, LookupError or TypeError for what is none."""
    if said["like"] is None:
        far = said.get("indexing") or {}
        return Like(text, indexing=True, done=int(far.get("done") or 0), of=int(far.get("of") or 0))
    rows = tuple(
        Neighbour(str(r["text"]), tuple(map(str, r["labels"])), float(r["similarity"]), str(r["id"]))
        for r in said["like"]
    )
    return Like(text, rows, str(said.get("note") or ""))


def document(because: Because | None, like: Like | None) -> dict[str, Any]:
    """What `predict --because --like --json` adds to a result."""
    found: dict[str, Any] = {}
    if because is not None:
        found["because"] = {because.emotion: [{"word": w.word, "weight": w.weight} for w in because.words]}
    if like is not None and not like.indexing:
        found["like"] = [
            {"text": n.text, "labels": list(n.labels), "similarity": n.similarity, "id": n.id} for n in like.rows
        ]
    return found


Piece = tuple[str, int]
"""A part of a line of words and its level."""


def marked(because: Because) -> list[Piece]:
    """The words as they are shown, each with its level; a sign and capitals say the level without any colour.

    `+JOY` speaks strongly for the emotion, `+joy` for it, `-joy` and `--joy` against it.
    """
    pieces: list[Piece] = []
    for word, level in zip(because.words, because.levels(), strict=True):
        if word.weight is not None:
            pieces.append((sign(word.word, level), level))
    return pieces


def sign(word: str, level: int) -> str:
    """A word with what says its level."""
    if level == 2:
        loud = word.upper()
        return f"+{loud}" if loud != word else f"++{word}"
    return ("", "+", "--", "-")[level] + word


def from_words(text: str, emotion: str, words: Sequence[Any]) -> Because:
    """Of anything that has `word` and `weight`."""
    return Because(text, emotion, tuple(Word(w.word, w.weight) for w in words))
