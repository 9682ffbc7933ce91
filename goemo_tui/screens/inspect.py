"""Inspect: what a sentence feels, while it is typed, to one model or to two beside each other.

The models live in child processes; this screen sends them texts and draws their answers. Nothing here waits for them.
"""

from __future__ import annotations

import time

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from goemo_tui import actions
from goemo_tui.language import word
from goemo_tui.safe_text import content
from goemo_tui.screens.inspect_why import InspectWhy
from goemo_tui.services.batch import read_lines
from goemo_tui.services.history import Entry
from goemo_tui.services.models import recent_of, remembered_of, used
from goemo_tui.services.predictor import COMMAND
from goemo_tui.services.reading import Reading
from goemo_tui.services.runs import RunsChanged
from goemo_tui.services.talk import Answered, Failed, Loading, Ready, Scored, Talk
from goemo_tui.widgets.feelings import Feelings
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.history_list import HistoryList
from goemo_tui.widgets.model_lines import ModelLines
from goemo_tui.widgets.prompt import Prompt
from goemo_tui.widgets.sentence_tokens import SentenceTokens

EMPTY = """\
Type a sentence above: its emotions appear here while you type, Enter keeps it below.
Several lines that are pasted open a table of their own (i); b puts two models side by side."""


class InspectScreen(InspectWhy):
    """Models, prompt, bars, tokens, history."""

    PLACE = "inspect"
    HOME = "#bars-scroll"
    BINDINGS = actions.bindings("inspect")
    CSS_PATH = "inspect.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        super().__init__(command)
        self._finished: frozenset[str] = frozenset()
        self._titles: dict[str, str] = {}
        self._asked: tuple[str, str | None, str | None] | None = None
        self._begun = False
        self._keep_soon = ""

    def body(self) -> ComposeResult:
        """From the models at the top to the history at the bottom."""
        with Vertical(id="inspect"):
            yield ModelLines(id="models")
            with Horizontal(id="prompt-line"):
                yield Static("> ", id="prompt-sign", markup=False)
                yield Prompt(
                    id="prompt", placeholder="type a sentence", about="What you type is read by the model at once."
                )
                yield Static(id="ms", markup=False)
            with Vertical(id="feels", classes="pane"):
                yield Static(id="state", markup=False)
                yield Static(id="state-b", markup=False)
                yield Feelings(id="feelings")
            yield SentenceTokens(id="tokens-pane", classes="pane")
            yield HistoryList(id="history", classes="pane")

    def on_mount(self) -> None:
        """Start the child, and put the cursor where one types."""
        self.query_one("#feels").border_title = word("feels")
        self.goemo.runs.subscribe(self.post_message)
        remembered = remembered_of(self.goemo.remembered.of("inspect"))
        self.readings.a.start(self.goemo.settings.model or None, remembered)
        self.show()
        if self._asked is not None:
            self._take_asked()

    def on_unmount(self) -> None:
        """End the children."""
        self.goemo.runs.unsubscribe(self.post_message)
        self.readings.close()

    def go_home(self) -> None:
        """At first to where one types: what is typed in the same breath as the key that leads here is text."""
        if self._begun:
            super().go_home()
        else:
            self._begun = True
            self.action_prompt()

    # What the children say

    @on(Loading)
    @on(Ready)
    @on(Failed)
    @on(Answered)
    @on(Scored)
    def _heard(self, message: Talk) -> None:
        message.stop()
        reading, told = self.readings.hear(message)
        if reading is None:
            return
        for text, wrong in told:
            name = reading.model.name if reading.model is not None else ""
            self.notify(text, title=name, severity="error" if wrong else "warning", timeout=8)
        first = reading is self.readings.a
        if isinstance(message, Ready) and first:
            self.query_one(SentenceTokens).take(reading.model)
            if reading.wanted:
                recent = used(recent_of(self.goemo.remembered.of("inspect")), reading.known_as)
                self.goemo.keep("inspect", model=reading.known_as, recent=recent)
        if isinstance(message, Answered) and first and message.request.text == self._keep_soon:
            self.keep_answer()
        if self.many is not None and reading is self.many.reading:
            self.many.heard(message)
        if not isinstance(message, Scored):
            self.show()
        if isinstance(message, Answered | Ready):
            self.why_soon()
            if self.focused is None:
                self.go_home()  # the bars are there now
            if self.explaining.chosen is not None:  # of another text its bar stands elsewhere
                self.call_after_refresh(self.keep_choice_in_sight)

    @on(RunsChanged)
    def _runs_changed(self, message: RunsChanged) -> None:
        """Without a model, the first one that a run makes is taken; one that got another name is called so."""
        message.stop()
        titles = {run.id: run.title for run in message.runs}
        if titles != self._titles:
            self._titles = titles
            self.show()
            self.query_one(HistoryList).refresh()
        finished = frozenset(run.id for run in message.runs if run.state == "finished")
        new, self._finished = finished - self._finished, finished
        newest = next((run for run in message.runs if run.id in new), None)
        if newest is not None and self.readings.a.no_model and (newest.folder / "model" / "config.json").is_file():
            self.readings.a.load(newest.id)

    # What is typed

    @property
    def _text(self) -> str:
        return self.query_one(Prompt).value

    def ask(self, text: str, model: str | None = None, emotion: str | None = None, origin: str = "") -> None:
        """Look at `text` and, with `model` (a run, a folder, a Hub name), let that model answer it. `emotion` is the one to
        be explained; left out, the strongest. `origin` is what it was taken from: the focus is then at the bars, where
        keys lead on, and back to there.

        May be called before the screen is mounted; it is done then.
        """
        self.origin = origin
        self._asked = (text, model, emotion)
        if self.is_mounted:
            self._take_asked()

    def _take_asked(self) -> None:
        (text, model, emotion), self._asked = self._asked or ("", None, None), None
        self.explaining.chosen = emotion
        first = self.readings.a
        if model is not None:
            self.readings.side = first.side  # its word is to be explained, and not that of one that stands beside it
            if first.model is None or first.model.name != model:
                first.load(model)
            self.show()
        prompt = self.query_one(Prompt)
        prompt.recall(text)
        self._begun = True
        if self.origin:
            self.go_home()
        else:
            self.set_focus(prompt)
        self.refresh_bindings()

    @on(Input.Changed, "#prompt")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._keep_soon = ""
        if not self.query_one(Prompt).walking:
            self.query_one(HistoryList).walk_anew()
        self.readings.ask(event.value)
        forgotten = self.explaining.keep_to(self.readings.active, event.value)
        if not event.value.strip():
            self.explaining.chosen = None
        self.query_one(SentenceTokens).show(event.value)
        if forgotten or not event.value.strip():
            self.show()

    @on(Input.Submitted, "#prompt")
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the sentence, as soon as it is answered, and makes room for the next."""
        event.stop()
        self._keep_soon = event.value
        if self.readings.a.fits(event.value):
            self.keep_answer()
        self.query_one(Prompt).select_all()

    def keep_answer(self) -> bool:
        """The sentence that is answered goes into the history. False where there is none, or it is the newest there."""
        first, self._keep_soon = self.readings.a, ""
        if first.answer is None or first.model is None or not first.answer.request.text.strip():
            return False
        felt = tuple(e for e in first.emotions() if e.above)
        entry = Entry(first.answer.request.text, first.model.name, first.threshold, felt, time.time())
        return self.query_one(HistoryList).keep(entry)

    @on(HistoryList.Picked)
    def _again(self, event: HistoryList.Picked) -> None:
        """A line of the history goes back into the prompt."""
        event.stop()
        self.ask(event.entry.text)

    @on(Prompt.Walk)
    def _walk(self, event: Prompt.Walk) -> None:
        """Up and Down through the history, as in a shell."""
        event.stop()
        text = self.query_one(HistoryList).walk(event.by)
        if text is not None:
            self.query_one(Prompt).recall(text)

    @on(Prompt.Many)
    def _pasted(self, event: Prompt.Many) -> None:
        event.stop()
        self.open_batch(read_lines(event.text))

    @on(Field.Onward)
    def _down(self, event: Field.Onward) -> None:
        event.stop()
        self.set_focus(self.query_one("#bars-scroll"))

    def on_key(self, event: events.Key) -> None:
        """Keys in the same breath as the one that leads to the prompt come here, not to the prompt: they are typed."""
        prompt = self.query_one(Prompt)
        if event.character is None or not event.is_printable:
            return
        if self.focused is prompt:
            prompt.insert_text_at_cursor(event.character)
            event.stop()
        elif (bound := self.active_bindings.get(event.key)) and bound.binding.action == "prompt":
            self.action_prompt()
            event.stop()

    # What is drawn

    def show(self) -> None:
        """The present state, as far as it changed."""
        if not self.is_mounted:
            return
        readings = self.readings
        self.query_one(ModelLines).show(readings)
        times = [f"{r.answer.ms:.0f}" for r in readings.all if r.answer is not None]
        self._put("#ms", f"{' · '.join(times)} ms" if times else "")
        self._put("#state", self._state(readings.a), layout=True)
        self._put("#state-b", self._state(readings.b) if readings.b is not None else "", layout=True)
        self.query_one(Feelings).show(readings, self.explaining)

    def _state(self, reading: Reading) -> str:
        text = reading.state()
        if not text and reading is self.readings.a and reading.answer is None and not self._text.strip():
            return EMPTY
        return f"{reading.side.upper()} {text}" if text and self.readings.b is not None else text

    def _put(self, selector: str, text: str, layout: bool = False) -> None:
        place, new = self.query_one(selector, Static), content(text, newlines=True)
        if layout:
            place.display = bool(text)
        if place.content != new:
            place.update(new, layout=layout)  # the others have a fixed size
