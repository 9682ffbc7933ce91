"""Arrays that took a while to compute, in a file that knows what they were computed from. No torch.

A cache: what is damaged, or was made of something else, is as if it were not there, and a disk that takes nothing hinders
nobody.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trainer import paths

Arrays = dict[str, NDArray[Any]]


def digest(parts: Iterable[object]) -> str:
    """sha256 in hex of what arrays depend on; each part with its length, so that no two lists look alike."""
    found = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        found.update(f"{len(data)}:".encode() + data)
    return found.hexdigest()


def keep(file: Path, of: str, arrays: Mapping[str, NDArray[Any]], most: int = 0) -> None:
    """Write `arrays`, made of what `of` is the digest of. `most`: as many files as stay in the folder, the least lately
    used go first; 0 leaves them all."""
    with suppress(OSError, SafetensorError):
        body = save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, {"of": of})
        paths.write_private(paths.private_folder(file.parent) / file.name, body)
        if most:
            for old in sorted(file.parent.iterdir(), key=lambda f: f.stat().st_mtime, reverse=True)[most:]:
                old.unlink()


def read(file: Path, of: str) -> Arrays | None:
    """The arrays made of that, or None."""
    try:
        with safe_open(file, framework="numpy") as found:
            if (found.metadata() or {}).get("of") != of:
                return None
            arrays = {name: np.asarray(found.get_tensor(name)) for name in found.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    with suppress(OSError):
        os.utime(file)
    return arrays
