"""Real torchrun agents and their ranks for the tests: started on the loopback interface, waited for, left nowhere."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from trainer.runs.run import Run

PATIENCE = 150.0
PROGRAM = Path(__file__).with_name("rank.py")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def agent(run: Run, port: int, program: Sequence[str] = ("-m", "trainer"), nodes: int = 2, each: int = 1, restarts: int = 0,
          log: str = "agent.log") -> subprocess.Popen[bytes]:  # fmt: skip
    """One torchrun of `nodes`, which meet at `port`; its output goes into `log` of the run."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nnodes", str(nodes), "--nproc-per-node", str(each),
        "--max-restarts", str(restarts), "--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", run.id,
        "--local-addr", "127.0.0.1", "--signals-to-handle", "SIGTERM,SIGINT,SIGQUIT", *program, str(run.folder),
    ]  # fmt: skip
    values = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    with (run.folder / log).open("ab") as output:
        return subprocess.Popen(command, env=values, stdout=output, stderr=output, stdin=subprocess.DEVNULL)


def ended(agents: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Their exit codes; whoever is still there after PATIENCE is killed, and its ranks with it."""
    try:
        return [one.wait(timeout=PATIENCE) for one in agents]
    finally:
        for one in agents:
            if one.poll() is None:
                one.kill()
                one.wait()


def alone(run: Run, what: str, ranks: int = 2) -> int:
    """The program of rank.py under one torchrun with so many ranks; its exit code."""
    return ended([agent(run, free_port(), (str(PROGRAM), what), 1, ranks)])[0]


def ranks_of(pid: int) -> list[psutil.Process]:
    """The workers that a torchrun has now, in the order of their ranks."""
    found = []
    for one in psutil.Process(pid).children():
        try:
            if "trainer" in one.cmdline():
                found.append((int(one.environ()["RANK"]), one))
        except (psutil.Error, KeyError):
            continue
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)
