"""The worker: `python -m trainer RUN_FOLDER` trains the run in that folder until it ends or is asked to stop.

Known to the terminal only by its folder. SIGTERM and SIGINT ask it to stop after the step at hand; SIGHUP is ignored.
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

UNFORESEEN = 70
"""Exit code of a worker that failed for a reason that nobody thought of: whoever supervises it may try again."""


def main(arguments: list[str]) -> int:
    """0 finished or stopped, 1 failed, 2 usage, 3 no such run; UNFORESEEN where it may work the next time."""
    if len(arguments) != 1:
        print("usage: python -m trainer RUN_FOLDER", file=sys.stderr)
        return 2
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)

    from trainer.errors import GoemoError
    from trainer.runs.lock import RunLock, stop_requested
    from trainer.runs.queue import take_turn
    from trainer.runs.run import Run

    def stop() -> bool:
        return bool(asked) or stop_requested(run.folder)

    try:
        run = Run.open(Path(arguments[0]))
        with RunLock(run.folder, signals=True):
            # all of this holds the lock: the starter knows that we live while we wait, and while torch is imported
            turn = take_turn(run, stop)
            if turn is None:
                return 0  # stopped while it waited
            from trainer.learn.work import work

            last = work(run, stop, turn=turn)
    except GoemoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception:  # before the log could tell of it: an import that failed, no memory even for that
        traceback.print_exc()
        return UNFORESEEN
    if last.get("kind") != "failed":
        return 0
    return UNFORESEEN if last.get("reason") == "error" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
