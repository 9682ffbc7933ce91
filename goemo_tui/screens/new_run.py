"""The form for a new training: every setting with its default, range and meaning, checked while it is typed.

It starts nothing itself: `services.new_run` checks and starts in a thread, with the command line's own checks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Static

from goemo_tui.safe_text import content
from goemo_tui.screens.closes_once import ClosesOnce
from goemo_tui.screens.present_size import PresentSize
from goemo_tui.services import new_run, offers
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.estimate import trained_on
from goemo_tui.services.new_run import Draft, Started
from goemo_tui.services.runs import RunsChanged
from goemo_tui.widgets.command_line import CommandLine
from goemo_tui.widgets.estimate_line import EstimateLine
from goemo_tui.widgets.header import GoemoHeader, PlaceTab
from goemo_tui.widgets.run_form import RunForm
from goemo_tui.widgets.setting_row import SettingRow
from trainer.config import SETTINGS, TrainConfig
from trainer.errors import ConfigError
from trainer.runs.forecast import learned_at_most

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp


@dataclass(frozen=True)
class Left:
    """A form that was left: what stood in it, and the corpus that it was opened with."""

    draft: Draft
    data: str


_LEFT: WeakKeyDictionary[App[Any], Left] = WeakKeyDictionary()
"""The form that each app's person left without a start: nothing typed is lost, and the next form begins with it."""


class NewRunScreen(ClosesOnce, PresentSize, Screen[str | None]):
    """Answers with the id of the run that was started, or None.

    `data` is the corpus that is open in Data, `recent` are the paths opened before. `like` is a run whose settings fill
    the form; without it, the form begins as it was left the last time.
    """

    CSS_PATH = "new_run.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    AUTO_FOCUS = "#select-data"
    BINDINGS = [
        Binding("ctrl+s", "start", "Start", priority=True, tooltip="Check everything and start the training"),
        Binding("ctrl+e", "estimate", "Time", priority=True, tooltip="Time a few steps, or stop timing them"),
        Binding("ctrl+y", "copy_command", "Copy", priority=True, tooltip="Copy the headless command"),
        Binding("ctrl+r", "put_back", "Reset one", priority=True, tooltip="Put the usual value back into this field"),
        Binding("f5", "begin_anew", "All defaults", show=False, priority=True),
        Binding("escape", "leave_field", "Leave"),
        Binding("f6", "focus_start", "To Start", show=False),
    ]

    class Said(Message):
        """What the start is busy with."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, data: str = "sample", recent: tuple[str, ...] = (), like: str | None = None) -> None:
        super().__init__()
        self._preset = offers.data_setting(data)
        self._recent = recent
        self._wanted = like
        self._starting = False

    @property
    def draft(self) -> Draft:
        """What stands in the form."""
        return self._form.draft

    def _fresh(self) -> Draft:
        return Draft("goemo", new_run.defaults("goemo") | {"data": self._preset})

    def _first(self) -> Draft:
        """What the form begins with: what was left the last time, or the defaults."""
        left = _LEFT.get(self.app)
        if left is None or self._wanted is not None:
            return self._fresh()
        if left.draft.texts["data"] != left.data:
            return left.draft
        # nobody chose that corpus: it is the one that is open now
        return replace(left.draft, texts={**left.draft.texts, "data": self._preset})

    def compose(self) -> ComposeResult:
        """Header, rows, estimate, command, buttons, footer."""
        yield GoemoHeader("train")
        with Vertical(id="form") as form:
            form.border_title = "new run"
            kept = self._goemo.remembered.of("train").get("advanced")
            yield RunForm(self._first(), self._recent, "rows", kept if isinstance(kept, bool) else None)
            yield Static(id="about", markup=False)
            yield EstimateLine()
            yield CommandLine()
            yield Static(id="status", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Content("Start"), id="start", variant="success", compact=True)
                yield Button(Content("Estimate"), id="measure", compact=True)
                yield Button(Content("Copy"), id="copy", compact=True)
                yield Button(Content("Defaults"), id="anew", compact=True, tooltip="F5: all as at first")
                yield Button(Content("Cancel"), id="cancel", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Follow the runs, and say where the settings come from."""
        header = self.query_one(GoemoHeader)
        self.watch(self.app, "run_line", lambda text: setattr(header, "run_line", text))
        self.watch(self.app, "machine_line", lambda text: setattr(header, "machine_line", text))
        self._goemo.runs.subscribe(self.post_message)
        if self._wanted is not None:
            self._form.take_like(self._wanted)
        elif self._is_changed:
            self._tell(content("as you left it · F5 puts everything back"))
        self._check()

    def on_unmount(self) -> None:
        """Follow the runs no more."""
        self._goemo.runs.unsubscribe(self.post_message)

    @property
    def _goemo(self) -> GoemoApp:
        return cast("GoemoApp", self.app)

    @property
    def _form(self) -> RunForm:
        return self.query_one(RunForm)

    @property
    def _is_changed(self) -> bool:
        """Whether there is anything in the form that would be lost."""
        return self.draft != replace(self._fresh(), width=self.draft.width)

    # What is typed and chosen

    @on(RunForm.Changed)
    def _changed(self, message: RunForm.Changed) -> None:
        message.stop()
        if message.typed:
            self._tell(Content(""))
        self._check()

    @on(RunForm.Folded)
    def _folded(self, message: RunForm.Folded) -> None:
        message.stop()
        self._goemo.keep("train", advanced=message.advanced)

    @on(RunsChanged)
    def _runs_changed(self, message: RunsChanged) -> None:
        message.stop()
        self._form.offer(message.runs)
        self._tell_about()
        self._estimate(new_run.check(self.draft)[0])

    def _check(self) -> None:
        """Name what is wrong beside its field; without a fault show the command and allow the start."""
        config, wrong = new_run.check(self.draft)
        self._form.tell(wrong, new_run.differing(self.draft))
        self._tell_about()
        self.query_one("#start", Button).disabled = config is None or self._starting
        first = Content.styled(f"✗ to be put right first: {', '.join(wrong)}", "$error")
        self.query_one(CommandLine).show(new_run.command(self.draft, config) if config else None, first)
        self._estimate(config)

    def _estimate(self, config: TrainConfig | None) -> None:
        """Tell the line of the estimate what it is about."""
        form = self._form
        others = trained_on(self._goemo.runs.runs, config.device, form.devices[0]) if config and form.devices else []
        shape, learned = form.anatomy, None
        if config is not None and shape is not None:
            learned = learned_at_most(config, shape.parameters, shape.layers, shape.width)
        self.query_one(EstimateLine).show(config, shape.parameters if shape else None, others, learned)

    def on_descendant_focus(self) -> None:
        """The row that has the focus tells all it has to say."""
        self._tell_about()

    @property
    def _focused_row(self) -> SettingRow | None:
        return next((n for n in self.focused.ancestors if isinstance(n, SettingRow)), None) if self.focused else None

    def _tell_about(self) -> None:
        row = self._focused_row
        text = content(f"{row.key}: {row.text}") if row is not None else Content("")
        about = self.query_one("#about", Static)
        if about.content != text:
            about.update(text, layout=False)

    # What is found beside the screen

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == "start":
            self._started(message)

    @on(Said)
    def _said(self, message: Said) -> None:
        self._tell(content(f"… {message.text}"))

    def _tell(self, text: Content) -> None:
        """What the start is busy with or why it did not work; takes room only while it says something."""
        status = self.query_one("#status", Static)
        if status.content != text:
            status.update(text)
            status.display = bool(text)

    def _started(self, message: Done) -> None:
        self._starting = False
        if message.error is None:
            started = cast("Started", message.value)
            for warning in started.warnings:
                self.notify(warning, title="Training", severity="warning", timeout=12)
            _LEFT.pop(self.app, None)
            self.dismiss(started.run_id)
            return
        self._check()
        self._tell(Content.assemble(("✗ ", "$error"), content(str(message.error), newlines=True)))
        key = message.error.key if isinstance(message.error, ConfigError) else None
        if key in SETTINGS:
            self._form.go_to(key, str(message.error))

    # Keys

    def action_start(self) -> None:
        """Check as the command line does and start the worker; the form stays until that worked."""
        button = self.query_one("#start", Button)
        if button.disabled:
            _, wrong = new_run.check(self.draft)
            if wrong:
                self._form.go_to(next(iter(wrong)))
            return
        self._starting = button.disabled = True
        self.query_one(EstimateLine).cancel()
        draft = self.draft

        def say(text: str) -> None:
            self.post_message(self.Said(text))

        beside("start", lambda: new_run.begin(draft, say), self.post_message)

    def action_estimate(self) -> None:
        """Measure what it would take, or stop measuring."""
        self.query_one(EstimateLine).toggle()

    @on(EstimateLine.Changed)
    def _measuring(self, message: EstimateLine.Changed) -> None:
        message.stop()
        busy = self.query_one(EstimateLine).measuring is not None
        self.query_one("#measure", Button).label = Content("Stop it" if busy else "Estimate")

    def action_copy_command(self) -> None:
        """Copy the command line that does the same."""
        text = self.query_one(CommandLine).text
        if text is None:
            self.notify(
                "There is no command yet: put right what is marked with ✗ first.", severity="warning", timeout=4
            )
        else:
            self._goemo.copy(text, "Command")

    @on(CommandLine.Copied)
    def _copied(self, message: CommandLine.Copied) -> None:
        message.stop()
        self.action_copy_command()

    def action_put_back(self) -> None:
        """Put the usual value back into the field that has the focus."""
        row = self._focused_row
        if row is not None:
            self._form.put_back(row)

    def action_begin_anew(self) -> None:
        """All fields as at first."""
        self._form.fill(self._fresh())
        self._tell(Content(""))

    def action_leave_field(self) -> None:
        """Out of a text field to Start; anywhere else without a run."""
        if isinstance(self.focused, Input):
            self.action_focus_start()
        else:
            self._leave()

    def _leave(self) -> None:
        """Without a run; what was changed is there again the next time."""
        if self._is_changed:
            _LEFT[self.app] = Left(self.draft, self._preset)
            self.notify("What you set up is kept: n shows it again.", timeout=3)
        else:
            _LEFT.pop(self.app, None)
        self.dismiss(None)

    def action_focus_start(self) -> None:
        """To the buttons."""
        start = self.query_one("#start", Button)
        (self.query_one("#cancel") if start.disabled else start).focus()

    @on(SettingRow.Onward)
    def _next_field(self, message: SettingRow.Onward) -> None:
        message.stop()
        self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        does = {
            "start": self.action_start, "measure": self.action_estimate, "copy": self.action_copy_command,
            "anew": self.action_begin_anew,
        }  # fmt: skip
        does.get(event.button.id or "", self._leave)()

    def on_place_tab_chosen(self, message: PlaceTab.Chosen) -> None:
        """A click on a tab of the header; the form waits here."""
        self._goemo.action_place(message.place)
