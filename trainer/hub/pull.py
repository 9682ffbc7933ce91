"""A model of the Hub into the Hub's own cache on this disk, where MODEL by its name finds it without a network."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from trainer.encoders import WANTED, read_json
from trainer.errors import ModelError
from trainer.hub_client import HubError, Progress, counter, files_of, refuse_pickles, spoken, verify


@dataclass(frozen=True)
class Pulled:
    """A model that is here now. `name` is what it is called wherever a MODEL is asked for."""

    name: str
    folder: Path
    commit: str
    files: tuple[str, ...]
    bytes: int
    warnings: tuple[str, ...]


def pull(repo: str, revision: str | None = None, progress: Progress | None = None) -> Pulled:
    """Fetch what a model needs of `repo`: safetensors, tokenizer, config, thresholds and card, each file hashed.

    What is here already is not fetched again. Raises NotFoundError, ModelError for a
    repository without safetensors or config.json, ConfigError for a name that cannot be, HubError for all else that goes wrong.
    """
    from huggingface_hub import HfApi, hf_hub_download

    with spoken("nothing was fetched", f"{repo}{f' at {revision}' if revision else ''}"):
        commit = str(HfApi().model_info(repo, revision=revision).sha)
        files = files_of(repo, commit)
        refuse_pickles(repo, files)
        if all(f.path != "config.json" for f in files):
            raise ModelError(f"{repo} on the Hub holds no config.json: it is no whole model, an adapter alone perhaps")
        wanted = sorted((f for f in files if _is_wanted(f.path)), key=lambda f: f.size)
        total, done = sum(f.size for f in wanted), 0
        folder = Path()
        for remote in wanted:
            bar = counter(progress, remote.path, done, total)
            local = Path(hf_hub_download(repo, remote.path, revision=commit, tqdm_class=bar))
            verify(local, remote)
            folder = local.parent
            done += remote.size
        # asked for by the name that was given, so that the cache notes which commit that is
        if Path(hf_hub_download(repo, "config.json", revision=revision)).parent != folder:
            raise HubError(f"{repo} was changed while it was fetched: run the same again")
    if progress:
        progress("", total, total)
    name = f"{repo}@{revision}" if revision else repo
    return Pulled(name, folder, commit, tuple(f.path for f in wanted), total, _warnings(folder, name))


def _is_wanted(path: str) -> bool:
    return "/" not in path and (path == "README.md" or any(fnmatch(path, pattern) for pattern in WANTED))


def _warnings(folder: Path, name: str) -> tuple[str, ...]:
    config = read_json(folder / "config.json")
    kind = next(iter(config.get("architectures") or ["unknown"]))
    if "SequenceClassification" in str(kind):
        return ()
    return (f"{name} is no classifier but {kind}: train one with it, goemo-tui train --encoder {name}",)
