"""What a prediction child says, as messages: the screen that gets them knows no process, and the service no screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from goemo_tui.services.prediction import Emotion, Model, Request
from goemo_tui.services.why import Because, Like

A, B = "a", "b"
"""The sides: the model that is looked at, and one that stands beside it."""


class Talk(Message):
    """Something that a child said; `side` tells which, where there are two."""

    side: str = A


class Loading(Talk):
    """The child is busy loading; `what` is its own word for it."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class Ready(Talk):
    """A model is loaded and answers."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model


class Failed(Talk):
    """Something did not work; the message is for people. `dead` when there is no child any more.

    `request` is what it was asked, where it was one text or one batch that did not work; `ended` says how a child that
    had started died.
    """

    def __init__(
        self, message: str, dead: bool, no_model: bool = False, request: Request | None = None, ended: str = ""
    ) -> None:
        super().__init__()
        self.message = message
        self.dead = dead
        self.no_model = no_model
        self.request = request
        self.ended = ended


class Answered(Talk):
    """The emotions of a text, the most probable first."""

    def __init__(self, request: Request, emotions: tuple[Emotion, ...], ms: float, labels: Sequence[str] = ()) -> None:
        super().__init__()
        self.request = request
        self.emotions = emotions
        self.ms = ms
        self.labels = tuple(labels)


class Scored(Talk):
    """The probabilities of a batch: one row for each of `request.texts`, in the order of the model's labels."""

    def __init__(self, request: Request, scores: tuple[tuple[float, ...], ...], ms: float) -> None:
        super().__init__()
        self.request = request
        self.scores = scores
        self.ms = ms


class Explained(Talk):
    """The answer to `because` or `like`: one of both, or why there is none; neither where it gave way to a newer text."""

    def __init__(self, request: Request, answer: Because | Like | None, error: str = "") -> None:
        super().__init__()
        self.request = request
        self.answer = answer
        self.error = error


class Indexing(Talk):
    """How far the index of training comments is; `ready`: it can be asked, or never will where there is an `error`."""

    def __init__(self, done: int, of: int, ready: bool = False, error: str = "") -> None:
        super().__init__()
        self.done = done
        self.of = of
        self.ready = ready
        self.error = error
