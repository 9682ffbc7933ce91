"""What stands beside a worker: waits for its end, writes down how it ended, and takes the run up again if it died.

Small, and in nobody's way: a worker whose supervisor was killed goes on, only how it ended is then known to no one.
Writes `control/exit` and nothing else of the run; what it does is said in worker.log, which its stderr is.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import GoemoError
from trainer.runs import lock

EXIT = "exit"
EXIT_SECONDS = 1.0
"""A worker's end is written down this soon after it."""
OWN_ENDS = frozenset({0, 1, 2, 3})
"""Exit codes of a worker that ended as it meant to: stopped or finished, failed, called wrongly, no such run."""
LONGEST_WAIT = 60.0
POLL_SECONDS = 0.1
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Exit:
    """How a worker ended: with an exit code, or by a signal (its name, such as SIGKILL)."""

    process: lock.Process
    code: int | None
    signal: str | None
    oom: bool = False
    """True if the system's out-of-memory killer struck in the worker's control group while it ended by SIGKILL."""
    ranks: bool = False
    """True if this is how torchrun ended, which had started `process` beside others."""

    @property
    def died(self) -> bool:
        """True for an end that no worker chooses. torchrun ends with 1 whatever happened to one of its workers."""
        return self.code is None or self.code not in OWN_ENDS or (self.ranks and self.code == 1)

    def __str__(self) -> str:
        if self.oom:
            who = "one of the workers" if self.ranks else f"the worker (pid {self.process.pid})"
            return f"the out-of-memory killer of the system ended {who}"
        if self.ranks:
            how = f"was killed by {self.signal}" if self.signal else f"ended with exit code {self.code}"
            return f"one of the workers ended without a word, and with it torchrun {how}; worker.log tells which"
        if self.signal is not None:
            return f"the worker (pid {self.process.pid}) was killed by {self.signal}"
        return f"the worker (pid {self.process.pid}) ended with exit code {self.code}"


def read_exit(folder: Path) -> Exit | None:
    """What `control/exit` of a run says, or None where nothing that can be read is there."""
    try:
        process, values = lock.parsed((folder / lock.CONTROL / EXIT).read_bytes())
    except OSError:
        return None
    code, number = values.get("code", ""), values.get("signal", "")
    if process is None or not (code.isdecimal() or number.isdecimal()):
        return None
    name = signal_name(int(number)) if number.isdecimal() else None
    return Exit(process, None if name else int(code), name, values.get("oom") == "1", values.get("ranks") == "1")


def exit_of(folder: Path, holder: lock.LockHolder | None) -> Exit | None:
    """How the worker that a lock names ended; None while it lives, or where nobody waited for its end."""
    found = read_exit(folder)
    return found if holder is not None and found is not None and found.process == holder.process else None


def why_died(folder: Path) -> str:
    """What is known about a worker that ended without a word."""
    holder = lock.holder(folder)
    if holder is None:
        return f"no worker ever took it up; {folder / 'worker.log'} may say why"
    if holder.process is not None and holder.process.restarted:
        return "the machine was restarted"
    deadline = time.monotonic() + EXIT_SECONDS
    while holder.supervisor is not None and holder.supervisor.alive and time.monotonic() < deadline:
        if exit_of(folder, holder):
            break
        time.sleep(0.01)
    found = exit_of(folder, holder)
    return (
        str(found)
        if found
        else f"the worker (pid {holder.pid}) ended without a word: it was killed, or the memory ran out"
    )


def signal_name(number: int) -> str:
    """SIGKILL for 9; "signal 34" for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def unforeseen(end: Mapping[str, Any]) -> bool:
    """True for a `failed` event of an error that nobody foresaw: the worker died, though not without a word."""
    return end.get("kind") == "failed" and end.get("reason") == "error"


def watch(
    folder: Path,
    worker: subprocess.Popen[bytes],
    begin: Callable[[int], subprocess.Popen[bytes]],
    tries: int,
    ended: Callable[[], bool] = lambda: False,
) -> None:
    """Wait for `worker` and every one after it. Returns when the last has ended.

    One that died after it had taken the run's lock is followed by `begin(tries left)`, `tries` times at most, until
    another process takes the run up. True from `ended` (the machine is shut down) ends the trying, never a worker.
    """
    own: set[lock.Process] = set()
    following: subprocess.Popen[bytes] | None = worker
    for count in range(tries + 1):
        if following is not None:
            end = _end_of(following, folder, own)
            if end is None:
                return
            why = str(end)
        if count == tries:
            return
        pause = min(2.0**count, LONGEST_WAIT)
        _say(f"{why}; taken up again in {pause:g} s (try {count + 1} of {tries})")
        if not _pause(folder, own, pause, ended):
            return
        try:
            following = begin(tries - count - 1)
        except OSError as error:  # such as no memory for it, which may pass
            following, why = None, f"no worker can be started: {error}"


def oom_kills(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int | None:
    """How often the out-of-memory killer struck in this process's control group, or None where nothing says so."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            told = cgroups / path.lstrip("/") / "memory.events"
        elif "memory" in controllers.split(","):
            told = cgroups / "memory" / path.lstrip("/") / "memory.oom_control"  # of the first version
        else:
            continue
        try:
            values = dict(entry.split(maxsplit=1) for entry in told.read_text().splitlines())
            return int(values["oom_kill"])
        except (OSError, KeyError, ValueError):
            continue
    return None


def _end_of(worker: subprocess.Popen[bytes], folder: Path, own: set[lock.Process]) -> Exit | None:
    """Wait for a worker, write down how it ended and return that if it died; None where nothing is to be taken up.

    It joins its forerunners in `own`.
    """
    process = lock.Process.of(worker.pid)
    own.add(process)
    before = oom_kills()
    code = worker.wait()
    end = Exit(process, code if code >= 0 else None, signal_name(-code) if code < 0 else None, _struck(code, before))
    try:
        held = lock.holder(folder)
    except GoemoError as error:
        _say(str(error))
        _write(folder, end, code)
        return end if end.died else None
    if held is not None and held.leader == process and held.process is not None:
        # the process was torchrun: what ended is the worker that it had started
        struck = bool(code) and _struck(-signal.SIGKILL, before)
        end = replace(end, process=held.process, oom=end.oom or struck, ranks=True)
    if held is None or held.is_of(process):
        _write(folder, end, code)
    # Whoever never got the lock leaves no death behind: its starter says so, or somebody else is at work.
    if held is None or not _ours(held, own) or not end.died or _told_its_end(folder, held.seq):
        return None
    return end


def _ours(held: lock.LockHolder, own: set[lock.Process]) -> bool:
    return any(held.is_of(one) for one in own)


def _struck(code: int, before: int | None) -> bool:
    now = oom_kills() if code == -signal.SIGKILL else None
    return now is not None and before is not None and now > before


def _write(folder: Path, end: Exit, code: int) -> None:
    number = {"signal": -code} if code < 0 else {"code": code}
    text = lock.written(end.process, **number, oom=int(end.oom), ranks=int(end.ranks), wall=time.time())
    try:
        paths.write_private(lock.control(folder) / EXIT, text)
    except OSError as error:
        _say(f"{folder / lock.CONTROL / EXIT} cannot be written: {error}")


def _say(text: str) -> None:
    with suppress(OSError):  # a full disk takes no line, and must not end the trying
        print(datetime.now().astimezone().isoformat(" ", "seconds"), text, file=sys.stderr, flush=True)


def _told_its_end(folder: Path, taken: int) -> bool:
    """True if the worker whose lock was taken at event `taken` has said how the run ended, and meant it."""
    from trainer.runs.run import Run  # only now: most supervisors never need it

    try:
        end = Run(folder).snapshot().end
    except (GoemoError, OSError) as error:
        _say(str(error))
        return False  # the next worker reads it again, and ends at once where there is nothing left to do
    return end is not None and end["seq"] > taken and not unforeseen(end)


def _pause(folder: Path, own: set[lock.Process], seconds: float, ended: Callable[[], bool]) -> bool:
    """Wait before another try; at once where the run is to stop, as the next worker can say so. False: no more tries."""
    deadline = time.monotonic() + seconds
    while True:
        if ended():
            return False
        with suppress(GoemoError):  # a lock that cannot be read keeps out whoever comes next by itself
            held = lock.holder(folder)
            if held is None or not _ours(held, own):
                return False  # also where the folder is gone
        if lock.stop_requested(folder) or time.monotonic() >= deadline:
            return True
        time.sleep(POLL_SECONDS)
