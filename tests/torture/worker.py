"""A worker that can be killed: forked from a server that has everything imported, or started as people start one.

A signal reaches the very process that was started and never another one that got its number.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.runs import lock, process
from trainer.runs.run import Run
from trainer.runs.supervise import exit_of

ROOT = Path(__file__).parent.parent.parent


class Worker:
    """One living worker. `reap` waits for what goes with it, and gives its exit code where that is known."""

    def __init__(self, handle: int, reap: Callable[[], int | None]) -> None:
        self._handle = handle
        self._reap = reap

    def ended(self, within: float = 0.0) -> bool:
        """Whether it has ended, after waiting for that for at most `within` seconds."""
        return bool(select.select([self._handle], [], [], within)[0])

    def kill(self) -> bool:
        """SIGKILL. False if it had ended already."""
        if self.ended():
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        return True

    def bury(self) -> int | None:
        """Its exit code once it has ended (minus the signal), or None where nobody can know."""
        os.close(self._handle)
        return self._reap()


class ForkServer:
    """The other end of forkserver.py; one worker at a time. Leaving the block ends it, and its worker with it."""

    def __enter__(self) -> ForkServer:
        # a session of its own: ctrl-c reaches the torturer alone, which then closes the pipe
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.forkserver"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin and self._server.stdout
        with suppress(BrokenPipeError):
            self._server.stdin.close()
        self._server.wait(timeout=60)
        self._server.stdout.close()

    def wait_until_ready(self) -> None:
        """Return once everything is imported."""
        self._answer()

    def encoder(self, folder: Path) -> None:
        """Make the tortured encoder in `folder`."""
        folder.mkdir(parents=True)
        self._order(do="encoder", folder=str(folder))
        if self._order(do="reap")["code"]:
            raise RuntimeError("the encoder could not be made")

    def start(self, run: Run, forgetful: bool = False) -> Worker:
        """Fork a worker for `run`; a forgetful one leaves the state of torch's generator out when it resumes."""
        pid = int(self._order(do="work", folder=str(run.folder), forgetful=forgetful)["pid"])
        return Worker(os.pidfd_open(pid), lambda: int(self._order(do="reap")["code"]))

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._server.stdin
        self._server.stdin.write(json.dumps(order).encode() + b"\n")
        self._server.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._server.stdout
        line = self._server.stdout.readline()
        if not line:
            raise RuntimeError("the fork server has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def start_for_real(run: Run) -> Worker:
    """Start or resume `run` as the command line does: detached, with all its imports."""
    pid = process.start(run) if lock.holder(run.folder) is None else process.resume(run)
    handle = os.pidfd_open(pid)
    found = lock.holder(run.folder)
    if found is None or found.pid != pid or not found.alive:  # asked after the handle was taken: it is of this process
        os.close(handle)
        raise RuntimeError(f"the worker of {run.folder} (pid {pid}) was gone as soon as it had started")
    supervisor = found.supervisor

    def reap() -> int | None:
        """Wait for the supervisor to have written down how the worker ended, and read it."""
        deadline = time.monotonic() + 60
        while supervisor and supervisor.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        end = exit_of(run.folder, found)
        if end is None:
            return None
        return -signal.Signals[end.signal] if end.signal else end.code

    return Worker(handle, reap)
