"""What the keys of Inspect do: each action of the table of actions, in the words of the parts that do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import on
from textual.message import Message

from goemo_tui.screens.batch import BatchScreen
from goemo_tui.screens.place import Place
from goemo_tui.services.batch import Kept, Lines
from goemo_tui.services.models import recent_of
from goemo_tui.services.prediction import TUNED, Threshold, as_json
from goemo_tui.services.predictor import COMMAND
from goemo_tui.services.readings import Readings
from goemo_tui.services.talk import A, B
from goemo_tui.widgets.history_list import HistoryList
from goemo_tui.widgets.model_lines import ModelLines
from goemo_tui.widgets.prompt import Prompt


class InspectKeys(Place):
    """The models and the screen's actions. `InspectScreen` says how the parts hang together."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        super().__init__()
        self.readings = Readings(self._hear, command)
        self.many: BatchScreen | None = None
        """The table of many lines, while it is open."""
        self._left: Kept | None = None
        """That table as it was left last."""
        self._told_kept = False
        """Whether it was said that what is copied is kept."""
        self.origin = ""
        """Where the sentence was taken from: `mistakes`, `batch`, or empty for one that was typed."""

    def _hear(self, message: Message) -> None:
        self.post_message(message)

    def ask(self, text: str, model: str | None = None, emotion: str | None = None, origin: str = "") -> None:
        """Look at a text."""
        raise NotImplementedError

    def show(self) -> None:
        """Draw the present state."""
        raise NotImplementedError

    def keep_answer(self) -> bool:
        """Keep what is answered in the history."""
        raise NotImplementedError

    def why_of(self, text: str) -> dict[str, Any]:
        """What is shown of `because` and `like`, as the command line says it."""
        raise NotImplementedError

    # Models and thresholds

    @on(ModelLines.Judged)
    def _judged(self, event: ModelLines.Judged) -> None:
        """A threshold was moved, or another model is the one that the keys are about: the bars change at once."""
        event.stop()
        self.show()

    @on(ModelLines.Named)
    def action_pick_model(self) -> None:
        """Another model."""
        self._pick("Pick a model", self.readings.active.refused, self._picked)

    def _pick(self, heading: str, refused: tuple[str, str] | None, picked: Callable[[str], None]) -> None:
        from goemo_tui.screens.pick_model import PickModel

        def answered(name: str | None) -> None:
            if name:
                picked(name)
                self.show()
                self.action_prompt()

        recent = recent_of(self.goemo.remembered.of("inspect"))
        self.app.push_screen(PickModel(recent, refused, heading), answered)

    def _picked(self, name: str) -> None:
        reading = self.readings.active
        reading.load(name, wanted=reading is self.readings.a)

    def action_two_models(self) -> None:
        """A second model beside the first, or back to one."""
        if self.readings.b is None:
            self._pick("A second model, beside the first", None, self._second)
        else:
            self.readings.close_second()
            self.show()

    def _second(self, name: str) -> None:
        self.readings.open_second(name)

    def action_other_model(self) -> None:
        """Of two, the other one is meant from now on."""
        if self.readings.b is None:
            self.notify("There is one model only: b puts a second beside it.")
        self.query_one(ModelLines).choose(A if self.readings.side == B else B)

    def action_threshold(self) -> None:
        """Another threshold, with effect at once."""
        from goemo_tui.screens.pick_threshold import PickThreshold

        def picked(threshold: Threshold | None) -> None:
            if threshold is not None:
                self.query_one(ModelLines).judge(threshold)

        self.app.push_screen(PickThreshold(self.readings.active.threshold), picked)

    def action_threshold_by(self, hundredths: int) -> None:
        """One threshold for all, moved."""
        self.query_one(ModelLines).move(hundredths / 100)

    def action_tuned(self) -> None:
        """Each emotion's own threshold."""
        self.query_one(ModelLines).judge(TUNED)

    # Other keys

    def action_prompt(self) -> None:
        """To where one types."""
        self.set_focus(self.query_one(Prompt))

    def action_copy_json(self) -> None:
        """The document of `goemo-tui predict --json`, or the line of the history that has the focus."""
        pane = self.query_one(HistoryList)
        if pane.has_focus and pane.looked_at is not None:
            self.goemo.copy(as_json(pane.looked_at.document()), "The line as JSON")
            return
        document = self.readings.document()
        if document is None:
            self.notify("Nothing to copy yet: type a sentence first.", severity="warning")
        else:
            document["results"][0] |= self.why_of(document["results"][0]["text"])
            kept = self.keep_answer() and not self._told_kept
            self._told_kept = self._told_kept or kept
            self.goemo.copy(
                as_json(document), "The result as JSON (kept in the history)" if kept else "The result as JSON"
            )

    def action_clear_history(self) -> None:
        """Forget the history, after asking."""
        from goemo_tui.screens.confirm import Confirm

        pane = self.query_one(HistoryList)
        if not pane.entries:
            self.notify("The history is empty.")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                pane.forget()

        lines = f"{len(pane.entries):,} lines" if len(pane.entries) > 1 else "1 line"
        self.app.push_screen(Confirm(f"Forget the history ({lines}), on the disk too?", "Forget it"), answered)

    def action_batch(self) -> None:
        """A table for many lines, as it was left."""
        self.open_batch(None)

    def action_back(self) -> None:
        """To what the sentence was taken from, where it was left."""
        if self.origin == "batch":
            self.action_batch()
        elif self.origin == "mistakes":
            self.goemo.action_place("train")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Back only where there is something to go back to."""
        return bool(self.origin) if action == "back" else super().check_action(action, parameters)

    def open_batch(self, lines: Lines | None) -> None:
        """A table with these lines; without any, the one that was left, or an empty one."""

        def closed(_: None) -> None:
            if self.many is not None:
                self._left, self.many = self.many.left, None

        def look(text: str) -> None:
            self.ask(text, origin="batch")

        self.many = BatchScreen(self.readings.active, look, lines, self._left if lines is None else None)
        self.app.push_screen(self.many, closed)
