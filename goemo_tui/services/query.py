"""The filter line's language: words, "phrases", /regex/, label:joy, labels:>1, tokens:>20, id:…; `-` negates a term.

Every term must hold. Parsing knows label names and nothing of rows; what cannot be understood is said, never guessed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trainer.labels import ARABIC, LabelSet

Kind = Literal["word", "regex", "label", "labels", "tokens", "line", "id"]

KEYS: tuple[str, ...] = ("label", "labels", "tokens", "line", "id")
"""What may stand before a colon. `foo:bar` is a mistake; `3:1`, `http://x`, `note:` and `x:y` are words."""

LARGEST = 2_000_000_000
"""Stands for every larger number in a filter: no count and no line reaches it, and an int32 holds it."""


class QueryError(ValueError):
    """A filter that cannot be used, in words that fit beside it."""


@dataclass(frozen=True)
class Term:
    """One condition. `text` is lowercased for words and ids; `labels` are ids of which one must be there; `low` and
    `high` bound a number inclusively (None: open)."""

    kind: Kind
    negated: bool = False
    text: str = ""
    labels: tuple[int, ...] = ()
    low: int | None = None
    high: int | None = None


_PIECE = re.compile(
    r"""(?P<minus>-?)
    (?: (?P<key>[a-z]+):(?:"(?P<quoted_value>[^"]*)(?P<value_closed>"?)|(?P<value>\S*))
      | "(?P<phrase>[^"]*)(?P<closed>"?)
      | /(?P<regex>(?:\\.|[^/\\])*)(?P<slash>/?)(?=\s|$)
      | (?P<word>\S+) )""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<low>\d+)(?:\.\.(?P<high>\d+))?")
_OFFSETS: dict[str, Callable[[int], tuple[int | None, int | None]]] = {
    ">": lambda n: (n + 1, None),
    ">=": lambda n: (n, None),
    "<": lambda n: (None, n - 1),
    "<=": lambda n: (None, n),
    "=": lambda n: (n, n),
}


def parse(text: str, labels: LabelSet) -> tuple[Term, ...]:
    """The terms of a filter line; none for a blank one. Raises QueryError."""
    terms: list[Term] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        piece = _PIECE.match(text, position)
        if piece is None:
            raise QueryError(f"{text[position:]!r} is not understood")
        position = piece.end()
        term = _term(piece, labels)
        if term is not None:
            terms.append(term)
    return tuple(terms)


def _term(piece: re.Match[str], labels: LabelSet) -> Term | None:
    negated = bool(piece["minus"])
    key = (piece["key"] or "").lower()
    if piece["phrase"] is not None:
        return Term("word", negated, piece["phrase"].lower()) if piece["phrase"] else None
    if piece["regex"] is not None and piece["slash"]:
        return Term("regex", negated, piece["regex"]) if piece["regex"] else None
    if key in KEYS:
        value = piece["quoted_value"] if piece["quoted_value"] is not None else piece["value"]
        return _keyed(key, value.strip(), negated, labels)
    _refuse_unknown_key(piece)
    word = piece.group().removeprefix("-") if negated else piece.group()
    return Term("word", negated, word.lower()) if word else None


def _refuse_unknown_key(piece: re.Match[str]) -> None:
    """Raise QueryError for what looks like `key:value` and has no such key; ordinary text with a colon passes."""
    key, value = piece["key"] or "", piece["quoted_value"] or piece["value"] or ""
    if len(key) < 2 or not value:
        return
    near = difflib.get_close_matches(key.lower(), KEYS, n=1, cutoff=0.7)
    if near or value[0].isalnum() or value[0] in "<>=":
        meant = f", {near[0]}: is" if near else ""
        literal = f'"{key}:{value}"'
        raise QueryError(f"{key}: is no key{meant} (there are {', '.join(KEYS)}); quotes search for it: {literal}")


def unclosed(text: str) -> str:
    """What to say about a filter line whose last quote is not closed; nothing where all are."""
    for piece in _PIECE.finditer(text):
        value = (piece["key"] or "").lower() in KEYS and piece["quoted_value"] is not None
        if (piece["phrase"] is not None and not piece["closed"]) or (value and not piece["value_closed"]):
            return "the quote is not closed: everything after it counts as quoted"
    return ""


def _keyed(key: str, value: str, negated: bool, labels: LabelSet) -> Term:
    if not value:
        raise QueryError(f"{key}: wants {_EXAMPLES[key]}")
    if key == "label":
        return Term("label", negated, labels=_label_ids(value, labels))
    if key == "id":
        return Term("id", negated, value.lower())
    number = _NUMBER.fullmatch(value)
    if number is None or (number["high"] and number["sign"]):
        raise QueryError(f"{key}:{value} is no number: write {_EXAMPLES[key]}")
    low = _whole(number["low"])
    if number["high"]:
        bounds: tuple[int | None, int | None] = (low, _whole(number["high"]))
    else:
        bounds = _OFFSETS[number["sign"] or "="](low)
    kind: Kind = "labels" if key == "labels" else "tokens" if key == "tokens" else "line"
    return Term(kind, negated, low=bounds[0], high=bounds[1])


def _whole(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= 9 else LARGEST


_EXAMPLES = {
    "label": "a name, such as label:joy or label:joy,love",
    "labels": "a number, such as labels:>1",
    "tokens": "a number, such as tokens:>20 or tokens:5..10",
    "line": "a number, such as line:18 or line:<100",
    "id": "the beginning of an id, such as id:ed8x",
}


def _label_ids(value: str, labels: LabelSet) -> tuple[int, ...]:
    """Ids of the labels a value names (several divided by commas). The beginning of a name will do."""
    ids: list[int] = []
    for wanted in (part.strip().lower() for part in value.split(",")):
        if not wanted:
            continue
        exact = [i for i, name in enumerate(labels.names) if wanted in (name.lower(), ARABIC.get(name))]
        begun = [i for i, name in enumerate(labels.names) if name.lower().startswith(wanted)]
        if not (exact or begun):
            raise QueryError(f"no label is called {wanted!r}")
        ids += exact or begun
    return tuple(sorted(set(ids)))


def toggle_label(text: str, name: str) -> str:
    """The filter line with `label:name` put in, or taken out where it stands (negated or not)."""
    term = f'label:"{name}"' if re.search(r'[\s",]', name) else f"label:{name}"
    pieces = [piece.group() for piece in _PIECE.finditer(text)]
    kept = [piece for piece in pieces if piece.removeprefix("-").lower() != term.lower()]
    return " ".join(kept if len(kept) < len(pieces) else [*kept, term])


def words_of(terms: tuple[Term, ...]) -> tuple[str, ...]:
    """The words that found rows contain, to be marked in them."""
    return tuple(sorted({t.text for t in terms if t.kind == "word" and not t.negated}, key=len, reverse=True))
