"""A measuring child that times nothing: it reads the settings and answers as its script says.

`python scripted_estimate.py HOW`: `measures` answers at once, `hangs` never does and waits for the end of stdin,
`refuses` names a setting, `crashes` writes on stderr and dies, `babbles` prints what is no answer before it gives one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MEASURED: dict[str, Any] = {
    "device": "cpu", "precision": "fp32", "parameters": 1_000_000, "rows": 320, "tokens": 6400, "batches": 10,
    "batch_seconds": 0.5, "update_seconds": 0.1, "validation_seconds": 2.0, "loading_seconds": 4.0, "steps": 8,
    "memory_peak": 10**9, "notes": [],
}  # fmt: skip


def command(how: str) -> tuple[str, ...]:
    """The command line of this child."""
    return (sys.executable, str(Path(__file__).resolve()), how)


def say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def main(how: str) -> None:
    settings = json.loads(sys.stdin.readline())
    say(say="warming up")
    if how == "hangs":
        sys.stdin.read()
    elif how == "refuses":
        say(error="device = 'cuda': torch sees no CUDA device here", key="device")
    elif how == "crashes":
        print("Killed for good", file=sys.stderr)
        sys.exit(9)
    else:
        if how == "babbles":
            print('no JSON\n[1]\n{"measured": {"odd": 1}}', flush=True)
        say(measured={**MEASURED, "batch_seconds": settings["batch_size"] / 64})


if __name__ == "__main__":
    main(sys.argv[1])
