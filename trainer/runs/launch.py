"""The step between whoever starts a run and its worker: starts the worker, prints its pid and is gone at once.

Run as a file of its own by process.py (so it imports nothing of the package). Because it ends before the worker does,
the worker is nobody's child: a starter that lives on gets no zombie, and no session or terminal can take it along.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

FOLDERS = ("GOEMO_HOME", "HF_HOME", "HF_HUB_CACHE")


def main(log: str, command: list[str]) -> int:
    """Start `command` detached, its output appended to the file `log`; print its pid."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited: the end of a login is not the end of a training
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(fd, 0o600)
    worker = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=fd,
        stderr=fd,
        cwd="/",
        env=environment(),
        umask=0o077,
        process_group=0,
    )
    print(worker.pid, flush=True)
    return 0


def environment() -> dict[str, str]:
    """This environment for a worker in another folder: paths in it absolute, and our package to be found by it."""
    values = {**os.environ, "PYTHONSAFEPATH": "1"}  # the worker's folder is /, and /trainer is not ours
    for name in FOLDERS:
        if name in values and not values[name].startswith("~"):
            values[name] = str(Path(values[name]).absolute())
    if values.get("PYTHONPATH"):
        values["PYTHONPATH"] = os.pathsep.join(str(Path(p).absolute()) for p in values["PYTHONPATH"].split(os.pathsep))
    package = Path(__file__).resolve().parent.parent
    found = importlib.util.find_spec(package.name)
    if found is None or found.origin is None or Path(found.origin).resolve().parent != package:
        before = values.get("PYTHONPATH")
        values["PYTHONPATH"] = f"{package.parent}{os.pathsep}{before}" if before else str(package.parent)
    return values


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
