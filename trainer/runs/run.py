"""A run: one folder, the files in it, and the state that they add up to.

Reads what the worker wrote and never writes into a living run. Starting, stopping and resuming are in process.py.
"""

from __future__ import annotations

import os
import shutil
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w

from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import NotFoundError, RunError
from trainer.runs import home, lock
from trainer.runs.about import About, read_about
from trainer.runs.events import LOG, VERSION, restart_step
from trainer.runs.home import short_name as short_name
from trainer.runs.permission import require_seen, require_writable
from trainer.runs.snapshot import Snapshot, Story, own_fields
from trainer.runs.state import CONFIG as CONFIG
from trainer.runs.state import ENDED as ENDED
from trainer.runs.state import LIVING as LIVING
from trainer.runs.state import state_of
from trainer.runs.supervise import Exit, exit_of, why_died
from trainer.runs.tail import EventTail

FORMAT = 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Look:
    """A run at one moment. `holder` is what its lock says (None: no worker has ever held it)."""

    state: str
    snapshot: Snapshot
    holder: lock.LockHolder | None

    @property
    def pid(self) -> int | None:
        """The worker's, None unless it lives."""
        return self.holder.pid if self.holder is not None and self.holder.alive else None


class Run:
    """One run folder. Keeps its place in the event log, so that looking again reads only what was appended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tail = EventTail(folder / LOG)
        self._story = Story()
        self._restarts = 0
        self._foreign: Any = None
        self._record: dict[str, Any] | None = None

    @classmethod
    def create(cls, config: TrainConfig, extra: Mapping[str, Any] | None = None) -> Run:
        """A new run folder that holds `config.toml`: the settings, and `extra` tables beside them.

        The folder appears whole or not at all. Raises RunError where it cannot be written.
        """
        record = {"format": FORMAT, "created": datetime.now().astimezone(), "settings": config.to_dict()}
        hidden = record.keys() & (extra or {}).keys()
        if hidden:
            raise ValueError(f"tables of config.toml cannot be called {', '.join(sorted(hidden))}")
        text = tomli_w.dumps({**record, **_without_none(extra or {})}).encode()
        shelf = paths.runs_folder()
        try:
            paths.private_folder(shelf)
            fresh = shelf / f".new-{os.getpid()}-{time.monotonic_ns()}"
            fresh.mkdir(mode=0o700)
            fresh.chmod(0o700)
            paths.write_private(fresh / CONFIG, text)
            folder = home.named(fresh, shelf)
        except OSError as error:
            raise RunError(f"no run can be made in {shelf}: {error.strerror}") from None
        with suppress(OSError):  # where the file system can
            paths.sync(shelf)
        return cls(folder)

    @classmethod
    def open(cls, which: str | Path) -> Run:
        """A run by its id, its short name (calm-otter), the name it was given, a start of the first two, or its folder.

        Name or start must fit one run alone.

        A Path may lie anywhere; a text never leaves the runs folder. Raises NotFoundError, also for a run of somebody
        else that may not be read.
        """
        folder = which if isinstance(which, Path) else home.find(which)
        try:
            there = (folder / CONFIG).is_file()
        except OSError as error:
            raise home.closed(folder, error) from None
        if not there:
            raise NotFoundError(f"{folder}: no run is there (it would hold a {CONFIG})")
        return cls(folder.absolute())

    @property
    def id(self) -> str:
        """The folder's name, such as 20261124-0412-calm-otter."""
        return self.folder.name

    @property
    def short(self) -> str:
        """The id without its date, such as calm-otter."""
        return short_name(self.id)

    @property
    def about(self) -> About:
        """The name and the note that a person gave it."""
        return read_about(self.folder)

    @property
    def worker_log(self) -> Path:
        """Where the worker's stdout and stderr go."""
        return self.folder / "worker.log"

    @property
    def model(self) -> Path | None:
        """The folder of the best model so far, or None while there is none.

        A worker that was killed while it put a better one in its place leaves the one before under another name.
        """
        new = self.folder / "model"
        # Looked for twice: it may come back while the other is looked at.
        return next((f for f in (new, self.folder / ".model-old", new) if (f / "config.json").is_file()), None)

    @property
    def record(self) -> dict[str, Any]:
        """All of `config.toml`. Raises RunError where it cannot be read or is of another format."""
        if self._record is None:
            path = self.folder / CONFIG
            try:
                record = tomllib.loads(path.read_text("utf-8"))
            except (OSError, ValueError) as error:
                raise RunError(f"{path} cannot be read: {error}") from None
            if record.get("format", FORMAT) != FORMAT:
                raise RunError(f"{path} is of format {record.get('format')!r}; this program reads format {FORMAT}")
            self._record = record
        return self._record

    @property
    def config(self) -> TrainConfig:
        """What was asked for. Raises RunError or ConfigError where that cannot be read."""
        settings = self.record.get("settings")
        return TrainConfig.from_dict(settings if isinstance(settings, dict) else {})

    @property
    def created(self) -> float:
        """When the run was made, in seconds since 1970."""
        return home.created(self.folder)

    @property
    def writable(self) -> bool:
        """False for a run of somebody else, which is only looked at, also where root or its mode would allow more."""
        try:
            mine = self.folder.stat().st_uid == os.geteuid()
        except OSError:
            return False
        return mine and os.access(self.folder, os.W_OK | os.X_OK)

    @property
    def foreign_format(self) -> Any:
        """The format of the latest events where this program does not read it, else None; as of the last look."""
        return self._foreign

    def snapshot(self) -> Snapshot:
        """The run as its events tell it by now. Raises RunError where the log cannot be read."""
        try:
            while True:
                events = self._tail.poll(_CHUNK)
                if self._tail.restarts != self._restarts:
                    self._restarts, self._story, self._foreign = self._tail.restarts, Story(), None
                for event in events:
                    if event.get("v") != VERSION:
                        self._foreign = event.get("v", "none")
                    elif restart_step(event) is not None:
                        self._foreign = None  # a worker of this format has taken it up since
                picture = self._story.fold(events, self._tail.bad)
                if not self._tail.behind:
                    return picture
        except OSError as error:
            raise RunError(f"{self._tail.path} cannot be read: {error.strerror}") from None

    def look(self) -> Look:
        """State, events and lock, taken together. Raises NotFoundError if the run is gone, or RunError."""
        for _ in range(3):
            # The lock first: a worker that ends in between has written its end by the time the log is read.
            holder = lock.holder(self.folder)
            snapshot = self.snapshot()
            state = state_of(self.folder, holder, snapshot)
            if state == "died" and self._foreign is not None:
                state = "unknown"  # the end may be told in words that this program does not know
            if state not in ENDED or lock.holder(self.folder) == holder:
                break
        try:
            there = self.folder.exists()
        except OSError as error:
            raise RunError(f"{self.folder} cannot be read: {error.strerror}") from None
        if not there:
            raise NotFoundError(f"run {self.id} is no longer there")
        return Look(state, snapshot, holder)

    @property
    def state(self) -> str:
        """starting, waiting, running, stalled, stopping, finished, failed, stopped, died or unknown."""
        return self.look().state

    def exit(self) -> Exit | None:
        """How the last worker ended; None while it lives, or where nobody waited for its end."""
        return exit_of(self.folder, lock.holder(self.folder))

    def why_died(self) -> str:
        """What is known about a worker that ended without a word."""
        return why_died(self.folder)

    def summary(self) -> dict[str, Any]:
        """The document of `runs show --json`. `validation` is the best epoch's, null before the first.

        Of a run that died it has `died` too: what is known about that, in words.
        """
        look = self.look()
        seen = look.snapshot
        return {
            "run": self.id,
            "state": look.state,
            "step": seen.step,
            "steps": seen.steps,
            "epoch": seen.epoch,
            "loss": seen.loss,
            "validation": own_fields(seen.best),
            "pid": look.pid,
            "config": self.config.to_dict(),
            **({"died": self.why_died()} if look.state == "died" else {}),
        }

    def require_removable(self, anyway: bool = False) -> None:
        """Raise RunError for a run that `delete` would refuse now."""
        require_writable(self)
        look = self.look()
        if look.state in LIVING:
            raise RunError(
                f"run {self.id} is {look.state} and cannot be removed; stop it first: goemo-tui runs stop {self.id}"
            )
        require_seen(self, look, "rm", anyway)

    def delete(self, anyway: bool = False) -> None:
        """Remove the folder and all that is in it. Raises RunError for a run that lives, or may live elsewhere.

        `anyway` is somebody's word that it does not live elsewhere.
        """
        self.require_removable(anyway)
        hidden = self.folder.with_name(f".removed-{self.id}-{time.monotonic_ns()}")
        try:
            with lock.RunLock(self.folder, busy="removed"):  # no worker can start while the folder goes
                try:
                    self.folder.rename(hidden)
                except OSError as error:
                    raise RunError(f"{self.folder} could not be removed: {error.strerror}") from None
                shutil.rmtree(hidden)
        except OSError as error:
            raise RunError(f"{hidden} could not be removed wholly: {error.strerror}") from None


def list_runs() -> list[Run]:
    """All runs, newest first. What is no run folder, or may not be read, is left out.

    Raises RunError where the folder of all runs cannot be read.
    """
    return [Run(folder) for folder in home.in_order(home.run_folders())]


def _without_none(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    return value
