"""The worker: `python -m trainer RUN_FOLDER` trains the run in that folder until it ends or is asked to stop.

Known to the terminal only by its folder. SIGTERM and SIGINT ask it to stop after the step at hand; SIGHUP is ignored.
Where the run asks for several devices it becomes torchrun, which starts it again once for each; by hand it is
`torchrun … -m trainer RUN_FOLDER`. The first rank holds the run's lock and writes; the others say what they do in
`rank-N.log`.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from trainer.uncollected import uncollected

if TYPE_CHECKING:
    from trainer.runs.run import Run
    from trainer.runs.torchrun import Place

UNFORESEEN = 70
"""Exit code of a worker that failed for a reason that nobody thought of: whoever supervises it may try again."""


def main(arguments: list[str]) -> int:
    """0 finished or stopped, 1 failed, 2 usage, 3 no such run; UNFORESEEN where it may work the next time."""
    if len(arguments) != 1:
        print("usage: python -m trainer RUN_FOLDER", file=sys.stderr)
        return 2
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from trainer.errors import GoemoError
    from trainer.runs import torchrun
    from trainer.runs.run import Run

    place, code = torchrun.place(), UNFORESEEN
    try:
        run = Run.open(Path(arguments[0]))
        devices = torchrun.devices_of(run)
        if devices > 1 and not place.led:
            torchrun.become(run.folder, devices)
        asked: list[int] = []

        def ask(number: int, frame: FrameType | None) -> None:
            asked.append(number)

        signal.signal(signal.SIGTERM, ask)
        signal.signal(signal.SIGINT, ask)
        if place.led:
            torchrun.end_with_torchrun()
        code = (_beside if place.rank else _first)(run, lambda: bool(asked), place)
    except GoemoError as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except Exception:  # before the log could tell of it: an import that failed, no memory even for that
        traceback.print_exc()
    return place.exit_code(code, code == UNFORESEEN)


def _first(run: Run, signalled: Callable[[], bool], place: Place) -> int:
    """The worker that holds the lock and writes, alone or before others."""
    from trainer.runs import request
    from trainer.runs.lock import RunLock, stop_requested
    from trainer.runs.queue import take_turn

    def stop() -> bool:
        return signalled() or stop_requested(run.folder)

    with RunLock(run.folder, signals=True):
        # all of this holds the lock: the starter knows that we live while we wait, and while torch is imported
        request.drop_answered(run)
        turn = take_turn(run, stop)
        if turn is None:  # stopped while it waited
            request.drop_obeyed(run)
            _say_stopped(run)
            return 0
        with uncollected():
            from trainer.learn.work import work

        last = work(run, stop, turn=turn, place=place)
    if last.get("kind") == "stopped":
        _say_stopped(run)
    if last.get("kind") != "failed":
        return 0
    return UNFORESEEN if last.get("reason") == "error" else 1


def _beside(run: Run, signalled: Callable[[], bool], place: Place) -> int:
    """Every other rank. The wish in the run's folder is for the first, which tells it on; it may be an answered one."""
    from trainer.runs.queue import await_turn
    from trainer.runs.torchrun import own_log

    own_log(run.folder, place.rank)
    if not await_turn(run):
        return 0
    with uncollected():
        from trainer.learn.follow import follow

    return 1 if follow(run, signalled, place) == "failed" else 0


def _say_stopped(run: Run) -> None:
    """For whoever started it by hand: it ended because it was asked to, and that is over now."""
    seen = run.snapshot()
    what = f"after step {seen.step:,}" if seen.started is not None else "before it began"
    with suppress(OSError):  # stderr may lie on a disk that is full
        print(f"run {run.id} was asked to stop, and has stopped {what}. Started again, it goes on.", file=sys.stderr)


if __name__ == "__main__":
    from trainer.runs.torchrun import leave

    leave(main(sys.argv[1:]))
