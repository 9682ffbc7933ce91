"""Many sentences at once: a table that fills while the model reads them, sorted, copied, saved, opened one by one.

The lines go through the prediction child in small portions; this screen never waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from goemo_tui import actions
from goemo_tui.safe_text import clean, content
from goemo_tui.screens.closes_once import ClosesOnce
from goemo_tui.screens.place import Place
from goemo_tui.services.batch import MOST_LINES, Batch, Kept, Lines, read_file, read_lines, readable
from goemo_tui.services.batch_file import complaint_about, write_batch
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.called import called
from goemo_tui.services.prediction import TUNED, Threshold, as_json
from goemo_tui.services.reading import Reading
from goemo_tui.services.talk import Failed, Ready, Scored, Talk
from goemo_tui.widgets.batch_table import BatchTable
from goemo_tui.widgets.header import GoemoHeader
from goemo_tui.widgets.key_line import KeyLine
from goemo_tui.wording import duration, rate
from trainer.errors import GoemoError
from trainer.paths import expanded

MOST_COPIED = 1_000_000
"""Characters that a terminal's clipboard may be sent; many take less."""

EMPTY = f"""\
No lines yet. Paste them here, one sentence a line, or press o to open a text file.
At most {MOST_LINES:,} lines at once; goemo-tui predict - reads as many as there are."""

Opened = Callable[[str], object]

OF_THRESHOLDS = ("threshold", "lower", "higher", "bit_lower", "bit_higher", "tuned")
"""Inspect's keys that do here what they do there."""


class BatchScreen(ClosesOnce, Place):
    """`opened` is called with the text of a line that is to be looked at in Inspect; `kept` is a table that was left."""

    HOME = "#batch"
    BINDINGS = [
        b
        for b in actions.bindings("inspect")
        if isinstance(b, Binding) and b.id and b.id.removeprefix("inspect.") in OF_THRESHOLDS
    ]
    DEFAULT_CSS = """
    BatchScreen #told { height: auto; max-height: 3; padding: 0 2; }
    BatchScreen #none { height: auto; padding: 1 2; color: $quiet; }
    BatchScreen #lines { height: 1fr; }
    """

    def __init__(self, reading: Reading, opened: Opened, lines: Lines | None = None, kept: Kept | None = None) -> None:
        super().__init__()
        self._kept = kept
        self.left: Kept | None = None
        """The table as it was when it was closed; None where it held no lines."""
        self.reading, self._opened = reading, opened
        self._lines = lines
        self._batch: Batch | None = None
        self._trouble = ""
        self._began = 0.0
        self._seconds = 0.0

    def compose(self) -> ComposeResult:
        """As a place, under Inspect's tab."""
        yield GoemoHeader("inspect")
        with Container(id="place"):
            yield from self.body()
        yield KeyLine(show_command_palette=False, compact=True)

    def body(self) -> ComposeResult:
        """What is told, and the table."""
        with Vertical():
            yield Static(id="told", markup=False)
            with Vertical(id="lines", classes="pane"):
                yield Static(content(EMPTY, newlines=True), id="none")
                yield BatchTable(id="batch")

    def on_mount(self) -> None:
        """Begin with the lines that are there."""
        self.query_one("#lines").border_title = "batch"
        if self._kept is not None:
            self._come_back(self._kept)
        else:
            self._begin(self._lines)

    # Lines in, answers in

    def _begin(self, lines: Lines | None, before: Batch | None = None) -> None:
        self._lines, self._trouble, self._batch = lines, "", None
        model = self.reading.model
        if before is not None and before.model == model:
            self._batch = before
            before.judge(self.reading.threshold)
        elif lines is not None and lines.texts and model is not None:
            self._batch = Batch(lines.texts, model, self.reading.threshold)
        self.query_one(BatchTable).show(self._batch)
        self.query_one("#none").display = lines is None
        self._began, self._seconds = time.monotonic(), 0.0
        self._ask()
        self._show()

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """As it is, it can be come back to."""
        if self.is_mounted and self._lines is not None and self._lines.texts:
            table = self.query_one(BatchTable)
            self.left = Kept(self._lines, self._batch, table.row, table.sorting, self._seconds)
        return super().dismiss(result)

    def _come_back(self, kept: Kept) -> None:
        """As it was left; where another model is meant since, it reads the lines anew."""
        self._begin(kept.lines, kept.batch)
        self._began -= kept.seconds
        self._seconds = kept.seconds if self._batch is kept.batch else 0.0
        self.query_one(BatchTable).come_back(kept.row, kept.sorting)
        self._show()

    def _ask(self) -> None:
        if self._batch is not None and not self._batch.finished:
            self.reading.service.batch(self._batch.next_texts())

    def heard(self, message: Talk) -> None:
        """What the child said while this screen is open."""
        batch = self._batch
        if not self.is_mounted:
            return
        if isinstance(message, Scored) and batch is not None:
            before = batch.done
            if not batch.take(message.request.texts, message.scores):
                return  # the answer to lines that have been replaced since
            self._advance(before)
        elif isinstance(message, Failed):
            self._failed(message)
        elif isinstance(message, Ready) and batch is None and self._lines is not None:
            self._begin(self._lines)
        self._show()

    def _failed(self, message: Failed) -> None:
        batch = self._batch
        if message.dead or message.no_model:
            self._trouble = f"{message.message}. r goes on from here" if batch else message.message
        elif batch is not None and message.request is not None and message.request.texts == batch.next_texts():
            before = batch.done
            batch.pass_over(message.request.texts)
            self.notify(message.message, title="Some lines could not be read", severity="warning", timeout=8)
            self._advance(before)

    def _advance(self, before: int) -> None:
        self._trouble, self._seconds = "", time.monotonic() - self._began
        self.query_one(BatchTable).advance(before)
        self._ask()

    # What is drawn

    def _show(self) -> None:
        told = self.query_one("#told", Static)
        lines = [self._told()]
        if self._lines is not None and self._lines.note:
            lines.append(content(self._lines.note, style="$warning"))
        told.update(Content("\n").join(lines))

    def _told(self) -> Content:
        if self._trouble:
            return content(f"✗ {self._trouble}", style="$error")
        batch, model = self._batch, self.reading.model
        if model is None:
            return content(self.reading.state() or "… the model is loading; the lines are read as soon as it is there")
        name = clean(called(model.name))
        threshold = self.reading.threshold if batch is None else batch.threshold
        judged = threshold if isinstance(threshold, str) else f"{threshold:g} for all"
        about = ("  " + name + f" · threshold {judged}", "$quiet")
        if batch is None:
            return Content.assemble(("batch", "bold"), about)
        if batch.finished:
            return Content.assemble((f"{len(batch):,} lines", "bold"), f" in {duration(self._seconds)}", about)
        share = batch.done / len(batch)
        bar = "━" * round(20 * share) + "╌" * (20 - round(20 * share))
        speed = f" · {rate(batch.done / self._seconds)} lines/s" if self._seconds > 0 and batch.done else ""
        return Content.assemble((bar, "$accent"), f" {batch.done:,} of {len(batch):,} lines{speed}", about)

    # Keys

    def action_leave_field(self) -> None:
        """Esc: back to Inspect."""
        self.dismiss(None)

    @on(BatchTable.Picked)
    def _picked(self, event: BatchTable.Picked) -> None:
        event.stop()
        self._opened(event.text)
        self.dismiss(None)

    def action_as_one(self) -> None:
        """The lines were one text after all."""
        if self._lines is not None and self._lines.texts:
            self._opened(" ".join(self._lines.texts))
            self.dismiss(None)

    def action_anew(self) -> None:
        """An empty table."""
        self._begin(None)

    def action_go_on(self) -> None:
        """After a death of the child."""
        self._trouble = ""
        self.reading.service.start(again=True)
        self._ask()
        self._show()

    # Thresholds

    def _judge(self) -> None:
        """By the reading's threshold, with effect at once."""
        if self._batch is not None:
            self._batch.judge(self.reading.threshold)
            self.query_one(BatchTable).judged()
        self._show()

    def action_threshold(self) -> None:
        """Another threshold, for Inspect too."""
        from goemo_tui.screens.pick_threshold import PickThreshold

        def picked(threshold: Threshold | None) -> None:
            if threshold is not None:
                self.reading.threshold = threshold
                self._judge()

        self.app.push_screen(PickThreshold(self.reading.threshold), picked)

    def action_threshold_by(self, hundredths: int) -> None:
        """One threshold for all, moved."""
        self.reading.move(hundredths / 100)
        self._judge()

    def action_tuned(self) -> None:
        """Each emotion's own threshold."""
        self.reading.threshold = TUNED
        self._judge()

    # Lines out

    def action_copy_json(self) -> None:
        """The document of `goemo-tui predict --json` for all lines."""
        batch = self._batch
        if batch is None or not batch.done:
            self.notify("Nothing to copy yet.", severity="warning")
            return
        beside("copy", lambda: as_json(batch.document()), self.post_message)

    def action_open_lines(self) -> None:
        """A file in place of what is here."""
        from goemo_tui.screens.ask_path import AskPath

        def answered(path: str | None) -> None:
            if path:
                beside("open", lambda: read_file(path), self.post_message)

        self.app.push_screen(
            AskPath("Open lines", "A text file, one sentence a line", _unreadable, f"{_here()}/"), answered
        )

    def action_write(self) -> None:
        """Into a file, in the format that its name says."""
        from goemo_tui.screens.ask_path import AskPath

        batch = self._batch
        if batch is None or not batch.done:
            self.notify("Nothing to save yet.", severity="warning")
            return

        def answered(path: str | None) -> None:
            if path:
                beside("write", lambda: write_batch(batch, path), self.post_message)

        about = f"{batch.done:,} of {len(batch):,} lines: .tsv and .csv with a column a label, or .jsonl"
        proposed = str(_here() / "emotions.tsv")
        self.app.push_screen(AskPath("Save the batch", about, complaint_about, proposed, _is_there), answered)

    def on_paste(self, event: events.Paste) -> None:
        """Lines that are pasted take the place of those that are here."""
        event.stop()
        lines = read_lines(event.text)
        if lines.texts:
            self._begin(lines)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.notify(str(message.error), severity="error", timeout=8)
        elif message.name == "open" and isinstance(message.value, Lines):
            self._begin(message.value)
        elif message.name == "write":
            self.notify(str(message.value), timeout=6)
        elif message.name == "copy" and isinstance(message.value, str):
            self._copy(message.value)

    def _copy(self, text: str) -> None:
        if len(text) > MOST_COPIED:
            self.notify(
                f"{len(text) / 1e6:.1f} MB are too much for a terminal's clipboard: w saves them into a file.",
                severity="warning",
                timeout=8,
            )
        else:
            self.goemo.copy(text, "The batch as JSON")


def _here() -> Path:
    """Where the person is, or at home where that folder is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def _unreadable(answer: str) -> str:
    try:
        readable(answer)
    except GoemoError as error:
        return str(error)
    return ""


def _is_there(answer: str) -> str:
    return "this file is there already: Enter again replaces it" if expanded(answer.strip()).exists() else ""
