"""Lists what is wrong with a corpus: refused files, warnings, and every skipped row by file and line."""

from __future__ import annotations

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


def problem_lines(corpus: Corpus) -> list[Content]:
    """What is to be said about a corpus, worst first."""
    lines = [
        Content.assemble(("✗ ", "bold $error"), safe_text.content(f"{name} is refused for training: {split.refused}"))
        for name, split in corpus.splits.items()
        if split.refused
    ]
    lines += [Content.assemble(("! ", "bold $warning"), safe_text.content(warning)) for warning in corpus.warnings]
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
        said = f"{total:,} rows were skipped" + (f"; the first {SHOWN:,} are listed" if total > SHOWN else "")
        yield Static(safe_text.content(f"{said}. All of them: goemo-tui data check {self.corpus.path}"))
        yield OptionList(*lines, markup=False)
