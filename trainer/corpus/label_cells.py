"""What a row says about its labels -> ids of the label set: numbers or names, in a string, a list or alone.

A number counts by the corpus's own label file; a name is looked up. Nothing is guessed: what is unknown is an error.
"""

from __future__ import annotations

import re

from trainer.labels import LabelFile

_SEPARATORS = re.compile(r"[,;|]")


class BadLabel(ValueError):
    """A cell that names no usable label; the message says which part of it and why."""


class LabelCells:
    """Reads label cells for one label file and remembers what it has read: a corpus repeats a few hundred of them.

    `numbered` turns True once a label was given as a number, that is, once the order of the label file matters.
    """

    def __init__(self, label_file: LabelFile) -> None:
        self._ids_to = label_file.ids_to
        # A number in a row is always an id, also where labels are called by numbers (the label file warns of it).
        self._index = {name: i for name, i in label_file.labels.index().items() if not _is_number(name)}
        lowered = [name.lower() for name in self._index]
        self._lowered = {n.lower(): i for n, i in self._index.items() if lowered.count(n.lower()) == 1}
        self._known: dict[str, tuple[int, ...]] = {}
        self.numbered = False

    @property
    def ids_to(self) -> tuple[int, ...]:
        """Number in a row -> id in the label set."""
        return tuple(self._ids_to)

    def read(self, cell: object) -> tuple[int, ...]:
        """The sorted ids (in the label set) of `cell`, each once. Raises BadLabel."""
        if isinstance(cell, str):
            known = self._known.get(cell)
            if known is None:
                known = self._known[cell] = _tidy(self._of_string(cell))
            return known
        if isinstance(cell, list | tuple):
            return _tidy([self._one(part) for part in cell])
        if cell is None:
            raise BadLabel("no label")
        return (self._one(cell),)

    def _of_string(self, cell: str) -> list[int]:
        whole = cell.strip()
        named = self._find(whole)
        if named is not None:
            return [named]
        if whole.startswith("[") and whole.endswith("]"):
            whole = whole[1:-1]
        ids: list[int] = []
        for piece in map(_bare, _SEPARATORS.split(whole)):
            # A name may hold blanks ("very happy"); only what is no name as it stands is split at them.
            words = [piece] if self._find(piece) is not None else [_bare(word) for word in piece.split()]
            ids.extend(self._one(word) for word in words if word)
        return ids

    def _find(self, name: str) -> int | None:
        """The id of a name, its case ignored unless that is all that tells two names apart."""
        return self._index.get(name, self._lowered.get(name.lower()))

    def _one(self, part: object) -> int:
        if isinstance(part, str):
            word = part.strip()
            if _is_number(word):
                # Longer than any label set: not worth the conversion, which Python refuses beyond 4,300 digits.
                digits = word.lstrip("0") or "0"
                return self._number(int(digits) if len(digits) < 10 else None, word)
            found = self._find(word)
            if found is None:
                shown = repr(word if len(word) <= 40 else word[:39] + "…")
                raise BadLabel(f"label {shown} is neither a known name nor a number")
            return found
        if isinstance(part, float) and part.is_integer():
            part = int(part)  # what a column of numbers becomes once one of them is missing
        if isinstance(part, int) and not isinstance(part, bool):
            return self._number(part, "")
        raise BadLabel(f"a label of type {type(part).__name__}, where a name or a whole number is expected")

    def _number(self, number: int | None, written: str) -> int:
        if number is None or not 0 <= number < len(self._ids_to):
            shown = written[:20] or (str(number) if number is not None and abs(number) < 10**20 else "of many digits")
            raise BadLabel(f"label {shown} is out of range: 0 to {len(self._ids_to) - 1}")
        self.numbered = True
        return self._ids_to[number]


def _tidy(ids: list[int]) -> tuple[int, ...]:
    if not ids:
        raise BadLabel("no label")
    return tuple(sorted(set(ids)))


def _is_number(word: str) -> bool:
    return word.isascii() and word.removeprefix("-").isdigit()


def _bare(word: str) -> str:
    return word.strip().strip("'\"").strip()
