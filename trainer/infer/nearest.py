"""The vectors of a corpus's training comments on disk and in memory, and which of them are nearest to one.

One index a model and corpus, under the cache folder: `vectors.npy` (float16) and `index.json`, both there or neither.
Knows no model; `trainer.infer.like` makes the vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from trainer import paths
from trainer.corpus import Split
from trainer.modelfolder import model_digest

Array = np.ndarray[Any, np.dtype[Any]]

FORMAT = 1
VECTORS, ABOUT = "vectors.npy", "index.json"

KEPT = 8
"""Indexes that stay on the disk; the ones used longest ago go."""

ABANDONED = 3600.0
"""Seconds after which a half-made index is nobody's any more."""


@dataclass(frozen=True)
class Neighbour:
    """One training comment; `similarity` is the cosine, 1 for the very same text."""

    text: str
    labels: tuple[str, ...]
    similarity: float
    id: str

    def to_dict(self) -> dict[str, Any]:
        """The element of `like` in the JSON of `predict`."""
        return {
            "text": self.text,
            "labels": list(self.labels),
            "similarity": round(self.similarity, 4),
            "id": self.id,
        }


@dataclass(frozen=True)
class Nearest:
    """`vectors`: float32 of shape (rows, hidden), unit length, in the rows' order (column by column in memory, which a query
    reads faster). `names`: the corpus's labels."""

    vectors: Array
    split: Split
    names: tuple[str, ...]

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {text.strip(): row for row, text in reversed(list(enumerate(self.split.text)))}

    def to(self, vector: Array, text: str, k: int) -> list[Neighbour]:
        """The `k` rows nearest to `text`, whose unit vector is given, nearest first; a text that stands in several rows
        counts once."""
        if k < 1 or not len(self.vectors):
            return []
        likeness = self.vectors @ vector.astype(np.float32)
        found: dict[str, Neighbour] = {}
        # a text that stands there often must not leave too few; the very same one is shown whatever else is as near
        there = self._row_of.get(text.strip())
        first = [] if there is None else [there]
        for row in (*first, *_best(likeness, min(len(likeness), 8 * k + 8))):
            known = self.split.text[row]
            same = known.strip() == text.strip()
            if known.strip().casefold() not in found:
                labels = tuple(self.names[i] for i in self.split.labels[row])
                likely = 1.0 if same else min(0.9999, float(likeness[row]))
                found[known.strip().casefold()] = Neighbour(known, labels, likely, self.split.ids[row])
        return sorted(found.values(), key=lambda n: -n.similarity)[:k]


def _best(likeness: Array, count: int) -> Array:
    best = np.argpartition(-likeness, count - 1)[:count]
    ordered: Array = best[np.argsort(-likeness[best], kind="stable")]
    return ordered


def index_folder() -> Path:
    """Where all of them lie."""
    return paths.cache_folder() / "like"


def fingerprint(folder: Path, max_length: int) -> str:
    """Which model it is, as far as vectors depend on it. Raises OSError."""
    return model_digest(folder, f"{FORMAT} {max_length}")


def place(model: str, corpus: str) -> Path:
    """The folder of the index of a model and a split's sha256."""
    return index_folder() / f"{model[:20]}-{corpus[:20]}"


def read(folder: Path, model: str, corpus: str, rows: int) -> Array | None:
    """The vectors as float32, or None where there are none that are whole and of this model and these rows."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        if (about["format"], about["model"], about["corpus"], about["rows"]) != (FORMAT, model, corpus, rows):
            return None
        if _sha256(folder / VECTORS) != about["sha256"]:
            return None
        found = np.load(folder / VECTORS, allow_pickle=False)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if found.ndim != 2 or len(found) != rows or found.dtype != np.float16:
        return None
    with suppress(OSError):
        os.utime(folder)
    vectors: Array = found.astype(np.float32, order="F")
    return vectors


def write(folder: Path, model: str, corpus: str, vectors: Array) -> None:
    """Put the index into its place, whole. Where another process was faster, its own stays. Raises OSError."""
    shelf = paths.private_folder(folder.parent)
    _sweep(shelf)
    part = shelf / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        np.save(part / VECTORS, vectors.astype(np.float16, order="C"), allow_pickle=False)
        about = {
            "format": FORMAT, "model": model, "corpus": corpus, "rows": len(vectors), "sha256": _sha256(part / VECTORS)
        }  # fmt: skip
        (part / ABOUT).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
        for name in (VECTORS, ABOUT):
            paths.sync(part / name)
        if folder.exists() and read(folder, model, corpus, len(vectors)) is None:
            shutil.rmtree(folder)  # damaged
        if not folder.exists():
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(shelf: Path) -> None:
    """What processes that were killed left half made, and more indexes than are kept."""
    whole: list[tuple[float, Path]] = []
    for folder in shelf.iterdir():
        with suppress(OSError):
            when = folder.stat().st_mtime
            if not folder.name.startswith("."):
                whole.append((when, folder))
            elif time.time() - when > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
    for _, folder in sorted(whole, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
