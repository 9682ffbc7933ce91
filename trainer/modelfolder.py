"""Which model is meant: a run, an imported one, a folder, a Hub name or the starter, found and described without loading torch."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import paths
from trainer.config import SETTINGS
from trainer.encoders import (
    BUNDLED,
    COMPACT,
    Progress,
    anatomy,
    bundled_is_installed,
    find_encoder,
    looks_like_path,
    read_json,
)
from trainer.errors import ConfigError, GoemoError, ModelError, NotFoundError
from trainer.labels import names_of_model

if TYPE_CHECKING:
    from trainer.runs.run import Run

STARTER = "starter"

DEFAULT_LENGTH = 128
"""Tokens kept where a model's folder does not say: the classic recipe's."""

MAKE_ONE = "goemo-tui train"

KINDS = "a run, an imported model, a folder, a Hub name or starter"
"""What a MODEL may be."""


@dataclass(frozen=True)
class ModelFolder:
    """A classifier's folder. `kind` is starter, run, imported, folder or hub; `name` is what the user calls it."""

    name: str
    path: Path
    kind: str


def find_model(name: str | None = None, default: str | None = None, progress: Progress | None = None) -> ModelFolder:
    """The model `name`; left out, the settings' `default`, else the starter, else the newest finished run, else the newest import.

    Raises NotFoundError that names the command which makes one.
    """
    name = name or default
    if name is None:
        starter = _starter()
        if starter:
            return starter
        found = _run_models(finished_only=True) or imported_models()
        if found:
            return found[0]
        raise NotFoundError(f"there is no model yet. Make one: {MAKE_ONE}")
    if name == STARTER:
        starter = _starter()
        if starter is None:
            if _is_there(starter_folder()):
                find_encoder(BUNDLED)  # says what is missing, and how to get it
            raise NotFoundError(f"this version carries no starter model. Make a model: {MAKE_ONE}")
        return starter
    if is_imported_name(name) and _is_there(paths.models_folder() / name) and not _is_run(name):
        return ModelFolder(name, _checked(paths.models_folder() / name), "imported")
    if looks_like_path(name) and not _is_run(name):
        folder = paths.expanded(name).resolve()
        if not folder.is_dir():
            raise NotFoundError(f"{folder}: no such folder. A model is {KINDS}")
        inner = folder / "model"
        if not (folder / "config.json").is_file() and (inner / "config.json").is_file():
            folder = inner  # a run's folder is meant
        return ModelFolder(name, _checked(folder), "folder")
    from trainer.runs.run import Run

    try:
        run = Run.open(name)
    except NotFoundError as error:
        if "/" not in name:
            raise NotFoundError(f"{error}. A model is {KINDS}; {MAKE_ONE} makes one") from None
        return ModelFolder(name, _checked(find_encoder(name, progress, kind="model").folder), "hub")
    kept = run.model
    if kept is None:
        raise NotFoundError(f"run {run.id} has no model yet: the first one is kept after its first epoch")
    return ModelFolder(run.id, _checked(kept), "run")


OUT_OF_FOLD = "out-of-fold"
"""The teacher that is no model: what `data suspects` found of each row by models that had not learned from it."""


def asks_out_of_fold(teacher: str) -> bool:
    """Whether the setting `teacher` names the out-of-fold scores, alone or beside models."""
    return OUT_OF_FOLD in (name.strip() for name in teacher.split(","))


def find_teachers(teacher: str, labels: tuple[str, ...]) -> list[ModelFolder]:
    """The models that the setting `teacher` names, joined by commas, each once; `none` and `out-of-fold` name none.

    Raises ConfigError where one is not there, or does not know all of `labels`.
    """
    names = list(dict.fromkeys(name.strip() for name in teacher.split(",") if name.strip()))
    found = []
    for name in [] if names == ["none"] else names:
        if name == OUT_OF_FOLD:
            continue
        try:
            model = find_model(name)
            known = {label.lower() for label in read_label_names(model.path)[0]}
        except GoemoError as error:
            raise ConfigError(f"teacher: {error}", key="teacher") from None
        missing = [label for label in labels if label.lower() not in known]
        if missing:
            raise ConfigError(
                f"teacher: {name} does not know {', '.join(missing[:3])}; it must have the labels of the corpus",
                key="teacher",
            )
        found.append(model)
    return found


def list_models() -> list[ModelFolder]:
    """The starter if there is one, then the runs that have a model, newest first, then what was imported, newest first."""
    starter = _starter()
    return ([starter] if starter else []) + _run_models() + imported_models()


def imported_models() -> list[ModelFolder]:
    """What `goemo-tui import` put into `paths.models_folder()`, newest first."""
    try:
        folders = [p for p in paths.models_folder().iterdir() if is_imported_name(p.name) and _is_there(p)]
        folders.sort(key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)
    except OSError:
        return []
    return [ModelFolder(p.name, p, "imported") for p in folders]


def is_imported_name(name: str) -> bool:
    """Whether an imported model may be called so: what is being made, or was broken off, begins with a dot."""
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name))


def read_label_names(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The model's label names in id order, and warnings about them. Raises ModelError where config.json has none."""
    config = read_json(folder / "config.json")
    table = config.get("id2label")
    if not table:  # transformers leaves it out where it would say LABEL_0 and LABEL_1
        count = config.get("num_labels") or len(config.get("label2id") or ()) or 2
        table = {k: f"LABEL_{k}" for k in range(int(count) if isinstance(count, int) else 2)}
    try:
        names, warnings = names_of_model({int(k): str(v) for k, v in dict(table).items()})
    except (TypeError, ValueError):
        raise ModelError(f"{folder / 'config.json'}: id2label is not a table of numbers to names") from None
    if len(set(names)) != len(names):
        twice = sorted({n for n in names if names.count(n) > 1})
        raise ModelError(f"{folder / 'config.json'}: id2label gives two outputs the same name: {', '.join(twice)}")
    return names, warnings


def read_thresholds(folder: Path) -> dict[str, float] | None:
    """The fitted threshold of each label, or None where the folder has none. Raises ModelError for a broken file."""
    path = folder / "thresholds.json"
    if not path.is_file():
        return None
    found: Any = read_json(path).get("thresholds")
    try:
        values = {str(k): float(v) for k, v in dict(found).items()}
    except (TypeError, ValueError):
        raise ModelError(f'{path} holds no table of thresholds: {{"thresholds": {{label: number}}}}') from None
    wrong = [k for k, v in values.items() if not 0 <= v <= 1]
    if wrong:
        raise ModelError(f"{path}: thresholds must lie between 0 and 1, but not so for {', '.join(wrong[:3])}")
    return values


def read_fitted_on(folder: Path) -> str | None:
    """The fingerprint of the rows that the folder's thresholds were fitted on: "" where none were fitted, None where that
    is not known. Raises ModelError for a broken file.
    """
    path = folder / "thresholds.json"
    told = read_json(path) if path.is_file() else {"metric": "fixed"}
    if told.get("metric") == "fixed":
        return ""
    rows = told.get("fitted_on")
    found = rows.get("sha256") if isinstance(rows, dict) else None
    return found if isinstance(found, str) and found else None


def read_way(folder: Path) -> str:
    """How the folder's thresholds were fitted: one of `trainer.model.thresholds.WAYS`. Raises ModelError for a broken file."""
    path = folder / "thresholds.json"
    told = read_json(path).get("fitted_on") if path.is_file() else None
    way = told.get("way") if isinstance(told, dict) else None
    return way if isinstance(way, str) and way in SETTINGS["threshold_fit"].choices else "per_label"


def read_max_length(folder: Path) -> int:
    """Tokens the model was trained on at most: the tokenizer's own limit, else the classic 128, within its positions."""
    path = folder / "tokenizer_config.json"
    said = read_json(path).get("model_max_length") if path.is_file() else None
    positions = anatomy(folder).positions or 512
    # transformers writes 1e30 where a tokenizer has no limit
    return (
        min(int(said), positions)
        if isinstance(said, int | float) and 0 < said < 100_000
        else min(DEFAULT_LENGTH, positions)
    )


def model_digest(folder: Path, about: str = "") -> str:
    """Which model it is: sha256 in hex of `about` and of its weights, configuration and tokenizer, by their bytes.

    Raises OSError.
    """
    digest = hashlib.sha256(about.encode())
    files = [
        *sorted(folder.glob("*.safetensors")),
        folder / "config.json",
        folder / "tokenizer.json",
        folder / "vocab.txt",
    ]
    for file in files:
        if file.is_file():
            digest.update(bytes.fromhex(file_digest(file)))
    return digest.hexdigest()


def file_digest(file: Path) -> str:
    """sha256 of a file, in hex. Raises OSError."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def starter_folder() -> Path:
    """Where the starter lies: with the program, or where GOEMO_STARTER says (a folder that is not there: no starter)."""
    named = os.environ.get("GOEMO_STARTER")
    return paths.expanded(named) if named else paths.shipped() / STARTER


def _starter() -> ModelFolder | None:
    """The starter, where it and the encoder that it adds to are there."""
    folder = starter_folder()
    if not _is_there(folder) or ((folder / COMPACT).is_file() and not bundled_is_installed()):
        return None
    return ModelFolder(STARTER, folder, "starter")


def _is_there(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _run_models(finished_only: bool = False) -> list[ModelFolder]:
    from trainer.runs.run import list_runs

    with_model = [(run, folder) for run in list_runs() if (folder := run.model) is not None]
    ended = {run.id for run, _ in with_model if _state(run) == "finished"}
    # a run that finished comes before one that is still changing its model, or never got to its end
    with_model.sort(key=lambda pair: pair[0].id not in ended)
    return [ModelFolder(run.id, folder, "run") for run, folder in with_model if run.id in ended or not finished_only]


def _state(run: Run) -> str:
    try:
        return run.state
    except GoemoError:
        return "unknown"  # one run that cannot be read must not hide the others


def _is_run(name: str) -> bool:
    return bool(re.fullmatch(r"[\w-]+", name)) and (paths.runs_folder() / name).is_dir()


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json, so it is not a model in the Hugging Face layout")
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder} holds no weights as .safetensors; other formats are never opened "
            f"but by goemo-tui import {folder}, which makes a model of ours of it"
        )
    return folder
