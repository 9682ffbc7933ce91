"""A file that is made over hours: its parts lie in a folder beside it until all are there, so that a kill costs the last
portion and no more. Each part is whole or absent; a second process is turned away.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import ConfigError, CorpusError

ABOUT, LOCK, PART, JOINED = "about.json", "lock", "part-", "joined"

ONCE = "once"
"""What an `about` says of parts that nobody can go on with: what they were made of came through a pipe. They are thrown away."""


class Parts:
    """The folder of what will be `to`. `about` is what all parts have in common.

    Begun before with the same `about`, it goes on behind the last whole part. `again` throws away what is there.
    Raises ConfigError where another job has begun the same file or is at it, CorpusError for a disk that fails.
    """

    def __init__(self, to: Path, about: dict[str, Any], again: bool = False) -> None:
        self.to, self.folder = to, to.with_name(f"{to.name}.parts")
        self._about = json.loads(json.dumps(about))
        self._count = 0
        try:
            paths.private_folder(self.folder)
            self._lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take()
            if again:
                self._clear()
            self._begin()
        except OSError as error:
            raise CorpusError(f"{self.folder} cannot be written: {error.strerror or error}") from None

    @property
    def files(self) -> list[Path]:
        """The whole parts in their order."""
        return [self._file(number) for number in range(self._count)]

    @property
    def joined(self) -> Path:
        """Where they are put together, before that takes the name of the file."""
        return self.folder / JOINED

    def told(self) -> Iterator[dict[str, Any]]:
        """What was told of each, read again each time: of a long file it is much."""
        for file in self.files:
            yield self._read(file.with_suffix(".json")) or {}

    def total(self, key: str) -> int:
        """A number that each part tells, added up."""
        return sum(int(one.get(key, 0)) for one in self.told())

    def add(self, body: bytes, told: dict[str, Any]) -> None:
        """Keep one more part. Raises CorpusError."""
        file = self._file(self._count)
        try:
            paths.write_private(file, body)
            paths.write_private(file.with_suffix(".json"), json.dumps(told).encode())
        except OSError as error:
            raise CorpusError(
                f"{file} cannot be written: {error.strerror or error}. What was done is kept: the same command goes on"
            ) from None
        self._count += 1

    def done(self) -> None:
        """The file is made: take the parts away."""
        with suppress(OSError):
            self._clear()
            (self.folder / LOCK).unlink()
            self.folder.rmdir()

    def close(self) -> None:
        """Let go of the folder, once."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise ConfigError(f"another process is writing {self.to}; wait for it or choose another --out") from None

    def _begin(self) -> None:
        about = self._read(self.folder / ABOUT)
        if about is None or about.get(ONCE):
            self._clear()
            paths.write_private(self.folder / ABOUT, json.dumps(self._about).encode())
            return
        unlike = sorted(key for key in {*about, *self._about} if about.get(key) != self._about.get(key))
        if unlike:
            self.close()
            raise ConfigError(
                f"{self.to} was begun with another {', '.join(unlike)}. What is done lies in {self.folder}: give the same "
                "as then to go on, or --again to begin anew"
            )
        while self._read(self._file(self._count).with_suffix(".json")) is not None:
            self._count += 1

    def _clear(self) -> None:
        """Whatever of it is ours; a folder of that name may hold other things."""
        for path in self.folder.iterdir():
            if path.name.lstrip(".").startswith((ABOUT, PART, JOINED)) and path.is_file():
                path.unlink()

    def _file(self, number: int) -> Path:
        return self.folder / f"{PART}{number:06d}"

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None
