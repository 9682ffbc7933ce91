"""Some rows of a file, one after the other: what is read at once, judged at once and written at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NEW = ("emotions", "error")
"""Columns that are added beside one for each label."""

OTHERS = "other_fields"
"""The column of a table for what rows of JSONL have that no column is there for, as JSON."""


@dataclass(frozen=True)
class Portion:
    """Rows `first` (from 0) and on. `texts[i]` is what row i says, "" where `errors[i]` tells what is wrong with it.

    `fields` are the rows by column; `batch` is the same as an Arrow record batch where the file has types. `file` is the
    one they come from, where there are several.
    """

    first: int
    texts: list[str]
    errors: list[str]
    fields: list[dict[str, Any]]
    batch: Any = None
    file: str = ""

    def __len__(self) -> int:
        return len(self.texts)


def added(names: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """What the new columns are called: themselves, unless a column of the file is called like one of them."""
    new = (NEW[0], *labels, NEW[1], OTHERS, "scores")
    prefix = ""
    while {f"{prefix}{name}" for name in new} & set(names):
        prefix += "predicted_"
    return {name: f"{prefix}{name}" for name in new}


def whole(text: str) -> str:
    """The text with halves of characters, which no file and no tokenizer takes, as replacement characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def values_of(column: Any) -> list[Any]:
    """The values of an Arrow array. One that is no text, or a time that Python does not know, costs its own row only."""
    try:
        return list(column.to_pylist())
    except (UnicodeDecodeError, ValueError, OverflowError):
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.cast("binary").as_py().decode("utf-8", "replace")
    except (ValueError, OverflowError):
        return str(scalar.cast("string").as_py())
