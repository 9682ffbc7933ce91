"""The bytes of a file or a pipe, unpacked as they are read: by the ending of a name, or by what stands at the beginning."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from typing import IO, Any

from trainer.errors import ConfigError, CorpusError
from trainer.tables.places import PIPE, is_once, opened

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""Bytes that no text begins with."""

FOREIGN = {
    b"PAR1": "Parquet, which cannot come through a pipe: name the file, with --format parquet where its ending does not say so",
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save it as CSV",
}

AT_ONCE = 512
"""Bytes that Arrow is asked for: where a stream breaks off, it loses what it was asked for."""


class Stream:
    """What `where` holds, as unpacked `bytes`; `size` as it lies there, 0 if unknown. Raises NotFoundError, CorpusError."""

    def __init__(self, where: str, compression: str | None, shown: str) -> None:
        self._raw: IO[bytes] | None = None
        self._unpacked: Unpacked | None = None
        self._once = is_once(where)
        if where == PIPE:
            if sys.stdin is None:
                raise CorpusError("stdin is closed: there is nothing to read")
            raw, self.size = sys.stdin.buffer, 0
        else:
            raw, self.size = opened(where)
            self._raw = raw
        if self._once:
            self.size = 0
        try:
            head = raw.read(4)
        except OSError as error:
            raise CorpusError(f"{shown} cannot be read: {error.strerror or error}") from None
        if self._once:
            raw = io.BufferedReader(_Begun(head, raw), 1 << 16)
        else:
            raw.seek(0)
        for magic, packing in MAGIC.items():
            if head.startswith(magic):
                compression = packing
        if compression is None and head in FOREIGN:
            self.close()
            raise ConfigError(f"{shown} is {FOREIGN[head]}", key="input")
        self._read = raw
        self.bytes: IO[bytes] = raw
        if compression is not None:
            self._unpacked = Unpacked(_gzip(raw) if compression == "gzip" else _zstd(raw), shown)
            self.bytes = io.BufferedReader(self._unpacked, 1 << 16)

    @property
    def position(self) -> int:
        """How far it is read, in the bytes of `size`."""
        if self._once:
            return 0
        return self.size if self._read.closed else self._read.tell()

    @property
    def torn(self) -> str:
        """What is wrong where it breaks off, and nothing if it does not."""
        return self._unpacked.torn if self._unpacked is not None else ""

    @property
    def within_a_line(self) -> bool:
        """Whether it breaks off, and not where a line ends."""
        return bool(self.torn) and self._unpacked is not None and self._unpacked.last != b"\n"

    def close(self) -> None:
        """Let go of the file; stdin is not ours."""
        if self._raw is not None:
            self._raw.close()


class Unpacked(io.RawIOBase):
    """A packed stream. Damage at its beginning is raised as CorpusError; later it ends there and `torn` says why, for what came
    before is good. `last` is the last byte that came."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream, self._where = stream, where
        self.torn, self.last = "", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.torn:
            return 0
        try:
            found = self._stream.read1(len(buffer))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            what = f"{self._where} cannot be unpacked: {error}"
            if not self.last:
                raise CorpusError(what) from None
            self.torn = what
            return 0
        buffer[: len(found)] = found
        self.last = found[-1:] or self.last
        return len(found)


def _gzip(raw: IO[bytes]) -> Any:
    return gzip.GzipFile(fileobj=raw)


def _zstd(raw: IO[bytes]) -> Any:
    import pyarrow as pa

    return _Arrow(pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))


class _Arrow:
    """A stream of Arrow's that gives what it has."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read1(self, most: int) -> bytes:
        return bytes(self._stream.read(min(most, AT_ONCE)))


class _Begun(io.RawIOBase):
    """A stream whose first bytes were looked at and cannot be put back."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        found = found or self._rest.read1(len(buffer))
        buffer[: len(found)] = found
        return len(found)
