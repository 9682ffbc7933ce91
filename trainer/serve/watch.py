"""Each request from its head to the end of its answer: counted, told to whoever keeps a log, and never left without one.

What is told of a request holds no text and nothing else that a stranger wrote.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainer.serve.app import ROUTES, failure
from trainer.serve.metrics import Metrics

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Asked:
    """A request that was answered: `client` its address, `code` HTTP's. `method` and `route` are known ones or `other`."""

    client: str
    method: str
    route: str
    code: int
    seconds: float


class Watch:
    """ASGI: `application`, watched. `tell` hears of each request, `unforeseen` of what failed and returns its id."""

    def __init__(
        self,
        application: Any,
        metrics: Metrics,
        tell: Callable[[Asked], None],
        unforeseen: Callable[[BaseException], str],
    ) -> None:
        self.application, self.metrics, self.tell, self.unforeseen = application, metrics, tell, unforeseen

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer it, whatever happens."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began, code, whole = time.monotonic(), 0, False

        async def sent(message: dict[str, Any]) -> None:
            nonlocal code, whole
            if message["type"] == "http.response.start":
                code = message["status"]
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.application(scope, receive, sent)
        except Exception as error:
            if not code:
                await _fail(sent, self.unforeseen(error))
            elif not whole:  # half an answer must not look like a whole one
                raise
            # else it is an error of the application, which has told of it and is answered
        finally:
            route = scope["path"] if scope["path"] in ROUTES else "other"
            if code:  # without one the client went before there was anything to say
                self.metrics.request(route, code, time.monotonic() - began)
            method = scope["method"] if scope["method"] in METHODS else "other"
            client = scope["client"][0] if scope.get("client") else ""
            self.tell(Asked(client, method, route, code, time.monotonic() - began))


async def _fail(send: Any, error_id: str) -> None:
    body = json.dumps({"error": failure(error_id)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
