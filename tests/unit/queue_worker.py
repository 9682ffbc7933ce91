"""A worker that waits for its turn as the real one does, and then only holds what it got.

Run as a script by the tests of the queue. The GPUs of its machine are those in `gpus.json` of GOEMO_HOME: name -> users.
Ends by itself after a minute, or as soon as there is a file `end` in its folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer import devices, paths
from trainer.devices import Device
from trainer.runs import queue
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.run import Run

GPUS = "gpus.json"


def command(run: Run) -> list[str]:
    """The command line of such a worker on `run`."""
    return [sys.executable, str(Path(__file__).resolve()), str(run.folder)]


def machine(**users: Sequence[str]) -> None:
    """Let the machine have these GPUs from now on, for the workers to come and those that wait: cuda0=["alice (pid 3)"]."""
    home = paths.private_folder(paths.home())
    (home / "gpus.new").write_text(json.dumps(users))
    (home / "gpus.new").replace(home / GPUS)


def gpus(users: Mapping[str, Sequence[str]]) -> list[Device]:
    """What `list_devices` would say of such a machine."""
    found = [
        Device(name.replace("cuda", "cuda:"), "Card", 80 * 2**30, 0, 90 if who else 0, len(who), bool(who), tuple(who))
        for name, who in users.items()
    ]
    return [*found, Device("cpu", "Processor", None, None, None, 0, False)]


def main(folder: Path) -> int:
    def listed() -> list[Device]:
        try:
            return gpus(json.loads((paths.home() / GPUS).read_text()))
        except FileNotFoundError:
            return gpus({})

    devices.list_devices = listed
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))

    def stopped() -> bool:
        return bool(asked) or stop_requested(folder)

    run = Run.open(folder)
    with RunLock(folder, signals=True):
        turn = queue.take_turn(run, stopped, poll=0.02)
        if turn is None:
            return 0
        with EventLog(folder / LOG) as log:
            log.append(
                "started", step=0, steps=10, epochs=1, device=turn.device, claimed=turn.claim is not None,
                warned=turn.warnings, torch="torch" in sys.modules, pid=os.getpid(),
            )  # fmt: skip
            limit = time.monotonic() + 60
            while time.monotonic() < limit and not (folder / "end").exists():
                if stopped():
                    log.append("stopped", step=0, epoch=0)
                    return 0
                time.sleep(0.01)
            log.append("finished", step=10, epoch=1, seconds=1.0, reason=None)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
