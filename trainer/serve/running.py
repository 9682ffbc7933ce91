"""The server around the application: slow clients, signals, and an end at which everybody has their answer.

uvicorn speaks HTTP (with h11, which is Python throughout); what it leaves open to clients that dawdle is closed here.
"""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from trainer.infer.predictor import Predictor
from trainer.serve.app import make_app
from trainer.serve.batcher import Batcher
from trainer.serve.gate import Gate, Rules
from trainer.serve.limits import Limits
from trainer.serve.metrics import Metrics
from trainer.serve.watch import Asked, Watch


@dataclass(frozen=True)
class Told:
    """Who hears what: `ready` once texts are taken, `request` of each one answered, `unforeseen` of what failed (it returns
    an id for those who ask)."""

    ready: Callable[[Predictor], None]
    request: Callable[[Asked], None]
    unforeseen: Callable[[BaseException], str]


def serve(load: Callable[[], Predictor], listening: socket.socket, rules: Rules, limits: Limits, told: Told) -> int:
    """Answer on `listening` until a signal comes; whoever was let in is answered before it ends. Returns 128 + the signal.

    Raises what `load` raises.
    """
    metrics = Metrics()
    batcher = Batcher(load, limits, metrics.batch)
    metrics.watch(batcher)
    server = _Server(limits, batcher, told)
    app = make_app(batcher, metrics, rules.token is not None, told.unforeseen)
    gate = Gate(app, rules, limits, server.crowd)
    server.config.app = Watch(gate, metrics, told.request, told.unforeseen)
    batcher.start()
    try:
        server.run([listening])
    finally:
        batcher.close()
    if server.failed is not None:
        raise server.failed
    return 128 + server.signal_number if server.signal_number else 0


class _Server(uvicorn.Server):
    def __init__(self, limits: Limits, batcher: Batcher, told: Told) -> None:
        super().__init__(
            uvicorn.Config(
                app="", http=_protocol(limits), loop="asyncio", ws="none", lifespan="off", interface="asgi3",
                log_config=None, log_level="critical", access_log=False, proxy_headers=False, server_header=False,
                timeout_keep_alive=max(1, round(limits.idle_s)),
                timeout_graceful_shutdown=round(limits.wait_s + limits.write_s),
            )
        )  # fmt: skip
        self.batcher, self.told = batcher, told
        self.signal_number = 0
        self.failed: BaseException | None = None

    def crowd(self) -> int:
        """Connections that are open."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loading = asyncio.create_task(self._loaded())

    async def _loaded(self) -> None:
        try:
            predictor = await asyncio.wrap_future(self.batcher.loaded)
            if not self.should_exit:
                self.told.ready(predictor)
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.failed, self.should_exit = error, True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal: nobody new, and everybody's answer. A second one: at once."""
        self.batcher.drain()
        self.signal_number = self.signal_number or sig
        self.force_exit = self.should_exit
        self.should_exit = True


def _protocol(limits: Limits) -> type[H11Protocol]:
    """uvicorn's, with patience that ends: for a request's head, for what nobody wants, and for an answer to be read."""

    class Protocol(H11Protocol):
        _patience: TimerHandle | None = None
        _unread: TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._patience = self.loop.call_later(limits.header_s, transport.abort)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._judge(waits=True)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._judge(waits=self._patience is not None and self.conn.their_state is not h11.IDLE)

        def _judge(self, waits: bool) -> None:
            """Patience runs while something has come and no request that is answered; it is not begun anew by each byte."""
            waits = waits and (self.cycle is None or self.cycle.response_complete)
            if waits and self._patience is None:
                self._patience = self.loop.call_later(limits.header_s, self.transport.abort)
            elif not waits and self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def pause_writing(self) -> None:
            super().pause_writing()
            self._unread = self.loop.call_later(limits.write_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._unread is not None:
                self._unread.cancel()
                self._unread = None

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._patience, self._unread):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            body = json.dumps({"error": "this is no HTTP request that can be read"}).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                for event in (
                    h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                    h11.Data(data=body),
                    h11.EndOfMessage(),
                ):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Protocol
