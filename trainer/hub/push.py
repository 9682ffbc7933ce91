"""A model to the Hub: an allow-list of files, prepared beside the model, sent as one commit into a private repository.

Checkpoints, events, logs and optimizer state are never among them: only what is named here is looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer import paths
from trainer.encoders import COMPACT, read_json
from trainer.errors import ModelError
from trainer.hub import card
from trainer.hub_client import LOG_IN, HubError, is_name, spoken
from trainer.modelfolder import ModelFolder, read_label_names, read_thresholds

SENT = (
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt",
    "special_tokens_map.json", "added_tokens.json", "thresholds.json", "README.md",
)  # fmt: skip
"""All that is ever sent; of these, what the model has."""

TEXTS = ("config.json", "tokenizer_config.json", "thresholds.json", "README.md")


@dataclass(frozen=True)
class Parcel:
    """What is to be sent: a folder with nothing else in it, and its files with their sizes in bytes."""

    folder: Path
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Pushed:
    """Where a model is now. `private` is what the Hub says of the repository."""

    repo: str
    url: str
    commit: str
    private: bool


@contextmanager
def packed(model: ModelFolder, repo: str, license: str | None = None) -> Iterator[Parcel]:
    """What of `model` would be sent, in a folder that is gone afterwards; the starter is written out whole first.

    Raises ModelError for a model that cannot be sent, or OSError as ModelError where the disk refuses.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="goemo-push-") as beside:
            folder = Path(beside) / "model"
            source = model.path
            if (source / COMPACT).is_file():
                from trainer.model.compact import write_whole

                source = Path(beside) / "whole"
                write_whole(model.path, source)
            folder.mkdir()
            _fill(folder, source, model, repo, license)
            yield Parcel(
                folder, tuple((name, (folder / name).stat().st_size) for name in SENT if (folder / name).is_file())
            )
    except OSError as error:
        raise ModelError(f"{model.name} cannot be prepared for sending: {error}") from None


def push(parcel: Parcel, repo: str, public: bool = False) -> Pushed:
    """Make the repository if it is not there and send the parcel as one commit. Raises HubError, NotFoundError, ConfigError.

    A repository that is public already takes nothing unless `public` says so.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    if not get_token():
        raise HubError(f"nothing was sent: the Hub has to know who you are. {LOG_IN}")
    with spoken("nothing was sent", repo):
        hub = HfApi()
        made = hub.create_repo(repo, private=not public, exist_ok=True)
        repo = made.repo_id
        info = hub.model_info(repo)
        if info.private is False and not public:
            raise HubError(
                f"nothing was sent: {repo} is there already and public. --public sends it there all the same"
            )
        operations = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=parcel.folder / name) for name, _ in parcel.files
        ]
        sent = hub.create_commit(repo, operations, commit_message="Model and card by goemo-tui")
        return Pushed(repo, str(made), str(sent.oid), bool(info.private))


def _fill(folder: Path, source: Path, model: ModelFolder, repo: str, license: str | None) -> None:
    labels, _ = read_label_names(source)
    read_thresholds(source)  # a broken file is not sent on
    if not (source / "model.safetensors").is_file():
        raise ModelError(f"{source} holds its weights in several files; save it as one model.safetensors to send it")
    for name in SENT:
        file = source / name
        if not file.is_file() or name == "README.md":
            continue
        if name in ("config.json", "tokenizer_config.json"):
            text = json.dumps(card.cleaned_config(read_json(file)), indent=2, ensure_ascii=False) + "\n"
            (folder / name).write_text(text, "utf-8")
        else:
            shutil.copyfile(file, folder / name)
    readme = source / "README.md"
    text = readme.read_text("utf-8", "replace") if readme.is_file() else ""
    (folder / "README.md").write_text(card.written(model, text, repo, labels, license), "utf-8")
    _require_no_paths(folder, source, model)


def _require_no_paths(folder: Path, source: Path, model: ModelFolder) -> None:
    """Raise ModelError where a text that would be sent names a folder of this machine."""
    own = {str(paths.home()), str(model.path), str(source), os.path.expanduser("~"), str(Path.cwd())}  # noqa: PTH111
    for name in TEXTS:
        file = folder / name
        text = file.read_text("utf-8") if file.is_file() else ""
        found = [path for path in own if len(path) > 4 and path in text]
        if found:
            raise ModelError(f"{name} names a folder of this machine ({found[0]}): take that out of it, then send it")


def require_name(repo: str) -> None:
    """Raise ConfigError for what can be no repository's name; OWNER may be left out, it is you then."""
    from trainer.errors import ConfigError

    if not is_name(repo if "/" in repo else f"me/{repo}"):
        raise ConfigError(f"{repo!r} is no name on the Hub: OWNER/NAME of letters, digits, - _ .", key="repo")
