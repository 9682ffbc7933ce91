"""A GPU claimed by a run, told to the other runs of this machine long before the driver lists who computes on it.

The kernel's flock is the claim: it ends with the process, however that ends, and no child ever holds it along.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from pathlib import Path

from trainer import paths
from trainer.errors import RunError


class Claim:
    """One device, claimed by this process until it ends or lets go."""

    def __init__(self, device: str, fd: int) -> None:
        self.device = device
        self._fd = fd
        _held.add(self)

    def release(self) -> None:
        """Let go before the process ends. Twice is fine."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        _held.discard(self)


def claim(device: str, by: str = "") -> Claim | None:
    """Claim `device` (as torch calls it: cuda:1) for this process; None if another one has it. Never waits.

    `by` is the id of the run it is for, which others then see. Raises RunError where nothing can be locked.
    """
    path = _file(device)
    try:
        paths.private_folder(path.parent)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RunError(f"{device} cannot be claimed, {path} cannot be opened: {error.strerror}") from None
    try:
        os.fchmod(fd, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(fd, 0)
        os.pwrite(fd, by.encode(), 0)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError as error:
        os.close(fd)
        raise RunError(f"{device} cannot be claimed, {path} cannot be locked: {error.strerror}") from None
    return Claim(device, fd)


def last_claimed_by(device: str) -> str:
    """The id of the run that claimed `device` last, whether it still has it or not; empty where that is not known."""
    try:
        return _file(device).read_text("utf-8", "replace")[:200]
    except OSError:
        return ""


_held: set[Claim] = set()


def _let_go_in_child() -> None:
    # A forked child shares the open file and would keep the claim when its parent is gone. Closing it here leaves the
    # claim to the parent.
    for one in list(_held):
        one.release()


os.register_at_fork(after_in_child=_let_go_in_child)


def _file(device: str) -> Path:
    """One file for each card of each machine: a home may be shared, and CUDA_VISIBLE_DEVICES gives cards new numbers."""
    name, _, number = device.partition(":")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and number.isdecimal():
        cards = [card.strip() for card in visible.split(",")]
        if int(number) < len(cards) and re.fullmatch(r"[\w-]+", cards[int(number)]):
            number = cards[int(number)]
    return paths.home() / "devices" / socket.gethostname() / f"{name}:{number or '0'}.lock"
