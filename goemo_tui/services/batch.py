"""Many lines judged by one model: which come next, what is known of each, in which order they stand.

Holds probabilities as plain numbers (8 bytes a label and line), so that ten thousand lines stay small. Asks nobody and
draws nothing.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goemo_tui.services.prediction import Emotion, Model, Threshold, result_of
from trainer.errors import GoemoError
from trainer.paths import expanded
from trainer.tables.portion import whole

MOST_LINES = 10_000
LONGEST = 4_000
"""Characters of a line that are read; no model looks at more."""

MOST_BYTES = 50_000_000
"""Of a file."""

CHUNK = 32
"""Lines that are asked at once: what is typed meanwhile waits for no more than these."""

_BREAK = re.compile(r"\r\n?|\n")

COLUMNS = ("#", "sentence", "emotions", "top")


class BatchError(GoemoError):
    """A file of lines that cannot be used."""


@dataclass(frozen=True)
class Lines:
    """Texts, one a line, empty lines left out; `note` says in words what else was left out."""

    texts: tuple[str, ...]
    note: str = ""


def split_lines(text: str) -> list[str]:
    """The lines that hold something. Only line breaks part them, not whatever else Unicode takes for one."""
    return [line for raw in _BREAK.split(text) if (line := raw.strip())]


def read_lines(text: str) -> Lines:
    """The lines of a text, at most `MOST_LINES` of at most `LONGEST` characters each."""
    lines = split_lines(whole(text))
    kept = tuple(line[:LONGEST] for line in lines[:MOST_LINES])
    notes = []
    if len(lines) > MOST_LINES:
        notes.append(f"only the first {MOST_LINES:,} of {len(lines):,} lines were taken")
    cut = sum(len(line) > LONGEST for line in lines[:MOST_LINES])
    if cut:
        notes.append(f"{cut:,} {'lines were' if cut > 1 else 'line was'} cut at {LONGEST:,} characters")
    return Lines(kept, "; ".join(notes))


def readable(answer: str) -> Path:
    """The text file that is meant. Raises BatchError where there is none that could be read."""
    if not answer.strip() or "\0" in answer:
        raise BatchError("type the path of a text file with one sentence a line")
    file = expanded(answer.strip())
    try:
        if file.is_dir():
            raise BatchError(f"{file} is a folder: give a text file with one sentence a line")
        if not file.is_file():
            raise BatchError(f"{file}: no such file")
        with file.open("rb") as source:
            head = source.read(8192)
    except OSError as error:
        raise BatchError(f"{file} cannot be read: {error.strerror or error}") from error
    if b"\0" in head:
        raise BatchError(f"{file} is no text file")
    if not head.strip():
        raise BatchError(f"{file} holds no lines")
    return file


def read_file(answer: str) -> Lines:
    """The lines of a text file (UTF-8; other bytes become the replacement character). Raises BatchError."""
    file = readable(answer)
    try:
        with file.open("rb") as source:
            raw = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise BatchError(f"{file} cannot be read: {error.strerror or error}") from error
    lines = read_lines(raw[:MOST_BYTES].decode("utf-8-sig", "replace"))
    if len(raw) > MOST_BYTES:
        note = f"only the first {MOST_BYTES // 1_000_000} MB of the file were read"
        return Lines(lines.texts, f"{note}; {lines.note}" if lines.note else note)
    return lines


class Batch:
    """The lines and what the model says of the first `done` of them."""

    def __init__(self, texts: Sequence[str], model: Model, threshold: Threshold) -> None:
        self.texts = tuple(texts)
        self.model = model
        self.threshold = threshold
        self.limits = model.limits(threshold)
        self._scores = array("d")

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def done(self) -> int:
        """Lines that are answered."""
        return len(self._scores) // len(self.model.labels) if self.model.labels else 0

    @property
    def finished(self) -> bool:
        """Whether all are."""
        return self.done >= len(self.texts)

    def next_texts(self) -> tuple[str, ...]:
        """What is to be asked next; empty at the end."""
        return self.texts[self.done : self.done + CHUNK]

    def take(self, texts: Sequence[str], rows: Sequence[Sequence[float]]) -> bool:
        """Keep the answer to `texts`. False where it is not the answer to what comes next."""
        size = len(self.model.labels)
        fits = tuple(texts) == self.next_texts() and len(rows) == len(texts) and all(len(row) == size for row in rows)
        if fits:
            for row in rows:
                self._scores.extend(row)
        return fits

    def pass_over(self, texts: Sequence[str]) -> None:
        """These cannot be answered: they stay without numbers."""
        self._scores.extend([math.nan] * (len(texts) * len(self.model.labels)))

    def judge(self, threshold: Threshold) -> None:
        """By another threshold from now on; nobody is asked again."""
        self.threshold, self.limits = threshold, self.model.limits(threshold)

    def scores(self, row: int) -> Sequence[float]:
        """Probabilities of a line in the model's order; empty where it is not answered."""
        size = len(self.model.labels)
        return self._scores[row * size : (row + 1) * size] if row < self.done else ()

    def emotions(self, row: int) -> tuple[Emotion, ...]:
        """Every label of a line, the most probable first; empty where it was not answered or could not be."""
        scores = self.scores(row)
        if not scores or math.isnan(scores[0]):
            return ()
        named = zip(self.model.labels, scores, self.limits, strict=True)
        return tuple(sorted((Emotion(n, p, round(t, 6), p >= t) for n, p, t in named), key=lambda e: -e.probability))

    def result(self, row: int) -> dict[str, Any]:
        """A line as `predict --json` has it among its results."""
        return result_of(self.texts[row], self.emotions(row), self.model.labels)

    def document(self) -> dict[str, Any]:
        """All answered lines as `predict --json` says them."""
        return {"model": self.model.name, "results": [self.result(row) for row in range(self.done)]}

    def order(self, column: int, downwards: bool) -> list[int]:
        """All rows sorted by a column; those without an answer last. By emotions: the most of them, then the strongest."""
        rows = list(range(len(self.texts)))
        if column == 0:
            return rows[::-1] if downwards else rows
        if column == 1:
            return sorted(rows, key=lambda r: self.texts[r].casefold(), reverse=downwards)
        known = [r for r in rows if self._answered(r)]
        key = self._strength if column == 2 else self._top
        return sorted(known, key=key, reverse=downwards) + [r for r in rows if not self._answered(r)]

    def _answered(self, row: int) -> bool:
        scores = self.scores(row)
        return bool(scores) and not math.isnan(scores[0])

    def _top(self, row: int) -> float:
        return max(self.scores(row))

    def _strength(self, row: int) -> tuple[int, float]:
        scores = self.scores(row)
        return sum(p >= t for p, t in zip(scores, self.limits, strict=True)), max(scores)


@dataclass(frozen=True)
class Kept:
    """A table of lines as it was left: by line `row`, sorted as (column, downwards), read in `seconds` so far."""

    lines: Lines
    batch: Batch | None
    row: int
    sorting: tuple[int, bool]
    seconds: float
