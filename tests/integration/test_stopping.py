"""ctrl+z as a signal: under a shell with jobs the app stops and comes back; where nobody could wake it, it never stops."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.lasting import until
from tests.integration.terminal import Terminal
from tests.integration.tmux import Tmux


def apps() -> list[psutil.Process]:
    """The apps of this test, by the home that is theirs alone."""
    home, found = os.environ["GOEMO_HOME"], []
    for process in psutil.process_iter():
        try:
            if process.environ().get("GOEMO_HOME") == home and process.cmdline()[1:3] == ["-m", "goemo_tui"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.usefixtures("goemo_home")
def test_alone_in_its_terminal_it_goes_on() -> None:
    with Terminal() as app:
        app.until("of 1,120")
        for key, place in (("2", "n opens a form"), ("1", "of 1,120")):
            os.kill(app.pid, signal.SIGTSTP)
            app.press(key)
            app.until(place)
        assert psutil.Process(app.pid).status() != psutil.STATUS_STOPPED


@pytest.mark.skipif(shutil.which("tmux") is None or shutil.which("bash") is None, reason="tmux or bash is not there")
def test_under_a_shell_with_jobs_it_stops_and_comes_back(goemo_home: Path) -> None:
    app = ["env", f"GOEMO_HOME={goemo_home}", sys.executable, "-m", "goemo_tui"]
    with Tmux(["bash", "--norc", "-i"]) as shell:
        shell.press(shlex.join(app), "enter")
        shell.until("of 1,120")
        (one,) = apps()
        one.send_signal(signal.SIGTSTP)
        shell.until("Stopped")
        assert one.status() == psutil.STATUS_STOPPED
        shell.press("fg", "enter")
        shell.until("of 1,120")
        shell.press("2")
        shell.until("n opens a form")
        shell.press("q")
        until(lambda: not one.is_running() or one.status() == psutil.STATUS_ZOMBIE, "it does not leave")
