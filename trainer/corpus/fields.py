"""A line of a TSV or CSV file -> its fields, and which column means what.

One physical line is one row: a quote never reaches past its line's end, so a stray one cannot swallow the rows below.
May not know labels, files or what makes a row good.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TEXT_NAMES = ("text", "comment", "comment_text", "sentence")
LABEL_NAMES = ("labels", "label", "emotions", "emotion")
ID_NAMES = ("id", "comment_id")

# Possessive, so that a line of nothing but quotes costs linear time. Doubled quotes leave one reading only.
_QUOTED = {d: re.compile(rf'"([^"]*+(?:""[^"]*+)*+)"({re.escape(d)}|\Z)') for d in "\t,;"}


def split_fields(line: str, delimiter: str) -> list[str]:
    """The fields of one line, CSV quotes undone.

    A field that starts with `"` is quoted only if its closing quote stands on this line, right before a delimiter or
    the end, with the quotes inside doubled; otherwise the quote is text.
    """
    if not line.startswith('"') and f'{delimiter}"' not in line:
        return line.split(delimiter)
    fields: list[str] = []
    at = 0
    while True:
        quoted = _QUOTED[delimiter].match(line, at)
        if quoted:
            fields.append(quoted[1].replace('""', '"'))
            if not quoted[2]:
                return fields
            at = quoted.end()
            continue
        end = line.find(delimiter, at)
        if end < 0:
            fields.append(line[at:])
            return fields
        fields.append(line[at:end])
        at = end + 1


@dataclass(frozen=True)
class Columns:
    """Where a row's parts stand. `id` is None where the file has no such column; `count` is the fields of a row."""

    text: int
    labels: int
    id: int | None
    count: int


OFFICIAL_COLUMNS = Columns(text=0, labels=1, id=2, count=3)
"""The layout of a file without a header."""


def find_columns(names: Sequence[str]) -> Columns | None:
    """The columns that a header (or a schema) names, in any order, others ignored; None without text or labels."""
    lowered = [name.strip().lower() for name in names]
    text = _first_of(TEXT_NAMES, lowered)
    labels = _first_of(LABEL_NAMES, lowered)
    if text is None or labels is None:
        return None
    return Columns(text, labels, _first_of(ID_NAMES, lowered), len(lowered))


def _first_of(wanted: Sequence[str], names: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)
