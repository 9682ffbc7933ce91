"""The step between whoever starts a run and its worker: leaves a supervisor behind that starts the worker.

Run as a file of its own by process.py (so it imports nothing of the package before the worker is started). It prints
the worker's pid and is gone at once: neither is anybody's child then, and no session or terminal can take them along.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDERS = ("GOEMO_HOME", "HF_HOME", "HF_HUB_CACHE")

HEAP = f"glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold={2**40}:glibc.malloc.mmap_threshold={2**25}"
"""How glibc is to keep a worker's memory: in large pages, of which the gigabytes that a step reads and writes need fewer looked up,
and what one step frees is there for the next, where the system would have to find and empty its pages anew."""


def main(log: str, retries: int, command: Sequence[str]) -> int:
    """Start `command` detached, its output appended to the file `log` of the run's folder; print its pid.

    Its supervisor takes it up again up to `retries` times if it dies. What it cannot do is said on stderr (exit 1).
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited: the end of a login is not the end of a training
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(output, 0o600)
    told, tell = os.pipe()
    if os.fork() == 0:
        os.close(told)
        return supervise(Path(log).parent, retries, command, output, tell)
    os.close(tell)
    with os.fdopen(told, encoding="utf-8") as answer:
        said = answer.read()
    started = said.isdecimal()
    print(said or "its supervisor ended at once", file=sys.stdout if started else sys.stderr, flush=True)
    return 0 if started else 1


def supervise(folder: Path, retries: int, command: Sequence[str], output: int, tell: int) -> int:
    """Start the worker, write its pid (or what went wrong) into the pipe `tell`, and stay until all is over."""
    heard: list[int] = []
    # Handlers, for what is ignored would be ignored by the worker too.
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    signal.signal(signal.SIGINT, lambda number, frame: None)
    os.umask(0o077)
    values = environment()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for old, new in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(old, new)
    os.close(nothing)
    os.close(output)

    def begin(tries: int) -> subprocess.Popen[bytes]:
        own = {**values, "GOEMO_SUPERVISOR": f"{os.getpid()} {tries}"}  # lock.SUPERVISOR
        return subprocess.Popen(command, env=own, process_group=0)

    try:
        worker = begin(retries)
    except OSError as error:
        os.write(tell, str(error).encode())
        return 1
    os.write(tell, str(worker.pid).encode())
    os.close(tell)
    sys.path[:0] = filter(None, values.get("PYTHONPATH", "").split(os.pathsep))  # where the worker finds the package
    from trainer.runs.supervise import watch

    watch(folder, worker, begin, retries, lambda: bool(heard))
    return 0


def environment() -> dict[str, str]:
    """This environment for a worker in another folder: paths in it absolute, and our package to be found by it.

    CUDA counts the cards as the driver does, which is asked who is free: with cards of two kinds it would not by itself.
    Whatever is set here already stays as it is.
    """
    values = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "GLIBC_TUNABLES": HEAP, **os.environ}
    values["PYTHONSAFEPATH"] = "1"  # the worker's folder is /, and /trainer is not ours
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
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
