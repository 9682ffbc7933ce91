"""One model in Inspect as the screen knows it: its child process, what it loads, its threshold and its last answer.

The screen gives it what the child says and draws what it holds; no widget is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.message import Message

from goemo_tui.services.prediction import TUNED, Emotion, Model, Threshold, rejudge, result_of
from goemo_tui.services.predictor import COMMAND, PredictorService
from goemo_tui.services.talk import Answered, Failed, Loading, Ready, Talk

STEP = 0.05
FIRST = 0.3
"""Where a threshold starts that is moved while each emotion has its own."""

NO_MODEL = "No model yet. Train one in Train: press F2, then n. It is picked up here by itself. ^o opens a folder."


class Reading:
    """`side` is the mark on its messages, `post` gets them (from another thread)."""

    def __init__(self, side: str, post: Callable[[Message], object], command: Sequence[str] = COMMAND) -> None:
        self.side = side
        self.service = PredictorService(self._marked(post), command)
        self.threshold: Threshold = TUNED
        self.answer: Answered | None = None
        self.loading = ""
        self.trouble = ""
        self.no_model = False
        self.wanted = False
        """Whether a person picked this model, so that it is to be remembered."""
        self.refused: tuple[str, str] | None = None
        """What could not be loaded the last time, and why."""
        self._ended = ""
        """How the child before the present one died, while that one is still loading."""
        self._picked = ""
        self._judged: tuple[object, Threshold, tuple[Emotion, ...]] | None = None
        self._last_resort: str | None = None

    def _marked(self, post: Callable[[Message], object]) -> Callable[[Message], object]:
        def marked(message: Message) -> object:
            if isinstance(message, Talk):
                message.side = self.side
            return post(message)

        return marked

    @property
    def model(self) -> Model | None:
        """The model that answers now, or None."""
        return self.service.model

    def start(self, model: str | None, remembered: str | None = None) -> None:
        """Start the child with `model`, else with the `remembered` one, else with the default.

        Where the remembered one cannot be loaded any more, the default is.
        """
        self._last_resort = remembered if model is None else None
        self.service.start(model or remembered)

    def load(self, model: str, wanted: bool = False) -> None:
        """Change the model; `wanted`: for good, as far as the person is concerned."""
        self._last_resort, self._picked, self.wanted, self.refused = None, model, wanted, None
        self.no_model = False
        self.loading, self.trouble = f"loading {model}", ""
        self.service.load(model)

    def ask(self, text: str) -> None:
        """Ask for the emotions of `text`, unless there is nobody to ask."""
        if text.strip() and not self.no_model and not self.service.exhausted:
            self.service.predict(text, self.threshold)

    def hear(self, message: Talk) -> list[tuple[str, bool]]:
        """Take in what the child said. Returns what else there is to tell, each with whether it is an error."""
        if isinstance(message, Loading):
            self.loading, self.trouble = message.what, ""
        elif isinstance(message, Ready):
            self.loading, self.trouble, self.no_model, self._last_resort = "", "", False, None
            self._picked = self._ended = ""
            self.answer = None if self.answer and self.answer.labels != message.model.labels else self.answer
            return [(warning, False) for warning in message.model.warnings]
        elif isinstance(message, Answered):
            self.answer, self.trouble = message, ""
        elif isinstance(message, Failed):
            return self._failed(message)
        return []

    def _failed(self, message: Failed) -> list[tuple[str, bool]]:
        self.loading = ""
        self._ended = message.ended if message.dead else ""
        if message.no_model and self._last_resort is not None:
            lost, self._last_resort = self._last_resort, None
            self.service.load(None)
            return [(f"The model used last, {lost}, is not there any more: {message.message}", False)]
        if message.request is None and not message.dead and self._picked:
            self.refused, self._picked, self.wanted = (self._picked, message.message), "", False
        if not message.dead and not message.no_model:
            return [(message.message, True)]
        self.trouble, self.no_model = message.message, message.no_model
        if message.dead and self.service.exhausted:
            self.trouble += ". m picks a model and starts it again"
        return []

    # What is shown

    def emotions(self) -> tuple[Emotion, ...]:
        """The last answer judged by the present threshold, the most probable first."""
        if self.answer is None:
            return ()
        if self.answer.request.threshold == self.threshold or self.model is None:
            return self.answer.emotions
        known = self._judged
        if known is None or known[0] is not self.answer or known[1] != self.threshold:
            judged = rejudge(self.answer.emotions, self.model, self.threshold)
            if judged is None:
                self.service.predict(self.answer.request.text, self.threshold)
                judged = self.answer.emotions
            known = self._judged = (self.answer, self.threshold, judged)
        return known[2]

    def move(self, by: float) -> None:
        """Move the one threshold for all by `by`, within 0..1."""
        now = FIRST if isinstance(self.threshold, str) else self.threshold
        self.threshold = min(1.0, max(0.0, round(now + by, 4)))

    def fits(self, text: str) -> bool:
        """Whether the answer is of this text."""
        return self.answer is not None and self.answer.request.text == text

    def state(self) -> str:
        """One line on why there is no answer; empty where nothing is wrong."""
        if self.no_model:
            return NO_MODEL if "no model" in self.trouble else f"✗ {self.trouble} · m picks another model"
        if self.trouble:
            return f"✗ {self.trouble}"
        again = f" · again, because {self._ended}" if self._ended else ""
        return f"… {self.loading}{again}" if self.loading else ""

    def result(self) -> dict[str, Any]:
        """The answer as `predict --json` has it among its results."""
        if self.answer is None or self.model is None:
            return {}
        return result_of(self.answer.request.text, self.emotions(), self.model.labels)

    @property
    def known_as(self) -> str:
        """How the model is found again at the next start: folders by their whole path."""
        return self.model.lasting_name if self.model is not None else ""
