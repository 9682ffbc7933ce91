"""A run on several devices: torchrun starts a worker (a rank) for each, and this process learns here which one it is.

Nothing of it imports torch: the first rank takes the run's lock before anything heavy is loaded.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from trainer import paths
from trainer.devices import cores
from trainer.errors import GoemoError
from trainer.runs import lock
from trainer.runs.identity import Process
from trainer.runs.run import Run

MEETING = "GOEMO_MEETING"
"""The file over which ranks that this program started find each other; elsewhere they do as torchrun tells them."""
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
SHUTDOWN_SECONDS = 60
"""So long may ranks take to end when one of them died; the others are killed then."""
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


@dataclass(frozen=True)
class Place:
    """Which of `size` workers this one is (`rank`, from 0), and which of those on its machine (`local`)."""

    rank: int = 0
    size: int = 1
    local: int = 0
    restarts: int = 0
    """How often torchrun would start the ranks again if one of them ended with another code than 0."""
    led: bool = False
    """True under torchrun, also where it started one worker alone."""

    @property
    def several(self) -> bool:
        """True if others train the same run beside this process."""
        return self.size > 1

    def exit_code(self, code: int, again: bool) -> int:
        """What to end with where a lone worker would end with `code`; `again` where another try may go better.

        torchrun starts everything again after any code but 0, and a run that failed on its input would fail once more.
        Before the ranks have met nobody else knows of it, and 0 would leave them waiting.
        """
        return 0 if self.restarts and not again and (_met or not self.several) else code


ALONE = Place()
_met: list[bool] = []


def note_meeting() -> None:
    """The ranks have met: from here on what ends one of them is known to all."""
    _met.append(True)


def place(environ: Mapping[str, str] = os.environ) -> Place:
    """Where torchrun says that this process stands; ALONE without it."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if lock.TORCHRUN not in environ or not all(environ.get(name, "").isdecimal() for name in names):
        return ALONE
    rank, size, local = (int(environ[name]) for name in names)
    return Place(rank, size, local, lock.restarts_left(environ), True)


def devices_of(run: Run) -> int:
    """How many devices of one machine a run asks for; 1 where its settings cannot be read, which its worker then says."""
    try:
        return run.config.devices
    except GoemoError:
        return 1


def command(folder: Path, devices: int) -> list[str]:
    """torchrun for a run on `devices` devices of this machine. Signals that end a login are not among those it heeds.

    Its own agents meet over a file (MEETING): torchrun's usual meeting place is a port that every interface serves.
    """
    return [
        sys.executable, "-m", "torch.distributed.run",
        "--nnodes", "1", "--nproc-per-node", str(devices), "--max-restarts", "0",
        "--rdzv-backend", "c10d", "--rdzv-conf", "store_type=file", "--rdzv-endpoint", str(_meeting(folder) / "agent"),
        "--rdzv-id", folder.name, "--local-addr", "127.0.0.1",
        "--signals-to-handle", "SIGTERM,SIGINT,SIGQUIT", "--shutdown-timeout", str(SHUTDOWN_SECONDS),
        "--module", "trainer", str(folder),
    ]  # fmt: skip


def become(folder: Path, devices: int) -> NoReturn:
    """Replace this process by torchrun, which starts a worker of the run for each device. Raises OSError.

    The number of the process stays: whoever supervises it goes on waiting for it.
    """
    values = dict(os.environ)
    values.setdefault("OMP_NUM_THREADS", str(max(1, cores() // devices)))
    values.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    values.setdefault("NCCL_SOCKET_IFNAME", LOOPBACK)
    values["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    values[lock.LED_BY] = str(os.getpid())
    if not lock.supervised_by_parent(values):
        values.pop(lock.SUPERVISOR, None)
    _clear(lock.control(folder))
    meeting = paths.private_folder(_meeting(folder))
    values[MEETING] = str(meeting / "ranks")
    asked = command(folder, devices)
    os.execve(asked[0], asked, values)


def meeting_file() -> str | None:
    """The file over which the ranks meet, or None where torchrun told them a server."""
    return os.environ.get(MEETING) if os.environ.get(lock.LED_BY) == str(os.getppid()) else None


def end_with_torchrun() -> None:
    """From here on this process ends when torchrun does, also where that is killed: nobody would look after the ranks."""
    with suppress(OSError, AttributeError):  # macOS has no such call
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() == 1 and os.environ.get(lock.LED_BY, "1") != "1":
        os._exit(1)  # it was gone already


def leave(code: int) -> NoReturn:
    """End this process with `code`. Where ranks have met it ends at once, its files are closed by then.

    After an error nobody takes the group of ranks apart, and a thread of gloo's that is found running when the interpreter
    goes aborts the process: torchrun would see SIGABRT for a stop that went well, or for an input that is wrong.
    """
    if _met:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def own_log(folder: Path, rank: int) -> Path:
    """Send this process's stdout and stderr to `rank-N.log` of the run from here on. Raises OSError."""
    path = folder / f"rank-{rank}.log"
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(fd, 0o600)
    for stream in (1, 2):
        os.dup2(fd, stream)
    os.close(fd)
    return path


def _meeting(folder: Path) -> Path:
    return folder / lock.CONTROL / f"ranks-{os.getpid()}"


def _clear(control: Path) -> None:
    """Remove where the ranks of earlier workers met, also of one that had this process's number: its keys would be believed."""
    for left in control.glob("ranks-*"):
        number = left.name.removeprefix("ranks-")
        if number.isdecimal() and (int(number) == os.getpid() or not Process.of(int(number)).alive):
            shutil.rmtree(left, ignore_errors=True)
