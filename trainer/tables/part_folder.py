"""A table that many processes make: a folder of Parquet parts with a plan of who reads which rows, and a mark for each part that
is whole. A part without its mark is made anew, so that no kill loses or doubles a row.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError
from trainer.tables.folder import Folder

MANIFEST, MARKS, LOCK, WORKERS = "_manifest.json", "_parts", "_parts/lock", "_parts/workers"
"""Names with _ before them are no data to Arrow, Spark and DuckDB's globs of *.parquet."""

GONE_SECONDS = 30.0
"""How long workers of a process that was killed are given to be gone."""


@dataclass(frozen=True)
class Part:
    """Rows `first` (from 0) and `rows` more of a file by its number."""

    file: int
    number: int
    first: int
    rows: int

    @property
    def name(self) -> str:
        """`part-00002-00017`: sorted by it, parts are in the order of the rows."""
        return f"part-{self.file:05d}-{self.number:05d}"


@dataclass(frozen=True)
class Planned:
    """A file of the plan: its name, its fingerprint, its parts, and what is wrong with it, if something is."""

    name: str
    print: list[Any]
    parts: tuple[Part, ...] = ()
    wrong: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {**asdict(self), "parts": [[part.first, part.rows] for part in self.parts]}

    @classmethod
    def of(cls, number: int, found: dict[str, Any]) -> Planned:
        """Back from the manifest."""
        parts = tuple(Part(number, n, first, rows) for n, (first, rows) in enumerate(found["parts"]))
        return cls(found["name"], found["print"], parts, found["wrong"])


class PartFolder:
    """The folder `where` (a path or a URI) of what is made; `plan` ties the marks to what they were made of."""

    def __init__(self, where: str, plan: str = "") -> None:
        self.folder, self.plan = Folder(where), plan
        self._locks: list[int] = []

    # The one who plans

    def begin(self) -> None:
        """Make it, and be the only one who does. Raises ConfigError where another process is at it."""
        self.folder.make()
        self.folder.make(MARKS)
        if self.folder.local is None:
            return
        self._lock(LOCK, fcntl.LOCK_EX, 0.0, "another process is writing")
        self._lock(WORKERS, fcntl.LOCK_EX, GONE_SECONDS, "workers of a process that was killed are still writing")
        os.close(self._locks.pop())  # theirs to share now

    def manifest(self) -> dict[str, Any] | None:
        """What an earlier process planned here; None where none did. Raises ConfigError for a folder of other things."""
        raw = self.folder.read(MANIFEST)
        try:
            found = json.loads(raw) if raw is not None else None
        except ValueError:
            found = None
        if isinstance(found, dict) and found.get("version") == 1:
            return found
        others = [name for name in self.folder.sizes() if not name.startswith(f".{MANIFEST}")]
        if others:  # also parts: another program's, for a plan is there before the first of ours
            raise ConfigError(f"{self.folder.name} holds other things: name a new folder", key="out")
        return None

    def keep(self, about: dict[str, Any], files: Sequence[Planned], whole: bool) -> None:
        """Write the manifest."""
        found = {"version": 1, "about": about, "whole": whole, "files": [file.to_dict() for file in files]}
        self.folder.write(MANIFEST, json.dumps(found, indent=1).encode())

    def clear(self, keep: Sequence[Part] = ()) -> None:
        """Take away all parts and marks but those of `keep`, and what killed processes left."""
        names = {part.name for part in keep}
        for inside, prefix in ((MARKS, f"{MARKS}/"), ("", "")):
            for name in self.folder.sizes(inside):
                ours = name.lstrip(".").startswith("part-")
                if ours and (name.partition(".")[0] not in names or name.endswith(".begun")):
                    self.folder.remove(prefix + name)

    def done(self, parts: Sequence[Part]) -> list[Part]:
        """Those that are whole."""
        marked, made = self.folder.sizes(MARKS), self.folder.sizes()
        known = [part for part in parts if f"{part.name}.json" in marked and f"{part.name}.parquet" in made]
        return [part for part in known if (self.mark(part) or {}).get("bytes") == made[f"{part.name}.parquet"]]

    def told(self, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
        """What was told of each portion of whole parts, in the order of the rows; read again each time, for it is much."""
        for part in sorted(parts, key=lambda part: part.name):
            yield from (self.mark(part) or {}).get("portions", ())

    def close(self) -> None:
        """Let go of it."""
        while self._locks:
            os.close(self._locks.pop())

    # The ones who work

    def join(self) -> None:
        """Be one of those who write parts, to the end of this process."""
        if self.folder.local is not None:
            self._lock(WORKERS, fcntl.LOCK_SH, GONE_SECONDS, "another process is beginning to write")

    def started(self, part: Part, who: dict[str, Any]) -> None:
        """Say who is at a part."""
        self.folder.write(f"{MARKS}/{part.name}.begun", json.dumps(who).encode())

    def mark(self, part: Part) -> dict[str, Any] | None:
        """What was told of a whole part of this plan."""
        try:
            found = json.loads(self.folder.read(f"{MARKS}/{part.name}.json") or b"null")
        except ValueError:
            return None
        return found if isinstance(found, dict) and found.get("plan") == self.plan else None

    def add(self, part: Part, body: bytes, portions: list[dict[str, Any]], who: dict[str, Any]) -> dict[str, Any]:
        """Keep a part that `who` made: its rows first, its mark behind them. Raises StoreError."""
        self.folder.write(f"{part.name}.parquet", body)
        digest = hashlib.sha256(body).hexdigest()
        mark = {"plan": self.plan, "by": who, "bytes": len(body), "sha256": digest, "portions": portions}
        self.folder.write(f"{MARKS}/{part.name}.json", json.dumps(mark).encode())
        self.folder.remove(f"{MARKS}/{part.name}.begun")
        return mark

    def _lock(self, name: str, how: int, seconds: float, who: str) -> None:
        assert self.folder.local is not None
        handle = os.open(self.folder.local / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._locks.append(handle)
        until = time.monotonic() + seconds
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(handle, how | fcntl.LOCK_NB)
                return
            if time.monotonic() >= until:
                self.close()
                raise ConfigError(f"{who} {self.folder.name}; wait for it or choose another --out", key="out")
            time.sleep(0.1)


def within(file: str, where: str) -> bool:
    """Whether a local file lies in the local folder `where`."""
    return Path(where).resolve() in Path(file).resolve().parents
