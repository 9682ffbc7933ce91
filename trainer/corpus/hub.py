"""A dataset of the Hugging Face Hub as a corpus on this disk: its Parquet files, pinned to a commit, fetched once.

OWNER/NAME, OWNER/NAME:CONFIG and either with @REVISION. Afterwards the same name is answered without the network.
May not read rows; of the Parquet schema it takes the label names, which the Hub's class ids count by.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.corpus.fields import LABEL_NAMES, TEXT_NAMES
from trainer.errors import CorpusError, NotFoundError
from trainer.hub_client import Progress, Remote, Unreachable, counter, files_of, is_name, spoken, verify

PARQUET = "refs/convert/parquet"
"""Where the Hub keeps every dataset as Parquet, whatever it was uploaded as."""

PREFERRED = ("default", "simplified")
"""The configuration that is taken where none is named and there are several."""

SPLITS = {"train": "train", "validation": "dev", "valid": "dev", "dev": "dev", "test": "test"}
SOURCE = "source.json"

_WHERE = re.compile(r"(?:(?P<config>[^/]+)/)?(?P<split>[A-Za-z]\w*)(?:/\d+|-\d{5}-of-\d{5}(?:-[0-9a-f]+)?)?\.parquet")


@dataclass(frozen=True)
class Name:
    """A dataset as it is asked for; what is empty was left out."""

    repo: str
    config: str = ""
    revision: str = ""

    def __str__(self) -> str:
        config = f":{self.config}" if self.config else ""
        return f"{self.repo}{config}" + (f"@{self.revision}" if self.revision else "")


def parsed(text: str) -> Name | None:
    """The dataset that a text names, or None where it can name none."""
    before, _, revision = text.partition("@")
    repo, _, config = before.partition(":")
    if not is_name(repo) or (config and not re.fullmatch(r"[\w.-]+", config)) or revision.startswith("/"):
        return None
    return Name(repo, config, revision)


def folder() -> Path:
    """Where datasets of the Hub lie, one folder for each configuration and commit."""
    return paths.corpora_folder() / "hub"


def names() -> list[tuple[str, Path]]:
    """Every dataset that is here: its pinned name and its folder."""
    found = [(_name_of(place), place) for place in sorted(folder().glob(f"*/*/{SOURCE}"))]
    return [(str(name), place.parent) for name, place in found if name is not None]


def pinned(place: Path) -> str | None:
    """The name, with its commit, of the dataset that lies in a folder; None where none of the Hub does."""
    found = _name_of(place / SOURCE) if place.is_relative_to(folder()) else None
    return None if found is None else str(found)


def find(name: Name, progress: Progress | None = None, fetch: bool = True) -> Path:
    """The folder of a dataset: the newest copy that is here, else fetched. A revision is answered from here only by its
    commit. Raises NotFoundError, CorpusError or HubError that says what to do."""
    here = _kept(name)
    if here is not None:
        return here
    nothing = f"no corpus at {name}: neither a folder nor a file of that name is here"
    if not fetch:
        raise NotFoundError(f"{nothing}. If it is a dataset of the Hub, this fetches it: goemo-tui data check {name}")
    try:
        return _found(name, progress)
    except (Unreachable, NotFoundError) as error:
        raise NotFoundError(f"{nothing}. As a dataset of the Hub: {error}") from None


def _found(name: Name, progress: Progress | None) -> Path:
    from huggingface_hub import HfApi

    with spoken("no dataset was fetched", str(name)):
        commit, files = _listed(HfApi(), name)
        configs = _configs(files)
        config = _chosen(name, configs)
        target = folder() / name.repo.replace("/", "--") / f"{config}@{commit}"
        if not (target / SOURCE).is_file():
            _fetch(Name(name.repo, config, commit), configs, target, progress)
    return target


def _kept(name: Name) -> Path | None:
    found = []
    for place in (folder() / name.repo.replace("/", "--")).glob(f"*/{SOURCE}"):
        its = _name_of(place)
        if its is None or its.repo != name.repo or (name.config and its.config != name.config):
            continue
        if not name.config and its.config not in PREFERRED and not _only(place):
            continue
        if not name.revision or (len(name.revision) >= 7 and its.revision.startswith(name.revision)):
            found.append(place)
    return max(found, key=lambda place: place.stat().st_mtime).parent if found else None


def _only(place: Path) -> bool:
    """Whether the dataset has no other configuration than this one."""
    told = _told(place)
    return told.get("configs") == 1


def _listed(hub: Any, name: Name) -> tuple[str, list[Remote]]:
    """The commit that is meant and its files: the Hub's own conversion, or the repository itself where it is Parquet."""
    from huggingface_hub.errors import RevisionNotFoundError

    for revision in [name.revision] if name.revision else [PARQUET, "main"]:
        try:
            commit = str(hub.dataset_info(name.repo, revision=revision).sha)
        except RevisionNotFoundError:
            if revision != PARQUET:
                raise
            continue
        return commit, files_of(name.repo, commit, "dataset")
    raise AssertionError("main is asked for last")


def _configs(files: Iterable[Remote]) -> dict[str, dict[str, list[Remote]]]:
    """Configuration -> split -> its files in order. A folder called `data` is the one configuration of its dataset."""
    found: dict[str, dict[str, list[Remote]]] = {}
    for file in sorted(files, key=lambda f: f.path):
        parts = re.fullmatch(r"([^/]+)/([A-Za-z]\w*)/\d+\.parquet", file.path) or _WHERE.fullmatch(file.path)
        if parts is None:
            continue
        config, split = parts.group(1) or "data", parts.group(2)
        ours = SPLITS.get(split)
        if ours:
            found.setdefault("default" if config == "data" else config, {}).setdefault(ours, []).append(file)
    return found


def _chosen(name: Name, configs: Mapping[str, Any]) -> str:
    if not configs:
        raise CorpusError(
            f"{name.repo} on the Hub holds no Parquet files of a train, validation or test split: download it, save it as "
            "train.parquet, and give that folder as --data"
        )
    several = ", ".join(configs)
    if name.config:
        if name.config not in configs:
            raise NotFoundError(f"{name.repo} has no configuration {name.config!r}: there are {several}")
        return name.config
    if len(configs) == 1:
        return next(iter(configs))
    config = next((preferred for preferred in PREFERRED if preferred in configs), None)
    if config is None:
        raise NotFoundError(f"{name.repo} has several configurations: {several}. Name one: --data {name.repo}:CONFIG")
    return config


def _fetch(name: Name, configs: Mapping[str, dict[str, list[Remote]]], target: Path, progress: Progress | None) -> None:
    """Fetch the files of one configuration, and put the folder in its place when it is whole."""
    paths.private_folder(target.parent)
    part = target.with_name(f".{target.name}.part")  # stays where a transfer breaks: the next one goes on
    with _alone(part, name):
        if (target / SOURCE).is_file():  # another process was done with it a moment ago
            shutil.rmtree(part)
            return
        try:
            _fill(name, configs, part, progress)
        except CorpusError:
            shutil.rmtree(part)  # it would be refused again
            raise
        part.replace(target)
        paths.sync(target.parent)


@contextmanager
def _alone(part: Path, name: Name) -> Iterator[None]:
    """Keep other processes from the half-fetched files of a dataset. Raises CorpusError where one is at them."""
    handle = os.open(paths.private_folder(part), os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system that knows no locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CorpusError(f"{name} is being fetched by another process: wait until it is done") from None
        yield
    finally:
        os.close(handle)


def _fill(name: Name, configs: Mapping[str, dict[str, list[Remote]]], part: Path, progress: Progress | None) -> None:
    """Fetch what the corpus is made of, each file verified, and write the corpus into `part`."""
    from huggingface_hub import hf_hub_download

    splits, fetched, done = configs[name.config], part / "fetched", 0
    total = sum(file.size for files in splits.values() for file in files)
    names: list[str] | None = None
    for split, files in splits.items():
        shards = []
        for file in files:
            local = fetched / file.path
            if not (local.is_file() and local.stat().st_size == file.size):
                bar = counter(progress, file.path, done, total)
                hf_hub_download(
                    name.repo, file.path, repo_type="dataset", revision=name.revision, local_dir=fetched, tqdm_class=bar
                )
            verify(local, file)
            done += file.size
            shards.append(local)
            names = names or label_names(local, str(name))
        _join(shards, part / f"{split}.parquet")
    if names:
        (part / "labels.txt").write_text("".join(f"{label}\n" for label in names), "utf-8")
    told = {"repo": name.repo, "config": name.config, "revision": name.revision, "configs": len(configs)}
    (part / SOURCE).write_text(json.dumps(told) + "\n", "utf-8")
    shutil.rmtree(fetched)


def _join(shards: list[Path], target: Path) -> None:
    """Several files of one split as one, a row group at a time."""
    import pyarrow.parquet as pq

    if len(shards) == 1:
        shutil.copyfile(shards[0], target)
        return
    with pq.ParquetWriter(target, pq.read_schema(shards[0])) as writer:
        for shard in shards:
            file = pq.ParquetFile(shard)
            for group in range(file.num_row_groups):
                writer.write_table(file.read_row_group(group))


def label_names(file: Path, name: str) -> list[str] | None:
    """The names that the class ids in a Parquet file stand for, by the features that the Hub notes in it; None where the
    labels are no class ids. Raises CorpusError for a file without a text or without labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{name}: {file.name} is no readable Parquet file: {error}") from None
    text = next((n for n in schema.names if n.lower() in TEXT_NAMES), None)
    labels = next((n for n in schema.names if n.lower() in LABEL_NAMES), None)
    if text is None or labels is None:
        what = "text" if text is None else "labels"
        raise CorpusError(
            f"{name} on the Hub has no column of {what} (its columns: {', '.join(schema.names[:8])}, …): choose another "
            f"configuration, or bring it into columns text and labels and give the file as --data"
        )
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][labels]
    except (KeyError, TypeError, ValueError):
        return None
    while isinstance(feature, dict) and "names" not in feature and "feature" in feature:
        feature = feature["feature"]
    if isinstance(feature, list):  # how older versions note a list
        feature = feature[0] if feature else None
    found = feature.get("names") if isinstance(feature, dict) else None
    return [str(label) for label in found] if isinstance(found, list) and found else None


def _name_of(place: Path) -> Name | None:
    told = _told(place)
    repo, config, revision = (told.get(key) for key in ("repo", "config", "revision"))
    if isinstance(repo, str) and isinstance(config, str) and isinstance(revision, str):
        return Name(repo, config, revision)
    return None


def _told(place: Path) -> dict[str, Any]:
    try:
        told = json.loads(place.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
