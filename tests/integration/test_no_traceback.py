"""Whatever fails, wherever: the terminal is given back, one line says so, and the whole story is in the log under its id."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goemo_tui import crash

BREAKS = {
    "before the app": "App.use = lambda self, settings: 1 / 0",
    "while a place is made": "Data.body = lambda self: 1 / 0",
    "when a place is mounted": "Data.on_mount = lambda self: 1 / 0",
    "while a part is drawn": "Bars.render_line = lambda self, y: 1 / 0",
    "in a timer": "mounted(lambda self: self.set_timer(0.1, lambda: 1 / 0))",
    "at the end": "App.on_unmount = lambda self: 1 / 0\nmounted(lambda self: self.set_timer(1, self.exit))",
    "behind the end": "App.write_remembered = lambda self: 1 / 0\nmounted(lambda self: self.set_timer(1, self.exit))",
}
"""Where -> code that breaks it, before the app is started."""

UNHEARD = {
    "a thread": "mounted(lambda self: threading.Thread(target=lambda: 1 / 0).start())",
    "a task": "mounted(lambda self: asyncio.ensure_future(fails()))",
    "an object's end": "mounted(lambda self: Ends())",
    "a warning": "mounted(lambda self: warnings.warn('ZeroDivisionError, perhaps'))",
}
"""What fails where nobody waits for it -> code: the app goes on."""

START = """
import asyncio, gc, sys, threading, warnings
from goemo_tui.app import GoemoApp as App
from goemo_tui.screens.data import DataScreen as Data
from goemo_tui.widgets.bar_list import BarList as Bars

def mounted(more):
    own = App.on_mount
    def on_mount(self):
        own(self)
        more(self)
    App.on_mount = on_mount

async def fails():
    1 / 0

class Ends:
    def __del__(self):
        1 / 0

{breaks}
from goemo_tui.cli import main
sys.exit(main(["--data", "sample"]))
"""


def told(breaks: str) -> tuple[int, str]:
    """The exit code, and everything that the terminal got."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(breaks=breaks)],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    got = b""
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and (process.poll() is None or select.select([master], [], [], 0.2)[0]):
            if select.select([master], [], [], 0.2)[0]:
                try:
                    got += os.read(master, 65536)
                except OSError:
                    break
        return process.wait(20), got.decode(errors="replace")
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize("where", list(BREAKS))
def test_one_line_and_an_id(where: str, goemo_home: Path) -> None:
    code, got = told(BREAKS[where])
    assert code == 1
    assert "Traceback" not in got
    assert "\x1b[?1049h" not in got or got.rindex("\x1b[?1049l") > got.rindex("\x1b[?1049h"), "the screen is given back"
    last = " ".join(got.rpartition("\x1b[?1049l")[2].split())
    error_id = re.search(r"ZeroDivisionError: division by zero.*? (?:under|as) ([0-9a-f]{6}) ", last)
    assert error_id is not None, last
    log = crash.log_file().read_text(encoding="utf-8")
    assert error_id[1] in log
    assert "Traceback" in log


@pytest.mark.parametrize("what", list(UNHEARD))
def test_what_fails_unheard_is_in_the_log_and_the_app_goes_on(what: str, goemo_home: Path) -> None:
    end = "mounted(lambda self: (self.set_timer(1, gc.collect), self.set_timer(1.5, self.exit)))"
    code, got = told(f"{UNHEARD[what]}\n{end}")
    assert code == 0
    assert "Traceback" not in got
    assert "ZeroDivisionError" not in got
    assert "ZeroDivisionError" in crash.log_file().read_text(encoding="utf-8")
