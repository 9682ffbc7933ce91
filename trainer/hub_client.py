"""The Hugging Face Hub as the rest of the program sees it: what its client raises in words, and no token in any of them.

The token is huggingface_hub's own business (HF_TOKEN, or the file of `hf auth login`): nothing here takes one.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError, GoemoError, ModelError, NotFoundError
from trainer.shared import without_password

Progress = Callable[[str, int, int], None]
"""Called with file name, bytes done, bytes in all."""

LOG_IN = "hf auth login stores a token (or set HF_TOKEN); it is made at https://huggingface.co/settings/tokens"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class HubError(GoemoError):
    """The Hub did not do what was asked: it refused, was out of reach, or sent something else."""


class Unreachable(HubError):
    """The Hub was not asked, or did not answer."""


@dataclass(frozen=True)
class Remote:
    """A file in a repository. `sha256` is known of large files, `git` (the sha1 of a git blob) of the others."""

    path: str
    size: int
    sha256: str | None
    git: str | None


def is_name(text: str) -> bool:
    """Whether a text looks like OWNER/NAME on the Hub."""
    return _NAME.fullmatch(text) is not None


def scrubbed(text: str) -> str:
    """A text without the token, whatever put it there, and without a password in an address."""
    from huggingface_hub import get_token

    token = None
    with suppress(Exception):  # a token's file that cannot be read has no token in it that could be said
        token = get_token()
    for secret in {token, os.environ.get("HF_TOKEN"), os.environ.get("HUGGING_FACE_HUB_TOKEN")}:
        if secret and secret.strip():
            text = text.replace(secret.strip(), "[token]")
    return without_password(re.sub(r"\bhf_\w{8,}", "[token]", text))


@contextmanager
def spoken(what: str, repo: str) -> Iterator[None]:
    """Turn what the Hub's client raises while it does `what` with `repo` into a GoemoError without a cause to print."""
    try:
        yield
    except GoemoError:
        raise
    except Exception as error:  # the client raises its own, httpx's and the system's errors
        raise _in_words(error, what, repo) from None


def _in_words(error: Exception, what: str, repo: str) -> GoemoError:
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    host = without_password(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    start = f"{what}: {repo} on {host}"
    if isinstance(error, errors.HFValidationError):
        return ConfigError(f"{repo!r} is no name on the Hub: OWNER/NAME of letters, digits, - _ .", key="repo")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return Unreachable(f"{start} was not asked, since HF_HUB_OFFLINE is set: unset it")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return HubError(f"{start} asks who you are. {LOG_IN}")
    if status == 401:
        missing = isinstance(error, errors.RepositoryNotFoundError)
        if missing and not _has_token():
            return NotFoundError(f"{start} is not there, or is private (401). {LOG_IN}")
        return HubError(f"{start}: the token was not accepted (401). {LOG_IN}")
    if isinstance(error, errors.GatedRepoError):
        return HubError(f"{start} is given out to those alone who asked there (403): ask for access on its page")
    if isinstance(error, errors.RevisionNotFoundError):
        return NotFoundError(f"{start} has no such revision: name a branch, a tag or a commit that it has")
    if isinstance(error, errors.RepositoryNotFoundError) or status == 404:
        return NotFoundError(f"{start} is not there (404), or your account may not see it: check the name")
    told = {
        403: "your token does not allow this (403): it needs the right to write, and the name's owner must be you or an "
        "organisation of yours",
        409: "somebody is changing it at this moment (409): run the same again",
        429: "too many requests (429): wait some minutes and run the same again",
    }
    if status in told:
        return HubError(f"{start}: {told[status]}")
    if isinstance(status, int) and status >= 500:
        return HubError(f"{start}: the Hub has trouble ({status}): run the same again later")
    if isinstance(status, int):
        return HubError(f"{start} refused ({status}): {_first_line(error)}")
    if isinstance(error, OSError) and error.errno is not None and getattr(error, "filename", None):
        return HubError(f"{error.filename} cannot be used: {error.strerror}")
    return Unreachable(
        f"{start} could not be reached or broke off ({_first_line(error)}): check the network and run the same again"
    )


def _has_token() -> bool:
    from huggingface_hub import get_token

    return bool(get_token())


def _first_line(error: BaseException) -> str:
    said = scrubbed(str(error)).strip().splitlines()
    return f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__


def files_of(repo: str, revision: str, kind: str = "model") -> list[Remote]:
    """All files of a repository at a commit. Raises what the Hub's client raises."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    found = []
    for entry in HfApi().list_repo_tree(repo, revision=revision, repo_type=kind, recursive=True):
        if isinstance(entry, RepoFile):
            found.append(Remote(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id))
    return found


def verify(file: Path, remote: Remote) -> None:
    """Hash what was fetched. Raises HubError, and removes the file, where it is not what the repository holds."""
    size = file.stat().st_size
    if remote.sha256:
        with file.open("rb") as data:
            right = hashlib.file_digest(data, "sha256").hexdigest() == remote.sha256
    elif remote.git:
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        digest.update(file.read_bytes())
        right = digest.hexdigest() == remote.git
    else:
        right = True
    if size != remote.size or not right:
        whole = file.resolve()  # in the Hub's cache a name is a link to the bytes
        whole.unlink(missing_ok=True)
        raise HubError(f"{remote.path} came damaged and was thrown away: run the same again")


def refuse_pickles(repo: str, files: list[Remote]) -> None:
    """Raise ModelError for a repository without weights as safetensors, naming what it has instead."""
    if any(f.path.endswith(".safetensors") and "/" not in f.path for f in files):
        return
    others = [f.path for f in files if f.path.endswith((".bin", ".pt", ".pth", ".ckpt", ".h5", ".pkl", ".msgpack"))]
    seen = f": {', '.join(others[:3])} {'is' if len(others) == 1 else 'are'} pickle or another format and never opened"
    raise ModelError(f"{repo} on the Hub holds no weights as .safetensors{seen if others else ''}")


def counter(progress: Progress | None, file: str, before: int, total: int) -> type[Any]:
    """What the Hub's client takes for a progress bar: it draws nothing, and tells `progress` the bytes of all files so far."""
    from tqdm import tqdm

    class Counter(tqdm):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.done = int(options.get("initial") or 0)
            super().__init__(*arguments, **{**options, "disable": True})
            self.update(0)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            if progress:
                progress(file, min(before + self.done, total), total)
            return None

    return Counter
