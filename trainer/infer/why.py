"""`because` and `like` in the prediction child: what is asked after the bars, and gives way to whatever is typed.

An index is built in short slices while nobody asks for anything; what takes long before that is done in a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError

if TYPE_CHECKING:
    from trainer.infer.explain import Reasons
    from trainer.infer.like import Like
    from trainer.infer.predictor import Predictor

Message = dict[str, Any]

SLICE = 0.02
"""Seconds that a prediction waits at most, on average half of it, while an index is built."""

LONG_SLICE, LONG_QUIET = 0.1, 2.0
"""After so many seconds without a request slices are longer: one comment at a time costs three times as much as thirty."""

QUIET = 0.25
"""Seconds without a request after which an index is built on: between two keys nothing is."""

TOLD = 0.5
"""Seconds between two words on how far it is."""


class Why:
    """`tell` writes a message; `pressed` counts the requests that came and go before these."""

    OPERATIONS = ("because", "like", "leave")

    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell
        self.pressed = 0
        self._of: Predictor | None = None
        self._reasons: Reasons | None = None
        self._like: Like | None = None
        self._data: str | None = None
        self._preparing: threading.Thread | None = None
        self._failed = ""
        self._told = 0.0

    def answer(self, predictor: Predictor | None, waiting: Sequence[Message]) -> None:
        """Of several that wait only the newest of each kind is computed."""
        newest = {request["op"]: request for request in waiting}
        for request in waiting:
            tag = {"id": request.get("id")}
            if request is not newest[request["op"]]:
                self.tell(**tag, skipped=True)
                continue
            began = time.perf_counter()
            try:
                if predictor is None:
                    raise GoemoError("no model is loaded")
                self._take(predictor)
                made = self._answer_to(predictor, request)
            except Cancelled:
                self.tell(**tag, skipped=True)
            except GoemoError as error:
                self.tell(**tag, error=str(error))
            except Exception as error:  # a model that fails on one text must not end the service
                self.tell(**tag, error=f"{type(error).__name__}: {error}")
            else:
                self.tell(**tag, **made, ms=round((time.perf_counter() - began) * 1000, 2))

    def _take(self, predictor: Predictor) -> None:
        """Another model: nothing that is known holds."""
        if predictor is not self._of:
            self._of, self._reasons = predictor, None
            self._forget()

    def _forget(self) -> None:
        self._like, self._preparing, self._failed = None, None, ""

    def _answer_to(self, predictor: Predictor, request: Message) -> Message:
        if request["op"] == "leave":
            if self._like is None or not self._like.ready:
                self._forget()
            return {"left": True}
        text = request.get("text")
        if not isinstance(text, str):
            raise GoemoError("text must be a string")
        if request["op"] == "because":
            return self._because(predictor, text, request.get("emotion"))
        k = request.get("k", 3)
        if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= 100:
            raise GoemoError(f"k must be a whole number from 1 to 100, not {k!r}")
        data = request.get("data")
        return self._nearest(predictor, text, k, data if isinstance(data, str) and data else None)

    def _because(self, predictor: Predictor, text: str, emotion: object) -> Message:
        """The words of one emotion; of the same text another emotion costs nothing."""
        from trainer.infer.explain import because

        if self._reasons is None or self._reasons.text != text:
            seen = self.pressed
            self._reasons = because(predictor, text, stop=lambda: self.pressed != seen)
        name = emotion if isinstance(emotion, str) else ""
        return {"because": {name: [word.to_dict() for word in self._reasons.of(name)]}}

    def _nearest(self, predictor: Predictor, text: str, k: int, data: str | None) -> Message:
        """The nearest comments, or how far their index is."""
        if self._like is None or data != self._data:
            self._begin(predictor, data)
        like = self._like
        if self._failed:
            raise GoemoError(self._failed)
        if like is None or not like.ready:
            return {"like": None, "indexing": self._how_far()}
        return {"like": [n.to_dict() for n in like.ask(text, k)], "note": like.note, "rows": like.of}

    def _how_far(self) -> Message:
        like = self._like
        return {"done": like.done, "of": like.of} if like is not None else {"done": 0, "of": 0}

    # Building

    def _begin(self, predictor: Predictor, data: str | None) -> None:
        from trainer.infer.like import Like

        like = Like(predictor, data)
        self._like, self._data, self._failed = like, data, ""

        def prepare() -> None:
            try:
                like.prepare(stop=lambda: self._like is not like)
            except Cancelled:
                pass
            except Exception as error:
                if self._like is like:
                    self._fail(error)

        self._preparing = threading.Thread(target=prepare, name="index", daemon=True)
        self._preparing.start()
        # an index that is on the disk already is there at once
        self._preparing.join(0.05)

    def _fail(self, error: Exception) -> None:
        self._failed = str(error) if isinstance(error, GoemoError) else f"{type(error).__name__}: {error}"
        self.tell(event="indexed", error=self._failed)

    def work_until(self, asked: Callable[[], bool]) -> None:
        """Build on until something is asked, or there is nothing to build."""
        began = time.monotonic()
        while not asked() and self._like is not None and not self._failed:
            if self._preparing is not None and self._preparing.is_alive():
                self._preparing.join(SLICE)
                continue
            if self._preparing is not None:
                self._preparing = None
                if self._like.ready:  # it was on the disk
                    self.tell(event="indexed", of=self._like.of)
            if self._like.ready:
                return
            if time.monotonic() - began < QUIET:
                time.sleep(SLICE / 4)
                continue
            self._slice(self._like, SLICE if time.monotonic() - began < LONG_QUIET else LONG_SLICE)

    def _slice(self, like: Like, seconds: float) -> None:
        try:
            done = like.work(seconds)
        except Exception as error:
            self._fail(error)
            return
        if done:
            threading.Thread(target=like.save, name="save", daemon=True).start()
            self.tell(event="indexed", of=like.of)
        elif time.monotonic() - self._told >= TOLD:
            self._told = time.monotonic()
            self.tell(event="indexing", done=like.done, of=like.of)
