"""A name, folder or file -> a Corpus: the sample, a downloaded corpus, or one of the user's own.

Decides which file is which split and which label file counts, and says so. May not parse rows or fetch anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from trainer import paths
from trainer.corpus import hub
from trainer.corpus.corpus import SPLITS, Corpus, divided, order_warning
from trainer.corpus.read import EXTENSIONS, read_split
from trainer.corpus.split import Split
from trainer.errors import CorpusError, NotFoundError
from trainer.hub_client import Progress
from trainer.labels import ALPHABETICAL, EMOTIONS, LabelFile, from_names, read_label_file

STEMS = {"train": "train", **dict.fromkeys(("dev", "validation", "valid", "val", "eval"), "dev"), "test": "test"}
"""A file's name before its extension -> its split; among files of one split, earlier names come first."""

LABEL_FILES = ("emotions.txt", "labels.txt")


@dataclass(frozen=True)
class CorpusInfo:
    """A corpus that is at hand by name; `splits` counts its usable rows and is empty where it cannot be read."""

    name: str
    path: Path
    splits: dict[str, int]
    origin: Literal["sample", "downloaded", "hub"]


def load_corpus(path: str | Path | None = None, progress: Progress | None = None, fetch: bool = True) -> Corpus:
    """Load `sample` (also None), a downloaded corpus by its name, a folder of splits, one file, or a dataset of the Hub.

    A text such as OWNER/NAME that is nothing on this disk is a dataset (see `hub`): from its copy here, else fetched
    unless `fetch` forbids it. Bad rows are left out and listed in `problems`; a refused file loads too, `require_trainable` tells. Raises
    NotFoundError where nothing is there, CorpusError where it cannot be told what is what.
    """
    dataset = _dataset(path)
    if dataset is not None:
        found = hub.find(dataset, progress, fetch)
        return _load_folder(dataset.repo.rpartition("/")[2], found)
    place = _place("sample" if path is None else path)
    try:
        name = place.resolve().name or str(place)
        if place.is_dir():
            return _load_folder(name, place)
        if place.is_file():
            return _load_file(name, place)
        there = place.exists()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise CorpusError(f"{place} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if there:
        raise CorpusError(f"{place} is neither a folder nor a file of comments")
    if str(path) == "goemotions":
        raise NotFoundError("the corpus goemotions is not here yet: goemo-tui data download fetches it")
    raise NotFoundError(
        f"no corpus at {place}: name a folder with train.tsv, a file ({', '.join(EXTENSIONS)}), sample or goemotions"
    )


def list_corpora() -> list[CorpusInfo]:
    """The corpora that have a name: the sample, then the downloaded ones by name."""
    found: list[tuple[str, Path, Literal["sample", "downloaded", "hub"]]] = [
        ("sample", paths.shipped() / "sample", "sample")
    ]
    downloaded = paths.corpora_folder()
    if downloaded.is_dir():
        # a download that brought nothing leaves an empty folder behind, which is no corpus
        folders = sorted(p for p in downloaded.iterdir() if p.is_dir() and _has_files(p))
        found += [(p.name, p, "downloaded") for p in folders]
    found += [(name, path, "hub") for name, path in hub.names()]
    return [CorpusInfo(name, path, _rows(path), origin) for name, path, origin in found if path.is_dir()]


def _has_files(folder: Path) -> bool:
    return any(p.suffix.lower() in EXTENSIONS for p in folder.iterdir())


def _rows(path: Path) -> dict[str, int]:
    try:
        return {name: len(split) for name, split in load_corpus(path).splits.items()}
    except (CorpusError, NotFoundError):
        return {}


def _named(name: str) -> Path | None:
    """The folder that a bare name stands for, or None. `./sample` is a path, `sample` a name."""
    if name == "sample":
        return paths.shipped() / "sample"
    if name and name == Path(name).name and "\0" not in name:
        folder = paths.corpora_folder() / name
        if name == "goemotions" or folder.is_dir():
            return folder
    return None


def _dataset(path: str | Path | None) -> hub.Name | None:
    """The dataset of the Hub that is meant: never where something of that name lies here, or where a file is meant."""
    if not isinstance(path, str) or path.lower().endswith(EXTENSIONS):
        return None
    name = hub.parsed(path)
    return name if name is not None and not paths.expanded(path).exists() else None


def _place(path: str | Path) -> Path:
    if not str(path).strip() or "\0" in str(path):
        raise NotFoundError(f"{str(path)!r} names no corpus")
    if name := paths.nobody(str(path)):
        raise NotFoundError(f"{path} names no corpus: nobody here is called {name}, write the path out")
    try:
        named = _named(path) if isinstance(path, str) else None
        own = paths.expanded(str(path))
    except OSError as error:  # a name too long for the system
        raise NotFoundError(f"{path} names no corpus: {error}") from None
    # A folder of one's own in the working directory goes before a downloaded corpus, never before the two fixed names.
    return named if named is not None and (path in ("sample", "goemotions") or not own.exists()) else own


def _load_folder(name: str, folder: Path) -> Corpus:
    label_file, warnings = _label_file(folder)
    files: dict[str, list[Path]] = {split: [] for split in SPLITS}
    others: list[Path] = []
    for file in sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS and p.is_file()):
        split = STEMS.get(file.stem.lower())
        (files[split] if split else others).append(file)
    if not any(files.values()):
        if len(others) != 1:
            found = f"found are {', '.join(p.name for p in others[:5])}" if others else "it holds no such file"
            raise CorpusError(
                f"{folder} does not say which file is which split: name them train.tsv, dev.tsv, test.tsv (or "
                f"{', '.join(EXTENSIONS[1:])}); {found}"
            )
        return _from_one(name, folder, others[0], label_file, warnings)
    splits: dict[str, Split] = {}
    for split, candidates in files.items():
        candidates.sort(key=lambda p: (EXTENSIONS.index(p.suffix.lower()), list(STEMS).index(p.stem.lower()), p.name))
        if candidates:
            splits[split] = read_split(candidates[0], split, label_file)
        if len(candidates) > 1:
            rest = ", ".join(p.name for p in candidates[1:])
            warnings.append(f"{candidates[0].name} is the {split} split; left aside: {rest}")
    train = splits.get("train")
    if train is not None and "dev" not in splits:
        divided_train = divided(train, ("dev",))
        if "dev" in divided_train:
            splits = {**divided_train, **splits, "train": divided_train["train"]}
            warnings.append(_said(train, divided_train, "no dev file"))
    return _corpus(name, folder, label_file, splits, warnings)


def _load_file(name: str, file: Path) -> Corpus:
    if file.suffix.lower() not in EXTENSIONS:
        raise CorpusError(f"{file} is none of the formats read: {', '.join(EXTENSIONS)}")
    label_file, warnings = _label_file(file.parent)
    return _from_one(name, file, file, label_file, warnings)


def _from_one(name: str, path: Path, file: Path, label_file: LabelFile, warnings: list[str]) -> Corpus:
    whole = read_split(file, "train", label_file)
    splits = divided(whole, ("dev", "test"))
    if len(splits) > 1:
        warnings.append(_said(whole, splits, "one file"))
    return _corpus(name, path, label_file, splits, warnings)


def _said(whole: Split, splits: dict[str, Split], why: str) -> str:
    parts = " and ".join(f"{len(split):,} are {name}" for name, split in splits.items() if name != "train")
    file = whole.file.name if whole.file else whole.name
    return f"{why}: of the {len(whole):,} rows of {file}, {parts}, chosen at random but always the same"


def _corpus(name: str, path: Path, label_file: LabelFile, splits: dict[str, Split], warnings: list[str]) -> Corpus:
    ordered = {split: splits[split] for split in SPLITS if split in splits}
    alphabetical = tuple(label_file.labels.names[i] for i in label_file.ids_to) == ALPHABETICAL
    silent = order_warning(ordered, label_file.labels, alphabetical)
    return Corpus(name, path.absolute(), label_file.labels, ordered, (*warnings, *([silent] if silent else ())))


def _label_file(folder: Path) -> tuple[LabelFile, list[str]]:
    """The labels that `folder` defines, else the official 28, and what is to be said about them."""
    found = [folder / name for name in LABEL_FILES if (folder / name).is_file()]
    if not found:
        return from_names(EMOTIONS, "the official list"), []
    label_file = read_label_file(found[0])
    warnings = list(label_file.warnings)
    if len(found) > 1:
        warnings.append(f"{found[0].name} names the labels; left aside: {found[1].name}")
    return replace(label_file, warnings=()), warnings
