"""Whether the files of an open corpus are still as they were read. Looks at sizes and times only; for threads.

A slow or absent disk must not hold up the screen, and a corpus that another program is writing is common.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trainer.corpus import Corpus
from trainer.corpus.locate import LABEL_FILES
from trainer.corpus.read import EXTENSIONS
from trainer.paths import expanded

Looks = Mapping[Path, tuple[int, int]]
"""File (absolute) -> its size in bytes and the time of its last change in nanoseconds."""


def look(path: str | Path) -> Looks:
    """Every file at `path` (a folder or a file) that a corpus may be read from. What cannot be looked at is left out.

    Taken before the reading, so that a change during it counts as one.
    """
    try:
        place = expanded(str(path)).absolute()
        folder = place if place.is_dir() else place.parent
        files = [p for p in place.iterdir() if p.suffix.lower() in EXTENSIONS] if folder == place else [place]
        return _seen([*files, *(folder / name for name in LABEL_FILES)])
    except (OSError, ValueError):  # no permission; a NUL in the name
        return {}


def _seen(files: list[Path]) -> dict[Path, tuple[int, int]]:
    found = {}
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        found[file] = (stat.st_size, stat.st_mtime_ns)
    return found


def difference(corpus: Corpus, before: Looks) -> str:
    """What became of the corpus's files since `before`: `train.tsv was changed`, `dev.tsv is gone`; else nothing."""
    read = {split.file.absolute() for split in corpus.splits.values() if split.file is not None}
    read |= {file for file in before if file.name in LABEL_FILES}
    now = _seen(sorted(read))
    for file in sorted(read):
        if file in before and file not in now:
            return f"{file.name} is gone"
        if before.get(file) != now.get(file):
            return f"{file.name} was changed"
    return ""
