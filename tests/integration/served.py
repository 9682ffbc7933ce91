"""`goemo-tui serve` as a real process on a free port of 127.0.0.1, and a client of the standard library."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PREDICT = "/v1/predict"

JSON = {"content-type": "application/json"}


@dataclass
class Service:
    """A process that serves at `url`."""

    process: subprocess.Popen[str]
    url: str

    @property
    def where(self) -> tuple[str, int]:
        """Host and port."""
        found = urlsplit(self.url)
        return found.hostname or "", found.port or 0

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> Answer:
        """A request on a connection of its own; `body` is sent as JSON, bytes as they are."""
        link = http.client.HTTPConnection(*self.where, timeout=120)
        try:
            given = {**(JSON if body is not None else {}), **{k.replace("_", "-"): v for k, v in headers.items()}}
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            link.request(method or ("GET" if body is None else "POST"), path, data, given)
            answer = link.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            link.close()

    def predict(self, *texts: str, **more: Any) -> Answer:
        """What the texts feel."""
        return self.ask(PREDICT, {"texts": list(texts), **more})

    def metrics(self, name: str) -> dict[str, float]:
        """The samples of a metric by their labels, as they are written."""
        page = self.ask("/metrics").body.decode()
        found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE)
        return {labels: float(value) for labels, value in found}


@dataclass
class Answer:
    """What came back."""

    code: int
    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        """Its JSON."""
        assert self.headers["content-type"].startswith("application/json"), self.body
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Of an error: what it says. All errors have one form."""
        assert list(self.document) == ["error"]
        said: str = self.document["error"]
        return said


@contextmanager
def serving(*arguments: str, http: str = "127.0.0.1:0", **environment: str) -> Iterator[Service]:
    """`goemo-tui serve`, once it takes texts; it is gone afterwards."""
    with running([sys.executable, "-m", "goemo_tui", "serve", "--http", http, *arguments], **environment) as service:
        yield service


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[Service]:
    """A command that prints its address."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        assert told, process.stderr.read()
        yield Service(process, json.loads(told)["address"] if told.startswith("{") else told.strip())
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
