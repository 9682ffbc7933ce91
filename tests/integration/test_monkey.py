"""A monkey at the keyboard while a training goes on: nothing crashes, nothing is logged, nothing of it stays behind.

`GOEMO_MONKEY_ACTS` says how many acts, `GOEMO_MONKEY_SEED` which; a failure prints both, and what was done last.
Where an act leaves the app (q, ctrl+q, the palette), that has to be in good order, and it is started again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.escape_codes import Grammar
from tests.integration.lasting import GOEMO, end_all, processes, train, until
from tests.integration.monkey import SIZES, Act, acts
from trainer.runs import process
from trainer.runs.run import LIVING, Run, list_runs

PATIENCE = 120.0
ACTS = int(os.environ.get("GOEMO_MONKEY_ACTS", "1000"))
SEED = int(os.environ.get("GOEMO_MONKEY_SEED", "1"))
IN_ONE_BREATH = 10
"""Acts that are sent before the monkey looks up."""

QUIET = 0.06
"""Seconds in which nothing is drawn and next to nothing computed (IDLE, in seconds of processor time) after which the
monkey goes on: it is never ahead of an app on a slow machine, which would leave with most acts unread. It waits no longer
than BORED.
"""

IDLE = 0.01
BORED = 5.0

LEAVING = ("key ctrl+q", "key q")

CHECK = 250
"""After so many acts the app has to show that it lives."""

KEPT = 40

LAUNCH = """
import faulthandler, signal, sys
faulthandler.register(signal.SIGUSR1, open(sys.argv.pop(1), "w"))
from goemo_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""`goemo-tui`, which writes down where it is when it is asked by SIGUSR1."""


class Session:
    """The app in a pty, fed without waiting. All that it draws goes through the grammar."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.grammar = Grammar(220, 70, copies=True, notices=True)  # Settings may ask for them
        self.tail = bytearray()
        self.drawn = 0
        self.size = SIZES[0]
        self.code: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.size[1], self.size[0], 0, 0))
            silent = termios.tcgetattr(0)
            silent[3] &= ~termios.ECHO  # what the app leaves unread is not to come back as if it were drawn
            termios.tcsetattr(0, termios.TCSANOW, silent)
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-c", LAUNCH, str(folder / "where")], {**os.environ})
        os.set_blocking(self.fd, False)

    def resize(self, columns: int, rows: int) -> None:
        if self.code is None:
            self.size = columns, rows
            fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def do(self, act: Act) -> None:
        """One act; what is drawn meanwhile is taken in, so that neither side waits for the other for ever."""
        if act.size is not None:
            self.resize(*act.size)
        left, deadline = memoryview(act.data), time.monotonic() + PATIENCE
        while left and self.code is None:
            assert time.monotonic() < deadline, f"it reads nothing any more\n{self.where()}"
            _, writable, _ = select.select([], [self.fd], [], 0.02)
            if writable:
                try:
                    left = left[os.write(self.fd, left) :]
                except BlockingIOError:
                    pass
                except OSError as error:
                    assert error.errno == errno.EIO
                    self.reap()
            self.take(0)

    def take(self, seconds: float) -> bool:
        """Take in what is drawn; False where nothing comes for so long."""
        if not select.select([self.fd], [], [], seconds)[0]:
            self.look_for_end()
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.reap()
            return False
        self.drawn += len(data)
        self.tail += data
        del self.tail[:-4000]
        self.grammar.feed(data)
        return True

    def pause(self) -> None:
        deadline = time.monotonic() + BORED
        while self.code is None and time.monotonic() < deadline:
            before, until, drawn = self.computed(), time.monotonic() + QUIET, self.drawn
            while self.code is None and time.monotonic() < until:
                self.take(QUIET / 2)
            if self.drawn == drawn and self.computed() - before <= IDLE:
                return

    def computed(self) -> float:
        """Seconds of processor time that it has used."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def look_for_end(self) -> None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)

    def reap(self) -> None:
        """The other side is closed: the process is about to end."""
        deadline = time.monotonic() + PATIENCE
        while self.code is None:
            assert time.monotonic() < deadline, f"it has let its terminal go and does not end\n{self.where()}"
            self.look_for_end()
            time.sleep(0.005)

    def where(self) -> str:
        """What each of its threads is about to do."""
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(1)
        return (self.folder / "where").read_text()

    def alive(self) -> None:
        """A window of another size is drawn anew."""
        other = (120, 36) if self.size != (120, 36) else (100, 30)
        before = self.drawn
        self.resize(*other)
        deadline = time.monotonic() + PATIENCE
        while self.code is None and self.drawn == before:
            assert time.monotonic() < deadline, f"it draws nothing any more\n{self.where()}"
            self.take(0.1)
        self.pause()

    def leave(self) -> None:
        """ctrl+q leaves from wherever it is."""
        deadline = time.monotonic() + PATIENCE
        self.do(Act("end of a paste", b"\x1b[201~"))
        while self.code is None:
            assert time.monotonic() < deadline, f"it does not leave\n{self.where()}"
            self.do(Act("key ctrl+q", b"\x11"))
            for _ in range(20):
                self.take(0.05)

    def left_clean(self) -> None:
        """It has ended in good order, and the terminal is as it was."""
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            self.tail += data
            self.grammar.feed(data)
        os.close(self.fd)
        end = bytes(self.tail[-1500:])
        assert self.code == 0, f"exit {self.code}\n{end.decode(errors='replace')}"
        for code in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?1004l"):
            assert code in end, f"{code!r} is missing at the end: {end!r}"
        assert not self.grammar.wrong, self.grammar.wrong


@pytest.fixture
def place(goemo_home: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, with a home of its own and no way out: nothing is fetched, nothing written elsewhere."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    goemo_home.mkdir()
    yield folder
    end_all(goemo_home)


def going(encoder: Path) -> Run:
    """A training that goes on for longer than the monkey does; what the monkey's last keys still stop is begun again."""
    for _ in range(3):
        done = subprocess.run([*GOEMO, *train(encoder), "--detach"], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        run = Run.open(done.stdout.strip())
        until(
            lambda run=run: (run.snapshot().step or 0) > 0 or run.state not in LIVING,
            lambda run=run: f"no step: {run.state}\n{run.worker_log.read_text(errors='replace')}",
        )
        if run.state in LIVING:
            return run
    raise AssertionError("three trainings in a row were stopped before they were under way")


def test_a_monkey_breaks_nothing(place: Path, goemo_home: Path, tiny_encoder: Path) -> None:
    going(tiny_encoder)
    log = goemo_home / "state" / "app.log"
    done: deque[str] = deque(maxlen=KEPT)
    source = acts(SEED)
    count = sessions = 0
    session: Session | None = None
    try:
        while count < ACTS:
            session, sessions = Session(place), sessions + 1
            session.alive()
            while count < ACTS and session.code is None:
                act = next(source)
                count += 1
                done.append(act.what)
                session.do(act)
                if count % IN_ONE_BREATH == 0 or act.what in LEAVING:  # a ctrl+c behind it would end what is ending
                    session.pause()
                    assert not log.exists(), log.read_text()
                if count % CHECK == 0:
                    session.alive()
                    if not any(run.state in LIVING for run in list_runs()):
                        going(tiny_encoder)  # it stopped or deleted it
            session.leave()
            assert not log.exists(), log.read_text()
            session.left_clean()
            until(lambda: not others(goemo_home), lambda: f"these stay: {others(goemo_home)}")
    except (AssertionError, OSError) as error:
        raise AssertionError(
            f"seed {SEED}, act {count} of session {sessions}: {error}\nthe last acts: {', '.join(done)}"
        ) from error
    finally:
        if session is not None and session.code is None:
            os.kill(session.pid, signal.SIGKILL)
            os.waitpid(session.pid, 0)
    print(f"seed {SEED}: {count} acts in {sessions} sessions, {len(list_runs())} runs")
    for run in list_runs():
        assert "Traceback" not in run.worker_log.read_text(errors="replace"), run.worker_log
        if run.state in LIVING:
            process.stop(run)
    until(lambda: not processes(goemo_home), lambda: f"still there: {processes(goemo_home)}")


def others(home: Path) -> dict[int, str]:
    """Processes that are no training: a left app has none."""
    return {
        pid: line
        for pid, line in processes(home).items()
        if "-m trainer " not in f"{line} " and "launch.py" not in line
    }
