"""Asks which model is to answer: typing filters what there is, and names anything else (a folder, a Hub name)."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from goemo_tui.safe_text import cells, clean, content
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.models import Choice, complaint_about, list_choices
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.paged import PagedList

NAME = 34
"""Cells of a model's name in the list at most; as many as the longest takes where that is less."""

NONE = "No model yet: train one in Train (2, then n), or type a model's folder or a Hub name (owner/model)."

TYPED = "typed"
"""Id of the row that takes what is typed as it is."""


class Filter(Field):
    """Up and Down move through the list while the field keeps the focus."""

    BINDINGS = [
        Binding("up,ctrl+k", "screen.step(-1)", "Up", show=False),
        Binding("down,ctrl+j", "screen.step(1)", "Down", show=False),
        Binding("pageup", "screen.step(-8)", show=False),
        Binding("pagedown", "screen.step(8)", show=False),
    ]


class PickModel(Dialog[str | None]):
    """Answers with what `find_model` takes, or None. `refused` is what could not be loaded the last time, and why."""

    HEADING = "Pick a model"
    FOOT = "type to filter · ↑↓ Enter picks · Esc closes"
    DEFAULT_CSS = """
    PickModel Filter, PickModel Filter:focus { background: $panel; }
    PickModel #complaint { color: $error; height: auto; max-height: 4; }
    PickModel #note { color: $quiet; height: auto; margin-top: 1; }
    PickModel OptionList { height: auto; max-height: 14; border: none; background: $surface; padding: 0; margin-top: 1; }
    PickModel OptionList:focus { border: none; }
    """

    def __init__(
        self, recent: tuple[str, ...] = (), refused: tuple[str, str] | None = None, heading: str = HEADING
    ) -> None:
        super().__init__()
        self.recent, self.refused, self.heading = recent, refused, heading
        self._choices: tuple[Choice, ...] = ()
        self._lists = 0
        self._offered: dict[str, str] = {}
        """Of the list that is shown now: its options -> the models they stand for."""
        self._known = False
        self._checked = ""

    def body(self) -> ComposeResult:
        """The field, what is wrong, and what there is."""
        yield Filter(id="path", placeholder="filter, or a model's folder, a run, a Hub name (owner/model)")
        yield Static(Content(""), id="complaint")
        yield Static("looking for models …", id="note", markup=False)
        yield PagedList(id="models", markup=False, compact=True)

    def on_mount(self) -> None:
        """Look at the disk beside the screen."""
        self.query_one("#box").border_title = self.heading
        self.query_one("#models").can_focus = False
        self.set_focus(self.query_one(Filter))
        if self.refused is not None:
            name, why = self.refused
            self._complain(f"{name}: {why}")
        recent = self.recent
        beside("models", lambda: list_choices(recent), self.post_message)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == "check":
            self._is_checked(str(message.value))
        elif message.error is not None:
            self._known = True
            self._complain(str(message.error))
        else:
            self._known = True
            self._choices = message.value if isinstance(message.value, tuple) else ()
            self._list()

    def _list(self) -> None:
        """What fits to what is typed, and what is typed itself."""
        typed = self.query_one(Filter).value.strip()
        models, note = self.query_one("#models", OptionList), self.query_one("#note", Static)
        fitting = [choice for choice in self._choices if choice.fits(typed)]
        models.clear_options()
        self._lists += 1
        self._offered = {f"{self._lists}.{i}": choice.name for i, choice in enumerate(fitting)}
        name = min(NAME, max((cell_len(clean(choice.short)) for choice in fitting), default=0))
        room = max(20, self.query_one("#box").size.width - name - 8)
        models.add_options(
            Option(
                Content.assemble(
                    content(set_cell_size(cells(choice.short, name), name)),
                    "  " + cells(choice.about, room),
                ),
                id=option,
            )
            for option, choice in zip(self._offered, fitting, strict=True)
        )
        if typed and typed not in [name for choice in fitting for name in (choice.name, choice.short)]:
            models.add_option(Option(content(f"load “{cells(typed, 60)}”"), id=TYPED))
        models.display = models.option_count > 0
        note.display = self._known and not self._choices and not typed
        note.update(NONE)
        models.highlighted = 0 if models.option_count else None

    @on(Input.Changed, "#path")
    def _typed(self) -> None:
        self._complain("")
        self._list()

    def action_step(self, by: int) -> None:
        """Up and down the list."""
        models = self.query_one("#models", OptionList)
        if models.option_count:
            now = models.highlighted or 0
            models.highlighted = max(0, min(models.option_count - 1, now + by))

    @on(Input.Submitted, "#path")
    def _submitted(self, event: Input.Submitted) -> None:
        models = self.query_one("#models", OptionList)
        if models.highlighted is not None and models.option_count:
            self._take(str(models.get_option_at_index(models.highlighted).id))
        elif not event.value.strip():
            self._complain("type a model's folder, a run or a Hub name")

    @on(OptionList.OptionSelected, "#models")
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._take(str(event.option.id))

    def _take(self, option: str) -> None:
        if option != TYPED:
            if option in self._offered:  # else the list was another one when it was picked
                self.dismiss(self._offered[option])
            return
        answer = self._checked = self.query_one(Filter).value.strip()
        beside("check", lambda: complaint_about(answer), self.post_message)

    def _is_checked(self, wrong: str) -> None:
        answer = self.query_one(Filter).value.strip()
        if answer != self._checked:
            return  # typed on meanwhile
        if wrong:
            self._complain(wrong)
        else:
            self.dismiss(answer)

    def _complain(self, wrong: str) -> None:
        self.query_one("#complaint", Static).update(content(f"✗ {wrong}" if wrong else ""))
