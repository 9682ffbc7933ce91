"""Work that would hold up the screen, done in a thread of its own; its outcome comes back as a message.

The threads are daemons: leaving the app never waits for a worker that takes its time to stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.message import Message

from goemo_tui import crash
from trainer.errors import GoemoError


class Done(Message):
    """What was asked for is done, or was not possible. `value` is what the work returned; `error` is for people."""

    def __init__(self, name: str, value: object = None, error: GoemoError | None = None) -> None:
        super().__init__()
        self.name = name
        self.value = value
        self.error = error


def beside(name: str, work: Callable[[], object], post: Callable[[Message], object]) -> threading.Thread:
    """Run `work` in a daemon thread and post a `Done` called `name`. What nobody foresaw is an error too: who waits is told."""

    def run() -> None:
        try:
            value = work()
        except GoemoError as error:
            post(Done(name, error=error))
        except Exception as error:
            post(Done(name, error=crash.for_people(error, f"thread {name}")))
        else:
            post(Done(name, value))

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
