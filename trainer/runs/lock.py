"""Who works on a run: the lock that the living worker holds, and the question whether it lives.

The kernel's flock is the proof; pid, start ticks, boot id and host beside it say who it is. Nothing here signals.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainer import paths
from trainer.errors import NotFoundError, RunError
from trainer.runs.events import LOG, last_seq
from trainer.runs.identity import Process as Process
from trainer.runs.identity import parsed as parsed
from trainer.runs.identity import ticks_of
from trainer.runs.identity import written as written

LOCK = "lock"
CONTROL = "control"
STOP = "stop"
STARTING = "starting"
SUPERVISOR = "GOEMO_SUPERVISOR"
"""In a supervised worker's environment: its supervisor's pid, and how often that would take the run up again."""
TORCHRUN = "TORCHELASTIC_RUN_ID"
"""In the environment of each worker that torchrun started."""
LED_BY = "GOEMO_TORCHRUN"
"""In the environment of a worker whose torchrun was started by this program: the pid of that torchrun."""
SETTLE_SECONDS = 1.0
"""So long may a lock be held by nobody that it names, before that is more than a moment between two states."""
_BUSY = "busy"
_MOST_TEXT = 4096


@dataclass(frozen=True)
class LockHolder:
    """What the lock of a run said at one moment; who lives was asked at that moment too, and is not asked again.

    `process` is the last that held it, None if its text is unreadable.
    """

    process: Process | None
    locked: bool
    seq: int
    """Last event of the log when the lock was taken: an end event up to here is an older worker's."""
    mono: float | None
    """time.monotonic() when the lock was taken."""
    signals: bool = False
    """True if the process said that SIGTERM makes it stop in good order; any other would be killed by it."""
    supervisor: Process | None = None
    """The process that stands beside the worker and waits for its end; None for a worker that nobody waits for."""
    tries: int = 0
    """How often that one would take the run up again."""
    lived: bool = False
    """True if `process` lived: a worker that dies right after the look is no stranger that holds the lock."""
    keeper: Process | None = None
    """Who keeps workers out for a moment without being one; None also for one that is gone."""
    keeping: str = ""
    """What is done to the run meanwhile, such as `pruned`."""
    leader: Process | None = None
    """The torchrun that started the worker beside others for the same run; None for a worker without it."""

    @property
    def pid(self) -> int | None:
        """Number of the process that holds the lock, or held it last."""
        return self.process.pid if self.process else None

    @property
    def host(self) -> str | None:
        """Where that process runs, or ran."""
        return self.process.host if self.process else None

    @property
    def foreign(self) -> bool:
        """True if the lock was taken on another host, from where nobody can see whether it is still held."""
        return self.process is not None and not self.process.here

    @property
    def busy(self) -> str:
        """Why the lock is held if no worker holds it: `being pruned by pid 12`; else empty."""
        if not self.locked or self.keeper is None:
            return ""
        return f"being {self.keeping} by pid {self.keeper.pid}"

    @property
    def taken(self) -> bool:
        """True if the lock is held, and by a worker as far as anybody knows."""
        return self.locked and not self.busy

    @property
    def alive(self) -> bool:
        """True if the lock is held, and by the process that it names."""
        return self.taken and self.lived

    @property
    def supervised(self) -> bool:
        """True if somebody lives who takes the run up again should its worker die."""
        return self.tries > 0 and self.supervisor is not None and self.supervisor.alive

    def is_of(self, started: Process) -> bool:
        """True if the lock is, or was, held by this process or by a worker that it started as torchrun."""
        return started in (self.process, self.leader)


class RunLock:
    """Held by the worker as long as it works: `with RunLock(folder): …`. Its children never hold it with it.

    Entering raises RunError when somebody else holds it, NotFoundError when the folder is not there. `signals` is for a
    process that lives for this run alone and takes SIGTERM as the wish to stop; a program that trains among other
    things is asked by `control/stop` only. With `busy` (a word such as `pruned`) it only keeps workers out: what is
    written in it stays, and who keeps it and why stands behind that meanwhile.
    """

    def __init__(self, folder: Path, signals: bool = False, busy: str = "") -> None:
        self.folder = folder
        self.process = Process.me()
        self._signals = signals
        self._busy = busy
        self._length: int | None = None
        self._fd = -1

    def __enter__(self) -> RunLock:
        self._fd = _take(self.folder)
        _held.add(self)
        if self._busy:
            with suppress(OSError):  # a full disk, which it may be here to mend
                self._note()
            return self
        try:
            self._write()
        except OSError as error:
            self.release()
            raise RunError(f"{self.folder / LOCK} cannot be written: {error.strerror}") from None
        return self

    def _write(self) -> None:
        os.fchmod(self._fd, 0o600)
        seq, mono = last_seq(self.folder / LOG), time.monotonic()
        text = written(self.process, seq=seq, mono=mono, signals=int(self._signals), **_supervision())
        os.pwrite(self._fd, text, 0)
        os.ftruncate(self._fd, len(text))

    def _note(self) -> None:
        text = os.pread(self._fd, _MOST_TEXT, 0)
        before = (b"\n" + text).find(f"\n{_BUSY} ".encode())  # of one that was killed
        self._length = before if before >= 0 else len(text)
        os.ftruncate(self._fd, self._length)
        me = self.process
        line = f"{_BUSY} {self._busy} {me.pid} {me.ticks or '-'} {me.boot or '-'} {me.host}\n".encode()
        os.pwrite(self._fd, line if text[: self._length][-1:] in (b"", b"\n") else b"\n" + line, self._length)

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let go. The text stays: it tells who worked here last."""
        if self._fd >= 0:
            if self._length is not None and self.process.pid == os.getpid():  # a forked child lets go of its copy only
                with suppress(OSError):
                    os.ftruncate(self._fd, self._length)
                self._length = None
            os.close(self._fd)
            self._fd = -1
        _held.discard(self)


def holder(folder: Path) -> LockHolder | None:
    """What the lock of a run says now, or None if nobody has ever taken it."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = _look(folder / LOCK)
        # Between the moment a worker gets the lock and the moment it has written its name, the text is an older one;
        # and a killed worker's lock is let go of only when the last of its threads is gone, with all their memory.
        if found is None or not found.taken or found.alive or found.foreign or time.monotonic() > deadline:
            return found
        time.sleep(0.005)


def control(folder: Path) -> Path:
    """The folder of the requests to a run's worker. Never brings back a run that was removed: OSError then."""
    path = folder / CONTROL
    if not path.is_dir():
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
    return path


def stop_requested(folder: Path) -> bool:
    """True if somebody asked the worker of this run to stop; as long as that cannot be seen, nobody did."""
    try:
        return (folder / CONTROL / STOP).exists()
    except OSError:  # a server that is away for a moment: asked at every step, and no reason to end a training
        return False


def request_stop(folder: Path) -> None:
    """Ask the worker of this run to stop when it can."""
    paths.write_private(control(folder) / STOP, b"")


def withdraw_stop(folder: Path) -> None:
    """Take that back."""
    (folder / CONTROL / STOP).unlink(missing_ok=True)


def starter(folder: Path) -> Process | None:
    """The process that is starting a worker for this run right now, or None."""
    try:
        found = parsed((folder / CONTROL / STARTING).read_bytes())[0]
    except OSError:
        return None
    return found if found is not None and found.alive else None


def mark_starting(folder: Path) -> None:
    """Note that this process is starting a worker for the run."""
    paths.write_private(control(folder) / STARTING, written(Process.me()))


def unmark_starting(folder: Path) -> None:
    """The start is over, whatever came of it. What another starter noted meanwhile stays: it is still at it."""
    if starter(folder) in (None, Process.me()):
        (folder / CONTROL / STARTING).unlink(missing_ok=True)


_held: set[RunLock] = set()


def _let_go_in_child() -> None:
    # A forked child shares the open file and would keep the lock when its parent is gone. Closing it here leaves the
    # lock to the parent.
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)


def _take(folder: Path) -> int:
    path = folder / LOCK
    deadline = time.monotonic() + 2.0
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise NotFoundError(f"{folder}: no such run folder") from None
        except OSError as error:
            raise RunError(f"{path} cannot be opened: {error.strerror}. Is the run somebody else's?") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same_file(fd, path):
                return fd
            os.close(fd)  # the file was replaced meanwhile: a lock on what nobody sees is none
        except BlockingIOError:
            os.close(fd)
            # Whoever only looks holds it shared for an instant; that is no reason to give up.
            found = _look(path)
            if (found is not None and found.alive) or time.monotonic() > deadline:
                if found is not None and found.busy:
                    raise busy_error(folder, found) from None
                who = f"by pid {found.pid}" if found is not None and found.pid else "by another process"
                raise RunError(f"run {folder.name} is already being trained {who}") from None
            time.sleep(0.002)
        except OSError as error:
            os.close(fd)
            raise _no_locks(path, error) from None


def busy_error(folder: Path, found: LockHolder) -> RunError:
    """What to say where a worker is kept out for a moment."""
    return RunError(f"run {folder.name} is {found.busy}; try again in a moment")


def _look(path: Path) -> LockHolder | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            locked = False
        except BlockingIOError:
            locked = True
        except OSError as error:
            raise _no_locks(path, error) from None
        try:
            process, values = parsed(os.pread(fd, _MOST_TEXT, 0))
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}") from None
    finally:
        os.close(fd)  # also lets go of the shared lock
    seq, mono = values.get("seq", ""), values.get("mono", "")
    signals, tries = values.get("signals") == "1", values.get("tries", "")
    supervisor = _relative(process, values.get("supervisor", ""))
    return LockHolder(
        process, locked, int(seq) if seq.isdecimal() else 0, _decimal(mono), signals,
        supervisor, int(tries) if tries.isdecimal() else 0, process is not None and process.alive,
        *_keeper(values.get(_BUSY, "")), _relative(process, values.get("torchrun", "")),
    )  # fmt: skip


def _relative(process: Process | None, text: str) -> Process | None:
    """A process of the same host as the lock's, from `pid ticks` or `pid`; None where the text is none."""
    parts = text.split()
    if process is None or not parts or not all(part.isdecimal() for part in parts):
        return None
    return Process(int(parts[0]), int(parts[1]) if len(parts) > 1 else None, process.boot, process.host)


def _keeper(text: str) -> tuple[Process | None, str]:
    """What RunLock notes while it is busy: who keeps the run and why, as long as that one lives."""
    parts = text.split()
    if len(parts) != 5 or not parts[1].isdecimal():
        return None, ""
    what, pid, ticks, boot, host = parts
    process = Process(int(pid), int(ticks) if ticks.isdecimal() else None, None if boot == "-" else boot, host)
    return (process, what) if process.alive else (None, "")


def supervised_by_parent(environ: Mapping[str, str]) -> bool:
    """True if the parent of this process is the supervisor that `environ` names."""
    # Children of a worker inherit the environment too, and nobody waits for them.
    return environ.get(SUPERVISOR, "").partition(" ")[0] == str(os.getppid())


def restarts_left(environ: Mapping[str, str]) -> int:
    """How often the torchrun that started this worker would start all of them again."""
    most, done = (environ.get(f"TORCHELASTIC_{name}", "") for name in ("MAX_RESTARTS", "RESTART_COUNT"))
    return max(0, int(most) - int(done)) if most.isdecimal() and done.isdecimal() else 0


def _supervision() -> dict[str, object]:
    """The lock's lines about whoever started this process and waits for its end; none where nobody does."""
    parent = os.getppid()
    pid, _, tries = os.environ.get(SUPERVISOR, "").partition(" ")
    lines: dict[str, object] = {}
    if TORCHRUN in os.environ:
        lines["torchrun"] = _named(parent)
        if os.environ.get(LED_BY) != str(parent):  # started by hand: it is the one that takes up again what died
            return {**lines, "supervisor": _named(parent), "tries": restarts_left(os.environ)}
    elif not supervised_by_parent(os.environ):
        return {}
    if not pid.isdecimal() or not tries.isdecimal():
        return lines
    return {**lines, "supervisor": _named(int(pid)), "tries": int(tries)}


def _named(pid: int) -> str:
    ticks = ticks_of(pid)[0]
    return str(pid) if ticks is None else f"{pid} {ticks}"


def _no_locks(path: Path, error: OSError) -> RunError:
    return RunError(f"{path} cannot be locked: {error.strerror}. Put GOEMO_HOME on a file system that knows locks")


def _same_file(fd: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(fd)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _decimal(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
