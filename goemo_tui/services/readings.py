"""The models of Inspect: one, or two that read the same sentence, and which of them the keys are about.

Each has a child process of its own; the second is asked once the first has answered, so that it never slows the first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from textual.message import Message

from goemo_tui.services.predictor import COMMAND
from goemo_tui.services.reading import Reading
from goemo_tui.services.talk import A, Answered, B, Failed, Ready, Talk


class Readings:
    """`post` gets what the children say, from other threads; `hear` takes it in on the screen's side."""

    def __init__(self, post: Callable[[Message], object], command: Sequence[str] = COMMAND) -> None:
        self._post, self._command = post, command
        self.a = Reading(A, post, command)
        self.b: Reading | None = None
        self.side = A
        self.text = ""
        self._ending: list[threading.Thread] = []

    def of(self, side: str) -> Reading | None:
        """The model of a side; None where no second one is open."""
        return self.a if side == A else self.b

    @property
    def active(self) -> Reading:
        """The one that the keys are about."""
        return self.b if self.b is not None and self.side == B else self.a

    @property
    def all(self) -> tuple[Reading, ...]:
        """One or two."""
        return (self.a,) if self.b is None else (self.a, self.b)

    def ask(self, text: str) -> None:
        """What does `text` feel? An empty text has no answer."""
        self.text = text
        if not text.strip():
            for reading in self.all:
                reading.answer = None
        self.a.ask(text)
        self._ask_second()

    def _ask_second(self) -> None:
        if self.b is not None and not self.b.fits(self.text) and (self.a.fits(self.text) or self.a.model is None):
            self.b.ask(self.text)

    def hear(self, message: Talk) -> tuple[Reading | None, list[tuple[str, bool]]]:
        """Take in what a child said: who it was (None: one that was closed since) and what else there is to tell."""
        reading = self.of(message.side)
        if reading is None:
            return None, []
        told = reading.hear(message)
        if isinstance(message, Ready):
            reading.ask(self.text)
        if isinstance(message, Answered) and reading is self.a:
            self._ask_second()
        elif isinstance(message, Failed) and reading is self.a and self.b is not None and not self.b.fits(self.text):
            self.b.ask(self.text)
        return reading, told

    def open_second(self, model: str) -> Reading:
        """A second model beside the first; the keys are about it then."""
        self.close_second()
        self.b, self.side = Reading(B, self._post, self._command), B
        self.b.loading = f"loading {model}"
        self.b.start(model)
        return self.b

    def close_second(self) -> None:
        """Back to one; the second child is ended without waiting for it."""
        second, self.b, self.side = self.b, None, A
        if second is not None:
            self._ending.append(threading.Thread(target=second.service.close, name="end", daemon=True))
            self._ending[-1].start()

    def close(self) -> None:
        """End all children."""
        self.close_second()
        self.a.service.close()
        for thread in self._ending:
            thread.join(0.5)

    def document(self) -> dict[str, Any] | None:
        """The document of `goemo-tui predict --json`, with `--against` where there are two; None without an answer."""
        if self.a.answer is None or self.a.model is None:
            return None
        result = self.a.result()
        second = self.b
        if second is None or second.model is None or not second.fits(self.a.answer.request.text):
            return {"model": self.a.model.name, "results": [result]}
        other = {key: value for key, value in second.result().items() if key != "text"}
        return {"model": self.a.model.name, "against": second.model.name, "results": [{**result, "against": other}]}
