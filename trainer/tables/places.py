"""Where files of rows lie: a path, a glob, a folder of files, or a URI (s3://, gs://, hdfs://, file://) of one of those.

URIs are read through Arrow's own file systems, which find their credentials themselves; nothing of them is kept here.
"""

from __future__ import annotations

import glob
import hashlib
import io
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

from trainer.errors import ConfigError, CorpusError, NotFoundError
from trainer.paths import expanded
from trainer.tables.kind import COMPRESSIONS, FORMATS, format_of

HEAD = 1 << 20
"""Bytes of a file's beginning that its fingerprint is made of, beside its size and time."""

PIPE = "-"

PATIENCE = 30
"""Seconds that a Google store which does not answer is asked again, where the URI does not say `?retry_limit_seconds=`: Arrow's
client would go on for a quarter of an hour before it says a word."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WILD = re.compile(r"[*?\[]")


def is_uri(where: str) -> bool:
    """Whether it names a file system, too."""
    return bool(_URI.match(where))


def files_of(given: Sequence[str], format: str | None = None) -> list[str]:
    """The files that are meant, each once: what a glob or a folder stands for is sorted by name.

    `format` is what was said of them: without it, of a folder those are taken whose ending is known. Raises NotFoundError
    where nothing matches, ConfigError for a pipe among files and for what is no URI.
    """
    once = next((where for where in given if is_once(where)), None)
    if once is not None and len(given) > 1:
        named = "stdin (-)" if once == PIPE else f"{once} is a pipe and"
        raise ConfigError(f"{named} cannot be read among files: give it alone", key="input")
    if PIPE in given:
        return [PIPE]
    found = [file for where in given for file in (_at_uri(where, format) if is_uri(where) else _here(where, format))]
    return list(dict.fromkeys(found))


def is_once(where: str) -> bool:
    """Whether it can be read once only: stdin, a named pipe, the shell's <(…), a device. Looking at it would take bytes away."""
    if where == PIPE:
        return True
    if is_uri(where):
        return False
    try:
        mode = expanded(where).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _here(where: str, format: str | None) -> list[str]:
    path = expanded(where)
    try:
        there = path.is_dir()
    except OSError as error:  # a name that is too long for any file
        raise NotFoundError(f"{where[:80]}…: {error.strerror or error}") from None
    if there:
        return _some([str(file) for file in sorted(path.iterdir()) if file.is_file()], where, format)
    if path.exists() or not _WILD.search(where):
        return [str(path)]
    return _matching([file for file in sorted(glob.glob(str(path), recursive=True)) if Path(file).is_file()], where)  # noqa: PTH207


def _at_uri(where: str, format: str | None) -> list[str]:
    """In a URI `*` and `**` alone stand for something: `?` begins its options, such as ?endpoint_override=…"""
    from pyarrow import fs

    address, mark, options = where.partition("?")
    start = address.split("*", 1)[0]
    start = start[: start.rindex("/") + 1] if "*" in address else address
    system, base = system_of(start + mark + options)
    try:
        info = system.get_file_info(base)
        if "*" not in address and info.type != fs.FileType.Directory:
            return [where]
        inside = fs.FileSelector(base.rstrip("/") or "/", recursive="/" in address[len(start) :], allow_not_found=True)
        names = sorted(i.path for i in system.get_file_info(inside) if i.type == fs.FileType.File)
    except OSError as error:
        raise CorpusError(f"{_shown(where)} cannot be looked at: {_why(error)}") from None
    base = base.rstrip("/")
    rest = [name[len(base) :].lstrip("/") for name in names if not name.rsplit("/", 1)[-1].startswith(".")]
    if "*" in address:
        pattern = _pattern(unquote(address[len(start) :]))
        rest = _matching([name for name in rest if pattern.match(name)], where)
    else:
        rest = _some(rest, where, format)
    return [f"{start.rstrip('/')}/{quote(name)}{mark}{options}" for name in rest]


def _pattern(text: str) -> re.Pattern[str]:
    """`*` within a folder, `**/` over any; the signs that a URI's globs do not know stand for themselves."""
    parts = re.split(r"(\*\*/|\*)", text)
    signs = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(signs.get(part) or re.escape(part) for part in parts) + r"\Z")


def _matching(found: list[str], where: str) -> list[str]:
    if not found:
        raise NotFoundError(f"no file matches {_shown(where)}")
    return found


def _some(found: list[str], where: str, format: str | None) -> list[str]:
    """Those of a folder's files that are rows: names that begin with . or _ are marks of other programs."""
    names = [(file, file.rsplit("/", 1)[-1]) for file in found]
    kept = [file for file, name in names if not name.startswith((".", "_")) and (format or _is_known(name))]
    if not kept:
        raise NotFoundError(f"the folder {_shown(where)} has no file of rows: {', '.join(FORMATS)}, or say --format")
    return kept


def _is_known(name: str) -> bool:
    stem = name.lower()
    for ending in COMPRESSIONS:
        stem = stem.removesuffix(ending)
    return format_of(stem.rpartition(".")[2]) in FORMATS


def system_of(uri: str) -> tuple[Any, str]:
    """Arrow's file system of a URI, and the path in it.

    Raises ConfigError for what is no URI, CorpusError where the store was asked for its region and did not answer.
    """
    import pyarrow as pa
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(_patient(uri))
    except OSError as error:
        why = str(error).replace(uri, _shown(uri)).rpartition("Details: ")[2].rpartition(" operation: ")[2]
        raise CorpusError(
            f"{_shown(uri)} could not be reached ({why}). Check the bucket's name, the network and the credentials, and run "
            "the same again; for a store elsewhere say where: ?endpoint_override=HOST:PORT, or ?region=NAME"
        ) from None
    except (pa.ArrowException, ValueError) as error:
        raise ConfigError(f"{_shown(uri)}: {str(error).replace(uri, _shown(uri))}", key="input") from None
    return system, str(path)


def _patient(uri: str) -> str:
    if not uri.lower().startswith(("gs://", "gcs://")) or "retry_limit_seconds=" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}retry_limit_seconds={PATIENCE}"


def _why(error: Exception) -> str:
    """What a store says, without the names of its client's parts."""
    text = str(error)
    if "Retry policy exhausted" not in text:
        return text
    told, _, beneath = (
        text.partition(" error_info=")[0]
        .rpartition("with a last message of ")[2]
        .partition("The underlying error message was: ")
    )
    if beneath:  # before it stands how Google's credentials work, in some sentences
        told = f"{told.partition('. ')[0]} ({beneath})"
    told = told.replace("PerformWork() - ", "").strip()
    return f"{told}. Check the bucket's name, the network and the credentials, or ask longer: ?retry_limit_seconds=900"


def _shown(where: str) -> str:
    """A URI without what may be a secret in it: name and key before the @, and its options."""
    return re.sub(r"//[^/@]*@", "//", where.partition("?")[0]) if is_uri(where) else where


def name_of(where: str) -> str:
    """The name of a file for people, and the one by whose ending its kind is told."""
    return _shown(where)


def opened(where: str) -> tuple[IO[bytes], int]:
    """The bytes of a file, and how many they are. Raises NotFoundError, CorpusError."""
    return _remote(where) if is_uri(where) else _local(Path(where))


def _local(path: Path) -> tuple[IO[bytes], int]:
    try:
        if path.is_dir():
            raise NotFoundError(f"{path} is a folder: name a file in it")
        raw = path.open("rb")
        return raw, path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path} is not there") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from None


def _remote(where: str) -> tuple[IO[bytes], int]:
    system, path = system_of(where)
    try:
        file = system.open_input_file(path)
        return io.BufferedReader(_Far(file, name_of(where)), 1 << 20), int(file.size())
    except FileNotFoundError:
        raise NotFoundError(f"{name_of(where)} is not there") from None
    except OSError as error:
        raise CorpusError(f"{name_of(where)} cannot be read: {_why(error)}") from None


class _Far(io.RawIOBase):
    """A file of Arrow's as one of Python's."""

    def __init__(self, file: Any, where: str) -> None:
        self._file, self._where = file, where

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._file.read(len(buffer))
        except OSError as error:
            raise CorpusError(f"{self._where} cannot be read: {_why(error)}") from None
        buffer[: len(found)] = found
        return len(found)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def fingerprint(where: str) -> list[object]:
    """By which a file is known again: its full name, bytes, time of change (ns), and the SHA-256 of its first MiB."""
    raw, size = opened(where)
    with raw:
        head = hashlib.sha256(raw.read(HEAD)).hexdigest()
    if not is_uri(where):
        here = Path(where)
        return [str(here.absolute()), size, here.stat().st_mtime_ns, head]
    system, path = system_of(where)
    return [name_of(where), size, system.get_file_info(path).mtime_ns, head]
