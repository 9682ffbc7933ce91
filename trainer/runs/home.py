"""The folder of all runs: which are there, what they are called, and how a new one gets its name.

Knows folders and names only; what a run is and how it stands is run.py's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from trainer import paths
from trainer.errors import NotFoundError, RunError
from trainer.runs.about import read_about
from trainer.runs.names import friendly_name
from trainer.runs.permission import owner
from trainer.runs.state import CONFIG


def run_folders() -> list[Path]:
    """The folders of all runs, in no order. What is no run folder, or may not be read, is left out.

    Raises RunError where the folder of all runs cannot be read.
    """
    home = paths.runs_folder()
    try:
        return [entry for entry in home.iterdir() if _is_run(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{home} cannot be read: {error.strerror}") from None


def created(folder: Path) -> float:
    """When a run was made, in seconds since 1970."""
    try:
        return (folder / CONFIG).stat().st_mtime
    except OSError:
        return 0.0


def in_order(folders: list[Path]) -> list[Path]:
    """The newest first."""
    return sorted(folders, key=lambda folder: (folder.name[:13], created(folder), folder.name), reverse=True)


def short_name(run_id: str) -> str:
    """The two words of a run id: what stands after the date and the time."""
    parts = run_id.split("-", 2)
    return parts[2] if len(parts) == 3 and parts[0].isdecimal() and parts[1].isdecimal() else run_id


def closed(folder: Path, error: OSError) -> NotFoundError:
    """What to say of a run that may not be read."""
    whose = f"; it belongs to {owner(folder)}" if isinstance(error, PermissionError) else ""
    return NotFoundError(f"run {folder.name} may not be read: {error.strerror}{whose}")


def find(name: str) -> Path:
    """The folder of the run that `name` means: its id, its short name, its given name, or the start of one of the first two.

    It never lies outside the folder of all runs. Raises NotFoundError, also where several fit.
    """
    home = paths.runs_folder()
    unknown = NotFoundError(f"no run is called {name!r}. The runs there are: goemo-tui runs list")
    if not name or "\0" in name:
        raise unknown
    path = Path(os.path.normpath(name)) if "/" in name else home / name
    try:
        inside = path.is_absolute() and path.parent == Path(os.path.normpath(home)) and not path.name.startswith(".")
        if inside and not path.is_symlink() and (path / CONFIG).is_file():
            return path
    except PermissionError as error:
        raise closed(path, error) from None
    except OSError:
        raise unknown from None  # no file can have such a name
    if "/" in name:
        raise unknown
    runs = in_order(run_folders())
    ways: tuple[Callable[[Path], bool], ...] = (
        lambda f: short_name(f.name) == name,
        lambda f: read_about(f).name == name,
        lambda f: f.name.startswith(name) or short_name(f.name).startswith(name),
    )
    for way in ways:
        fits = [f for f in runs if way(f)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            several = ", ".join(f.name for f in fits[:5])
            raise NotFoundError(
                f"{name!r} fits {len(fits)} runs ({several}{', …' if len(fits) > 5 else ''}): say which"
            )
    raise unknown


def named(fresh: Path, home: Path) -> Path:
    """Give the finished folder its name: one that no run has, also when others look for one at the same moment."""
    taken = {short_name(entry.name) for entry in home.iterdir()}
    while True:
        folder = home / f"{datetime.now():%Y%m%d-%H%M}-{friendly_name(taken)}"
        try:
            return fresh.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise


def _is_run(folder: Path) -> bool:
    try:
        return not folder.name.startswith(".") and not folder.is_symlink() and (folder / CONFIG).is_file()
    except OSError:
        return False  # somebody else's, who lets nobody in
