"""What the columns of a file are called and which of them has the text: by its first line, or by what it names itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trainer.corpus.fields import ID_NAMES, LABEL_NAMES, TEXT_NAMES, split_fields
from trainer.errors import ConfigError

USUAL = frozenset((
    *TEXT_NAMES, *LABEL_NAMES, *ID_NAMES, *(f"{name}s" for name in TEXT_NAMES), "answer", "author", "body", "caption", "content",
    "created_at", "created_utc", "date", "day", "description", "feedback", "headline", "message", "messages", "post", "posts",
    "rating", "reply", "response", "review", "reviews", "score", "stars", "subject", "subreddit", "time", "timestamp", "title",
    "tweet", "tweets", "user", "user_id", "username", "utterance",
))  # fmt: skip
"""What columns are called that hold texts or stand beside them: a first line of such words is no comment."""

_OFFICIAL = re.compile(r"\d+(,\d+)*\Z")
_NAME = re.compile(r"[^\W\d][\w.-]*(?: [\w.-]+){0,2}\Z")

SHORT = 40
"""Characters that a column's name has at the most, where a line is judged by it."""

Header = tuple[tuple[str, ...], int, bool]
"""Names of the columns, which of them has the text, and whether the first line names them."""


def delimiter_of(line: str, column: str | None) -> str:
    """What parts the columns of a CSV file with this first line: a comma, or a semicolon or tab where it has no comma and what
    stands between them are names."""
    for delimiter in (";", "\t") if "," not in line else ():
        cells = [cell.lower() for cell in split_fields(line.removesuffix("\r"), delimiter)]
        wanted = (column or "").strip().lower()
        number = int(wanted) if wanted.isdecimal() else 0
        named = {cell.strip() for cell in cells} & {wanted, *(TEXT_NAMES if column is None else ())}
        if len(cells) > 1 and (named or 1 < number <= len(cells) or all(map(_is_name, cells))):
            return delimiter
    return ","


def header(first: list[str], column: str | None, shown: str) -> Header:
    """What the first line of TSV or CSV says; `column` is what was asked for. Raises ConfigError."""
    lowered = [name.strip().lower() for name in first]
    if column is not None:
        wanted = column.strip().lower()
        if wanted in lowered:
            return unlike(first), lowered.index(wanted), True
        if column.isdecimal() and 1 <= int(column) <= len(first):
            named = _names_columns(lowered)
            return unlike(first) if named else _nameless(first), int(column) - 1, named
        raise ConfigError(
            f"{shown} has no column {column!r}; its first line has: {', '.join(first)[:300]}. For a file that "
            "does not name its columns give a number, such as --column 1",
            key="column",
        )
    found = next((lowered.index(name) for name in TEXT_NAMES if name in lowered), None)
    if found is not None:
        return unlike(first), found, True
    if len(first) == 1:
        named = lowered[0] in USUAL
        return unlike(first) if named else _nameless(first), 0, named
    if len(first) == 3 and _OFFICIAL.match(first[1]):
        return _nameless(first), 0, False
    raise ConfigError(
        f"{shown}: which column has the text? Its first line has: {', '.join(first)[:300]}. Say --column NAME, "
        "or its number where the columns have no names",
        key="column",
    )


def perhaps_name(first: Sequence[str], text: int) -> str:
    """What stands over the text in a first line that is taken for a row, if that may be a name after all."""
    cell = first[text].strip()
    official = len(first) == 3 and _OFFICIAL.match(first[1])
    return cell if _is_name(cell) and not official else ""


def text_column(names: Sequence[str], column: str | None, shown: str) -> str:
    """Which of named columns has the text. Raises ConfigError."""
    if column is not None and column in names:
        return column
    lowered = {name.strip().lower(): name for name in reversed(names)}
    wanted = TEXT_NAMES if column is None else (column.strip().lower(),)
    found = next((lowered[name] for name in wanted if name in lowered), None)
    if found is None:
        asked = "which column has the text?" if column is None else f"there is no column {column!r}."
        raise ConfigError(f"{shown}: {asked} It has: {', '.join(names)[:300]}. Say --column NAME", key="column")
    return found


def unlike(names: Sequence[str]) -> tuple[str, ...]:
    """The names of a header, no two alike and none empty."""
    return apart([name.strip() or f"column_{number}" for number, name in enumerate(names, 1)])


def apart(names: Sequence[str]) -> tuple[str, ...]:
    """The names, no two alike: one that was there before, or is wanted by a later column, is not taken again."""
    found: dict[str, None] = {}
    wanted = set(names)
    for name in names:
        fresh = name
        while fresh in found or (fresh != name and fresh in wanted):
            fresh += "_2"
        found[fresh] = None
    return tuple(found)


def _names_columns(lowered: Sequence[str]) -> bool:
    """Whether a line is a header, where it was not asked for by a name: of different short names, one of them a usual one."""
    return len(set(lowered)) == len(lowered) and all(map(_is_name, lowered)) and bool(USUAL & set(lowered))


def _is_name(cell: str) -> bool:
    return len(cell) <= SHORT and bool(_NAME.match(cell))


def _nameless(first: Sequence[str]) -> tuple[str, ...]:
    if len(first) == 3 and _OFFICIAL.match(first[1]):
        return ("text", "labels", "id")
    return ("text",) if len(first) == 1 else tuple(f"column_{n}" for n in range(1, len(first) + 1))
