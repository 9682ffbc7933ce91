"""Asks where the rows that were found go, and writes them there beside the screen. What is wrong stands at the field."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from goemo_tui import safe_text
from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.corpus import Rows, SplitColumns
from goemo_tui.services.export import AlreadyThere, Exported, export
from goemo_tui.services.folders import completion
from goemo_tui.widgets.field import Field
from trainer.corpus.read import EXTENSIONS
from trainer.paths import expanded

_FORMATS = {
    ".tsv": "as the corpus itself: opens again here",
    ".csv": "for spreadsheets",
    ".jsonl": "one object a line; holds every text",
    ".parquet": "columns, for pandas and polars; holds every text",
}


def proposed(last: str, corpus: str, split: str) -> str:
    """A path to begin with: where and in the format that was written last, else a TSV in the working directory."""
    before = Path(last) if last else Path("rows.tsv")
    ending = before.suffix if before.suffix in EXTENSIONS else ".tsv"
    name = "".join(char if char.isalnum() or char in "-_" else "-" for char in f"{Path(corpus).stem}-{split}")
    folder = str(before.parent)
    return f"{name}-rows{ending}" if folder == "." else str(Path(folder) / f"{name}-rows{ending}")


def where(answer: str) -> str:
    """The whole folder that an answer means: `into /home/ada/corpora`; empty where it names no file."""
    text = answer.strip()
    if not text or "\0" in text or text.endswith("/"):
        return ""
    try:
        return f"into {expanded(text).absolute().parent}"
    except OSError:  # the working folder is gone
        return ""


class Folders(Suggester):
    """Completes the path that is being typed, from a thread."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, or nothing."""
        return await asyncio.to_thread(completion, value, Path.cwd())


class ExportRows(Dialog[Exported | None]):
    """Answers with what was written, or None."""

    HEADING = "Write the rows into a file"
    FOOT = "Enter writes · → completes the path · Esc closes"
    DEFAULT_CSS = """
    ExportRows Field, ExportRows Field:focus { background: $panel; }
    ExportRows #said { height: auto; min-height: 1; max-height: 4; margin-bottom: 1; color: $quiet; }
    ExportRows #said.-error { color: $error; }
    """

    def __init__(self, columns: SplitColumns, rows: Rows, proposal: str, what: str = "in the order shown") -> None:
        super().__init__()
        self.columns, self.rows, self.proposal, self.what = columns, rows, proposal, what
        self.writing = False

    def body(self) -> ComposeResult:
        """Field, what became of it, and the formats."""
        field = Field(id="path", placeholder="rows.tsv, rows.csv, rows.jsonl or rows.parquet")
        field.suggester = Folders()
        yield Static(Content(f"{len(self.rows):,} rows, {self.what}, to"), classes="quiet")
        yield field
        yield Static(Content(""), id="said")
        for ending, what in _FORMATS.items():
            yield Static(Content.assemble((f"{ending:<10}", "bold"), (what, "$quiet")))

    def on_mount(self) -> None:
        """The proposal can be taken or typed over."""
        field = self.query_one("#path", Field)
        field.value = safe_text.clean(self.proposal)
        self.set_focus(field)
        self.call_after_refresh(field.action_select_all)

    def _say(self, text: str, error: bool = False) -> None:
        said = self.query_one("#said", Static)
        said.set_class(error, "-error")
        said.update(safe_text.content(f"✗ {text}" if error else text))

    @on(Input.Changed, "#path")
    def _typed(self) -> None:
        if not self.writing:
            self._say(where(self.query_one("#path", Field).value))

    @on(Input.Submitted, "#path")
    def _submitted(self, event: Input.Submitted) -> None:
        self._write(event.value, overwrite=False)

    def _write(self, path: str, overwrite: bool) -> None:
        if self.writing:
            return
        self.writing = True
        self._say("writing …")
        columns, rows = self.columns, self.rows
        beside("export", lambda: export(columns, rows, path, overwrite), self.post_message)

    def on_done(self, message: Done) -> None:
        """It is written, or the reason why not stands at the field."""
        message.stop()
        self.writing = False
        if isinstance(message.value, Exported):
            self.dismiss(message.value)
        elif isinstance(message.error, AlreadyThere):
            self._say("")
            path = self.query_one("#path", Field).value
            self.app.push_screen(
                Confirm(f"{message.error}. Overwrite it?", "Overwrite"),
                lambda yes: self._write(path, overwrite=True) if yes else None,
            )
        else:
            self._say(str(message.error), error=True)
