"""Shuts the calling process in before it reads a file that nobody vouches for: no network, no other program, little memory.

The kernel's part comes first (a network of its own with nothing in it, limits); Python's own part, an audit hook, holds
where the kernel gives none. Called once, early, and never undone. May not import anything heavy.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
"""Linux's CLONE_NEWUSER and CLONE_NEWNET."""

DIE_WITH_PARENT, NO_NEW_PRIVILEGES = 1, 38
"""Linux's PR_SET_PDEATHSIG and PR_SET_NO_NEW_PRIVS."""

KERNEL, PYTHON = "a network namespace of its own with nothing in it", "sockets refused in Python"
"""How the network is cut off, in words."""

REFUSED = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.", "ctypes.", "os.kill",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
    "os.putenv", "shutil.", "webbrowser.", "urllib.",
)  # fmt: skip
"""What Python tells its audit hooks of, by how it begins: none of it is needed to read numbers."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def cut_network(parent: int | None = None) -> str:
    """Leave the machine's network for an empty one where the kernel allows it; which of `KERNEL` and `PYTHON` holds.

    Before the first thread: a thread that is there already would keep the network. `parent` is the process that waits for
    this one, which ends with it.
    """
    if not sys.platform.startswith("linux"):
        return PYTHON
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        sys.exit("nobody waits for this any more")  # it was killed before we asked to go with it
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.unshare(NEW_NETWORK) == 0:
        return KERNEL
    # tried by a process that ends at once: a system may allow the half of it, and then no file could be made any more
    tried = os.fork()
    if tried == 0:
        os._exit(0 if _as_oneself(libc) else 1)
    return KERNEL if os.waitpid(tried, 0)[1] == 0 and _as_oneself(libc) else PYTHON


def _as_oneself(libc: ctypes.CDLL) -> bool:
    """The same for who is not root: a user namespace of one's own, in which one stays who one is."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_USER | NEW_NETWORK) != 0:
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
    except OSError:
        return False
    return True


def limit(seconds: int, more_bytes: int) -> None:
    """From here on at most `seconds` of a processor and `more_bytes` of memory beyond what is mapped now; no core file."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    mapped = Path("/proc/self/statm")
    if mapped.is_file():
        most = int(mapped.read_text().split()[0]) * resource.getpagesize() + more_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def refuse() -> None:
    """From here on Python opens nothing for writing, no socket and no program, whoever asks. It cannot be taken back."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(REFUSED):
        raise PermissionError(f"{event} is refused here")
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        if (isinstance(flags, int) and flags & WRITING) or (isinstance(mode, str) and set(mode) & set("wax+")):
            raise PermissionError("writing is refused here")
