"""A folder that files are put into whole, on this machine or behind a URI: who looks sees a file as it was before, or all of it."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import CorpusError
from trainer.tables.places import is_uri, name_of, system_of


class StoreError(CorpusError):
    """A disk or a store that does not take what is written, or does not give it back."""


class Folder:
    """The folder `where`, a path or a URI. Every name is a path in it. Raises StoreError."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.local = None if is_uri(where) else Path(where)
        self._system: Any = None
        if self.local is None:
            self._system, base = system_of(where)
            self._base = base.rstrip("/")

    @property
    def name(self) -> str:
        """What people call it."""
        return name_of(self.where)

    def make(self, name: str = "") -> None:
        """Make it, or a folder in it."""
        try:
            if self.local is not None:
                paths.private_folder(self.local / name)
            else:
                self._system.create_dir(self._at(name), recursive=True)
        except OSError as error:
            raise self._failed(error) from None

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, over what has its name."""
        try:
            if self.local is not None:
                paths.write_private(self.local / name, data)
                return
            fresh = self._at(f"{name.rpartition('/')[0]}/.{name.rpartition('/')[2]}.{uuid.uuid4().hex}".lstrip("/"))
            with self._system.open_output_stream(fresh) as out:
                out.write(data)
            self._system.move(fresh, self._at(name))
        except OSError as error:
            raise self._failed(error) from None

    def read(self, name: str) -> bytes | None:
        """What is in a file; None if it is not there."""
        try:
            if self.local is not None:
                return (self.local / name).read_bytes()
            with self._system.open_input_stream(self._at(name)) as source:
                return bytes(source.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error) from None

    def sizes(self, inside: str = "") -> dict[str, int]:
        """The files in it, or in a folder in it, with their bytes; none where there is no such folder."""
        from pyarrow import fs

        try:
            if self.local is not None:
                folder = self.local / inside
                return {f.name: f.stat().st_size for f in folder.iterdir() if f.is_file()} if folder.is_dir() else {}
            found = self._system.get_file_info(fs.FileSelector(self._at(inside), allow_not_found=True))
            return {info.base_name: info.size for info in found if info.type == fs.FileType.File}
        except OSError as error:
            raise self._failed(error) from None

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with suppress(FileNotFoundError):
            try:
                if self.local is not None:
                    (self.local / name).unlink()
                else:
                    self._system.delete_file(self._at(name))
            except FileNotFoundError:
                raise
            except OSError as error:
                raise self._failed(error) from None

    def _at(self, name: str) -> str:
        return f"{self._base}/{name}" if name else str(self._base)

    def _failed(self, error: OSError) -> StoreError:
        return StoreError(f"{self.name} cannot be used: {error.strerror or error}")
