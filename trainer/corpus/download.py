"""Fetch the GoEmotions files from their authors' repository or a mirror: pinned, resumable, atomic.

A file appears under its name only when it is whole and its sha256 is the expected one. May not read what is in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from trainer.corpus.interrupt import Cancelled
from trainer.errors import ConfigError, CorpusError, DownloadError
from trainer.paths import corpora_folder, private_folder

OFFICIAL = "https://raw.githubusercontent.com/google-research/google-research/master/goemotions/data"
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as dead."""

PAUSES = (1.0, 3.0)
"""Seconds before each further try after a broken transfer."""

_CHUNK = 64 * 1024

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Pinned:
    """What a file must be, byte for byte."""

    sha256: str
    size: int


FILES = {
    "emotions.txt": Pinned("45c3ef86782d2a4d7fedcd6d8c111aa0d0e94720689bd164fac94fefb4495a89", 248),
    "train.tsv": Pinned("1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5", 3_519_053),
    "dev.tsv": Pinned("575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62", 439_059),
    "test.tsv": Pinned("0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4", 436_706),
}
"""The files of google-research/goemotions/data as published with the paper (Demszky et al., ACL 2020)."""


class _Broken(Exception):
    """The connection failed or ended early: worth another try from where it stopped."""


def download(
    url: str | None = None,
    into: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Fetch the four files into `into` (default: `goemotions` among the downloaded corpora) and return the folder.

    `url` is the address of a mirror's folder. A file that is already whole is not fetched again; one that is half
    there (`.part`) is gone on with. `progress(file, bytes so far, bytes in all)`. Raises ConfigError for an address
    that cannot be used, Cancelled, and CorpusError for everything that goes wrong on the way.
    """
    base = _checked(url or OFFICIAL)
    folder = corpora_folder() / "goemotions" if into is None else into
    try:
        private_folder(folder)
        for name, pinned in FILES.items():
            if not _is_whole(folder / name, pinned):
                _fetch(_address(base, name), folder / name, pinned, progress, cancelled)
            if progress:
                progress(name, pinned.size, pinned.size)
    except OSError as error:
        raise CorpusError(f"cannot write into {folder}: {error.strerror or error}") from error
    return folder


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"{url!r} is no address to download from: http:// or https:// and a host", key="url")
    return url


def _address(base: str, name: str) -> str:
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}", fragment="").geturl()


def _is_whole(path: Path, pinned: Pinned) -> bool:
    return path.is_file() and path.stat().st_size == pinned.size and _sha256(path) == pinned.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(
    url: str, target: Path, pinned: Pinned, progress: Progress | None, cancelled: Callable[[], bool] | None
) -> None:
    """Fetch one file through its `.part`, trying again where the connection breaks."""
    part = target.with_name(target.name + ".part")
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CorpusError(f"{part} is being written by another download: wait until it is done") from None
        try:
            _transfer_patiently(url, file, pinned, target, progress, cancelled)
        finally:
            if not file.tell():
                part.unlink()  # nothing to go on with
        file.flush()
        os.fsync(file.fileno())
        found = _sha256(part)
        if found != pinned.sha256:
            part.unlink()
            raise DownloadError(
                f"{url} is not the file it should be: sha256 {pinned.sha256} expected, {found} found. It was thrown away.",
                "Run the same again, or name another mirror (--url)",
            )
        part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _transfer_patiently(
    url: str,
    file: IO[bytes],
    pinned: Pinned,
    target: Path,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Transfer, and try again after a pause where the connection breaks. Raises CorpusError when it keeps breaking."""
    for pause in (*PAUSES, None):
        try:
            return _transfer(url, file, pinned, target.name, progress, cancelled)
        except _Broken as error:
            if pause is None:
                got = f" {file.tell():,} of {pinned.size:,} bytes are kept in {file.name}." if file.tell() else ""
                raise DownloadError(
                    f"{url} cannot be fetched: {error}.{got}",
                    "Check the network and run the same again to go on, name a mirror (--url), or put the four files "
                    f"into {target.parent} yourself",
                ) from None
            _wait(pause, cancelled)
    return None


def _wait(seconds: float, cancelled: Callable[[], bool] | None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _stop_if(cancelled)
        time.sleep(min(0.1, seconds))


def _stop_if(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("the download was cancelled; run it again to go on where it stopped")


def _transfer(
    url: str,
    file: IO[bytes],
    pinned: Pinned,
    name: str,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Bring `file` up to its full size from wherever it stands. Raises _Broken if that was not reached."""
    if file.seek(0, os.SEEK_END) > pinned.size:
        _empty(file)
    if file.tell() == pinned.size:
        return
    _stop_if(cancelled)
    with _open(url, file.tell()) as answer:
        announced = answer.headers.get("Content-Length") or ""
        if file.tell() and not _goes_on(answer, file.tell()):
            _empty(file)  # the server sends the whole file
        done = file.tell()
        whole = done + int(announced) if announced.isdigit() else None
        while True:
            if progress:
                progress(name, min(done, pinned.size), pinned.size)
            _stop_if(cancelled)
            chunk = _read(answer)
            if not chunk:
                break
            file.write(chunk)
            done += len(chunk)
            if done > pinned.size:
                break  # not the file that was asked for; its hash will say so
    file.flush()
    if done < pinned.size and done == whole:
        # The server sent all it has: some other file (a page that asks to log in, say), not a broken transfer.
        _empty(file)
        raise CorpusError(f"{url} is not the file it should be: {pinned.size:,} bytes expected, {done:,} found")
    if done < pinned.size:
        raise _Broken(f"the connection ended after {done:,} of {pinned.size:,} bytes")


def _empty(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()


def _goes_on(answer: Any, at: int) -> bool:
    """Whether the server answered a request for the rest of a file with that rest, and not with all of it."""
    given = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
    return answer.status == 206 and given is not None and int(given[1]) == at


def _open(url: str, at: int) -> Any:
    headers = {"User-Agent": "goemo-tui", "Accept-Encoding": "identity", **({"Range": f"bytes={at}-"} if at else {})}
    try:
        return _opener().open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and at:
            return _open(url, 0)
        if error.code >= 500 or error.code == 429:
            raise _Broken(f"the server answered {error.code} {error.reason}") from None
        raise CorpusError(
            f"{url} cannot be fetched: the server answered {error.code} {error.reason}; check the address (--url)"
        ) from None
    except urllib.error.URLError as error:
        raise _Broken(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(str(error) or type(error).__name__) from None


def _read(answer: Any) -> bytes:
    try:
        chunk: bytes = answer.read(_CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(str(error) or type(error).__name__) from None
    return chunk


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS only: a redirect must not lead to file: or ftp:."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener
