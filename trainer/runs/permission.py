"""What this user may do with a run: not with somebody else's, and not with one that may be at work out of sight.

Only looks and refuses; what a refusal says names the way on where there is one.
"""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import RunError
from trainer.runs import lock

if TYPE_CHECKING:
    from trainer.runs.run import Look, Run


def require_writable(run: Run) -> None:
    """Raise RunError for a run that this user may only look at."""
    if not run.writable:
        raise RunError(f"run {run.id} belongs to {owner(run.folder)}: it can be looked at, not changed")


def require_seen(run: Run, look: Look, action: str, anyway: bool) -> None:
    """Raise RunError for a run of which nobody here can know whether it is worked on; `action` is of `goemo-tui runs`.

    `anyway` is somebody's word that it is not. A lock that is held is worth more than that word.
    """
    if look.state != "unknown":
        return
    found = look.holder
    there = f"on {found.host} " if found is not None and found.foreign else ""
    if found is not None and found.busy:
        raise lock.busy_error(run.folder, found)
    if found is not None and found.locked:
        raise RunError(f"run {run.id} is held by a process {there}that cannot be seen from here; stop it there first")
    if anyway:
        return
    way = f"goemo-tui runs {action} {run.id} --anyway"
    if there:
        raise RunError(
            f"run {run.id} was started {there.strip()}, which cannot be seen from here; if it no longer runs there: {way}"
        )
    raise RunError(
        f"the log of run {run.id} is of format {run.foreign_format!r}, which this program does not read; if it has "
        f"ended: {way}"
    )


def owner(folder: Path) -> str:
    """Whose it is, for a message."""
    try:
        return pwd.getpwuid(folder.stat().st_uid).pw_name
    except (KeyError, OSError):
        return "somebody else"
