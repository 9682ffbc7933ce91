"""The new comments of a run's train split, made once and kept on disk: the same settings find the same comments again.

Kept in the cache, and beside a run so that it stands on its own. May not know a model: whoever translates is handed in.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from trainer import paths
from trainer.config import TrainConfig, augmentations, translation_pair
from trainer.corpus.augment import VERSIONS, Made, Translate, augment
from trainer.encoders import looks_like_path
from trainer.errors import ConfigError

VERSION = 1
"""Counts up when the same settings make other comments than before."""

NAME = "augmented.jsonl"
"""The file's name in a run's folder."""


def augmented(
    texts: Sequence[str],
    labels: Sequence[Sequence[int]],
    config: TrainConfig,
    translator: Callable[[], Translate] | None = None,
    run_folder: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Made]:
    """The new comments that `config` wants of these rows, from the run's folder or the cache, else made and kept there.

    `translator` gives what back_translation needs; it is asked only where that is wanted and nothing is kept. A kept
    file that is damaged, or of other rows or settings, is made again; a disk that cannot keep one hinders nothing.
    Raises Cancelled, and what the translation raises.
    """
    methods = augmentations(config.augment)
    count = asked_for(config, len(texts))
    if not count:
        return []
    key = fingerprint(texts, labels, config)
    places = [paths.cache_folder() / "augmented" / f"{key[:32]}.jsonl"]
    if run_folder is not None:
        places.insert(0, run_folder / NAME)
    made = next((found for place in places if (found := read(place, key, len(texts))) is not None), None)
    if made is None:
        if "back_translation" in methods and translator is None:
            raise ConfigError("back_translation needs a translation model, which is not loaded here", key="augment")
        translate = translator() if translator and "back_translation" in methods else None
        made = augment(texts, labels, methods, count, config.seed, translate, cancelled)
    for place in places:
        if read(place, key, len(texts)) is None:
            with suppress(OSError):
                write(place, key, made)
    return made


def fingerprint(texts: Sequence[str], labels: Sequence[Sequence[int]], config: TrainConfig) -> str:
    """What the new comments depend on, as sha256 in hex: rows, settings, seed, and the translation models' files."""
    methods = augmentations(config.augment)
    pair = translation_pair(config.translation) if "back_translation" in methods else ()
    table = (paths.shipped() / "wordnet" / "synonyms.tsv").read_bytes() if "synonyms" in methods else b""
    rows = "".join(f"{text}\0{','.join(map(str, ids))}\0" for text, ids in zip(texts, labels, strict=True))
    about = [VERSION, methods, config.augment_share, config.seed, [model_fingerprint(name) for name in pair]]
    found = hashlib.sha256(json.dumps(about).encode())
    for part in (table, rows.encode()):
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


def model_fingerprint(name: str) -> str:
    """A model's name; with the sizes and times of its weights where it is a folder, which may change."""
    if not looks_like_path(name):
        return name
    folder = paths.expanded(name).absolute()
    stats = [(file.name, file.stat()) for file in sorted(folder.glob("*.safetensors"))]
    return " ".join([str(folder), *(f"{file} {stat.st_size} {stat.st_mtime_ns}" for file, stat in stats)])


def read(file: Path, key: str, rows: int) -> list[Made] | None:
    """What was kept under `key`; None where nothing was, or what is there is damaged or of something else."""
    try:
        head, _, body = file.read_bytes().partition(b"\n")
        about = json.loads(head)
        if about["key"] != key or about["sha256"] != hashlib.sha256(body).hexdigest():
            return None
        made = [Made(*json.loads(line)) for line in body.splitlines()]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    fit = all(isinstance(m.origin, int) and 0 <= m.origin < rows and isinstance(m.text, str) for m in made)
    return made if fit else None


def write(file: Path, key: str, made: Sequence[Made]) -> None:
    """Keep what was made, whole or not at all, readable by nobody else. Raises OSError."""
    body = "".join(json.dumps(astuple(m), ensure_ascii=False) + "\n" for m in made).encode()
    head = json.dumps({"v": VERSION, "key": key, "rows": len(made), "sha256": hashlib.sha256(body).hexdigest()})
    paths.write_private(paths.private_folder(file.parent) / file.name, head.encode() + b"\n" + body)


def asked_for(config: TrainConfig, rows: int) -> int:
    """How many new comments of so many rows `config` wants."""
    return round(config.augment_share * rows) if augmentations(config.augment) else 0


def shortfall(made: Sequence[Made], rows: int, asked: int) -> str:
    """Why there are fewer than were asked for, in words; empty where there are as many."""
    if len(made) >= asked:
        return ""
    bare = rows - len({one.origin for one in made})
    nothing = f"of {bare:,} of the {rows:,} rows these methods make nothing new, " if bare else ""
    return (
        f"{len(made):,} new comments of {asked:,} that were asked for: {nothing}"
        f"of {'the others' if bare else 'a row'} {VERSIONS} versions at most, and only what is new and keeps marks, numbers and negations"
    )


def counted(made: Sequence[Made]) -> dict[str, int]:
    """How many new comments each method made."""
    return dict(sorted(Counter(m.method for m in made).items()))
