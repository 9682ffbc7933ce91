"""The rows of one file as they are read, one by one: each is taken or written down as bad, once.

Knows what makes a row good; may not know how lines or objects are cut into parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.corpus.split import Problem, Split

LONGEST = 10_000
"""Characters of a comment or an id. Anything longer is a broken file rather than a comment."""

MOST_BAD = 0.2
"""A larger share of bad rows and the file is refused for training: it is probably being misread."""


@dataclass
class Gathered:
    """Gathers the rows of one file; every row goes through `add` or `bad`, once."""

    file: str
    name: str
    cells: LabelCells
    text: list[str] = field(default_factory=list)
    labels: list[tuple[int, ...]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def bad(self, line: int, what: str) -> None:
        """Write down why a row is not taken."""
        self.problems.append(Problem(self.file, line, what))

    def add(self, line: int, text: object, cell: object, row_id: object) -> None:
        """Take the row if it is good, else write down the first thing that is wrong with it."""
        if not isinstance(text, str):
            return self.bad(line, "empty text" if text is None else f"text of type {type(text).__name__}, not a string")
        if isinstance(row_id, int) and not isinstance(row_id, bool):
            row_id = str(row_id)
        if not isinstance(row_id, str) or not row_id.strip():
            row_id = f"{self.name}-{line}"
        if "\0" in text or "\0" in row_id:
            return self.bad(line, "holds a NUL character")
        if not text.strip():
            return self.bad(line, "empty text")
        if len(text) > LONGEST or len(row_id) > LONGEST:
            what, length = ("text", len(text)) if len(text) > LONGEST else ("id", len(row_id))
            return self.bad(line, f"{what} of {length:,} characters, at most {LONGEST:,} are read")
        try:
            labels = self.cells.read(cell)
        except BadLabel as error:
            return self.bad(line, str(error))
        self.text.append(text)
        self.labels.append(labels)
        self.ids.append(row_id)
        self.lines.append(line)
        return None

    def split(self, file: Path, sha256: str, hint: str | None) -> Split:
        """What was gathered. A `hint` explains a file without one usable row and stands for its many problems."""
        if hint and not self.text:
            self.problems = [Problem(self.file, 0, hint)]
        return Split(
            self.name, self.text, self.labels, self.ids, self.lines, tuple(self.problems), file, sha256,
            refusal(self.file, len(self.text), self.problems), self.cells.numbered,
        )  # fmt: skip


def refusal(file: str, good: int, problems: Sequence[Problem]) -> str | None:
    """Why a file may not be trained on, with the first five reasons, or None."""
    total = good + len(problems)
    if good and len(problems) <= MOST_BAD * total:
        return None
    if not total:
        return f"{file} is refused for training: it has no rows"
    if not good:
        start = f"{file} is refused for training: no row can be used"
    else:
        bad = f"{len(problems):,} of {total:,} rows cannot be used ({len(problems) / total:.0%}"
        start = f"{file} is refused for training: {bad}, at most {MOST_BAD:.0%} may be bad)"
    return "\n".join([start, *(f"  line {p.line}: {p.what}" if p.line else f"  {p.what}" for p in problems[:5])])
