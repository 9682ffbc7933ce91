"""Ray for a while: one of our own on loopback, or one that is there. Ray's processes run what they are sent, so ours listens on
127.0.0.1 alone and asks for a token that only our processes have.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from trainer.errors import ConfigError, GoemoError

EXTRA = "pip install 'goemo-tui[ray]'"

MEMORY = 100 << 20
"""Bytes of the store for what Ray's processes hand to each other: here numbers and names, no rows."""

STARTS = 3

CONNECT_SECONDS = 10.0
"""How long the machine of a Ray that is to be joined may take to answer."""

LEAVE_SECONDS = 5.0
"""How long Ray's processes are given to end by themselves."""

LOOPBACK = ("127.", "[::1]", "localhost")
"""What an address begins with that nobody else reaches."""

FOLDER = "goemo-ray-"

SOCKETS = 40
"""Characters of the folder's name that leave room for those of Ray's sockets; a socket's name has 107 at the most."""


@dataclass(frozen=True)
class Cluster:
    """What is asked of Ray: `address` of one that is there (None: one of our own), how many workers (None: one for each GPU, or
    else each core), and how many GPUs each has (None: one where there are some and `device` may be one)."""

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float | None = None


@contextmanager
def joined(cluster: Cluster) -> Iterator[Any]:
    """The module `ray`, connected; at the end it is left, and ours is gone with all its processes.

    Meanwhile nothing that is printed reaches stdout: Ray tells there of workers that died. Raises ConfigError, GoemoError."""
    on_term = signal.getsignal(signal.SIGTERM)
    folder = None
    with _environment(cluster.address), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        ray = _imported()
        try:
            with _unheard():
                if cluster.address is None:
                    folder = _folder()
                    _start(ray, cluster, folder)
                else:
                    _connect(ray, cluster.address)
            with suppress(ValueError):  # Ray has put its own; outside the main thread there is none
                signal.signal(signal.SIGTERM, on_term)
            yield ray
        finally:
            ours = set(psutil.Process().children(recursive=True)) if folder is not None else set()
            ray.shutdown()
            psutil.wait_procs(list(ours), timeout=LEAVE_SECONDS)
            _end(ours)  # a worker in the midst of something goes a little later than its Ray
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


def check_installed() -> None:
    """Without importing it, for it reads the environment then. Raises ConfigError."""
    if find_spec("ray") is None:
        raise ConfigError(f"--engine ray needs Ray: {EXTRA}", key="engine")


def _imported() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError(f"--engine ray needs Ray ({error}): {EXTRA}", key="engine") from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return ray


def _start(ray: Any, cluster: Cluster, folder: Path) -> None:
    """On a machine with much to do Ray gives up on its own start after half a minute; what it has begun is kept by the system's
    cache, so that it is quicker the next time."""
    for left in reversed(range(STARTS)):
        before = set(psutil.Process().children(recursive=True))
        try:
            ray.init(
                num_cpus=cluster.workers,
                include_dashboard=False,
                object_store_memory=MEMORY,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _temp_dir=str(folder),
            )
            break
        except Exception as error:  # Ray raises Exception itself
            ray.shutdown()
            _end(set(psutil.Process().children(recursive=True)) - before)
            if not left:
                raise GoemoError(f"Ray cannot be started here: {_first_line(error)}") from None
    address = ray.get_runtime_context().gcs_address
    if not address.startswith(LOOPBACK):
        raise GoemoError(f"Ray listens on {address}, which others can reach; it was stopped. Join a Ray with --address")


def _end(processes: set[psutil.Process]) -> None:
    """Kill those that are still there."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(list(processes), timeout=10)


def _connect(ray: Any, address: str) -> None:
    try:
        _is_there(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (RuntimeError, ValueError, OverflowError, OSError) as error:
        raise GoemoError(f"no Ray can be joined at {address}: {_first_line(error)}") from None


def _is_there(address: str) -> None:
    """Raises OSError where nobody listens: Ray itself would ask for many minutes."""
    found = re.fullmatch(r"(?:ray://)?\[?([^\[\]/?]+)\]?:(\d+)", address)
    if found:
        socket.create_connection((found[1], int(found[2])), CONNECT_SECONDS).close()


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def _unheard() -> Iterator[None]:
    """Nothing is written to the stderr of this process meanwhile: what Ray's C++ part says there when it is started is no
    user's business, and what goes wrong is raised."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stderr.flush()
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@cache
def _token() -> str:
    """One for as long as this process lives: Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _environment(address: str | None) -> Iterator[None]:
    """What Ray reads from the environment, for itself and the processes it starts; `address` as in `Cluster`."""
    own = address is None
    wanted = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    wanted["RAY_BACKEND_LOG_LEVEL"] = "fatal"  # else it writes on our stderr what is no user's business
    if address is None or address.startswith(LOOPBACK):
        # what makes 127.0.0.1 the address of a node: else Ray takes that of the network, listens on all, and looks for the
        # Ray that is to be joined there
        wanted["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if own:
        wanted |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    else:
        wanted["RAY_NUM_REDIS_GET_RETRIES"] = "1"  # of 20, of forty seconds each, where what listens there is no Ray
    before = {name: os.environ.get(name) for name in (*wanted, "RAY_ADDRESS")}
    os.environ.update(wanted)
    if own:
        os.environ.pop("RAY_ADDRESS", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _folder() -> Path:
    """Where Ray's sockets and logs are for so long; those of processes that were killed are taken away."""
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) > SOCKETS - len(FOLDER):
        parent = Path("/tmp")
    for old in parent.glob(f"{FOLDER}*"):
        pid = old.name.removeprefix(FOLDER).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=parent))
