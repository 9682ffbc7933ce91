"""The form for a training: its rows, and the draft that they stand for.

Every setting has its row, the simple ones first, the advanced ones behind a line to open. What a row names (a corpus, an
encoder, a run to take settings from) is looked up in threads. Whether a training may start is the screen's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Button

from goemo_tui.gone import gone
from goemo_tui.services import new_run, offers
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.new_run import Draft
from goemo_tui.services.offers import NONE, CorpusNote, EncoderNote
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.form_rows import ADVANCED, advanced_rows, choices_of, first_rows
from goemo_tui.widgets.setting_row import SettingRow
from trainer.config import SETTINGS
from trainer.encoders import Anatomy
from trainer.runs.like import Like, like_run

KEPT = frozenset({"data", "device", "devices", "limit", "seed", "taxonomy"})
"""Fields that a change of the recipe leaves as they are."""

PAUSE = 0.4
"""Seconds without a key after which a corpus or an encoder is looked up."""

BY_WIDTH = ("lr", "lora_rank", "pooling")
"""Settings that a recipe gives other values for other encoders."""

OFFERED = {"corpora": "data", "devices": "device", "trackers": "track"}
"""What is looked for in a thread -> the row that offers it."""

ROOM = (120, 36)
"""Columns and rows of a terminal from which on the advanced settings are open without being asked for."""


class RunForm(VerticalScroll):
    """Begins with `draft`. `recent` are corpora that were opened before. `advanced` says whether the advanced settings
    are open; None: where the terminal is large enough.
    """

    DEFAULT_CSS = """
    RunForm { height: 1fr; }
    RunForm > #more { height: 1; margin: 0; background: $surface; color: $quiet; text-align: left; width: auto; }
    RunForm > #more:focus { text-style: bold reverse; }
    RunForm > #advanced { height: auto; display: none; }
    """

    class Changed(Message):
        """The draft, or what is known of what it names, is another now. `typed` if a person did that."""

        def __init__(self, typed: bool = False) -> None:
            super().__init__()
            self.typed = typed

    class Folded(Message):
        """A person opened the advanced settings, or closed them."""

        def __init__(self, advanced: bool) -> None:
            super().__init__()
            self.advanced = advanced

    def __init__(self, draft: Draft, recent: Sequence[str], id: str, advanced: bool | None = None) -> None:
        super().__init__(id=id, can_focus=False)
        self._advanced = advanced
        self.draft = draft
        self.anatomy: Anatomy | None = None
        """Of the encoder, where it is on this machine."""
        self.devices: tuple[str, ...] = ()
        """What this machine computes on, the best one first."""
        self.told: dict[str, str] = {}
        """What was found wrong with what a row names; no reason not to try a start."""
        self._rows: Mapping[str, int] = {}
        """Of the splits of the corpus that was looked at last."""
        self._recent = recent
        self._runs: Sequence[RunView] = ()
        self._pauses: dict[str, Timer] = {}
        self._differ: frozenset[str] = frozenset()
        """The settings that are not as usual."""
        self._wanted: tuple[str, str] | None = None
        """The setting that is to have the focus as soon as it has a row, and what is to be said beside it."""
        self._followed = self._usual_of_encoder()

    def compose(self) -> ComposeResult:
        """The simple settings, and room for the advanced ones."""
        yield from first_rows(self.draft)
        yield Button(_line(False, 0), id="more", compact=True)
        yield Vertical(id="advanced")

    def on_mount(self) -> None:
        """Look around for corpora and devices, and at what the draft names."""
        data = self.draft.texts["data"]
        beside("corpora", lambda: offers.corpus_choices(data, self._recent), self.post_message)
        beside("devices", offers.device_choices, self.post_message)
        beside("trackers", offers.track_choices, self.post_message)
        self._look_at_corpus()
        self._look_up()
        self._unfold()

    def on_resize(self) -> None:
        """There may be room by now; what is open stays so, the focus may be in it."""
        self._unfold()

    def _unfold(self) -> None:
        """Open the advanced settings where they are wanted, or nobody said so and there is room."""
        width, height = self.app.size
        room = width >= ROOM[0] and height >= ROOM[1]
        if (room if self._advanced is None else self._advanced) and not self.query_one("#advanced").display:
            self.toggle()

    # Rows

    def row(self, key: str) -> SettingRow:
        """The row of a setting; an advanced one has none before they were opened."""
        return self.query_one(f"#row-{key}", SettingRow)

    @property
    def _mounted(self) -> dict[str, SettingRow]:
        """The rows that there are by now."""
        return {row.key: row for row in self.query(SettingRow)}

    async def _bring(self) -> None:
        """Make the rows of the advanced settings: four fifths of all, which nobody shall wait for who wants the others."""
        if gone(self):
            return
        advanced = self.query_one("#advanced")
        if not advanced.children:
            await advanced.mount_all(advanced_rows(self.draft))
            self._put({key: self.draft.texts[key] for key in ADVANCED})  # which may be others by now
            self.post_message(self.Changed())
            self.call_after_refresh(self._show_opened)
        if self._wanted is not None:
            key, words = self._wanted
            self.go_to(key, words)

    def tell(self, wrong: Mapping[str, str], usual: Mapping[str, str]) -> None:
        """Name beside each row what is wrong with it, and mark those that are not as usual."""
        for row in self._mounted.values():
            row.mark(usual.get(row.key))
            row.say(wrong={**self.told, **wrong}.get(row.key, ""))
        self._differ = frozenset(usual)
        self._relabel()

    def go_to(self, key: str, wrong: str = "") -> None:
        """Give a setting the focus, opening what hides it, and say beside it what is `wrong`."""
        if key in ADVANCED and not self.query_one("#advanced").display:
            self.toggle()
        row = self._mounted.get(key)
        self._wanted = None if row else (key, wrong)
        if row is not None:
            if wrong:
                row.say(wrong=wrong)
            row.take_focus()

    def toggle(self) -> None:
        """Open or close the advanced settings."""
        advanced = self.query_one("#advanced")
        advanced.display = not advanced.display
        self._relabel()
        if advanced.display and not advanced.children:
            self.call_after_refresh(self._bring)

    def _relabel(self) -> None:
        differ = len(self._differ.intersection(ADVANCED))
        button, text = self.query_one("#more", Button), _line(self.query_one("#advanced").display, differ)
        if button.label != text:
            button.label = text
            button.refresh(layout=True)  # another label alone does not make it wider

    @on(Button.Pressed, "#more")
    def _more(self, event: Button.Pressed) -> None:
        event.stop()
        self.toggle()
        self._advanced = self.query_one("#advanced").display
        if self._advanced:
            self.call_after_refresh(self._show_opened)
        self.post_message(self.Folded(self._advanced))

    def _show_opened(self) -> None:
        """What a person opened lies below the fold of a small terminal; whoever has gone on to a row stays there."""
        if gone(self):
            return
        more = self.query_one("#more", Button)
        if more.has_focus:
            more.scroll_visible(top=True, animate=False)

    # What is typed and chosen

    @on(SettingRow.Changed)
    def _changed(self, message: SettingRow.Changed) -> None:
        message.stop()
        key, value = message.row.key, message.row.value
        if key == "recipe":
            self._take_recipe(value)
        elif key == "start":
            self.draft = replace(self.draft, start=value)
        elif key == "track":
            self.draft = replace(self.draft, track=value.strip())
        elif key == "like":
            self.take_like(value)
        else:
            self._set({key: value})
        self.post_message(self.Changed(True))

    def fill(self, draft: Draft) -> None:
        """Let the rows stand for another draft. What `draft.texts` does not name stays as it is."""
        self.told.pop("like", None)
        texts, self.draft = draft.texts, replace(draft, texts=self.draft.texts)
        like = draft.like.run_id if draft.like else NONE
        self._put({"recipe": draft.recipe, "start": draft.start, "track": draft.track, "like": like})
        self._set(texts)
        self._put(texts)
        self._followed = self._usual_of_encoder()
        self._soon("encoder", self._look_up)
        self.post_message(self.Changed())

    def _put(self, values: Mapping[str, str]) -> None:
        rows = self._mounted
        for key, value in values.items():
            if key in rows and rows[key].value != value:
                rows[key].put(value)

    def _set(self, texts: Mapping[str, str]) -> None:
        """Take these texts into the draft, and look again at what they name."""
        before = self.draft.texts
        self.draft = replace(self.draft, texts={**before, **texts})
        if texts.get("data", before["data"]) != before["data"]:
            self.told.pop("data", None)
            self._rows = {}
            self._say_rows()
            self._soon("data", self._look_at_corpus)
        elif texts.get("limit", before["limit"]) != before["limit"]:
            self._say_rows()
        if texts.get("encoder", before["encoder"]) != before["encoder"]:
            self._soon("encoder", self._look_up)

    def put_back(self, row: SettingRow) -> None:
        """Put the usual value back into a row."""
        usual = new_run.differing(self.draft).get(row.key)
        if usual is not None:
            self._set({row.key: usual})
            self._put({row.key: usual})
            row.take_focus()
            self.post_message(self.Changed(True))

    @on(SettingRow.PutBack)
    def _sign_clicked(self, message: SettingRow.PutBack) -> None:
        message.stop()
        self.put_back(message.row)

    def _take_recipe(self, name: str) -> None:
        """Fill the form with the recipe's values; what is no part of a recipe stays."""
        texts = {key: text for key, text in new_run.defaults(name).items() if key not in KEPT}
        self.fill(replace(self.draft, recipe=name, width=None, like=None, texts=texts))

    def take_like(self, which: str) -> None:
        """Take over the settings of a run, by its id or name; with NONE, what stands in the rows stays."""
        self.told.pop("like", None)
        if which == NONE:
            self.draft = replace(self.draft, like=None)
            return
        self._put({"like": which})
        beside("like", lambda: (which, like_run(which)), lambda message: self._post_like(which, message))

    def _post_like(self, which: str, message: Message) -> bool:
        if isinstance(message, Done) and message.error is not None:
            message.value = (which, None)
        return self.post_message(message)

    def _like_read(self, message: Done) -> None:
        which, like = cast("tuple[str, Like | None]", message.value)
        if which != self.row("like").value:
            return  # another was chosen meanwhile
        if like is None:
            self.told["like"] = f"nothing was taken over: {message.error}"
            self.post_message(self.Changed())
            return
        texts = new_run.texts_of(like.config)
        self.fill(replace(self.draft, like=like, recipe=like.config.recipe, width=None, texts=texts))

    # What is looked up

    def _soon(self, name: str, look: Callable[[], None]) -> None:
        if name in self._pauses:
            self._pauses[name].stop()
        self._pauses[name] = self.set_timer(PAUSE, look)

    def _look_at_corpus(self) -> None:
        name = self.draft.texts["data"].strip()
        beside("corpus", lambda: offers.look_at_corpus(name), self.post_message)

    def _take_corpus(self, note: CorpusNote) -> None:
        """Say beside the corpus how many rows it has, or why it cannot be trained on."""
        if note.name == self.draft.texts["data"].strip():
            self.told["data"], self._rows = note.wrong, note.rows
            self._say_rows()

    def _say_rows(self) -> None:
        """How many rows there are, and of train how many are taken."""
        limit = self.draft.texts["limit"].strip()
        taken = int(limit) if limit.isdecimal() else 0
        self.row("data").say(note=offers.rows_of(self._rows, taken) or SETTINGS["data"].help)

    def _look_up(self) -> None:
        name = self.draft.texts["encoder"].strip()
        if name:
            beside("encoder", lambda: offers.look_up(name), self.post_message)

    def _take_encoder(self, note: EncoderNote) -> None:
        """Say what the encoder is made of; what is still as it was usual for the encoder before follows this one."""
        if note.name != self.draft.texts["encoder"].strip():
            return
        before = self._followed
        self.anatomy = note.anatomy
        self.draft = replace(self.draft, width=note.anatomy.width if note.anatomy else None)
        self._followed = self._usual_of_encoder()
        now = {key: usual for key, usual in self._followed.items() if self.draft.texts[key] == before[key]}
        self._set(now)
        self._put(now)
        self.row("encoder").say(note.text)

    def _usual_of_encoder(self) -> dict[str, str]:
        """What the recipe sets by the encoder's width, as it is for the encoder that was looked up last."""
        usual = self.draft.usual
        return {key: usual[key] for key in BY_WIDTH}

    def offer(self, runs: Sequence[RunView]) -> None:
        """Offer the runs that there are now to take settings from, and those that live to wait for."""
        self._runs = runs
        like = self.row("like")
        starts = offers.start_choices(runs, self.devices, self.draft.start)
        for row, found in ((like, offers.like_choices(runs, like.value)), (self.row("start"), starts)):
            offered = choices_of(found)
            if offered != row.choices:
                row.set_choices(offered)
                row.say(wrong=self.told.get(row.key, ""))

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == "like":
            self._like_read(message)
            return
        if message.error is not None:
            return
        if message.name == "encoder":
            self._take_encoder(cast("EncoderNote", message.value))
        elif message.name == "corpus":
            self._take_corpus(cast("CorpusNote", message.value))
        else:
            found = choices_of(cast("list[tuple[str, str, str]]", message.value))
            if message.name == "corpora":  # how many rows are taken depends on the limit: `_say_rows` tells it
                found = [replace(choice, note="") for choice in found]
            self.row(OFFERED[message.name]).set_choices(found)
            if message.name == "devices":
                self.devices = tuple(choice.value for choice in found if choice.value != "auto")
                self.offer(self._runs)
        self.post_message(self.Changed())


def _line(is_open: bool, differ: int) -> Content:
    text = f"{'▼' if is_open else '▶'} advanced settings"
    return Content(f"{text} ({differ} changed)" if differ else text)
