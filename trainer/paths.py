"""Where things live: the user's data, cache and settings folders, and the files that ship with the program.

`GOEMO_HOME` overrides every folder the program writes. Nothing here touches the disk except `private_folder` and `sync`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import platformdirs

APP = "goemo-tui"


def expanded(text: str) -> Path:
    """A path as people type it, `~` included; a `~name` that is nobody here stays as it is instead of raising."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def nobody(text: str) -> str:
    """The `~name` that a path begins with where nobody here is called so and no such folder lies here; else nothing."""
    name = text.partition("/")[0]
    path = expanded(name)
    return name if name.startswith("~") and str(path) == name and not path.exists() else ""


def home() -> Path:
    """The folder that holds runs and downloaded corpora (`GOEMO_HOME`, else the XDG data folder)."""
    override = os.environ.get("GOEMO_HOME")
    return expanded(override).absolute() if override else Path(platformdirs.user_data_dir(APP))


def runs_folder() -> Path:
    """`<home>/runs`, one folder a run."""
    return home() / "runs"


def corpora_folder() -> Path:
    """`<home>/corpora`, where `data download` puts what it fetched."""
    return home() / "corpora"


def models_folder() -> Path:
    """`<home>/models`, one folder a model that was made elsewhere and imported."""
    return home() / "models"


def cache_folder() -> Path:
    """Things that can be made again: token arrays, partial downloads."""
    return home() / "cache" if os.environ.get("GOEMO_HOME") else Path(platformdirs.user_cache_dir(APP))


def settings_file() -> Path:
    """`settings.toml` of the terminal (`GOEMO_HOME`, else the XDG config folder)."""
    folder = home() if os.environ.get("GOEMO_HOME") else Path(platformdirs.user_config_dir(APP))
    return folder / "settings.toml"


def state_folder() -> Path:
    """The app's own log and what it remembers between starts."""
    return home() / "state" if os.environ.get("GOEMO_HOME") else Path(platformdirs.user_state_dir(APP))


def shipped() -> Path:
    """The data that ships with the program: `trainer/data` in a wheel, `data/` in a checkout."""
    here = Path(__file__).parent
    packaged = here / "data"
    return packaged if packaged.is_dir() else here.parent / "data"


def private_folder(path: Path) -> Path:
    """Make `path` (and what is missing above it) with mode 0700 and return it."""
    missing = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a file for its owner's eyes alone, whatever the umask; readers see the old one or the new, never half."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def sync(path: Path) -> None:
    """Make what was written into a file, or the names in a folder, last through a power cut. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
