"""What Inspect explains: which emotion, of which text, and what is known of it; asked once nobody types any more.

Holds what came back and says what is still to be asked; draws nothing. Answers to what is no longer there are dropped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from goemo_tui.services.prediction import Request
from goemo_tui.services.reading import Reading
from goemo_tui.services.talk import Explained, Indexing
from goemo_tui.services.why import Because, Like, document

NEAREST = 3
"""Training comments that are asked for."""


class Explaining:
    """`hidden`: nothing is asked. `chosen` is the emotion that a person selected; None: the first bar's."""

    def __init__(self) -> None:
        self.hidden = False
        self.chosen: str | None = None
        self.because: Because | None = None
        self.like: Like | None = None
        self.trouble = ""
        self._of: tuple[str, str] = ("", "")

    def emotion(self, shown: tuple[str, ...]) -> str:
        """The emotion that is explained, of those `shown` in the order of the bars; empty where there are none."""
        if self.chosen in shown:
            return self.chosen or ""
        return shown[0] if shown else ""

    def choose(self, by: int, shown: tuple[str, ...]) -> None:
        """The emotion so many bars further down; the first and the last are the ends."""
        if shown:
            at = shown.index(self.emotion(shown)) + by
            self.chosen = shown[max(0, min(len(shown) - 1, at))]

    def keep_to(self, reading: Reading, text: str) -> bool:
        """What is known of another text, or from another model, is forgotten. Returns whether there was something."""
        known = (self.because, self.like, self.trouble)
        now = (text, "" if reading.model is None else f"{reading.side} {reading.model.path} {reading.model.name}")
        if now != self._of:
            self._of, self.because, self.trouble = now, None, ""
            building = self.like is not None and self.like.indexing
            self.like = replace(self.like, text=text) if self.like is not None and building else None
        return (self.because, self.like, self.trouble) != known

    def wanted(self, reading: Reading, text: str, emotion: str, data: str) -> list[Request]:
        """What is to be asked of `reading` for a text whose bars are shown."""
        if self.hidden or not text.strip() or not reading.fits(text) or reading.model is None or self.trouble:
            return []
        asked = []
        if emotion and (self.because is None or self.because.emotion != emotion):
            asked.append(Request(text, aside="because", emotion=emotion))
        if self.like is None or self.like.indexing:
            asked.append(Request(text, aside="like", data=data, k=NEAREST))
        return asked

    def take(self, message: Explained, text: str, emotion: str) -> bool:
        """Keep an answer, unless it is stale. Returns whether something is to be drawn anew."""
        if message.request.text != text:
            return False
        answer = message.answer
        if isinstance(answer, Because):
            if answer.emotion != emotion:
                return False
            self.because = answer
        elif isinstance(answer, Like):
            self.like = answer
        elif message.error:
            self.trouble = message.error
        return answer is not None or bool(message.error)

    def far(self, message: Indexing) -> bool:
        """How far the index is. Returns whether it can be asked now."""
        if message.error:
            self.trouble = message.error
        elif self.like is not None and self.like.indexing and not message.ready:
            self.like = replace(self.like, done=message.done, of=message.of)
        return message.ready and not message.error

    def document(self, text: str) -> dict[str, Any]:
        """What is shown of `text`, as `predict --because --like --json` adds it to a result."""
        if self.hidden or self._of[0] != text:
            return {}
        return document(self.because, self.like)
