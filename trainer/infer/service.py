"""The predictor as a child process: `python -m trainer.infer.service`, JSON lines in on stdin and out on stdout.

Whatever a model does happens here; the screen that asks can neither freeze nor die of it. Ends when stdin ends.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from trainer.errors import GoemoError
from trainer.infer.why import Why

if TYPE_CHECKING:
    from trainer.infer.predictor import Predictor

Message = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m trainer.infer.service", description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    # the protocol's stream is kept apart, so that nothing a library prints can slip into it
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    _Service(out, options.device).serve(options.model)
    return 0


class _Service:
    def __init__(self, out: IO[str], device: str) -> None:
        self.out, self.device = out, device
        self.predictor: Predictor | None = None
        self.requests: queue.Queue[Message | None] = queue.Queue()
        self.why = Why(self.tell)

    def tell(self, **message: Any) -> None:
        self.out.write(json.dumps(message, ensure_ascii=True) + "\n")
        self.out.flush()

    def serve(self, model: str | None) -> None:
        threading.Thread(target=self.read, name="requests", daemon=True).start()
        self.load(model, {})
        ended = False
        while not ended:
            waiting = [self.next_request()]
            while not self.requests.empty():
                waiting.append(self.requests.get())
            ended = None in waiting
            self.answer([w for w in waiting if w is not None])

    def next_request(self) -> Message | None:
        """The next one; until it comes, an index is built on."""
        if self.predictor is not None:
            self.why.work_until(lambda: not self.requests.empty())
        return self.requests.get()

    def read(self) -> None:
        for line in sys.stdin.buffer:
            try:
                request = json.loads(line)
                if not isinstance(request, dict):
                    raise ValueError("a request is a JSON object")
            except ValueError as error:
                self.tell(error=f"not a request: {error}")
                continue
            if request.get("op") not in Why.OPERATIONS:
                self.why.pressed += 1
            self.requests.put(request)
        self.requests.put(None)

    def answer(self, waiting: list[Message]) -> None:
        """Of several predictions that wait only the newest is computed: the others show text that is no longer there."""
        predictions = [r for r in waiting if r.get("op") == "predict"]
        asides = [r for r in waiting if r.get("op") in Why.OPERATIONS]
        for request in (r for r in waiting if r not in asides):
            tag = {"id": request.get("id")}
            if request.get("op") == "load":
                self.load(request.get("model"), tag)
            elif request.get("op") == "batch":
                self.batch(request, tag)
            elif request.get("op") != "predict":
                known = ", ".join(("predict", "batch", "load", *Why.OPERATIONS))
                self.tell(**tag, error=f"no operation is called {request.get('op')!r}; there are: {known}")
            elif request is predictions[-1]:
                self.predict(request, tag)
            else:
                self.tell(**tag, skipped=True)
        self.why.answer(self.predictor, asides)

    def predict(self, request: Message, tag: Message) -> None:
        """The answer to one request, with emotions judged by its threshold."""

        def results(predictor: Predictor, texts: list[str]) -> Message:
            return {"results": [p.to_dict() for p in predictor.predict(texts, request.get("threshold"))]}

        self.reply(request, tag, results)

    def batch(self, request: Message, tag: Message) -> None:
        """Every label's probability of each text, in the model's order, and nothing else: many rows stay small."""

        def scores(predictor: Predictor, texts: list[str]) -> Message:
            return {"scores": [[round(float(p), 6) for p in row] for row in predictor.probabilities(texts)]}

        self.reply(request, tag, scores)

    def reply(self, request: Message, tag: Message, work: Callable[[Predictor, list[str]], Message]) -> None:
        """Tell what `work` makes of the request's texts, or why it cannot."""
        if self.predictor is None:
            self.tell(**tag, error="no model is loaded")
            return
        began = time.perf_counter()
        try:
            texts = request.get("texts")
            if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
                raise GoemoError("texts must be a list of strings")
            made = work(self.predictor, texts)
        except GoemoError as error:
            self.tell(**tag, error=str(error))
        except Exception as error:  # a model that fails on one text must not end the service
            self.tell(**tag, error=f"{type(error).__name__}: {error}")
        else:
            self.tell(**tag, **made, ms=round((time.perf_counter() - began) * 1000, 2))

    def load(self, model: str | None, tag: Message) -> None:
        """Load a model; the one before stays where the new one cannot be loaded."""
        began = time.monotonic()
        try:
            from trainer.encoders import anatomy
            from trainer.modelfolder import find_model

            folder = find_model(model, progress=self.fetched(model, tag))
            from trainer.infer.predictor import Predictor

            self.tell(**tag, event="loading", what=f"reading the weights of {folder.name}")
            predictor = Predictor(
                folder, self.device, few=True, tell=lambda what: self.tell(**tag, event="loading", what=what)
            )
            made_of = anatomy(folder.path)
            predictor.predict(["warm"])  # the first pass takes longer than those that follow
        except GoemoError as error:
            self.tell(**tag, event="error", what="load", message=str(error))
            return
        except Exception as error:  # whatever a foreign model does is told, never the end of the service
            self.tell(**tag, event="error", what="load", message=f"{type(error).__name__}: {error}")
            return
        self.predictor = predictor
        self.tell(
            **tag, event="ready", model=folder.name, path=str(folder.path), labels=list(predictor.labels),
            thresholds=predictor.tuned, device=predictor.engine.device, layers=made_of.layers, width=made_of.width,
            parameters=made_of.parameters, bytes=made_of.bytes, max_length=predictor.max_length,
            warnings=list(predictor.warnings), seconds=round(time.monotonic() - began, 3),
        )  # fmt: skip

    def fetched(self, model: str | None, tag: Message) -> Callable[[str, int, int], None]:
        """Tells of a download, a percent at a time."""
        told = -1

        def progress(file: str, done: int, total: int) -> None:
            nonlocal told
            percent = 100 * done // total if total else 100
            if percent > told:
                told = percent
                self.tell(
                    **tag, event="loading", what=f"fetching {model} from the Hub: {percent}% of {total / 1e6:.0f} MB"
                )

        return progress


if __name__ == "__main__":
    sys.exit(main())
