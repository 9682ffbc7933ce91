"""`make torture`: kill small trainings hundreds of times and see whether they end as if nobody had touched them.

Exit 0 if they do and the negative control is noticed, 1 if not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.session import Plan, Session
from tests.torture.variant import VARIANTS


def main(arguments: list[str]) -> int:
    """0 nothing is wrong, 1 something is, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs in all (200)")
    parser.add_argument("--kills-a-run", type=int, default=15, help="of these in one run, at most (15)")
    parser.add_argument("--seed", type=int, default=None, help="chooses the moments; without it a new one each time")
    parser.add_argument("--jobs", type=int, default=2, help="runs that are tortured side by side (2)")
    parser.add_argument(
        "--keep", action="store_true", help="leave the run folders, as is done where something is wrong"
    )
    asked = parser.parse_args(arguments)
    if min(asked.kills, asked.kills_a_run, asked.jobs) < 1:
        parser.error("--kills, --kills-a-run and --jobs are at least 1")
    if not hasattr(os, "pidfd_open"):
        parser.error("only Linux can send a signal to one process and never to another with its number")
    seed = int(time.time()) if asked.seed is None else asked.seed
    folder = Path(tempfile.mkdtemp(prefix="goemo-torture-"))
    # what is started inherits all of this; threads would gain nothing here, and a fork would not survive them
    os.environ.update(
        GOEMO_HOME=str(folder / "home"), HF_HOME=str(folder / "huggingface"), HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1"
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    session = Session(Plan(VARIANTS, asked.kills, asked.kills_a_run, seed, asked.jobs), folder, say)
    say(f"seed {seed}, {asked.jobs} side by side, in {folder}")
    try:
        session.run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        if not asked.keep and not session.tally.faults:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{session.tally.table()}")
    print(f"{'negative control':44}{'fails as it must' if session.control_noticed else 'SHOWS NOTHING'}")
    print(f"{'seconds':44}{time.monotonic() - began:5.0f}")
    for complaint in session.complaints:
        print(f"WRONG: {complaint}")
    return 1 if session.complaints else 0


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
