"""Lists what is wrong with a corpus: refused files, warnings, and every skipped row by file and line.

The list can be searched; the line an entry is about is shown as the file has it. What other places say about the same,
in one line, is worded here too.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, Static

from goemo_tui import safe_text
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.problem_lines import Entry, beginning, entries_of, matching
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.lines import Row
from goemo_tui.widgets.long_list import LongList

if TYPE_CHECKING:
    from trainer.corpus import Corpus

FEW = 5
"""Entries up to which the box is only as high as it must be."""

_SIGNS = {"refused": ("✗", "error"), "warning": ("!", "warn"), "problem": ("·", "quiet")}


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


def whole_refusal(corpus: Corpus) -> str:
    """Why nothing of a corpus can be trained on, and where all the reasons are; empty where one of its files can be."""
    if any(not split.refused for split in corpus.splits.values()):
        return ""
    said = " · ".join(why.replace(" (p lists all reasons)", "") for why in refusals(corpus).values())
    return f"{said} · goemo-tui data check {shlex.quote(str(corpus.path))} lists every reason"


class Problems(Dialog[None]):
    """A sentence, a filter, the list, and the chosen entry in full."""

    HEADING = "Problems"
    FOOT = "Enter shows the line · y copies · / filters · Esc closes"
    BINDINGS = [
        Binding("slash", "filter", "Filter"),
        Binding("y", "copy", "Copy"),
    ]
    DEFAULT_CSS = """
    Problems > #box { max-width: 120; }
    Problems #summary { height: auto; margin-bottom: 1; }
    Problems #find, Problems #find:focus { background: $panel; }
    Problems LongList { min-height: 3; margin-top: 1; }
    Problems #whole { height: auto; max-height: 7; margin-top: 1; }
    Problems #raw { height: auto; max-height: 4; color: $quiet; display: none; }
    """

    def __init__(self, corpus: Corpus) -> None:
        super().__init__()
        self.corpus = corpus
        self.entries: list[Entry] = entries_of(corpus)
        self.found: list[int] = list(range(len(self.entries)))
        self._lowered: list[str] = []

    def body(self) -> ComposeResult:
        """What there is."""
        if not self.entries:
            yield Static(Content("Nothing is wrong: every row of every file can be used."))
            return
        yield Static(Content(""), id="summary")
        yield Field(id="find", placeholder="words of the message, file or line", about="Entries with all these words.")
        yield LongList(
            id="problems",
            about="What is wrong, worst first. Enter shows the line in the file, y copies the entry.",
            empty="No entry has these words; empty the field to see all.",
        )
        yield Static(Content(""), id="whole")
        yield Static(Content(""), id="raw")

    def on_mount(self) -> None:
        """To the list; the field is one key away."""
        if self.entries:
            few = len(self.entries) <= FEW
            self.query_one("#box").styles.height = "auto" if few else "90%"
            self.query_one("#problems").styles.height = len(self.entries) if few else "1fr"
            self._show()
            self.set_focus(self.query_one("#problems"))

    def _show(self) -> None:
        total = len(self.corpus.problems)
        said = f"{_number(total, 'row')} skipped" if total else "No row was skipped"
        if len(self.found) < len(self.entries):
            said += f"; {len(self.found):,} of {_number(len(self.entries), 'entry')} shown".replace("entrys", "entries")
        path = shlex.quote(str(self.corpus.path))
        summary = safe_text.content(f"{said}. The same in full: goemo-tui data check {path}")
        self.query_one("#summary", Static).update(summary)
        self.query_one("#problems", LongList).show(len(self.found), self._row)
        if not self.found:
            self.query_one("#whole", Static).update(Content(""))

    def _row(self, index: int) -> Row:
        entry = self.entries[self.found[index]]
        sign, style = _SIGNS[entry.kind]
        first, *more = entry.what.splitlines() or [""]
        place = safe_text.clean(entry.place)
        return (
            (f"{sign} ", style),
            (f"{place}  " if place and entry.kind == "problem" else "", "accent"),
            (safe_text.clean(first, limit=400) + (" …" if more else ""), ""),
        )

    @property
    def chosen(self) -> Entry | None:
        """The entry under the cursor."""
        at = self.query_one("#problems", LongList).cursor if self.entries else 0
        return self.entries[self.found[at]] if at < len(self.found) else None

    @on(Input.Changed, "#find")
    def _typed(self, event: Input.Changed) -> None:
        self._lowered = self._lowered or [entry.text.lower() for entry in self.entries]
        self.found = matching(self._lowered, event.value)
        self._show()

    @on(Input.Submitted, "#find")
    @on(Field.Onward, "#find")
    def _to_list(self) -> None:
        self.set_focus(self.query_one("#problems"))

    @on(LongList.Above, "#problems")
    def action_filter(self) -> None:
        """To the filter."""
        if self.entries:
            self.set_focus(self.query_one("#find"))

    def action_leave_field(self) -> None:
        """Esc in the filter: to the list."""
        self._to_list()

    @on(LongList.Looked, "#problems")
    def _looked(self) -> None:
        entry = self.chosen
        if entry is not None:
            whole = Content.assemble(
                (safe_text.clean(f"{entry.file}:{entry.line}  " if entry.line else ""), "$accent"),
                safe_text.content(entry.what, newlines=True),
            )
            self.query_one("#whole", Static).update(whole)
            self.query_one("#raw", Static).display = False

    @on(LongList.Chosen, "#problems")
    def _show_line(self) -> None:
        entry = self.chosen
        if entry is not None:
            beside("raw line", lambda: (entry, beginning(entry)), self.post_message)

    def on_done(self, message: Done) -> None:
        """The line is there, or why it is not."""
        if message.name == "raw line" and isinstance(message.value, tuple):
            entry, line = message.value
            if entry is self.chosen:
                raw = self.query_one("#raw", Static)
                raw.update(safe_text.content(line))
                raw.display = True

    def action_copy(self) -> None:
        """The entry into the terminal's clipboard."""
        entry = self.chosen
        if entry is not None:
            from goemo_tui.app import GoemoApp

            assert isinstance(self.app, GoemoApp)
            self.app.copy(entry.text, entry.place or "the entry")
