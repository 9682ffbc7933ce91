"""One visitor's process of the app, from the tab's opening to its end. It is never left behind, whatever the tab does.

What the app started (trainings) is not its own to end, and goes on.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from textual_serve.app_service import AppService

from goemo_tui.web import DRIVER

COLUMNS, ROWS = (20, 400), (8, 200)
"""Least and most of either that a browser's window may have."""

LEAVE_SECONDS = 5.0
"""What the app gets to end by itself, then again when it is told by a signal."""


class Visit(AppService):
    """textual-serve's, for `python -m goemo_tui.web` with `arguments`."""

    def __init__(self, arguments: list[str], **remote: Any) -> None:
        super().__init__("goemo-tui", **remote)
        self.arguments = [sys.executable, "-m", "goemo_tui.web", *arguments]
        self._stopping: asyncio.Task[None] | None = None

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """No shell, and a session of its own: ctrl-c in the server's terminal is not the app's."""
        columns, rows = within(width, COLUMNS), within(height, ROWS)
        environment = {**self._build_environment(columns, rows), "TEXTUAL_DRIVER": DRIVER}
        self._process = await asyncio.create_subprocess_exec(
            *self.arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
        self._stdin = self._process.stdin
        return self._process

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell the app, within reason."""
        await super().set_terminal_size(within(width, COLUMNS), within(height, ROWS))

    async def on_data(self, payload: bytes) -> None:
        """To the tab, while there is one; afterwards it is read all the same, or the app could not end."""
        await _while_there(super().on_data, payload)

    async def on_meta(self, data: bytes) -> None:
        """As `on_data`."""
        await _while_there(super().on_meta, data)

    async def stop(self) -> None:
        """End the app, and be back when it has ended. May be called twice, and while one is called off."""
        if self._process is None:
            return
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._end(self._process))
        await asyncio.shield(self._stopping)

    async def _end(self, process: Process) -> None:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.send_meta({"type": "quit"})
        for harder in (process.terminate, process.kill, lambda: None):
            try:
                async with asyncio.timeout(LEAVE_SECONDS):
                    await process.wait()
                    break
            except TimeoutError:
                with suppress(ProcessLookupError):
                    harder()
        if self._task is not None:
            await self._task


async def _while_there(send: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
    with suppress(ConnectionError, RuntimeError):
        await send(data)


def within(value: int, bounds: tuple[int, int]) -> int:
    """`value`, or the bound that it is beyond."""
    return max(bounds[0], min(int(value), bounds[1]))
