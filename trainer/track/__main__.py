"""`python -m trainer.track RUN_FOLDER TRACKER`: one mirror in a process of its own, so that what a library does with
its process (threads, exits, prints, memory) stays there. Prints how it went as one JSON line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from trainer.errors import GoemoError
from trainer.runs.run import Run
from trainer.track import state
from trainer.track.mirror import mirror


def main() -> int:
    """0 mirrored, 1 not, 130 and 143 on signals."""
    parser = argparse.ArgumentParser(prog="python -m trainer.track")
    parser.add_argument("folder", type=Path)
    parser.add_argument("tracker")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--follow", action="store_true")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    if args.follow:
        os.nice(5)  # the training goes first
    # stdout is for the result alone; libraries print as they like
    sys.stdout.flush()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        found = mirror(Run.open(args.folder), args.tracker, args.out, args.follow)
    except GoemoError as error:
        found = state.Mirror(args.tracker, state.FAILED, error=str(error))
    except KeyboardInterrupt:
        return 130
    except SystemExit:
        return 143
    if found.error:
        print(f"{args.tracker}: {found.error}", file=sys.stderr, flush=True)
    print(json.dumps(asdict(found)), file=answer, flush=True)
    return int(found.state != state.DONE)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a library's thread that hangs must not keep the process
