"""The form for a new training: every setting with its default, range and meaning, checked while it is typed.

It starts nothing itself: `services.new_run` checks and starts in a thread, with the command line's own checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Button, Footer, Input, Static

from goemo_tui.safe_text import content
from goemo_tui.services import new_run
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.new_run import NOW, CorpusNote, Draft, EncoderNote, Started
from goemo_tui.services.runs import RunsChanged
from goemo_tui.widgets.header import GoemoHeader, PlaceTab
from goemo_tui.widgets.setting_row import Choice, SettingRow
from trainer.config import RECIPES, SETTINGS, TrainConfig
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp

KEPT = frozenset({"data", "device", "limit", "seed", "taxonomy"})
"""Fields that a change of the recipe leaves as they are."""

CLOSED, OPEN = Content("▶ advanced settings"), Content("▼ advanced settings")
PAUSE = 0.4
"""Seconds without a key after which an encoder's name is looked up."""


class NewRunScreen(Screen[str | None]):
    """Answers with the id of the run that was started, or None.

    `data` is the corpus that is open in Data, `recent` are the paths opened before.
    """

    CSS_PATH = "new_run.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    AUTO_FOCUS = "#select-data"
    BINDINGS = [
        Binding("ctrl+s", "start", "Start", priority=True, tooltip="Check everything and start the training"),
        Binding("escape", "leave_field", "Cancel"),
        Binding("f6", "focus_start", "To Start", show=False),
    ]

    class Said(Message):
        """What the start is busy with."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, data: str = "sample", recent: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._recipe = "goemo"
        self._width: int | None = None
        self._start = NOW
        self._starts: list[Choice] = _choices(new_run.start_choices((), ()))
        self._devices: tuple[str, ...] = ()
        self._texts = new_run.defaults(self._recipe) | {"data": new_run.data_setting(data)}
        self._recent = recent
        self._data_wrong = ""
        self._data_timer: Timer | None = None
        self._starting = False
        self._timer: Timer | None = None

    @property
    def draft(self) -> Draft:
        """What stands in the form."""
        return Draft(self._recipe, dict(self._texts), self._width, self._start)

    def compose(self) -> ComposeResult:
        """Header, rows, command, buttons, footer."""
        yield GoemoHeader("train")
        with Vertical(id="form") as form:
            form.border_title = "new run"
            with VerticalScroll(id="rows", can_focus=False):
                open_now = self._texts["data"]
                corpora = [Choice(name, new_run.short_path(name)) for name in dict.fromkeys((open_now, "sample"))]
                yield SettingRow("data", open_now, SETTINGS["data"].help, corpora, "folder or file …")
                encoders = [Choice("minilm"), Choice("distilbert")]
                yield SettingRow("encoder", self._texts["encoder"], "", encoders, "folder or Hub name …")
                yield SettingRow(
                    "recipe", self._recipe, "", [Choice(name, note=about) for name, about in RECIPES.items()]
                )
                for key, setting in SETTINGS.items():
                    if setting.group == "simple":
                        yield self._row(key)
                yield SettingRow("start", self._start, "", self._starts)
                yield Button(CLOSED, id="more", compact=True)
                with Vertical(id="advanced"):
                    for key, setting in SETTINGS.items():
                        if setting.group == "advanced":
                            yield self._row(key)
            yield Static(id="about", markup=False)
            yield Static(id="command", markup=False)
            yield Static(id="status", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Content("Start"), id="start", variant="success", compact=True)
                yield Button(Content("Cancel"), id="cancel", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def _row(self, key: str) -> SettingRow:
        choices = [Choice(name) for name in SETTINGS[key].choices]
        if key == "device":
            choices = [Choice("auto")]
        return SettingRow(key, self._texts[key], new_run.explanation(key), choices)

    def on_mount(self) -> None:
        """Look around for corpora, devices, the encoder, and runs to wait for."""
        header = self.query_one(GoemoHeader)
        self.watch(self.app, "run_line", lambda text: setattr(header, "run_line", text))
        self.watch(self.app, "machine_line", lambda text: setattr(header, "machine_line", text))
        data = self._texts["data"]
        beside("corpora", lambda: new_run.corpus_choices(data, self._recent), self.post_message)
        self._look_at_corpus()
        beside("devices", new_run.device_choices, self.post_message)
        self._goemo.runs.subscribe(self.post_message)
        self._look_up()
        self._check()

    def on_unmount(self) -> None:
        """Follow the runs no more."""
        self._goemo.runs.unsubscribe(self.post_message)

    @property
    def _goemo(self) -> GoemoApp:
        return cast("GoemoApp", self.app)

    # What is typed and chosen

    @on(SettingRow.Changed)
    def _changed(self, message: SettingRow.Changed) -> None:
        message.stop()
        row = message.row
        if row.key == "recipe":
            self._take_recipe(row.value)
        elif row.key == "start":
            self._start = row.value
        else:
            self._texts[row.key] = row.value
        if row.key == "data":
            row.say(note=SETTINGS["data"].help)
            self._data_wrong = ""
            self._look_at_corpus_soon()
        if row.key in ("encoder", "recipe"):
            self._look_up_soon()
        self._tell(Content(""))
        self._check()

    def _take_recipe(self, name: str) -> None:
        """Fill the form with the recipe's values; what is no part of a recipe stays."""
        self._recipe, self._width = name, None
        for key, text in new_run.defaults(name).items():
            if key not in KEPT:
                self._texts[key] = text
                self._find(key).put(text)

    def _look_at_corpus_soon(self) -> None:
        if self._data_timer is not None:
            self._data_timer.stop()
        self._data_timer = self.set_timer(PAUSE, self._look_at_corpus)

    def _look_at_corpus(self) -> None:
        name = self._texts["data"].strip()
        beside("corpus", lambda: new_run.look_at_corpus(name), self.post_message)

    def _take_corpus(self, note: CorpusNote) -> None:
        """Say beside the corpus how many rows it has, or why it cannot be trained on."""
        if note.name != self._texts["data"].strip():
            return
        self._data_wrong = note.wrong
        self._find("data").say(note=note.text or SETTINGS["data"].help)
        self._check()

    def _look_up_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._look_up)

    def _look_up(self) -> None:
        name = self._texts["encoder"].strip()
        if name:
            beside("encoder", lambda: new_run.look_up(name), self.post_message)

    def _take_encoder(self, note: EncoderNote) -> None:
        """Say what the encoder is made of; a rate that is still the recipe's follows the encoder's width."""
        if note.name != self._texts["encoder"].strip():
            return
        usual = new_run.text_of(self.draft.base.lr)
        self._width = note.anatomy.width if note.anatomy else None
        if self._texts["lr"] == usual:
            self._texts["lr"] = new_run.text_of(self.draft.base.lr)
            self._find("lr").put(self._texts["lr"])
        self._find("encoder").say(note.text)
        self._check()

    @on(RunsChanged)
    def _runs_changed(self, message: RunsChanged) -> None:
        message.stop()
        self._offer_starts()

    def _offer_starts(self) -> None:
        """Offer the runs that live now to wait for."""
        row = self._find("start")
        choices = _choices(new_run.start_choices(self._goemo.runs.runs, self._devices, self._start))
        if choices != self._starts:
            self._starts = choices
            row.set_choices(choices)
            row.say()
            self._tell_about()

    def _find(self, key: str) -> SettingRow:
        return self.query_one(f"#row-{key}", SettingRow)

    def _check(self) -> None:
        """Name what is wrong beside its field; without a fault show the command and allow the start."""
        config, wrong = new_run.check(self.draft)
        # A corpus that is not there is told and does not bar the start, which looks again: it may have come meanwhile.
        told = {"data": self._data_wrong} | wrong
        for row in self.query(SettingRow):
            row.say(wrong=told.get(row.key, ""))
        self._tell_about()
        self.query_one("#start", Button).disabled = config is None or self._starting
        shown = self._command(config, wrong)
        command = self.query_one("#command", Static)
        if command.content != shown:
            command.update(shown, layout=False)

    def on_descendant_focus(self) -> None:
        """The row that has the focus tells all it has to say."""
        self._tell_about()

    def _tell_about(self) -> None:
        row = next((n for n in self.focused.ancestors if isinstance(n, SettingRow)), None) if self.focused else None
        text = content(f"{row.key}: {row.text}") if row is not None else Content("")
        about = self.query_one("#about", Static)
        if about.content != text:
            about.update(text, layout=False)

    def _command(self, config: TrainConfig | None, wrong: dict[str, str]) -> Content:
        if config is None:
            return Content.styled(f"✗ to be put right first: {', '.join(wrong)}", "$error")
        return Content.assemble(("$ ", "$text-muted"), content(new_run.command(self.draft, config)))

    # What is found beside the screen

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == "encoder" and message.error is None:
            self._take_encoder(cast("EncoderNote", message.value))
        elif message.name == "corpus" and message.error is None:
            self._take_corpus(cast("CorpusNote", message.value))
        elif message.name == "devices" and message.error is None:
            choices = _choices(message.value)
            self._find("device").set_choices(choices)
            self._devices = tuple(choice.value for choice in choices)
            self._offer_starts()
        elif message.name == "corpora" and message.error is None:
            self._find("data").set_choices(_choices(message.value))
        elif message.name == "start":
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
            self.dismiss(started.run_id)
            return
        self._check()
        self._tell(Content.assemble(("✗ ", "$error"), content(str(message.error), newlines=True)))
        key = message.error.key if isinstance(message.error, ConfigError) else None
        if key in SETTINGS:
            row = self._find(key)
            row.say(wrong=str(message.error))
            row.take_focus()

    # Keys

    def action_start(self) -> None:
        """Check as the command line does and start the worker; the form stays until that worked."""
        button = self.query_one("#start", Button)
        if button.disabled:
            _, wrong = new_run.check(self.draft)
            if wrong:
                self._find(next(iter(wrong))).take_focus()
            return
        self._starting = button.disabled = True
        draft = self.draft

        def say(text: str) -> None:
            self.post_message(self.Said(text))

        beside("start", lambda: new_run.begin(draft, say), self.post_message)

    def action_leave_field(self) -> None:
        """Out of a text field to Start; anywhere else without a run."""
        if isinstance(self.focused, Input):
            self.action_focus_start()
        else:
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
        if event.button.id == "more":
            advanced = self.query_one("#advanced")
            advanced.display = not advanced.display
            event.button.label = OPEN if advanced.display else CLOSED
        elif event.button.id == "start":
            self.action_start()
        else:
            self.dismiss(None)

    def on_place_tab_chosen(self, message: PlaceTab.Chosen) -> None:
        """A click on a tab of the header; the form waits here."""
        self._goemo.action_place(message.place)


def _choices(found: object) -> list[Choice]:
    return [Choice(value, label, note) for value, label, note in cast("list[tuple[str, str, str]]", found)]
