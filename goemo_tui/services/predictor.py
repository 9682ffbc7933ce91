"""The predictor as the terminal knows it: a child process that speaks JSON lines; what it says becomes messages.

torch lives in the child; nothing that a model does can freeze the screen. Of texts that come faster than they are
answered only the newest is kept. This module draws nothing and imports no widget.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from textual.message import Message

from goemo_tui.services.prediction import TUNED, Model, Request, Threshold, read_result
from goemo_tui.services.talk import Answered, Explained, Failed, Indexing, Loading, Ready, Scored
from goemo_tui.services.why import read_because, read_like

COMMAND = (sys.executable, "-P", "-m", "trainer.infer.service")
"""`-P`: a folder called trainer where the user happens to be is not ours."""
RESTARTS = 3
"""How often a child that died without having answered anything is started again before the person is asked to act."""


@dataclass
class _Child:
    process: subprocess.Popen[str]
    model: str | None
    talk: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    answered: bool = False
    listener: threading.Thread | None = None


class PredictorService:
    """Starts the child on first use, keeps at most one request out and the newest one waiting.

    `post` is called from the reader thread with the messages of `talk` (`App.post_message` is safe for that).
    """

    def __init__(
        self, post: Callable[[Message], object], command: Sequence[str] = COMMAND, restarts: int = RESTARTS
    ) -> None:
        self._post = post
        self._command = tuple(command)
        self._restarts = restarts
        self._lock = threading.RLock()
        self._child: _Child | None = None
        self._closed = False
        self._deaths = 0
        self._model: Model | None = None
        self._busy: dict[int, Request] = {}
        self._waiting: Request | None = None
        self._batch: Request | None = None
        self._asides: dict[str, Request] = {}
        self._wanted: str | None = None
        self._loading = False
        self._number = 0

    @property
    def model(self) -> Model | None:
        """The model that answers now, or None."""
        return self._model

    @property
    def running(self) -> bool:
        """Whether a child process lives."""
        child = self._child
        return child is not None and child.process.poll() is None

    @property
    def exhausted(self) -> bool:
        """Whether the child died too often without answering; `start` with a person behind it begins anew."""
        return self._deaths > self._restarts

    def start(self, model: str | None = None, again: bool = False) -> None:
        """Make sure a child lives; `model` names what it loads (None: the default). `again` forgets earlier deaths."""
        with self._lock:
            if again:
                self._deaths = 0
            if model is not None:
                self._wanted = model
            if self._closed or self.running or self.exhausted:
                return
            self._spawn()

    def predict(self, text: str, threshold: Threshold = TUNED) -> None:
        """Ask for the emotions of `text`. While an answer is out, only the newest text is kept."""
        with self._lock:
            self._waiting = Request(text, threshold)
            self._asides.clear()  # they were about what stood there before
            self.start()
            self._send_waiting()

    def batch(self, texts: Sequence[str]) -> None:
        """Ask for the probabilities of several texts at once. One batch at a time; a text that is typed goes first."""
        with self._lock:
            self._batch = Request(texts=tuple(texts))
            self.start()
            self._send_waiting()

    def aside(self, request: Request) -> None:
        """Ask for `because` or `like`, once nothing else is asked; only the newest of each is kept. Starts no child."""
        with self._lock:
            self._asides[request.aside] = request
            self._send_waiting()

    def leave_index(self) -> None:
        """The index of training comments is not wanted any more: a child that builds one stops."""
        with self._lock:
            self._asides.pop("like", None)
            if self._model is not None:
                self._write({"op": "leave"})

    def load(self, model: str | None) -> None:
        """Change the model (None: the default). The old one goes on answering where the new one cannot be loaded."""
        with self._lock:
            self._wanted = model
            if not self.running:
                self.start(again=True)
                return
            self._loading = True
            number = self._next()
            self._busy[number] = Request(model=model, load=True)
            self._write({"op": "load", "id": number, "model": model})

    def close(self, patience: float = 0.15) -> None:
        """End the child: its input is closed, then it is terminated, then killed, within `patience` seconds."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
        if child is None:
            return
        process = child.process
        _hang_up(process)
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _spawn(self) -> None:
        command = [*self._command, *(["--model", self._wanted] if self._wanted else [])]
        self._busy.clear()
        self._model = None
        self._loading = True
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, encoding="utf-8", errors="replace", bufsize=1, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._deaths = self._restarts + 1
            self._post(Failed(f"the prediction process cannot be started: {error}", dead=True))
            return
        child = self._child = _Child(process, self._wanted)
        self._post(Loading("starting the prediction process"))
        child.listener = threading.Thread(target=self._listen, args=(child,), name="predictor-talk", daemon=True)
        child.listener.start()
        threading.Thread(target=self._read, args=(child,), name="predictor", daemon=True).start()

    def _write(self, request: Mapping[str, Any]) -> bool:
        child = self._child
        if child is None or child.process.stdin is None:
            return False
        try:
            child.process.stdin.write(json.dumps(request) + "\n")
            child.process.stdin.flush()
        except (OSError, ValueError):
            return False  # it has died; the reader thread sees the end of its output and says so
        return True

    def _send_waiting(self) -> None:
        request = self._waiting or next(iter(self._asides.values()), None) or self._batch
        if request is None or self._loading or self._model is None:
            return
        # what is typed never waits for an aside: the child leaves that
        if any(not busy.aside for busy in self._busy.values()) or (self._busy and request is not self._waiting):
            return
        number = self._next()
        if request.aside:
            line = _aside_line(number, request)
        elif request is self._waiting:
            line = {"id": number, "op": "predict", "texts": [request.text], "threshold": request.threshold}
        else:
            line = {"id": number, "op": "batch", "texts": list(request.texts)}
        if self._write(line):
            self._busy[number] = request
            if request.aside:
                self._asides.pop(request.aside, None)
            elif request is self._waiting:
                self._waiting = None
            else:
                self._batch = None

    @staticmethod
    def _listen(child: _Child) -> None:
        assert child.process.stderr is not None
        for line in child.process.stderr:
            child.talk.append(line.rstrip()[:500])

    def _read(self, child: _Child) -> None:
        assert child.process.stdout is not None
        for line in child.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                said = None
            if isinstance(said, dict):
                self._hear(child, said)
            else:
                child.talk.append(line.rstrip()[:500])
        self._gone(child)

    def _hear(self, child: _Child, said: dict[str, Any]) -> None:
        with self._lock:
            if child is not self._child:
                return
            event = said.get("event")
            if event == "loading":
                self._loading = True
                self._post(Loading(str(said.get("what", ""))))
                return
            if event in ("indexing", "indexed"):
                self._post(_how_far(said))
                return
            request = self._busy.pop(said["id"], None) if isinstance(said.get("id"), int) else None
            if event == "ready":
                self._loading = False
                self._model = Model.from_event(said)
                self._wanted = self._model.lasting_name
                self._post(Ready(self._model))
            elif event == "error":
                self._loading = False
                if self._model is not None:
                    self._wanted = self._model.lasting_name
                no_model = self._model is None
                self._post(Failed(str(said.get("message", "")), dead=False, no_model=no_model))
            elif request is not None and request.aside:
                self._post(_explained(request, said))
            elif request is not None and "results" in said:
                child.answered = True
                self._deaths = 0
                emotions = read_result(said["results"], self._model, request.threshold)
                labels = self._model.labels if self._model else ()
                self._post(Answered(request, emotions, float(said.get("ms") or 0.0), labels))
            elif request is not None and "scores" in said:
                child.answered = True
                self._deaths = 0
                rows = tuple(tuple(float(p) for p in row) for row in said["scores"])
                self._post(Scored(request, rows, float(said.get("ms") or 0.0)))
            elif request is not None and "error" in said:
                self._post(Failed(str(said["error"]), dead=False, request=request))
            self._send_waiting()

    def _gone(self, child: _Child) -> None:
        code = child.process.wait()
        _hang_up(child.process)
        if child.listener is not None:
            child.listener.join(1.0)  # its last words may still be on their way
        with self._lock:
            if child is not self._child:
                return
            self._child, self._model, self._loading = None, None, False
            lost = next((busy for busy in self._busy.values() if not busy.aside), None)
            self._busy.clear()
            self._asides.clear()
            self._batch = None  # whoever asked hears of the death, and decides
            if self._waiting is None and lost is not None and lost.text and not lost.aside:
                self._waiting = lost
            if self._closed:
                return
            if not child.answered:
                self._deaths += 1
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            last = next((line for line in reversed(child.talk) if line.strip()), "")
            why = f": {last}" if last else ""
            then = "it is not started again by itself" if self.exhausted else "it starts again on the next use"
            ended = f"the prediction process ended ({how}){why}"
            self._post(Failed(f"{ended}; {then}", dead=True, ended=ended))


def _aside_line(number: int, request: Request) -> dict[str, Any]:
    line: dict[str, Any] = {"id": number, "op": request.aside, "text": request.text}
    if request.aside == "because":
        return {**line, "emotion": request.emotion}
    return {**line, "k": request.k, "data": request.data}


def _explained(request: Request, said: Mapping[str, Any]) -> Explained:
    """The answer to an aside, or what is wrong with it."""
    if "error" in said or said.get("skipped"):
        return Explained(request, None, str(said.get("error", "")))
    try:
        read = read_because(request.text, said["because"]) if request.aside == "because" else None
        return Explained(request, read or read_like(request.text, said))
    except (ValueError, LookupError, TypeError):
        return Explained(request, None, f"the prediction process answered {request.aside} in words that are not known")


def _how_far(said: Mapping[str, Any]) -> Indexing:
    ready = said.get("event") == "indexed"
    return Indexing(int(said.get("done") or 0), int(said.get("of") or 0), ready, str(said.get("error") or ""))


def _hang_up(process: subprocess.Popen[str]) -> None:
    stdin: IO[str] | None = process.stdin
    if stdin is None:
        return
    try:
        stdin.close()
    except OSError:
        return  # it was gone before its input was closed
