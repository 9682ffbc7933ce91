"""A process that has imported what a worker imports, and forks one worker after another: milliseconds instead of seconds.

`python -m tests.torture.forkserver` takes one JSON order a line and answers each with one line. A worker that ended stays
a zombie until the order to reap it, so that its number is nobody else's as long as somebody may send it a signal.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LEFT_OUT = "the state of torch's generator is left out"
"""What the worker of the negative control writes into worker.log instead of setting that state."""


def main() -> None:
    """Serve until standard input ends, which it also does when the torturer dies; then no worker is left behind."""
    voice = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    _import_all()
    _say(voice, {"ready": os.getpid()})
    worker = 0
    try:
        while line := sys.stdin.buffer.readline():
            order = json.loads(line)
            if order["do"] == "reap":
                _, status = os.waitpid(worker, 0)
                worker = 0
                _say(voice, {"code": os.waitstatus_to_exitcode(status)})
            else:
                worker = _fork(voice, _job(order))
                _say(voice, {"pid": worker})
    finally:
        if worker:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)


def _import_all() -> None:
    """Everything that a worker would import. Nothing is computed: that starts threads."""
    import importlib

    for name in (
        "trainer.__main__", "trainer.learn.work", "tests.torture.encoder", "torch.optim.adamw",
    ):  # fmt: skip
        importlib.import_module(name)
    gc.freeze()


def _job(order: dict[str, Any]) -> Callable[[], int]:
    folder = Path(order["folder"])
    if order["do"] == "encoder":
        return lambda: _encoder(folder)
    return lambda: _work(folder, order["forgetful"])


def _encoder(folder: Path) -> int:
    from tests.torture.encoder import make_encoder

    make_encoder(folder)
    return 0


def _work(folder: Path, forgetful: bool) -> int:
    """The very code of `python -m trainer FOLDER`, with the surroundings that the detached start gives it."""
    import numpy as np

    from trainer.__main__ import main as worker

    log = os.open(folder / "worker.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for fd in (1, 2):
        os.dup2(log, fd)
    os.umask(0o077)
    os.chdir("/")
    random.seed()  # a fresh process draws these two from the system; a fork would go on with the server's
    np.random.seed()
    if forgetful:
        _forget()
    return worker([str(folder)])


def _forget() -> None:
    import torch

    def forget(state: object) -> None:
        print(LEFT_OUT, flush=True)

    torch.set_rng_state = torch.random.set_rng_state = forget  # type: ignore[assignment]


def _fork(voice: int, job: Callable[[], int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        os.close(voice)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        code = job()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(code)


def _say(voice: int, answer: dict[str, Any]) -> None:
    os.write(voice, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
