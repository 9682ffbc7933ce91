"""A file that is made over hours: its parts lie in a folder beside it until all are there, so that a kill costs the last
portion and no more. Each part is whole or absent; a second process is turned away.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import ConfigError, CorpusError

ABOUT = "about.json"


class Parts:
    """The folder of what will be `to`. `about` is what all parts have in common; `told` is each part's own, in order.

    Begun before with the same `about`, it goes on behind the last whole part. `again` throws away what is there.
    Raises ConfigError where another job has begun the same file or is at it, CorpusError for a disk that fails.
    """

    def __init__(self, to: Path, about: dict[str, Any], again: bool = False) -> None:
        self.to, self.folder = to, to.with_name(f"{to.name}.parts")
        self._about = json.loads(json.dumps(about))
        self.told: list[dict[str, Any]] = []
        try:
            paths.private_folder(self.folder)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take()
            if again:
                self._clear()
            self._begin()
        except OSError as error:
            raise CorpusError(f"{self.folder} cannot be written: {error.strerror or error}") from None

    @property
    def files(self) -> list[Path]:
        """The whole parts in their order."""
        return [self._file(number) for number in range(len(self.told))]

    def add(self, body: bytes, told: dict[str, Any]) -> None:
        """Keep one more part. Raises CorpusError."""
        file = self._file(len(self.told))
        try:
            for path, data in ((file, body), (file.with_suffix(".json"), json.dumps(told).encode())):
                self._write(path, data)
        except OSError as error:
            raise CorpusError(
                f"{file} cannot be written: {error.strerror or error}. What was done is kept: the same command goes on"
            ) from None
        self.told.append(told)

    def done(self) -> None:
        """The file is made: take the parts away."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        with suppress(OSError):
            os.close(self._lock)

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise ConfigError(f"another process is writing {self.to}; wait for it or choose another --out") from None

    def _begin(self) -> None:
        about = self._read(self.folder / ABOUT)
        if about is None:
            self._clear()
            self._write(self.folder / ABOUT, json.dumps(self._about).encode())
            return
        unlike = sorted(key for key in {*about, *self._about} if about.get(key) != self._about.get(key))
        if unlike:
            self.close()
            raise ConfigError(
                f"{self.to} was begun with another {', '.join(unlike)}. What is done lies in {self.folder}: give the same "
                "as then to go on, or --again to begin anew"
            )
        while (told := self._read(self._file(len(self.told)).with_suffix(".json"))) is not None:
            self.told.append(told)

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.name != "lock":
                path.unlink()

    def _file(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}"

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def total(told: Sequence[dict[str, Any]], key: str) -> int:
    """A number that each part tells, added up."""
    return sum(int(one.get(key, 0)) for one in told)
