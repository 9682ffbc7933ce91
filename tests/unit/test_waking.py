"""The input thread: ends when it is told to, reads whatever bytes come, and never draws a traceback."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual import events

from goemo_tui import waking


class Terminal:
    """What Textual's driver is to the thread: a file, an event, and where what was read goes."""

    def __init__(self, fileno: int) -> None:
        self._debug = False
        self.fileno = fileno
        self.exit_event = threading.Event()
        self.got: list[events.Key] = []
        self.heard = threading.Event()
        self.wanted = 1
        self._app = self
        self.errors: list[Exception] = []

    def process_message(self, message: Any) -> None:
        self.got.append(message)
        if len(self.got) >= self.wanted:
            self.heard.set()

    def run_input_thread(self) -> None:
        raise AssertionError("Textual's own thread")

    def call_later(self, callback: Callable[[Exception], None], error: Exception) -> None:
        callback(error)

    def _handle_exception(self, error: Exception) -> None:
        self.errors.append(error)

    def disable_input(self) -> None:
        self.exit_event.set()
        self.thread.join(20)
        self.exit_event.clear()

    def start(self) -> None:
        self.thread = threading.Thread(target=self.run_input_thread, daemon=True)
        self.thread.start()


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Any]]:
    """The other side of a terminal, and a driver on it whose thread looks up once an hour."""
    monkeypatch.setattr(waking, "TICK", 3600.0)
    master, slave = pty.openpty()
    yield master, waking.waking(Terminal)(slave)  # type: ignore[arg-type]
    for fileno in (master, slave):
        with contextlib.suppress(OSError):
            os.close(fileno)


def test_it_ends_at_once_and_can_begin_again(ends: tuple[int, Any]) -> None:
    master, driver = ends
    for text in ("a", "b"):
        driver.start()
        os.write(master, f"{text}\n".encode())
        assert driver.heard.wait(20)
        driver.heard.clear()
        driver.disable_input()
        assert not driver.thread.is_alive()
    assert [key.key for key in driver.got if key.key in "ab"] == ["a", "b"]


def test_bytes_that_are_no_text_end_nothing(ends: tuple[int, Any]) -> None:
    master, driver = ends
    driver.wanted = 4
    driver.start()
    os.write(master, b"a\xff\xc3")
    os.write(master, b"\xa9z\n")
    assert driver.heard.wait(20)
    driver.disable_input()
    assert [key.character for key in driver.got][:4] == ["a", "\ufffd", "é", "z"]
    assert not driver.errors


def test_a_terminal_that_goes_away_is_a_hangup(ends: tuple[int, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    master, driver = ends
    told = threading.Event()
    monkeypatch.setattr(os, "kill", lambda pid, number: told.set() if number == signal.SIGHUP else None)
    driver.start()
    os.close(master)
    assert told.wait(20)
    driver.thread.join(20)
    assert not driver.thread.is_alive()


def test_what_goes_wrong_is_the_apps_to_say(ends: tuple[int, Any]) -> None:
    master, driver = ends
    driver.process_message = lambda message: 1 / 0
    driver.start()
    os.write(master, b"a\n")
    driver.thread.join(20)
    assert isinstance(driver.errors[0], ZeroDivisionError)


def test_a_driver_without_such_a_thread_is_left_alone() -> None:
    from textual.drivers.headless_driver import HeadlessDriver

    assert waking.waking(HeadlessDriver) is HeadlessDriver
