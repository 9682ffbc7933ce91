"""Texts of many requests through one model: one thread computes, a bounded queue waits, nobody is kept waiting by one
who asks a lot.

Nothing is waited for to make a batch larger: a round takes what has come while the last one was computed.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.corpus.tokens import TokenArrays, tokenize
from trainer.serve.limits import Limits

if TYPE_CHECKING:
    from trainer.infer.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]

JOIN_SECONDS = 60.0
"""How long a round that is being computed is waited for at the end."""

LOAD_SECONDS = 2.0
"""The same for a model that is still being loaded, which nobody needs any more."""


class Refused(Exception):
    """The texts were not taken. `code` is HTTP's, `retry_s` (whole seconds) when it is worth to ask again."""

    def __init__(self, code: int, message: str, retry_s: int) -> None:
        super().__init__(message)
        self.code, self.retry_s = code, retry_s


@dataclass(eq=False)
class Job:
    """The texts of a request. `future` will hold their probabilities, float32 of (texts, labels); cancelled, what is
    not computed yet never is."""

    texts: Sequence[str]
    future: Future[Array] = field(default_factory=Future)
    taken: int = 0
    rows: list[Array] = field(default_factory=list)


class Batcher:
    """`load` makes the predictor, in the thread that will use it. `told` hears of each round: texts and seconds."""

    def __init__(
        self,
        load: Callable[[], Predictor],
        limits: Limits,
        told: Callable[[int, float], None] = lambda texts, seconds: None,
    ) -> None:
        self.limits, self.told = limits, told
        self.loaded: Future[Predictor] = Future()
        self.loaded.set_running_or_notify_cancel()  # whoever stops waiting for it does not call it off
        self.draining = False
        self._load = load
        self._waiting: deque[Job] = deque()
        self._queued = 0
        self._closed = False
        self._seconds_a_text = 0.01
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)

    def start(self) -> None:
        """Load the model, then compute what comes."""
        self._thread.start()

    @property
    def queued(self) -> int:
        """Texts that wait."""
        return self._queued

    @property
    def state(self) -> str:
        """`loading`, `ready`, `failed` or `stopping`."""
        if self.draining or self._closed:
            return "stopping"
        if not self.loaded.done():
            return "loading"
        return "failed" if self.loaded.exception() else "ready"

    def submit(self, texts: Sequence[str]) -> Job:
        """Take the texts in. Raises Refused: 429 while the queue is full, 503 while there is no model to ask."""
        if self.state != "ready":
            what = {"loading": "the model is being loaded", "failed": "the model could not be loaded"}
            raise Refused(503, what.get(self.state, "the service is stopping"), 5)
        job = Job(texts)
        with self._changed:
            if self._queued + len(texts) > self.limits.queue:
                message = (
                    f"{self._queued} texts are waiting, and there is room for {self.limits.queue}; ask again later"
                )
                raise Refused(429, message, self.retry_s())
            self._waiting.append(job)
            self._queued += len(texts)
            self._changed.notify()
        return job

    def retry_s(self) -> int:
        """In so many seconds what waits now will have been computed, as things go."""
        return max(1, min(math.ceil(self._queued * self._seconds_a_text), math.ceil(self.limits.wait_s)))

    def drain(self) -> None:
        """Take nothing more in; what waits is computed. May be called from a signal's handler."""
        self.draining = True

    def close(self) -> None:
        """Compute what still waits, and end."""
        self.draining = True
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS if self.loaded.done() else LOAD_SECONDS)

    def _work(self) -> None:
        try:
            predictor = self._load()
        except BaseException as error:
            self.loaded.set_exception(error)
            return
        self.loaded.set_result(predictor)
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                round_ = self._take()
            if round_:
                began = time.monotonic()
                self._compute(predictor, round_)
                texts, seconds = sum(count for _, count in round_), time.monotonic() - began
                self._seconds_a_text += 0.2 * (seconds / texts - self._seconds_a_text)
                self.told(texts, seconds)

    def _take(self) -> list[tuple[Job, int]]:
        """What is computed next, as jobs and how many of their texts: half of a round for the one that came first, and
        the rest for all in turn, so that neither many small requests nor a large one hold up the others."""
        for job in [job for job in self._waiting if job.future.done()]:
            self._waiting.remove(job)
            self._queued -= len(job.texts) - job.taken
        room = self.limits.batch
        counts: dict[int, int] = {}
        jobs = list(self._waiting)
        if jobs:
            counts[0] = min(max(1, room // 2), len(jobs[0].texts) - jobs[0].taken)
            room -= counts[0]
        while room:
            before = room
            for number, job in enumerate(jobs):
                if room and counts.get(number, 0) < len(job.texts) - job.taken:
                    counts[number] = counts.get(number, 0) + 1
                    room -= 1
            if room == before:
                break
        self._queued -= sum(counts.values())
        round_ = [(jobs[number], count) for number, count in counts.items()]
        for job, count in round_:
            job.taken += count
            if job.taken == len(job.texts):
                self._waiting.remove(job)
        return round_

    def _compute(self, predictor: Predictor, round_: list[tuple[Job, int]]) -> None:
        """Compute a round. Where it fails, each request's part is computed by itself: a text harms nobody else's."""
        parts = [job.texts[job.taken - count : job.taken] for job, count in round_]
        try:
            found = probabilities(predictor, [text for part in parts for text in part])
        except Exception as error:
            if len(round_) == 1:
                with suppress(InvalidStateError):  # what is left of its texts is not computed
                    round_[0][0].future.set_exception(error)
                return
            for one in round_:
                self._compute(predictor, [one])
            return
        at = 0
        for job, count in round_:
            job.rows.append(found[at : at + count])
            at += count
            if sum(map(len, job.rows)) == len(job.texts):
                with suppress(InvalidStateError):  # nobody waits for it any more
                    job.future.set_result(np.concatenate(job.rows))


def probabilities(predictor: Predictor, texts: Sequence[str]) -> Array:
    """float32 of (texts, labels), in order. On a processor texts of the same length go together, without padding: each
    gets the very numbers that it gets alone, whoever else asks."""
    tokens = tokenize(list(texts), predictor.tokenizer, predictor.max_length)
    if predictor.engine.device != "cpu":
        return predictor.of_tokens(tokens)
    found = np.zeros((len(texts), len(predictor.labels)), np.float32)
    for rows, alike in _alike(tokens):
        found[rows] = predictor.of_tokens(alike)
    return found


def _alike(tokens: TokenArrays) -> Iterator[tuple[Array, TokenArrays]]:
    """The rows of each length, and their tokens."""
    lengths = tokens.lengths
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        ids = np.concatenate([tokens.row(int(row)) for row in rows])
        yield rows, TokenArrays(ids, np.arange(len(rows) + 1) * length)
