"""A filter line cut into pieces: conditions, `and` `or` `not`, and parentheses. Knows no labels and judges nothing.

Parentheses inside ordinary text stay text: `:)`, `f(x)`, `()`. One opens a group only at the beginning of a word, and
closes one only where one is open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_PIECE = r"""(?P<minus>-?)
    (?: (?P<key>[a-z]+):(?:"(?P<quoted_value>[^"]*)(?P<value_closed>"?)|(?P<value>\S*))
      | "(?P<phrase>[^"]*)(?P<closed>"?)
      | /(?P<regex>(?:\\.|[^/\\])*)(?P<slash>/?)(?=%s)
      | (?P<word>\S+) )"""
_OUTSIDE = re.compile(_PIECE % r"\s|$", re.VERBOSE | re.IGNORECASE)
_INSIDE = re.compile(_PIECE % r"[\s)]|$", re.VERBOSE | re.IGNORECASE)
_OPENING = re.compile(r"-?\((?!\))")
_OPERATORS: dict[str, Literal["or", "and", "not"]] = {"or": "or", "|": "or", "and": "and", "not": "not"}


@dataclass(frozen=True)
class Piece:
    """`parts` are the named groups of a condition (`kind` term); `text` is the piece as it stands in the line."""

    kind: Literal["term", "or", "and", "not", "open", "close"]
    text: str
    parts: Mapping[str, str | None]

    @property
    def plain(self) -> bool:
        """A word without key, quotes or slashes, as in ordinary text."""
        return self.kind == "term" and self.parts["word"] is not None

    @property
    def open_quote(self) -> bool:
        """A quote begins here and does not end."""
        parts = self.parts
        value = (parts.get("key") or "").lower() in ("label", "labels", "tokens", "line", "id")
        return (parts.get("phrase") is not None and not parts["closed"]) or (
            value and parts["quoted_value"] is not None and not parts["value_closed"]
        )


def pieces(text: str) -> list[Piece]:
    """The pieces of a line in their order; no character that is not blank is lost."""
    found: list[Piece] = []
    at = depth = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        opening = _OPENING.match(text, at)
        if opening is not None:
            found.append(Piece("open", opening.group(), {}))
            depth += 1
            at = opening.end()
            continue
        if text[at] == ")" and depth:
            found.append(Piece("close", ")", {}))
            depth -= 1
            at += 1
            continue
        piece = _piece(text, at, depth)
        found.append(piece)
        at += len(piece.text)
    return found


def _piece(text: str, at: int, depth: int) -> Piece:
    """The condition or operator that begins at `at`, without the parentheses that close the groups it stands in."""
    pattern = _INSIDE if depth else _OUTSIDE
    match = pattern.match(text, at)
    assert match is not None, "every character that is no blank begins a word"
    whole = match.group()
    if depth and (match["word"] is not None or match["value"] is not None):
        over = min(depth, whole.count(")") - whole.count("("), len(whole) - len(whole.rstrip(")")))
        if 0 < over < len(whole):
            match = pattern.match(text, at, match.end() - over)
            assert match is not None
    word = match["word"]
    if word is not None and not match["minus"] and word.lower() in _OPERATORS:
        return Piece(_OPERATORS[word.lower()], match.group(), {})
    return Piece("term", match.group(), match.groupdict())
