"""Asks what a run is to be called, and for a note about it. Written into the run's folder; its id stays as it is."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from goemo_tui.safe_text import clean, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.field import Field
from trainer.runs.about import About, write_about
from trainer.runs.run import Run, list_runs

SAVING = "name and note"


class AboutRun(Dialog[About]):
    """Answers with what was written, None where nothing was."""

    HEADING = "name and note"
    FOOT = "Enter saves · Esc closes"
    DEFAULT_CSS = """
    AboutRun > #box { max-width: 72; }
    AboutRun Field { background: $boost; margin-bottom: 1; }
    AboutRun #complaint { color: $error; height: auto; }
    AboutRun #answers { height: 1; }
    AboutRun Button { margin-right: 2; }
    """

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self.view = view

    def body(self) -> ComposeResult:
        """Two fields and what is wrong with them."""
        yield Static(content(f"Run {self.view.id}"), classes="quiet")
        yield Static(Content("\nName: used wherever a run's id is accepted; empty takes it away"))
        name = Field(id="name", placeholder=clean(self.view.short))
        name.value = clean(self.view.about.name)
        yield name
        yield Static(Content("Note"))
        note = Field(id="note", placeholder="what is worth remembering about this run")
        note.value = clean(self.view.about.note)
        yield note
        yield Static(Content(""), id="complaint")
        with Horizontal(id="answers"):
            yield Button(Content("Save"), variant="primary", id="save", compact=True)
            yield Button(Content("Close"), id="close", compact=True)

    def on_mount(self) -> None:
        """Type at once; what is there is selected."""
        field = self.query_one("#name", Field)
        field.focus()
        field.select_all()

    @on(Field.Onward)
    def _onward(self, message: Field.Onward) -> None:
        message.stop()
        self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "save":
            self._save()
        else:
            self.action_close()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._save()

    def _save(self) -> None:
        """Beside the screen: the folder may lie on a slow disk."""
        name, note = self.query_one("#name", Field).value, self.query_one("#note", Field).value
        about, folder = self.view.about, self.view.folder

        def work() -> About:
            run = Run.open(folder)
            return write_about(
                run,
                name if name != clean(about.name) else None,  # what was not touched stays as it is
                note if note != clean(about.note) else None,
                list_runs(),
            )

        beside(SAVING, work, self.post_message)

    @on(Done)
    def _saved(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.query_one("#complaint", Static).update(content(f"✗ {message.error}"))
        elif isinstance(message.value, About):
            self.dismiss(message.value)
