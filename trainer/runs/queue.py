"""Whose turn it is: a run can wait for another one to end, or for a GPU that nobody uses.

What it waits for stands in its `config.toml`, and it waits in its own worker, before anything heavy is imported. There
is no server: whoever waits looks at the other runs' folders, and the older one goes first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainer import devices
from trainer.config import TrainConfig
from trainer.corpus.interrupt import Cancelled
from trainer.devices import Device
from trainer.errors import ConfigError, GoemoError, NotFoundError, RunError
from trainer.runs import lock
from trainer.runs.claim import Claim, last_claimed_by
from trainer.runs.claim import claim as claim
from trainer.runs.events import END_KINDS, LOG, EventLog
from trainer.runs.run import LIVING, Run, list_runs, short_name
from trainer.runs.tail import read_events

TABLE = "queue"
"""The table in `config.toml`."""
POLL_SECONDS = 2.0
TELL_SECONDS = 10.0
"""At least so long between two events that differ only in who uses which GPU."""
LOADING = "the corpus and the encoder to be loaded"
"""What a run waits for that has had its turn and has not begun."""

_STOP_SECONDS = 0.2


@dataclass(frozen=True)
class Queue:
    """What a run waits for: the end of the run with the id `after`, then a free GPU. Neither: it starts at once."""

    after: str | None = None
    gpu: bool = False

    @classmethod
    def of(cls, run: Run) -> Queue:
        """As `config.toml` says; what cannot be understood is not waited for. Raises RunError if it cannot be read."""
        table = run.record.get(TABLE)
        if not isinstance(table, dict):
            return cls()
        after = table.get("after")
        return cls(after if isinstance(after, str) and after else None, table.get("gpu") is True)

    @property
    def waits(self) -> bool:
        """True if there is anything to wait for."""
        return self.gpu or self.after is not None

    def record(self) -> dict[str, Any]:
        """The table for `Run.create`; nothing for a run that does not wait."""
        return {TABLE: {"after": self.after, "gpu": self.gpu}} if self.waits else {}


@dataclass(frozen=True)
class Turn:
    """A run may begin. `device` is the GPU that it got (None: the one its settings say), `claim` is held on it.

    `warnings` are for the log.
    """

    device: str | None = None
    claim: Claim | None = None
    warnings: tuple[str, ...] = ()


def checked(after: str | None, gpu: bool, config: TrainConfig) -> Queue:
    """What a new run is to wait for. `after` names a run as one types it.

    Raises NotFoundError if there is no such run, ConfigError for a GPU that these settings or this machine never use.
    """
    found = Run.open(after).id if after is not None else None
    if gpu:
        check_device(config.device)
        if config.devices > 1:
            raise ConfigError(
                f"devices = {config.devices}: a run waits for one free GPU alone; start it after another one (--after)",
                key="devices",
            )
        names = [d.name for d in _gpus("auto")]
        if not names:
            raise ConfigError(
                "this machine names no GPU to wait for; goemo-tui doctor shows what it offers", key="device"
            )
        if not _gpus(config.device):
            raise ConfigError(f"device = {config.device!r}: this machine names only {', '.join(names)}", key="device")
    return Queue(found, gpu)


def check_device(device: str) -> None:
    """Raise ConfigError if a run with this setting would never train on a GPU that one can wait for."""
    if device != "auto" and not device.startswith("cuda"):
        raise ConfigError(
            f"device = {device!r} does not wait for a GPU: choose auto or cuda, or start it at once", key="device"
        )


def has_ended(run_id: str) -> bool:
    """True if no process works on that run any more, or the run is no longer there."""
    return _other(run_id) is None


def wait(run: Run, tell: Callable[..., Any], stopped: Callable[[], bool], poll: float = POLL_SECONDS) -> Turn:
    """Return when it is the turn of `run`, which the calling process has the lock of.

    Only a run that has never begun waits; one that is resumed goes on at once. `tell` appends to its event log: a
    `waiting` event at first, and again when what is waited for changes; the last one says `turn`. Raises Cancelled once
    `stopped` says so, and RunError or ConfigError where the run's own folder cannot be read.
    """
    queue, config = Queue.of(run), run.config
    begun = run.snapshot().started
    if begun is not None or not queue.waits:
        return _at_once(run, queue, config, begun or {})
    turn, waited = Turn(), False
    if queue.after is not None:
        other = queue.after
        waited = _until(lambda: _other(other), tell, stopped, poll)
    if queue.gpu:
        line = _Line(run, config.device)
        waited = _until(line.ask, tell, stopped, poll) or waited
        turn = line.turn
    if queue.gpu or waited:
        tell("waiting", on=LOADING, turn=True)  # who waits behind this run sees that it is out of the way
    return turn


def take_turn(run: Run, stopped: Callable[[], bool], poll: float = POLL_SECONDS) -> Turn | None:
    """`wait` for the worker: writes the event log itself and has closed it on return.

    None if the run was stopped while it waited; its log says so. What is wrong with the run's folder is left to
    whoever trains it to say.
    """
    with EventLog(run.folder / LOG) as log:
        try:
            return wait(run, log.append, stopped, poll)
        except Cancelled:
            log.append("stopped", step=0, epoch=0)
            return None
        except GoemoError:
            return Turn()


def await_turn(run: Run, poll: float = _STOP_SECONDS) -> bool:
    """Wait beside the first rank, which waits for the turn of `run`; False once that one says that the run has ended.

    A wish to stop is not heard here: a rank that left by itself would be waited for.
    """
    while run.snapshot().started is None and Queue.of(run).waits:
        held = lock.holder(run.folder)
        if held is not None and (held.alive or held.is_of(lock.Process.of(os.getppid()))):  # no earlier start's word
            said = [e for e in read_events(run.folder / LOG) if e["seq"] > held.seq]
            if any(e["kind"] == "waiting" and e.get("turn") is True for e in said):
                return True
            if any(e["kind"] in END_KINDS for e in said):
                return False
        time.sleep(poll)
    return True


def claim_beside(run: Run, local: int) -> tuple[Claim | None, str]:
    """The claim of a rank on the GPU that it computes on, the `local`-th of its machine, and a warning or nothing."""
    gpus = _gpus(run.config.device)
    if local >= len(gpus):
        return None, ""
    name = gpus[local].name
    try:
        claimed = claim(name, run.id)
    except RunError as error:
        return None, f"{error}; a run that waits for a GPU may take it"
    return claimed, "" if claimed else f"{name} is {_taken(name)}: both may be slow or run out of memory"


def _until(ask: Callable[[], str | None], tell: Callable[..., Any], stopped: Callable[[], bool], poll: float) -> bool:
    """Ask what there is to wait for until it is nothing; True if it ever was something."""
    told: str | None = None
    since = 0.0
    while True:
        if stopped():
            raise Cancelled("stopped while it waited for its turn")
        on = ask()
        if on is None:
            return told is not None
        if told is None or (on != told and time.monotonic() - since >= TELL_SECONDS):
            tell("waiting", on=on)
            told, since = on, time.monotonic()
        _pause(poll, stopped)


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not stopped():
        time.sleep(min(left, _STOP_SECONDS))


def _other(run_id: str) -> str | None:
    """What is waited for of another run; None once it has ended or is gone."""
    name = f"run {short_name(run_id)}"
    try:
        found = Run.open(run_id)
        if found.id != run_id:
            return None  # it is gone, and another one's name begins like it
        look = found.look()
    except NotFoundError:
        return None
    except (GoemoError, OSError) as error:
        return f"{name} to end, which cannot be looked at now: {error}"
    if look.state in LIVING:
        return f"{name} to end"
    if look.state == "unknown":
        host = look.holder.host if look.holder is not None and look.holder.foreign else None
        where = f"on {host}" if host else "in a process"
        return f"{name} to end, which may be running {where} that cannot be seen from here"
    return None


class _Line:
    """The line of runs that wait for a GPU, as one of them sees it."""

    def __init__(self, run: Run, device: str) -> None:
        self.turn = Turn()
        self._run, self._device = run, device
        self._place = (run.created, run.id)
        self._passed: set[str] = set()

    def ask(self) -> str | None:
        """What is waited for; None once a GPU is claimed, which `turn` then holds."""
        gpus = _gpus(self._device)
        if not gpus:
            wanted = "a GPU" if self._device in ("auto", "cuda") else self._device
            return f"{wanted}, which this machine does not name now"
        ahead = [] if all(gpu.busy for gpu in gpus) else list(self._ahead())
        reasons = []
        for gpu in gpus:
            reason = self._try(gpu, ahead)
            if reason is None:
                return None
            reasons.append(reason)
        if len(gpus) == 1:
            return f"{gpus[0].name} to be free ({reasons[0]})"
        said = ", ".join(f"{gpu.name} {reason}" for gpu, reason in zip(gpus, reasons, strict=True))
        return f"one of {len(gpus)} GPUs to be free: {said}"

    def _try(self, gpu: Device, ahead: list[tuple[Run, str]]) -> str | None:
        """Claim `gpu`, or say why not."""
        if gpu.busy:
            return _busy(gpu)
        first = next((other for other, device in ahead if gpu in _fitting([gpu], device)), None)
        if first is not None:
            return f"goes to run {first.short} first"
        try:
            claimed = claim(gpu.name, self._run.id)
        except RunError as error:
            return str(error)
        if claimed is None:
            return f"is {_taken(gpu.name)}"
        self.turn = Turn(gpu.name, claimed)
        return None

    def _ahead(self) -> Iterator[tuple[Run, str]]:
        """The older runs that wait for a GPU too and the device of each, the oldest first."""
        runs: list[Run] = []
        with suppress(GoemoError):
            runs = list_runs()
        for other in reversed(runs):
            if other.id in self._passed or (other.created, other.id) >= self._place:
                continue
            with suppress(GoemoError, OSError):  # a run that cannot be read takes no GPU
                if not Queue.of(other).gpu or other.snapshot().started is not None:
                    self._passed.add(other.id)
                elif _in_line(other):
                    yield other, other.config.device


def _in_line(other: Run) -> bool:
    """True if a run that waits for a GPU, and has not begun, could take the next one."""
    look = other.look()
    if look.state not in LIVING or look.state == "stopping":
        return False
    if look.holder is None and lock.starter(other.folder) is None:
        return False  # it was made and nobody starts it
    since = look.holder.seq if look.holder is not None else 0
    said = [e for e in read_events(other.folder / LOG) if e["kind"] == "waiting" and e["seq"] > since]
    if said and said[-1].get("turn") is True:
        return False
    after = Queue.of(other).after
    return after is None or has_ended(after)


def _at_once(run: Run, queue: Queue, config: TrainConfig, begun: dict[str, Any]) -> Turn:
    """The turn of a run that does not wait. It claims its GPU too: a run that waits must see it taken."""
    gpus = _gpus(config.device)
    if not gpus:
        return Turn()
    try:
        if queue.gpu:  # it once got one of several, and goes on where it was, or on another that is free
            for gpu in sorted(gpus, key=lambda gpu: gpu.name != begun.get("device")):
                claimed = None if gpu.busy else claim(gpu.name, run.id)
                if claimed is not None:
                    return Turn(gpu.name, claimed)
        claimed = claim(gpus[0].name, run.id)
    except RunError as error:
        return Turn(warnings=(f"{error}; a run that waits for a GPU may take it",))
    if claimed is not None:
        return Turn(claim=claimed)
    return Turn(warnings=(f"{gpus[0].name} is {_taken(gpus[0].name)}: both may be slow or run out of memory",))


def _gpus(device: str) -> list[Device]:
    """What a run with this setting can train on, of the GPUs that the driver names."""
    return _fitting(devices.list_devices(), device)


def _fitting(found: list[Device], device: str) -> list[Device]:
    gpus = [d for d in found if d.name.startswith("cuda")]
    return gpus if device in ("auto", "cuda") else [d for d in gpus if d.name == device]


def _busy(gpu: Device) -> str:
    """Without load and memory, which change all the time."""
    if not gpu.processes:
        return "is busy"
    text = f"is busy: {gpu.processes} process{'es' if gpu.processes != 1 else ''}"
    more = len(gpu.users) - devices.MOST_USERS
    if gpu.users:
        text += f" of {', '.join(gpu.users[: devices.MOST_USERS])}" + (f" and {more} more" if more > 0 else "")
    return text


def _taken(device: str) -> str:
    run_id = last_claimed_by(device)
    return f"taken by run {short_name(run_id)}" if run_id else "taken by another run"
