"""The filter line's language: words, "phrases", /regex/, label:joy, labels:>1, tokens:>20, id:…, and how they are joined.

A blank or `and` joins conditions that must both hold, `or` (or `|`) binds weaker, `-` or `not` turns a condition or a
group in parentheses round. Parsing knows label names and nothing of rows; what cannot be understood is said, never guessed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from goemo_tui.services.query_pieces import Piece, pieces
from trainer.labels import ARABIC, LabelSet

Kind = Literal["word", "regex", "label", "labels", "tokens", "line", "id"]

KEYS: tuple[str, ...] = ("label", "labels", "tokens", "line", "id")
"""What may stand before a colon. `foo:bar` is a mistake; `3:1`, `http://x`, `note:` and `x:y` are words."""

LARGEST = 2_000_000_000
"""Stands for every larger number in a filter: no count and no line reaches it, and an int32 holds it."""

DEEPEST = 20
"""Groups that may stand inside each other."""


class QueryError(ValueError):
    """A filter that cannot be used, in words that fit beside it."""


@dataclass(frozen=True)
class Term:
    """One condition. `text` is lowercased for words and ids; `labels` are ids of which one must be there; `low` and
    `high` bound a number inclusively (None: open). `source` is how it was written, without a minus."""

    kind: Kind
    negated: bool = False
    text: str = ""
    labels: tuple[int, ...] = ()
    low: int | None = None
    high: int | None = None
    source: str = field(default="", compare=False)


@dataclass(frozen=True)
class Group:
    """Conditions of which all (`and`) or at least one (`or`) must hold; never fewer than two, or negated."""

    join: Literal["and", "or"]
    parts: tuple[Expression, ...]
    negated: bool = False


Expression = Term | Group


@dataclass(frozen=True)
class Query:
    """A filter line that was understood. `expression` is None for a blank one; `note` is what to know about it."""

    expression: Expression | None
    note: str = ""


def parse(text: str, labels: LabelSet) -> Query:
    """Understand a filter line. Raises QueryError."""
    return _Parser(pieces(text), labels).query()


def label_term(*names: str) -> str:
    """The condition that one of these labels is there, as it is written."""
    value = ",".join(names)
    quoted = re.search(r'[\s()|]|^"', value) or (len(names) == 1 and "," in value)
    return f'label:"{value}"' if quoted else f"label:{value}"


def conditions(expression: Expression | None, negated: bool = False) -> Iterator[tuple[Term, bool]]:
    """Every term, and whether what it says is turned round by itself and the groups it stands in."""
    if isinstance(expression, Term):
        yield expression, expression.negated != negated
    elif expression is not None:
        for part in expression.parts:
            yield from conditions(part, expression.negated != negated)


def words_of(expression: Expression | None) -> tuple[str, ...]:
    """The words that found rows contain, to be marked in them."""
    found = {term.text for term, turned in conditions(expression) if term.kind == "word" and not turned}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def join(join: Literal["and", "or"], parts: list[Expression]) -> Expression | None:
    """The parts as one expression: nothing, the only part, or a group. A group of the same kind among them is taken apart."""
    flat: list[Expression] = []
    for part in parts:
        if isinstance(part, Group) and part.join == join and not part.negated:
            flat += part.parts
        else:
            flat.append(part)
    return Group(join, tuple(flat)) if len(flat) > 1 else flat[0] if flat else None


def turned(expression: Expression) -> Expression:
    """Its opposite."""
    return replace(expression, negated=not expression.negated)


_WORDS_TOO = {
    "or": 'or: one side will do; in quotes, "or" is the word',
    "and": 'and: both must be there; in quotes, "and" is the word',
    "not": 'not: rows without what follows; in quotes, "not" is the word',
}


class _Parser:
    """One pass over the pieces, from left to right."""

    def __init__(self, found: list[Piece], labels: LabelSet) -> None:
        self.found, self.labels = found, labels
        self.at = self.depth = 0
        self.notes: list[str] = []

    def query(self) -> Query:
        expression = self._alternatives()
        if any(piece.open_quote for piece in self.found):
            self.notes.insert(0, "the quote is not closed: everything after it counts as quoted")
        for before, piece, after in zip([None, *self.found], self.found, [*self.found[1:], None], strict=False):
            beside = (after,) if piece.kind == "not" else (before, after)
            if piece.text.lower() in _WORDS_TOO and piece.kind != "term" and all(p and p.plain for p in beside):
                self.notes.append(_WORDS_TOO[piece.kind])
        return Query(expression, self.notes[0] if self.notes else "")

    @property
    def kind(self) -> str:
        """What comes next; empty at the end."""
        return self.found[self.at].kind if self.at < len(self.found) else ""

    def _alternatives(self) -> Expression | None:
        branches: list[Expression] = []
        while True:
            branch = self._together()
            if branch is not None:
                branches.append(branch)
            elif self.kind == "or":
                raise QueryError('or wants a condition before it; in quotes, "or" is the word')
            elif branches:
                self.notes.append('or waits for another condition; in quotes, "or" is the word')
            if self.kind != "or":
                return join("or", branches)
            self.at += 1

    def _together(self) -> Expression | None:
        parts: list[Expression] = []
        turn = False
        while self.kind not in ("", "or", "close"):
            piece = self.found[self.at]
            self.at += 1
            if piece.kind in ("and", "not"):
                self._needs_more(piece.kind, bool(parts))
                turn ^= piece.kind == "not"
                continue
            part = self._group(piece) if piece.kind == "open" else _term(piece, self.labels)
            if part is not None:
                parts.append(turned(part) if turn else part)
            turn = False
        return join("and", parts)

    def _needs_more(self, word: str, something: bool) -> None:
        if word == "and" and not something:
            raise QueryError('and wants a condition before it; in quotes, "and" is the word')
        if self.kind in ("and", "or"):
            raise QueryError(f'{word} {self.kind} is no filter; in quotes, "{word}" is the word')
        if self.kind in ("", "close"):
            self.notes.append(f'{word} waits for another condition; in quotes, "{word}" is the word')

    def _group(self, opening: Piece) -> Expression | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise QueryError(f"more than {DEEPEST} parentheses inside each other")
        inner = self._alternatives()
        self.depth -= 1
        if self.kind == "close":
            self.at += 1
            if inner is None:
                raise QueryError('nothing stands between the parentheses; in quotes, "(" is a character')
        else:
            self.notes.append("a parenthesis is not closed: it reaches to the end")
        return turned(inner) if inner is not None and opening.text[0] == "-" else inner


# One condition


_NUMBER = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<low>\d+)(?:\.\.(?P<high>\d+))?")
_OFFSETS: dict[str, Callable[[int], tuple[int | None, int | None]]] = {
    ">": lambda n: (n + 1, None),
    ">=": lambda n: (n, None),
    "<": lambda n: (None, n - 1),
    "<=": lambda n: (None, n),
    "=": lambda n: (n, n),
}


def _term(piece: Piece, labels: LabelSet) -> Term | None:
    parts = piece.parts
    negated = bool(parts["minus"])
    source = piece.text[negated:] + '"' * piece.open_quote
    key = (parts["key"] or "").lower()
    if parts["phrase"] is not None:
        return Term("word", negated, parts["phrase"].lower(), source=source) if parts["phrase"] else None
    if parts["regex"] is not None and parts["slash"]:
        return Term("regex", negated, parts["regex"], source=source) if parts["regex"] else None
    if key in KEYS:
        value = parts["quoted_value"] if parts["quoted_value"] is not None else parts["value"] or ""
        return replace(_keyed(key, value.strip(), labels), negated=negated, source=source)
    _refuse_unknown_key(piece)
    return Term("word", negated, source.lower(), source=source) if source else None


def _refuse_unknown_key(piece: Piece) -> None:
    """Raise QueryError for what looks like `key:value` and has no such key; ordinary text with a colon passes."""
    key, value = piece.parts["key"] or "", piece.parts["quoted_value"] or piece.parts["value"] or ""
    if len(key) < 2 or not value:
        return
    near = difflib.get_close_matches(key.lower(), KEYS, n=1, cutoff=0.7)
    if near or value[0].isalnum() or value[0] in "<>=":
        meant = f", {near[0]}: is" if near else ""
        literal = f'"{key}:{value}"'
        raise QueryError(f"{key}: is no key{meant} (there are {', '.join(KEYS)}); quotes search for it: {literal}")


def _keyed(key: str, value: str, labels: LabelSet) -> Term:
    if not value:
        raise QueryError(f"{key}: wants {_EXAMPLES[key]}")
    if key == "label":
        return Term("label", labels=_label_ids(value, labels))
    if key == "id":
        return Term("id", text=value.lower())
    number = _NUMBER.fullmatch(value)
    if number is None or (number["high"] and number["sign"]):
        raise QueryError(f"{key}:{value} is no number: write {_EXAMPLES[key]}")
    low = _whole(number["low"])
    if number["high"]:
        bounds: tuple[int | None, int | None] = (low, _whole(number["high"]))
    else:
        bounds = _OFFSETS[number["sign"] or "="](low)
    kind: Kind = "labels" if key == "labels" else "tokens" if key == "tokens" else "line"
    return Term(kind, low=bounds[0], high=bounds[1])


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
    whole = [i for i, name in enumerate(labels.names) if name.lower() == value.lower()]
    if whole:
        return tuple(whole)
    ids: list[int] = []
    for wanted in (part.strip().lower() for part in value.split(",")):
        if not wanted:
            continue
        exact = [i for i, name in enumerate(labels.names) if wanted in (name.lower(), ARABIC.get(name))]
        begun = [i for i, name in enumerate(labels.names) if name.lower().startswith(wanted)]
        if not (exact or begun):
            near = difflib.get_close_matches(wanted, labels.names, n=1, cutoff=0.7)
            more = f": is {near[0]} meant?" if near else ""
            more = ": write label:a or label:b, or label:a,b" if "|" in wanted else more
            raise QueryError(f"no label is called {wanted!r}{more}")
        ids += exact or begun
    if not ids:
        raise QueryError(f"label: wants {_EXAMPLES['label']}")
    return tuple(sorted(set(ids)))
