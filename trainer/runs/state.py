"""What the files of a run add up to: one word for whether it is worked on, how it ended, or that it died.

Only looks. Never says that a run is dead while a worker may live, or one is about to be started.
"""

from __future__ import annotations

import time
from pathlib import Path

from trainer.runs import lock
from trainer.runs.snapshot import Snapshot
from trainer.runs.supervise import unforeseen

CONFIG = "config.toml"
STALLED_SECONDS = 120.0
STARTING_SECONDS = 60.0
LIVING = frozenset({"starting", "waiting", "running", "stalled", "stopping"})
"""States in which a process works on the run, or is about to."""
ENDED = frozenset({"finished", "failed", "stopped", "died"})


def state_of(folder: Path, holder: lock.LockHolder | None, snapshot: Snapshot) -> str:
    """starting, waiting, running, stalled, stopping, finished, failed, stopped, died or unknown."""
    end = snapshot.end
    again = holder is not None and holder.supervised
    taken = holder.seq if holder is not None else 0
    # An end event that was there before the lock was taken is an older worker's, and the new one may be at work.
    if end is not None and (holder is None or end["seq"] > taken or not (holder.taken or holder.foreign)):
        # Its supervisor takes up what was broken off: by an error, or by a death before its worker's first word.
        if again and (unforeseen(end) or end["seq"] <= taken):
            return _between(folder)
        return "starting" if lock.starter(folder) else str(end["kind"])
    if holder is not None and holder.foreign:
        return "starting" if not holder.taken and lock.starter(folder) else "unknown"
    if holder is not None and holder.taken and not holder.alive:
        # A dead worker still lets go, or the next one has yet to write its name: both may take long on a busy machine.
        return _between(folder) if again or lock.starter(folder) else "unknown"
    if holder is not None and holder.alive:
        if lock.stop_requested(folder):
            return "stopping"
        waiting = snapshot.waiting
        if waiting is not None and waiting["seq"] > holder.seq:
            return "waiting"
        heard = [t for t in (holder.mono, snapshot.mono) if t is not None and t <= time.monotonic()]
        return "stalled" if heard and time.monotonic() - max(heard) > STALLED_SECONDS else "running"
    if again:
        return _between(folder)
    if lock.starter(folder):
        return "starting"
    if holder is None and snapshot.waiting is not None:  # for another program to start it, such as SLURM
        return "stopped" if lock.stop_requested(folder) else "waiting"
    if holder is None and _young(folder):
        return "starting"
    return "died"


def _between(folder: Path) -> str:
    """The state of a run whose worker is dead and whose supervisor is about to start another."""
    return "stopping" if lock.stop_requested(folder) else "starting"


def _young(folder: Path) -> bool:
    try:
        return abs(time.time() - (folder / CONFIG).stat().st_mtime) < STARTING_SECONDS
    except OSError:
        return False
