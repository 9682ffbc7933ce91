"""The screen dies, the training does not: whatever ends the program that started a run, the run goes on, and is found.

Each test starts a real training with the real program, ends that program in one way, and looks again with a new one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lasting import (
    GOEMO,
    PATIENCE,
    SETTINGS,
    end_all,
    goes_on,
    moving,
    processes,
    session_of,
    started,
    stop,
    train,
    until,
)
from tests.integration.terminal import Terminal
from tests.integration.tmux import Tmux
from trainer.runs.lock import Process
from trainer.runs.run import Run

CTRL_C = "\x03"


@pytest.fixture(autouse=True)
def nothing_stays(goemo_home: Path) -> Iterator[None]:
    """No process of a test outlives it."""
    yield
    end_all(goemo_home)


def train_by_form(app: Terminal | Tmux, encoder: Path) -> tuple[Run, int]:
    """Fill the app's form with keys and start: the run that makes steps now, and its worker's pid."""
    app.until("of 1,120")
    app.press("2")
    app.until("n opens a form")
    app.press("n")
    app.until("goemo-tui train --data sample")
    to_field(app, "encoder")
    app.press("enter")
    app.until("folder or Hub name")
    app.press("down", "down", "enter")
    app.until("encoder is empty")  # the field is open
    app.press(str(encoder))
    for key, value in SETTINGS.items():
        to_field(app, key)
        app.press(value)
        app.until(f"{key}={value}")
    app.press("ctrl+s")
    run, worker = started(lambda: looked_at(app))
    app.until(run.short)
    return run, worker


def to_field(app: Terminal | Tmux, name: str) -> None:
    """Press Tab, one by one, until the form tells about that field."""
    while (before := field_of(app)) != name:
        app.press("tab")
        until(lambda left=before: field_of(app) != left, f"the form stays at {before} and never comes to {name}")


def field_of(app: Terminal | Tmux) -> str:
    """The field that the form tells about, which is the one with the focus."""
    found = re.search(r"^│ (\w+): ", looked_at(app), re.MULTILINE)
    return found[1] if found else ""


def found_again(run: Run, worker: int, home: Path) -> None:
    """A new app sees it moving and leaves it; `runs attach` does, too; `runs stop` ends it."""
    with Terminal() as app:
        app.until(lambda text: "of 1,120" in text or "New run" in text)  # one that was killed has not kept its place
        app.press("2")
        app.until(run.short)
        moving(lambda: looked_at(app), run)
        app.press("q")
        assert app.wait(PATIENCE) == 0
    goes_on(run, worker)
    attached(run, worker, home)


def attached(run: Run, worker: int, home: Path) -> None:
    """`runs attach` sees it moving, ctrl-c leaves it, `runs stop` ends it."""
    with Terminal("runs", "attach", run.id) as watcher:
        moving(lambda: looked_at(watcher), run)
        left_by_ctrl_c(watcher, run)
    goes_on(run, worker)
    stop(run, home)


def left_by_ctrl_c(watcher: Terminal, run: Run) -> None:
    watcher.press(CTRL_C)
    assert watcher.wait(PATIENCE) == 130
    assert f"{run.id} goes on in the background" in watcher.text


def looked_at(screen: Terminal | Tmux) -> str:
    """What is on the screen once it has taken in what the program draws."""
    screen.look(0.05)
    return screen.text


def test_an_app_that_is_killed(tiny_encoder: Path, goemo_home: Path) -> None:
    with Terminal() as app:
        run, worker = train_by_form(app, tiny_encoder)
        os.kill(app.pid, signal.SIGKILL)
        assert app.wait(PATIENCE) == -signal.SIGKILL
        goes_on(run, worker)
    found_again(run, worker, goemo_home)


def test_a_terminal_that_is_closed(tiny_encoder: Path, goemo_home: Path) -> None:
    with Terminal() as app:
        run, worker = train_by_form(app, tiny_encoder)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, app.fd)  # closes the master; the context has a descriptor of that number left to close
        os.close(nothing)
        app.wait(PATIENCE)
        goes_on(run, worker)
    attached(run, worker, goemo_home)


def test_a_hangup_of_group_and_session(tiny_encoder: Path, goemo_home: Path) -> None:
    with Terminal() as app:
        run, worker = train_by_form(app, tiny_encoder)
        session = session_of(app.pid)
        assert app.pid in session
        os.killpg(app.pid, signal.SIGHUP)
        for pid in session - {app.pid}:
            os.kill(pid, signal.SIGHUP)
        app.wait(PATIENCE)
        until(lambda: not session_of(app.pid), "something of the session has stayed")
        left = processes(goemo_home)
        for pid in left:  # so does a login that hangs up whatever is its user's
            os.kill(pid, signal.SIGHUP)
        goes_on(run, worker)
        assert processes(goemo_home) == left
    attached(run, worker, goemo_home)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_tmux_server_that_is_killed(tiny_encoder: Path, goemo_home: Path) -> None:
    with Tmux(GOEMO) as window:
        run, worker = train_by_form(window, tiny_encoder)
        screen = [Process.of(pid) for pid in (window.server, window.pid)]
        window("kill-server")
        until(lambda: not any(process.alive for process in screen), "the server or the app has stayed")
        goes_on(run, worker)
    found_again(run, worker, goemo_home)


@pytest.mark.parametrize("how", ["ctrl-c", "SIGKILL"])
def test_a_command_line_that_is_ended(how: str, tiny_encoder: Path, goemo_home: Path) -> None:
    with Terminal(*train(tiny_encoder)) as command:
        run, worker = started(lambda: looked_at(command))
        moving(lambda: looked_at(command), run)
        if how == "ctrl-c":
            left_by_ctrl_c(command, run)
        else:
            os.kill(command.pid, signal.SIGKILL)
            assert command.wait(PATIENCE) == -signal.SIGKILL
        goes_on(run, worker)
    attached(run, worker, goemo_home)
