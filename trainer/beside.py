"""A folder that is there whole or not at all: made beside its target, synced, and renamed in the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer import paths
from trainer.errors import GoemoError


def free(target: Path, remedy: str = "name a folder that is not") -> None:
    """Raises GoemoError where `target` is there already, with what to do about it."""
    if target.exists() or target.is_symlink():
        raise GoemoError(f"{target} is there already: {remedy}")


@contextmanager
def made_beside(target: Path) -> Iterator[Path]:
    """A path whose folder is to be made, in an empty hidden folder beside `target`; it becomes `target` if all goes well.

    Raises GoemoError where `target` is there, or the disk refuses.
    """
    free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
            fresh = Path(beside) / "model"
            yield fresh
            for each in fresh.rglob("*"):
                paths.sync(each)
            fresh.rename(target)
            paths.sync(target.parent)
    except OSError as error:
        raise GoemoError(f"{target} cannot be written: {error.strerror or error}") from error
