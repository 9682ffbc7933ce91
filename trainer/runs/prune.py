"""Frees disk: the checkpoints of runs that need none any more, and what crashes left lying about.

Touches no run that lives or may live elsewhere, none of somebody else's, and never the only good copy of anything that
a run needs to go on. A crash in the middle leaves no half checkpoint under a name that counts.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer import paths
from trainer.errors import GoemoError, RunError
from trainer.runs import disk, lock
from trainer.runs.permission import require_seen, require_writable
from trainer.runs.run import ENDED, LIVING, Run

LEFTOVER = "leftover"
"""The state of what belongs to no run any more."""
QUIET_SECONDS = 60.0
"""A nameless folder that nothing has changed for so long is nobody's work at hand."""

_NEW = ".new-"
_REMOVED = ".removed-"
_TEMPORARY = (".step-", ".replaced-step-", ".pruned-step-", disk.PASSED_OVER)
_PRUNED = ".pruned-"


class PruneError(RunError):
    """Not all could be removed. `freed` is how many bytes are free all the same."""

    def __init__(self, message: str, freed: int) -> None:
        super().__init__(message)
        self.freed = freed


@dataclass(frozen=True)
class Prunable:
    """What can be freed of one run, in bytes. `run` is None for what belongs to none, with the state LEFTOVER."""

    run: Run | None
    state: str
    checkpoints_bytes: int
    leftovers_bytes: int
    folders: tuple[Path, ...]
    seq: int = 0
    """The run's last event: if there is a later one when it comes to the removing, nothing is removed."""
    anyway: bool = False
    """Somebody's word that the run is not trained on the other host where it was started."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.checkpoints_bytes + self.leftovers_bytes

    @property
    def starts_over(self) -> bool:
        """True if the run could be resumed, and without these checkpoints begins at step 0."""
        return bool(self.checkpoints_bytes) and self.state != "finished"


@dataclass(frozen=True)
class Freed:
    """What came of it: `items` with their freed bytes, in the order in which they were asked for."""

    items: tuple[tuple[Prunable, int], ...] = ()
    troubles: tuple[str, ...] = ()
    """For people: what could not be removed, and why."""

    @property
    def bytes(self) -> int:
        """All that is free now."""
        return sum(count for _, count in self.items)


def candidates(runs: Iterable[Run], every: bool = False, anyway: bool = False) -> list[Prunable]:
    """What can be freed of these runs, each that has something.

    By default the checkpoints of finished runs whose model is there; with `every` also those of runs that were
    stopped, failed or died, which can then only start over. Always what crashes left in any of them. `anyway` is
    somebody's word that those of another host are not trained there any more; without it they are left out.
    """
    found = (_candidate(run, every, anyway) for run in runs)
    return [item for item in found if item is not None]


def strays() -> Prunable | None:
    """What crashes left in the runs folder beside the runs: runs half made, runs half removed. None: nothing."""
    folders = tuple(sorted(_strays(paths.runs_folder())))
    if not folders:
        return None
    return Prunable(None, LEFTOVER, 0, sum(disk.size(folder) for folder in folders), folders)


def require_prunable(run: Run, anyway: bool = False) -> None:
    """Raise RunError for a run of which nothing may be removed now: one that lives or may live, or of somebody else."""
    require_writable(run)
    look = run.look()
    if look.state in LIVING:
        raise RunError(
            f"run {run.id} is {look.state} and needs its checkpoints; stop it first: goemo-tui runs stop {run.id}"
        )
    require_seen(run, look, "prune", anyway)


def prune(item: Prunable) -> int:
    """Remove it and return the bytes that are free now.

    Raises RunError for a run that somebody works on, or has worked on since it was looked at: nothing is removed then;
    PruneError where something could not be removed.
    """
    run = item.run
    if run is None:
        still = set(_strays(paths.runs_folder()))
        return _remove([folder for folder in item.folders if folder in still], [])
    require_prunable(run, item.anyway)
    with lock.RunLock(run.folder, busy="pruned"):  # no worker can start meanwhile
        if run.snapshot().seq != item.seq or lock.starter(run.folder) is not None:
            raise RunError(f"run {run.id} went on meanwhile, and nothing of it was removed")
        checkpoints, leftovers = disk.checkpoints(run.folder), list(_leftovers(run.folder))
        return _remove(
            [folder for folder in leftovers if folder in item.folders],
            [folder for folder in checkpoints if folder in item.folders],
        )


def free(items: Iterable[Prunable]) -> Freed:
    """Prune one after the other; what goes wrong with one keeps no other from being freed."""
    done: list[tuple[Prunable, int]] = []
    troubles: list[str] = []
    for item in items:
        try:
            count = prune(item)
        except GoemoError as error:
            troubles.append(str(error))
            count = error.freed if isinstance(error, PruneError) else 0
        done.append((item, count))
    return Freed(tuple(done), tuple(troubles))


def _candidate(run: Run, every: bool, anyway: bool) -> Prunable | None:
    if not run.writable:
        return None
    try:
        look = run.look()
        require_seen(run, look, "prune", anyway)
    except GoemoError:
        return None  # what cannot be read or seen is not judged
    if look.state not in ENDED and look.state != "unknown":
        return None
    # Without a model the checkpoints hold the only weights that there are.
    spent = every or (look.state == "finished" and run.model is not None)
    checkpoints = disk.checkpoints(run.folder) if spent else []
    leftovers = list(_leftovers(run.folder))
    if not checkpoints and not leftovers:
        return None
    return Prunable(
        run,
        look.state,
        sum(disk.size(folder) for folder in checkpoints),
        sum(disk.size(folder) for folder in leftovers),
        (*checkpoints, *leftovers),
        look.snapshot.seq,
        anyway,
    )


def _leftovers(run_folder: Path) -> Iterator[Path]:
    """What a killed worker left half done. Never the only copy of a checkpoint or a model."""
    for folder in disk.folders(run_folder / disk.CHECKPOINTS):
        if folder.name.startswith(_TEMPORARY) and not disk.is_alone(folder):
            yield folder
    for folder in disk.folders(run_folder):
        replaced = folder.name == ".model-old" and (run_folder / disk.MODEL / "config.json").is_file()
        if folder.name == ".model-new" or replaced:
            yield folder


def _strays(home: Path) -> Iterator[Path]:
    for folder in disk.folders(home):
        if folder.name.startswith((_NEW, _REMOVED)) and _mine(folder) and _forsaken(folder):
            yield folder


def _forsaken(folder: Path) -> bool:
    """True if whoever made or removes this run is gone."""
    if folder.name.startswith(_NEW):
        pid = folder.name.removeprefix(_NEW).partition("-")[0]
        # The pid may be another machine's, where the home is shared; making a run takes no time there either.
        return pid.isdecimal() and not lock.Process.of(int(pid)).alive and _quiet(folder)
    try:
        holder = lock.holder(folder)
    except GoemoError:
        return False
    # Who removes a run holds its lock; once that file is gone too, only time can tell.
    return _quiet(folder) if holder is None else not holder.locked


def _quiet(folder: Path) -> bool:
    try:
        return abs(time.time() - folder.stat().st_mtime) > QUIET_SECONDS
    except OSError:
        return False


def _mine(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _remove(leftovers: list[Path], checkpoints: list[Path]) -> int:
    """Remove these folders; returns bytes. Raises PruneError, with what is free all the same."""
    freed = 0
    troubles: list[OSError] = []
    for folder in leftovers:
        count, trouble = _remove_one(folder)
        freed, troubles = freed + count, troubles + trouble
    nameless = []
    try:
        for folder in checkpoints:  # the oldest first: killed in between, the newest is still there
            nameless.append(folder.rename(folder.with_name(_PRUNED + folder.name.removeprefix(".replaced-"))))
        if nameless:
            paths.sync(nameless[0].parent)  # the names go before the contents, also when the power does
    except OSError as error:
        raise PruneError(_failure([*troubles, error], freed), freed) from None
    for folder in nameless:
        count, trouble = _remove_one(folder)
        freed, troubles = freed + count, troubles + trouble
    if troubles:
        raise PruneError(_failure(troubles, freed), freed)
    return freed


def _remove_one(folder: Path) -> tuple[int, list[OSError]]:
    """Bytes freed, and what went wrong."""
    before = disk.size(folder)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        return before - disk.size(folder), [error]
    return before, []


def _failure(troubles: list[OSError], freed: int) -> str:
    error = troubles[0]
    more = f" and {len(troubles) - 1} more" if len(troubles) > 1 else ""
    return f"{error.filename}{more} could not be removed: {error.strerror}; {freed:,} bytes are free all the same"
