"""A run's worker from outside: start it detached, ask it to stop, take an ended run up again.

Works from anywhere, a running Textual app included: nothing is forked here, and nothing that it starts is its child.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import GoemoError, RunError
from trainer.runs import launch, lock
from trainer.runs.events import VERSION
from trainer.runs.lock import holder as holder
from trainer.runs.lock import stop_requested as stop_requested
from trainer.runs.permission import require_seen, require_writable
from trainer.runs.run import ENDED, LIVING, Look, Run

POLL_SECONDS = 0.02
LOG_TAIL_LINES = 15
LEAVING_SECONDS = 20.0
"""So long may a worker that has told its end take to let go of the run and to be gone, before another is started."""


def start(run: Run, command: Sequence[str] | None = None, timeout: float = 120.0) -> int:
    """Start the worker of `run` detached from everything here, and return its pid once it holds the lock.

    Of a run on several devices that is the first rank's: it alone holds the lock, and a signal to it stops them all.
    A supervisor beside it takes the run up again if it dies, as often as the run's `retries` allow. `command` stands in
    for `worker_command(run)`. Raises RunError if the run has a worker already or is of another format, or if the new
    worker ends before it got the lock (with the end of its log) or does not get it within `timeout` seconds.
    """
    require_writable(run)
    _refuse_second(run)
    retries = _retries(run)
    before = lock.holder(run.folder)
    try:
        lock.mark_starting(run.folder)
    except OSError as error:
        raise RunError(f"run {run.id} cannot be started, nothing can be written there: {error.strerror}") from None
    try:
        pid = _launch(run, retries, command or worker_command(run))
        worker = lock.Process.of(pid)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            ended = not worker.alive  # asked first: what the lock says afterwards is then the worker's last word
            now = lock.holder(run.folder)
            if (
                now is not None
                and now != before
                and now.pid is not None
                and pid in (now.pid, now.leader and now.leader.pid)
            ):
                return now.pid
            if ended:
                _refuse_second(run)
                raise RunError(f"the worker of run {run.id} ended at once. {_end_of(run.worker_log)}")
            time.sleep(POLL_SECONDS)
        raise RunError(f"the worker of run {run.id} (pid {pid}) does not get going; see {run.worker_log}")
    finally:
        lock.unmark_starting(run.folder)


def stop(run: Run, timeout: float = 60.0) -> None:
    """Ask the worker to stop (it writes a checkpoint first) and return once nobody works on the run any more.

    A run that waits, is being started or is about to be taken up again stops as soon as its worker can say so. One of
    another machine reads the wish in the folder that both share. A
    program that trains among other things gets no signal, which would kill it; its part ends when it lets go of the
    run. Raises RunError for a run that has ended, or that is still worked on after `timeout` seconds; nothing is killed.
    """
    require_writable(run)
    look = run.look()
    if not _stoppable(look):
        raise RunError(f"run {run.id} is {look.state}: only a run that is being trained can be stopped")
    try:
        lock.request_stop(run.folder)
    except OSError as error:  # a full disk: the signal is then all there is
        if look.holder is None or not look.holder.signals:
            raise RunError(f"the wish to stop cannot be written for run {run.id}: {error.strerror}") from None
    asked = lock.stop_requested(run.folder)
    told = _signalled(look.holder)
    deadline = time.monotonic() + timeout
    while _stoppable(look):
        found = look.holder
        leaving = found is not None and found.alive and found.process == told  # it has obeyed, and is not gone yet
        if asked and not lock.stop_requested(run.folder) and not leaving:
            return  # the run has ended, and may have been taken up again meanwhile: its new worker was not asked
        if told and found is not None and found.alive and found.process != told and not asked:
            return
        if time.monotonic() > deadline:
            raise RunError(f"run {run.id} has been asked to stop, but {_still(run, found)} after {timeout:g} seconds")
        time.sleep(POLL_SECONDS)
        look = run.look()


def resume(run: Run, command: Sequence[str] | None = None, timeout: float = 120.0, anyway: bool = False) -> int:
    """Start a worker again on a run that was stopped, died or failed; it goes on from its last checkpoint.

    `anyway` is somebody's word that a run of another host is not trained there any more. Waits for the last worker,
    which has told its end and may yet have to let go. Returns the pid once the new one holds the lock. Raises RunError
    for a run in another state, or one that failed on its input (reason "input"). What was merely "missing", such as
    data that were moved, may be back.
    """
    require_resumable(run, anyway)
    await_last(run)
    lock.withdraw_stop(run.folder)
    return start(run, command, timeout)


def require_resumable(run: Run, anyway: bool = False) -> None:
    """Raise RunError, as `resume` does, for a run that cannot be taken up again now."""
    require_writable(run)
    look = run.look()
    end = look.snapshot.end or {}
    if run.foreign_format is not None:
        raise RunError(
            f"the log of run {run.id} is of format {run.foreign_format!r}; this program reads format {VERSION} and "
            f"leaves it alone"
        )
    require_seen(run, look, "resume", anyway)
    if look.state not in ("stopped", "died", "failed", "unknown"):
        raise RunError(f"run {run.id} is {look.state}: only a run that was stopped, died or failed can be resumed")
    if look.state == "failed" and end.get("reason") == "input":
        raise RunError(f"run {run.id} failed on what it was given and would again: {end.get('error')}. Start a new run")


def await_last(run: Run) -> None:
    """Wait until the worker that has told its end is gone. Raises RunError if it does not let go of the run.

    One that only takes long to leave, without the lock, stands in nobody's way: after a while it is left to itself.
    """
    deadline = time.monotonic() + LEAVING_SECONDS
    while _at_work(found := lock.holder(run.folder)) and time.monotonic() < deadline:
        if run.look().state not in ENDED:
            return  # somebody else has taken it up: what starts a worker says so
        time.sleep(POLL_SECONDS)
    if found is not None and found.alive and run.look().state in ENDED:
        raise RunError(
            f"run {run.id} has ended, but its worker (pid {found.pid}) has not let go of it after {LEAVING_SECONDS:g} "
            f"seconds; try again when it has, see {run.worker_log}"
        )


def worker_command(run: Run) -> list[str]:
    """What trains a run: `python -m trainer FOLDER`."""
    return [sys.executable, "-m", "trainer", str(run.folder)]


def _refuse_second(run: Run) -> None:
    deadline = time.monotonic() + lock.SETTLE_SECONDS
    while (found := lock.holder(run.folder)) is not None and found.busy:
        if time.monotonic() > deadline:
            raise lock.busy_error(run.folder, found)
        time.sleep(POLL_SECONDS)
    if found is not None and found.alive:
        raise RunError(f"run {run.id} is already being trained by pid {found.pid}")
    if found is not None and found.locked:
        raise RunError(f"run {run.id} is held by a process that cannot be seen from here")


def _retries(run: Run) -> int:
    """How often the run is to be taken up again. Raises RunError for one that this program does not read."""
    _ = run.record
    try:
        return run.config.retries
    except GoemoError:
        return 0  # a setting that cannot be: the worker says so, where everybody looks for it


def _launch(run: Run, retries: int, command: Sequence[str]) -> int:
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(Path(launch.__file__)), str(run.worker_log), str(retries), *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"the worker of run {run.id} cannot be started: {error}") from None
    if done.returncode or not done.stdout.strip().isdecimal():
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise RunError(f"the worker of run {run.id} cannot be started: {last[0]}")
    return int(done.stdout)


def _at_work(found: lock.LockHolder | None) -> bool:
    """True while the process that the lock names lives for the run, or has yet to let go of it."""
    if found is None or found.process is None or not found.process.alive:
        return False
    return found.taken or found.signals


def _stoppable(look: Look) -> bool:
    """True while somebody works on the run, or may do so on another machine and has not said that it is over."""
    far = look.state == "unknown" and look.holder is not None and look.holder.foreign
    return look.state in LIVING or _at_work(look.holder) or far


def _still(run: Run, found: lock.LockHolder | None) -> str:
    if found is not None and found.foreign:
        return f"nothing was heard of its worker on {found.host}"
    if not _at_work(found):
        return "no worker has taken it up to say so"
    pid = found.pid if found is not None else None
    return f"its worker (pid {pid}) is still at work (it stops after the step at hand; see {run.worker_log})"


def _signalled(found: lock.LockHolder | None) -> lock.Process | None:
    """Tell the worker that lives now, and return it; one that comes later reads the wish in the folder."""
    if found is None or not found.alive or found.process is None:
        return None
    if found.signals:
        _terminate(found.process)
    return found.process


def _terminate(worker: lock.Process) -> None:
    """SIGTERM to that very process, never to another one that got its number in between."""
    try:
        fd = os.pidfd_open(worker.pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        return
    except OSError:
        fd = None  # a kernel without it
    try:
        if not worker.alive:
            return
        if fd is None:
            os.kill(worker.pid, signal.SIGTERM)
        else:
            signal.pidfd_send_signal(fd, signal.SIGTERM)
    except ProcessLookupError:
        return
    finally:
        if fd is not None:
            os.close(fd)


def _end_of(log: Path) -> str:
    try:
        lines = log.read_bytes()[-8192:].decode("utf-8", "replace").strip().splitlines()[-LOG_TAIL_LINES:]
    except OSError:
        lines = []
    return f"The end of {log}:\n" + "\n".join(lines) if lines else f"It wrote nothing to {log}"
