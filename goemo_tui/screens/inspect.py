"""Inspect: what a sentence feels, while it is typed.

The model lives in a child process; this screen sends it texts and draws its answers. Nothing here waits for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from goemo_tui import actions
from goemo_tui.safe_text import cells, clean, content
from goemo_tui.screens.place import Place
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.predictor import (
    Answered,
    Emotion,
    Failed,
    Loading,
    Model,
    PredictorService,
    Ready,
    Request,
    Threshold,
)
from goemo_tui.services.runs import RunsChanged
from goemo_tui.widgets.emotion_bars import EmotionBars
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.token_line import TokenLine
from goemo_tui.wording import millions, percent, size
from trainer.runs.run import short_name

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NO_MODEL = "No model yet. Train one in Train: press 2, then n. It is picked up here by itself. m opens a folder."
EMPTY = "Type a sentence above: its emotions appear here while you type, Enter keeps it below."
MOST_KEPT = 200


@dataclass(frozen=True)
class Kept:
    """One line of the history: what was asked and answered, and which model answered."""

    request: Request
    emotions: tuple[Emotion, ...]
    model: str


class InspectScreen(Place):
    """Model, prompt, bars, tokens, history."""

    PLACE = "inspect"
    HOME = "#bars-scroll"
    BINDINGS = actions.bindings("inspect")
    CSS_PATH = "inspect.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, command: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self._service = PredictorService(self._hear, command) if command else PredictorService(self._hear)
        self._threshold: Threshold = "tuned"
        self._answer: Answered | None = None
        self._trouble = ""
        self._no_model = False
        self._loading = ""
        self._tokenizer: Tokenizer | None = None
        self._tokenizer_of = ""
        self._history: list[Kept] = []
        self._finished: frozenset[str] = frozenset()

    def _hear(self, message: Message) -> None:
        self.post_message(message)

    def body(self) -> ComposeResult:
        """From the model at the top to the history at the bottom."""
        with Vertical(id="inspect"):
            yield Static(id="model", markup=False)
            with Horizontal(id="prompt-line"):
                yield Static("> ", id="prompt-sign", markup=False)
                yield Field(
                    id="prompt", placeholder="type a sentence", about="What you type is read by the model at once."
                )
                yield Static(id="ms", markup=False)
            with Vertical(id="feels", classes="pane"):
                yield Static(id="state", markup=False)
                with VerticalScroll(id="bars-scroll"):
                    yield EmotionBars(id="bars")
            with VerticalScroll(id="tokens-pane", classes="pane", can_focus=False):
                yield TokenLine(id="tokens")
            yield OptionList(id="history", classes="pane", markup=False, compact=True)

    def on_mount(self) -> None:
        """Start the child, and put the cursor where one types."""
        for selector, title in (("#feels", "feels"), ("#tokens-pane", "tokens"), ("#history", "history")):
            self.query_one(selector).border_title = title
        self.query_one("#history").display = False
        self.goemo.runs.subscribe(self.post_message)
        self._service.start(self.goemo.settings.model or None)
        self._show()
        self.call_after_refresh(self.action_prompt)  # after the place itself has put the focus home

    def on_unmount(self) -> None:
        """End the child."""
        self.goemo.runs.unsubscribe(self.post_message)
        self._service.close()

    # What the child says

    @on(Loading)
    def _is_loading(self, message: Loading) -> None:
        message.stop()
        self._loading, self._trouble = message.what, ""
        self._show()

    @on(Ready)
    def _is_ready(self, message: Ready) -> None:
        message.stop()
        self._loading, self._trouble, self._no_model = "", "", False
        path = message.model.path
        self._tokenizer = None
        if path:
            beside("tokenizer", lambda: (path, _tokenizer(Path(path))), self.post_message)
        for warning in message.model.warnings:
            self.notify(warning, title=message.model.name, severity="warning", timeout=8)
        self._ask()
        self._show()

    @on(Failed)
    def _has_failed(self, message: Failed) -> None:
        message.stop()
        self._loading = ""
        self._trouble = message.message
        self._no_model = message.no_model
        if not message.dead and not message.no_model:
            self.notify(message.message, severity="error", timeout=8)
            self._trouble = ""
        if message.dead and self._service.exhausted:
            self._trouble += ". m picks a model and starts it again"
        self._show()

    @on(Answered)
    def _has_answered(self, message: Answered) -> None:
        message.stop()
        self._answer, self._trouble = message, ""
        if self.query_one("#prompt", Field).value.strip():
            self._show()

    @on(RunsChanged)
    def _runs_changed(self, message: RunsChanged) -> None:
        """Without a model, the first one that a run makes is taken."""
        message.stop()
        finished = frozenset(run.id for run in message.runs if run.state == "finished")
        new, self._finished = finished - self._finished, finished
        newest = next((run for run in message.runs if run.id in new), None)
        if newest is not None and self._no_model and (newest.folder / "model" / "config.json").is_file():
            self._no_model = False
            self._service.load(newest.id)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.notify(str(message.error), title=message.name, severity="warning", timeout=8)
            return
        self._tokenizer_of, self._tokenizer = cast("tuple[str, Tokenizer]", message.value)
        self._show_tokens()

    # What is typed

    @on(Input.Changed, "#prompt")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._ask()
        self._show_tokens()
        if not event.value.strip():
            self._answer = None
            self._show()

    def _ask(self) -> None:
        text = self.query_one("#prompt", Field).value
        if text.strip() and not self._no_model and not self._service.exhausted:
            self._service.predict(text, self._threshold)

    @on(Input.Submitted, "#prompt")
    def _keep(self, event: Input.Submitted) -> None:
        """Enter keeps the sentence and makes room for the next."""
        event.stop()
        answer, model = self._answer, self._service.model
        if answer is None or model is None or answer.request.text != event.value:
            return
        kept = Kept(answer.request, answer.emotions, model.name)
        if self._history and self._history[0].request == kept.request and self._history[0].model == kept.model:
            return
        self._history = [kept, *self._history][:MOST_KEPT]
        history = self.query_one("#history", OptionList)
        history.display = True
        history.clear_options()
        history.add_options(Option(_kept_line(k, self.size.width - 6)) for k in self._history)
        event.input.select_all()

    @on(OptionList.OptionSelected, "#history")
    def _again(self, event: OptionList.OptionSelected) -> None:
        """A line of the history goes back into the prompt."""
        event.stop()
        field = self.query_one("#prompt", Field)
        field.value = clean(self._history[event.option_index].request.text)
        field.focus()
        field.action_end()

    @on(Field.Onward)
    def _down(self, event: Field.Onward) -> None:
        event.stop()
        self.query_one("#bars-scroll").focus()

    # What is drawn

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self._put("#model", _model_line(self._service.model, self._threshold, self._loading))
        answer = self._answer
        self._put("#ms", Content(f"{answer.ms:.0f} ms" if answer else ""))
        state = self._state()
        self._put("#state", content(state))
        self.query_one("#state").display = bool(state)
        self.query_one(EmotionBars).show(answer.emotions if answer else ())
        self.query_one("#bars-scroll").display = answer is not None

    def _state(self) -> str:
        """One line on why there are no bars, or that they are not of what stands above."""
        if self._no_model:
            return NO_MODEL if "no model" in self._trouble else f"✗ {self._trouble} · m picks another model"
        if self._trouble:
            return f"✗ {self._trouble}"
        if self._loading:
            return f"… {self._loading}"
        return "" if self._answer is not None or self.query_one("#prompt", Field).value.strip() else EMPTY

    def _show_tokens(self) -> None:
        pane, text = self.query_one("#tokens-pane"), self.query_one("#prompt", Field).value
        model = self._service.model
        ready = self._tokenizer is not None and model is not None and self._tokenizer_of == model.path
        pane.display = ready and bool(text.strip())
        if not pane.display or self._tokenizer is None or model is None:
            return
        from trainer.corpus.tokens import token_view

        length = model.max_length or 64
        view = token_view(text, self._tokenizer, length)
        note = f"✂ cut here: {view.lost} more tokens are not read (max_length {length})" if view.lost else ""
        if view.unknown:
            many = f"{len(view.unknown)} tokens are" if len(view.unknown) > 1 else "1 token is"
            note = f"{many} not in the vocabulary (marked ?)" + (f" · {note}" if note else "")
        self.query_one(TokenLine).show(view.tokens, view.ids, view.unknown, note)
        pane.border_title = f"tokens · {len(view.tokens)} of at most {length}"

    def _put(self, selector: str, text: Content) -> None:
        place = self.query_one(selector, Static)
        if place.content != text:
            place.update(text, layout=selector == "#state")  # the others have a fixed size

    # Keys

    def action_prompt(self) -> None:
        """To where one types."""
        self.query_one("#prompt").focus()

    def action_pick_model(self) -> None:
        """Another model."""
        from goemo_tui.screens.pick_model import PickModel

        def picked(name: str | None) -> None:
            if name:
                self._no_model = False
                self._loading = f"loading {clean(name)}"
                self._service.load(name)
                self._show()
                self.action_prompt()

        self.app.push_screen(PickModel(), picked)

    def action_threshold(self) -> None:
        """Another threshold, with effect at once."""
        from goemo_tui.screens.pick_threshold import PickThreshold

        def picked(threshold: Threshold | None) -> None:
            if threshold is not None and threshold != self._threshold:
                self._threshold = threshold
                self._ask()
                self._show()

        self.app.push_screen(PickThreshold(self._threshold), picked)

    def action_copy_json(self) -> None:
        """The document of `goemo-tui predict --json`, into the clipboard."""
        answer, model = self._answer, self._service.model
        if answer is None or model is None:
            self.notify("Nothing to copy yet: type a sentence first.", severity="warning")
            return
        self.app.copy_to_clipboard(as_json(answer, model))
        self.notify("Sent to the terminal's clipboard as JSON", timeout=3)


def as_json(answer: Answered, model: Model) -> str:
    """What `goemo-tui predict --json` prints for the same text."""
    chosen = [
        {"emotion": e.name, "probability": e.probability, "threshold": e.threshold} for e in answer.emotions if e.above
    ]
    scores = {e.name: e.probability for e in answer.emotions}
    ordered = {name: scores[name] for name in model.labels if name in scores} or scores
    result = {"text": answer.request.text, "emotions": chosen, "scores": ordered}
    return json.dumps({"model": model.name, "results": [result]}, ensure_ascii=False, indent=2)


def _model_line(model: Model | None, threshold: Threshold, loading: str) -> Content:
    if model is None:
        return Content.assemble(("model  ", "$text-muted"), "–" if not loading else "…")
    parts = [
        f"{model.layers} layers × {model.width}",
        f"{millions(model.parameters)} parameters",
        size(model.bytes),
        model.device,
    ]
    own = "tuned" if model.thresholds else "0.3 (the model has none of its own)"
    parts.append(f"threshold {own if isinstance(threshold, str) else f'{threshold:g} for all'}")
    return Content.assemble(
        ("model  ", "$text-muted"),
        (clean(short_name(model.name)), "bold"),
        (" · " + clean(" · ".join(parts)), "$text-muted"),
    )


def _kept_line(kept: Kept, width: int) -> Content:
    felt = (
        " ".join(f"{clean(e.name)} {percent(e.probability)}" for e in kept.emotions if e.above)
        or "below every threshold"
    )
    room = max(16, width - min(len(felt), width // 2) - 3)
    return Content.assemble(
        cells(kept.request.text, room), ("  → ", "$accent"), (cells(felt, width // 2), "$text-muted")
    )


def _tokenizer(folder: Path) -> Tokenizer:
    from trainer.corpus.tokens import load_tokenizer

    return load_tokenizer(folder)
