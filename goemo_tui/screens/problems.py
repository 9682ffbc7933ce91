"""Lists what is wrong with a corpus: refused files, warnings, and every skipped row by file and line.

What other places say about the same, in one line, is worded here too.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static

from goemo_tui import safe_text
from goemo_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from trainer.corpus import Corpus

SHOWN = 2_000
"""Lines that are listed; `goemo-tui data check` prints them all."""


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def summary(corpus: Corpus) -> str:
    """`3 rows skipped · 2 warnings (p)`; nothing where nothing is wrong."""
    parts = []
    if corpus.problems:
        parts.append(f"{_number(len(corpus.problems), 'row')} skipped")
    if corpus.warnings:
        parts.append(_number(len(corpus.warnings), "warning"))
    return f"{' · '.join(parts)} (p)" if parts else ""


def refusals(corpus: Corpus) -> dict[str, str]:
    """Split name -> one sentence for each that is refused: the file, why, and the first reason."""
    said = {}
    for name, split in corpus.splits.items():
        if split.refused:
            _, _, why = split.refused.partition(" is refused for training: ")
            file = split.file.name if split.file is not None else name
            first = "; ".join(line.strip() for line in why.splitlines()[:2])
            said[name] = f"{file} is refused for training (p lists all reasons): {first}"
    return said


def problem_lines(corpus: Corpus) -> list[Content]:
    """What is to be said about a corpus, worst first."""
    lines = [
        Content.assemble(("✗ ", "bold $error"), safe_text.content(split.refused, newlines=True))
        for split in corpus.splits.values()
        if split.refused
    ]
    lines += [
        Content.assemble(("! ", "bold $warning"), safe_text.content(warning, newlines=True))
        for warning in corpus.warnings
    ]
    for problem in corpus.problems[:SHOWN]:
        where = f"{problem.file}:{problem.line}" if problem.line else str(problem.file)
        lines.append(Content.assemble((safe_text.clean(where), "$accent"), "  ", safe_text.content(problem.what)))
    return lines


class Problems(Dialog[None]):
    """A scrolling list."""

    HEADING = "Problems"
    DEFAULT_CSS = """
    Problems OptionList { height: auto; max-height: 24; border: none; background: $surface; padding: 0; }
    Problems OptionList:focus { border: none; }
    Problems Static { margin-bottom: 1; }
    """

    def __init__(self, corpus: Corpus) -> None:
        super().__init__()
        self.corpus = corpus

    def body(self) -> ComposeResult:
        """A sentence and the list."""
        lines = problem_lines(self.corpus)
        total = len(self.corpus.problems)
        if not lines:
            yield Static(Content("Nothing is wrong: every row of every file can be used."))
            return
        said = f"{_number(total, 'row')} skipped" if total else "No row was skipped"
        if total > SHOWN:
            said += f"; the first {SHOWN:,} are listed"
        path = shlex.quote(str(self.corpus.path))
        yield Static(safe_text.content(f"{said}. The same in full: goemo-tui data check {path}"))
        yield OptionList(*lines, markup=False)
