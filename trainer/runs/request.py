"""The wish that a run's worker stops, as the workers see it: which one is still to be obeyed, and which was.

A wish lies in the run's folder as `control/stop` until it was obeyed. Who leaves it there is in process.py and slurm.py.
"""

from __future__ import annotations

from contextlib import suppress

from trainer.errors import GoemoError
from trainer.runs import lock
from trainer.runs.events import LOG
from trainer.runs.run import Run
from trainer.runs.supervise import unforeseen


def drop_answered(run: Run) -> None:
    """For a worker that has just taken the lock: what an earlier one's last word answered is not for it.

    A wish that came after that word stays: somebody asked while this worker was started, or before any was. Both are
    files of one folder, whose clock tells which is older.
    """
    if not _has_ended(run):
        return
    with suppress(OSError):  # nobody asked; or a server is away for a moment, and the wish is obeyed
        if (run.folder / lock.CONTROL / lock.STOP).stat().st_mtime_ns <= (run.folder / LOG).stat().st_mtime_ns:
            lock.withdraw_stop(run.folder)


def drop_obeyed(run: Run) -> None:
    """For a worker that has told its end: the wish is done with once the log says so, and no later start is to hear it.

    One that was broken off has obeyed nothing: who takes the run up again is to stop.
    """
    if _has_ended(run):
        with suppress(OSError):  # the next worker finds it answered
            lock.withdraw_stop(run.folder)


def _has_ended(run: Run) -> bool:
    try:
        seen = run.snapshot()
    except GoemoError:
        return False
    return seen.end is not None and seen.end["seq"] == seen.seq and not unforeseen(seen.end)
