"""The page and the socket behind `goemo-tui --web`: textual-serve's, on 127.0.0.1 alone and for nobody but who was told.

Whoever reaches the socket has the app in hand, which can delete runs. Any page in the browser can try it, and so can
other people on this machine: the address holds a secret, and Host and Origin must be our own.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.server import Server, to_int

from goemo_tui import crash
from goemo_tui.web.visit import Visit

HOST = "127.0.0.1"

VISITS = 8
"""Tabs at a time; each is a process of the app, and often one of the model."""

SECRET_BYTES = 16

LEAVE_SECONDS = 20.0


class WebServer(Server):
    """The app in tabs; `arguments` are those of `python -m goemo_tui.web`. `listening` is a socket at 127.0.0.1."""

    def __init__(self, arguments: list[str], listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        super().__init__("goemo-tui", HOST, port, "goemo-tui", templates_path=str(Path(__file__).parent))
        self.arguments, self.listening = arguments, listening
        self.path = f"/{secrets.token_urlsafe(SECRET_BYTES)}"
        self.hosts = frozenset(f"{name}:{port}" for name in (HOST, "localhost"))
        self.visits: set[Visit] = set()

    @property
    def url(self) -> str:
        """What is opened in a browser."""
        return f"http://{HOST}:{self.port}{self.path}/"

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self.guard])
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(self.templates_path))
        app.add_routes(
            [
                web.get(f"{self.path}/", self.handle_index, name="index"),
                web.get(f"{self.path}/ws", self.handle_websocket, name="websocket"),
                web.static(f"{self.path}/static", self.statics_path, name="static"),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer to our own name and our own page only, and let the page load nothing from elsewhere."""
        if request.host.lower() not in self.hosts:
            raise web.HTTPMisdirectedRequest(text="This server answers to the address of this machine only.\n")
        if request.path == f"{self.path}/ws" and request.headers.get("Origin") != f"http://{request.host}":
            raise web.HTTPForbidden(text="Pages of other sites may not connect.\n")
        answer = await handler(request)
        if not isinstance(answer, web.WebSocketResponse):
            answer.headers.update(_headers(request.host))
        return answer

    @aiohttp_jinja2.template("page.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page."""
        font_size = max(6, min(to_int(request.query.get("fontsize", "16"), 16), 60))
        return {"base": self.path, "socket": f"ws://{request.host}{self.path}/ws", "font_size": font_size}

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One visit: from here to the tab's end."""
        if len(self.visits) >= VISITS:
            raise web.HTTPServiceUnavailable(text=f"{VISITS} tabs are open already; close one.\n")
        browser = web.WebSocketResponse(heartbeat=15)
        visit = Visit(
            self.arguments, write_bytes=browser.send_bytes, write_str=browser.send_str, close=browser.close,
            download_manager=self.download_manager,
        )  # fmt: skip
        self.visits.add(visit)
        try:
            await browser.prepare(request)
            size = [to_int(request.query.get(name, ""), least) for name, least in (("width", 80), ("height", 24))]
            await visit.start(*size)
            await self._process_messages(browser, visit)
        except Exception as error:  # what a tab sends may be anything; it ends the tab's visit and no other
            crash.log_error(error, "a tab of goemo-tui --web")
        finally:
            try:
                await visit.stop()
            finally:
                self.visits.discard(visit)
        return browser

    async def on_shutdown(self, app: web.Application) -> None:
        """End every visit."""
        await asyncio.gather(*(visit.stop() for visit in self.visits))

    def run(self, ready: Callable[[str], None]) -> int:
        """Serve until a signal comes, and return 128 + its number. `ready` hears the address."""
        logging.getLogger("textual-serve").addHandler(_Log())
        logging.getLogger("textual-serve").propagate = False
        return asyncio.run(self._run(ready))

    async def _run(self, ready: Callable[[str], None]) -> int:
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, _set, ended, number)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=LEAVE_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, self.listening).start()
            ready(self.url)
            return 128 + await ended
        finally:
            await runner.cleanup()


def _set(ended: asyncio.Future[int], number: int) -> None:
    if not ended.done():
        ended.set_result(number)


def _headers(host: str) -> dict[str, str]:
    own = f"default-src 'self' 'unsafe-inline' data:; connect-src 'self' ws://{host}; frame-ancestors 'none'"
    return {
        "Content-Security-Policy": own,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class _Log(logging.Handler):
    """What textual-serve logs, into the app's own log."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            error = record.exc_info[1] if record.exc_info else None
            crash.log_error(error or RuntimeError(record.getMessage()), "textual-serve")
