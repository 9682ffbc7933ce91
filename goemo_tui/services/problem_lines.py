"""What is wrong with a corpus as entries that can be searched, and the beginning of the line an entry is about.

Plain data in and out; nothing is drawn. 100,000 entries are put into words only when somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.corpus import Corpus

BEGINNING = 400
"""Bytes of a raw line that are shown."""


@dataclass(frozen=True)
class Entry:
    """One thing to be said, worst first in a list. `line` 0 speaks of the whole `file`; a warning may have no file."""

    kind: Literal["refused", "warning", "problem"]
    file: str
    line: int
    what: str

    @property
    def place(self) -> str:
        """`train.tsv:18`, the name without its folder."""
        name = Path(self.file).name if self.file else ""
        return f"{name}:{self.line}" if self.line else name

    @property
    def text(self) -> str:
        """The entry on one line, as it is copied and searched."""
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.what}" if at else self.what


def entries_of(corpus: Corpus) -> list[Entry]:
    """All that is to be said about a corpus: refusals, warnings, then every skipped row in line order."""
    found = [
        Entry("refused", str(split.file or ""), 0, split.refused) for split in corpus.splits.values() if split.refused
    ]
    found += [Entry("warning", "", 0, warning) for warning in corpus.warnings]
    found += [Entry("problem", problem.file, problem.line, problem.what) for problem in corpus.problems]
    return found


def matching(lowered: list[str], words: str) -> list[int]:
    """Indexes of the texts (in lower case) that hold every one of the words."""
    wanted = words.lower().split()
    if not wanted:
        return list(range(len(lowered)))
    return [i for i, text in enumerate(lowered) if all(word in text for word in wanted)]


def beginning(entry: Entry) -> str:
    """The beginning of the line an entry is about, as the file has it now; else a sentence that says why not."""
    file = Path(entry.file)
    if not entry.line:
        return "This speaks of the whole, not of a line." if entry.file else "This speaks of the corpus, not of a line."
    if file.suffix.lower() == ".parquet":
        return f"Row {entry.line:,} of a Parquet file: it has no lines of text to show."
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if number == entry.line:
                    said = line.rstrip(b"\r\n")
                    more = "…" if len(said) > BEGINNING else ""
                    return said[:BEGINNING].decode("utf-8", "backslashreplace") + more or "(an empty line)"
    except OSError as error:
        return f"{file} cannot be read any more: {error.strerror or error}"
    return f"{file} has no line {entry.line:,} any more: it was changed since it was read"
