"""Who may ask, and how much: what is looked at before the application sees a request.

A page in somebody's browser may send requests to this machine, under a name that it made point here, too; the Host and
Origin headers tell. Refusals have the form of all errors.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainer.serve.app import PREDICT
from trainer.serve.limits import Limits

Scope = dict[str, Any]
Message = dict[str, Any]
Application = Callable[..., Any]

OPEN = ("/healthz", "/readyz")
"""Asked by whoever starts and watches the service; they tell nothing else."""

THROWN_AWAY = 64
"""So many bodies' worth of what nobody wants are read, so that a client that still sends can hear why it is refused."""


@dataclass(frozen=True)
class Refusal(Exception):
    """A request that goes no further."""

    code: int
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Rules:
    """`token` is asked for unless it is None; without one only `hosts` (names and addresses of this machine, `name:port`
    or `name`, lower case) are answered to, so that no page reaches us by a name of its own."""

    token: str | None
    hosts: frozenset[str]

    def check(self, scope: Scope) -> None:
        """Raises Refusal."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self.token is None and host not in self.hosts:
            raise Refusal(421, "this service answers to the address of this machine only, not to another Host")
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        foreign = headers.get(b"sec-fetch-site") == b"cross-site" and headers.get(b"sec-fetch-mode") != b"navigate"
        if (origin and origin not in (f"http://{host}", f"https://{host}")) or foreign:
            raise Refusal(403, "pages of other sites may not ask")
        if self.token is not None and scope["path"] not in OPEN:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            right = hmac.compare_digest(given.strip(), self.token.encode())
            if kind.lower() != b"bearer" or not right:
                raise Refusal(
                    401,
                    "send the token of this service: Authorization: Bearer TOKEN",
                    ((b"www-authenticate", b"Bearer"),),
                )
        if scope["method"] == "POST" and scope["path"] == PREDICT:
            kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if kind != b"application/json":
                raise Refusal(415, "send JSON, with Content-Type: application/json")


class Gate:
    """ASGI: `application` behind the rules, with the whole body read before it is asked. `crowd` counts connections."""

    def __init__(self, application: Application, rules: Rules, limits: Limits, crowd: Callable[[], int]) -> None:
        self.application, self.rules, self.limits, self.crowd = application, rules, limits, crowd

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        try:
            if self.crowd() > self.limits.connections:
                raise Refusal(503, "too many connections; ask again later", ((b"retry-after", b"5"),))
            self.rules.check(scope)
            body = await self._body(scope, receive)
        except Refusal as refusal:
            await refuse(send, refusal, receive, THROWN_AWAY * self.limits.body_bytes, self.limits.body_s)
            return
        if body is not None:
            await self.application(scope, _replayed(body, receive), send)

    async def _body(self, scope: Scope, receive: Any) -> bytes | None:
        """The whole body; None where the client went away. Raises Refusal."""
        most = self.limits.body_bytes
        too_large = Refusal(413, f"the body is larger than {most:,} bytes; send the texts in several requests")
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
                raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > most:
                        raise too_large
        except TimeoutError:
            raise Refusal(408, f"the body did not come within {self.limits.body_s:g} s") from None
        return bytes(body)


def _replayed(body: bytes, receive: Any) -> Any:
    """A `receive` that gives `body` once, and then what comes behind it: the client's going."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()  # type: ignore[no-any-return]
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def refuse(send: Any, refusal: Refusal, receive: Any, most: int, seconds: float) -> None:
    """Send the refusal, then read what the client is still sending: closed upon it, it would hear nothing of it."""
    body = json.dumps({"error": refusal.message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *refusal.headers,
    ]
    await send({"type": "http.response.start", "status": refusal.code, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more and most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})
