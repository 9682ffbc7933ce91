"""Asks which model is to answer: the starter, a run's, or a folder or Hub name that is typed."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from goemo_tui.safe_text import cells, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.widgets.field import Field
from goemo_tui.wording import score
from trainer.modelfolder import list_models
from trainer.runs.run import Run
from trainer.runs.snapshot import number


class PickModel(Dialog[str | None]):
    """Answers with what `find_model` takes, or None."""

    HEADING = "Pick a model"
    FOOT = "↑↓ Enter picks · Tab to the field · Esc closes"
    DEFAULT_CSS = """
    PickModel OptionList { height: auto; max-height: 12; border: none; background: $surface; padding: 0; }
    PickModel Field { background: $boost; margin-top: 1; }
    PickModel #note { color: $quiet; height: auto; }
    """

    def body(self) -> ComposeResult:
        """What there is, and a field for anything else."""
        yield Static("looking for models …", id="note", markup=False)
        yield OptionList(id="models", markup=False, compact=True)
        yield Field(id="path", placeholder="or type a model's folder, a run, or a Hub name")

    def on_mount(self) -> None:
        """Look at the disk beside the screen."""
        self.query_one("#path").focus()
        beside("models", _models, self.post_message)

    @on(Done)
    def _found(self, message: Done) -> None:
        message.stop()
        note, models = self.query_one("#note", Static), self.query_one("#models", OptionList)
        if message.error is not None:
            note.update(content(str(message.error)))
            return
        found = message.value if isinstance(message.value, list) else []
        for name, about in found:
            models.add_option(Option(Content.assemble(content(cells(name, 44)), (f"  {about}", "$quiet")), id=name))
        note.display = not found
        note.update("No model yet: train one in Train (2, then n), or type a model's folder.")
        if found and not self.query_one(Field).value:
            models.focus()
            models.highlighted = 0

    @on(OptionList.OptionSelected, "#models")
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(str(event.option.id))

    @on(Input.Submitted, "#path")
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())

    @on(Field.Onward)
    def _to_list(self) -> None:
        self.query_one("#models").focus()


def _models() -> list[tuple[str, str]]:
    """(name, what is known of it) of each model on this machine."""
    found = []
    for model in list_models():
        about = "ships with the program"
        if model.kind == "run":
            look = Run.open(model.path.parent).look()
            best = look.snapshot.best
            about = look.state + (f" · F1 {score(number(best.get('macro_f1')))}" if best else "")
        found.append((model.name, about))
    return found
