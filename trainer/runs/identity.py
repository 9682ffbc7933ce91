"""Who a process is: told apart from any later one with its number, on this machine and in what others wrote down.

Only looks, at /proc where there is one. Nothing here knows of runs, and nothing signals.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
"""macOS has none: there flock and the bare number of the process decide."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from any later one that gets the same number. None where the system does not tell."""

    pid: int
    ticks: int | None
    boot: str | None
    host: str

    @classmethod
    def me(cls) -> Process:
        """The process that asks."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this number now."""
        return cls(pid, ticks_of(pid)[0], boot_id(), socket.gethostname())

    @property
    def here(self) -> bool:
        """True if it is, or was, of this host; of another nothing more can be known.

        The same boot is the same machine, whatever it is called now: laptops are renamed, and a container's name is its
        own.
        """
        return self.host == socket.gethostname() or (self.boot is not None and self.boot == boot_id())

    @property
    def restarted(self) -> bool:
        """True if this machine has been started anew since."""
        boot = boot_id()
        return self.here and None not in (boot, self.boot) and boot != self.boot

    @property
    def alive(self) -> bool:
        """True if it runs on this host: same boot, same start, and not a zombie."""
        if not self.here or self.restarted or self.pid <= 0:
            return False
        ticks, zombie = ticks_of(self.pid)
        if ticks is not None:
            return not zombie and self.ticks in (None, ticks)
        return not (PROC / "self/stat").exists() and _answers(self.pid)


def written(process: Process, **more: object) -> bytes:
    """A process and what else there is to say, one `key value` a line; what is None is left out."""
    lines = {"pid": process.pid, "ticks": process.ticks, "boot": process.boot, "host": process.host, **more}
    return "".join(f"{key} {value}\n" for key, value in lines.items() if value is not None).encode()


def parsed(text: bytes) -> tuple[Process | None, dict[str, str]]:
    """What `written` made, (None, …) where no process can be read from it. Lines that nobody knows pass through."""
    values: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        values[key] = value
    pid, ticks = values.get("pid", ""), values.get("ticks", "")
    if not pid.isdecimal() or "host" not in values:
        return None, values
    return Process(int(pid), int(ticks) if ticks.isdecimal() else None, values.get("boot"), values["host"]), values


def ticks_of(pid: int) -> tuple[int | None, bool]:
    """(clock ticks from boot to the start of the process, is it a zombie), or (None, False) if it is not there."""
    try:
        text = (PROC / f"{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None, False
    fields = text[text.rfind(")") + 2 :].split()
    return int(fields[19]), fields[0] in ("Z", "X")


def boot_id() -> str | None:
    """What this start of the machine is called; asked at each look at a run, and the same as long as this process lives."""
    return _boot_id(PROC)


@cache
def _boot_id(proc: Path) -> str | None:
    with suppress(OSError):
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    return None


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
