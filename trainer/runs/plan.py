"""What is settled before a training starts: settings, corpus and encoder, checked together so that nothing fails later.

The command line, the form and the library all go through here. No torch: the widths come from the encoder's config.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trainer import devices, paths, surroundings
from trainer.config import TrainConfig, augmentations, parse_settings, recipe
from trainer.corpus import Corpus, hub, load_corpus
from trainer.corpus.language import language_warning
from trainer.corpus.pair import find_pair
from trainer.encoders import Encoder, Progress, anatomy, find_encoder, read_json, takes_mean
from trainer.errors import ConfigError

FIXED_NAMES = ("sample", "goemotions")
"""Corpora that mean the same wherever one stands."""

VERSIONS = ("goemo-tui", "torch", "transformers", "tokenizers", "safetensors", "numpy")


@dataclass(frozen=True)
class Plan:
    """A training that can be started: its settings, and what was found for them.

    `warnings` hinder nothing: what is odd about the corpus, and what around the run may end or harm it.
    """

    config: TrainConfig
    corpus: Corpus
    encoder: Encoder
    warnings: tuple[str, ...]
    raters: str = ""
    """Fingerprint of the rater-level files where soft labels are asked for."""

    def record(self) -> dict[str, Any]:
        """The tables of `config.toml` beside the settings: versions, corpus fingerprint, encoder."""
        return {
            "versions": versions(),
            "corpus": {"path": str(self.corpus.path), "sha256": dict(self.corpus.fingerprint)},
            "encoder": {"name": self.encoder.name, "folder": str(self.encoder.folder), "source": self.encoder.source},
            **({"raters": {"sha256": self.raters}} if self.raters else {}),
        }


def plan(
    data: str | Path | None = None,
    encoder: str | None = None,
    recipe_name: str = "goemo",
    settings: Iterable[str] | Mapping[str, Any] = (),
    progress: Progress | None = None,
    here: bool = True,
) -> Plan:
    """Find encoder and corpus and check them against the settings.

    With `here` off the training is for another machine, whose devices cannot be counted from this one. `settings` win
    over the recipe. A path is stored absolute, since the worker runs elsewhere. Raises ConfigError, NotFoundError,
    CorpusError or ModelError; nothing has been written by then.
    """
    asked = parse_settings(settings)
    recipe_name = str(asked.pop("recipe", None) or recipe_name)
    encoder = str(asked.pop("encoder", None) or encoder or recipe(recipe_name).encoder)
    data = asked.pop("data", None) or data or "sample"
    replace(recipe(recipe_name, encoder), **asked)  # wrong values are named before anything is looked for
    corpus = load_corpus(data, progress)
    corpus.require_trainable()
    found = find_encoder(encoder, progress)
    shape = anatomy(found.folder)
    config = recipe(recipe_name, encoder, shape.width or None)
    if found.source == "local folder":
        encoder = str(found.folder)
    translation = asked.get("translation", config.translation)
    if "back_translation" in augmentations(asked.get("augment", config.augment)):
        pair = find_pair(translation, progress)
        translation = "+".join(str(m.folder) if m.source == "local folder" else m.name for m in pair)
        asked["translation"] = translation
    config = replace(config, **{**asked, "encoder": encoder, "data": _portable(data, corpus)})
    if here:
        require_devices(config)
    if shape.positions and config.max_length > shape.positions:
        raise ConfigError(
            f"max_length = {config.max_length}: {encoder} has positions for {shape.positions} tokens at most",
            key="max_length",
        )
    takes_mean(config.pooling, str(read_json(found.folder / "config.json").get("model_type")))  # raises where it cannot
    grouped = corpus.under(config.taxonomy)
    if config.teacher != "none":
        config = replace(config, teacher=_teachers(config, grouped))
    config, raters = _doubts(config, grouped)
    warnings = list(corpus.warnings)
    language = language_warning(grouped.splits["train"].text, encoder)
    if language:
        warnings.append(language)
    warnings += surroundings.warnings(paths.runs_folder(), shape.parameters)
    return Plan(config, grouped, found, tuple(warnings), raters)


def require_devices(config: TrainConfig) -> None:
    """Raise ConfigError if this machine has fewer devices than a training asks for. One device is no matter of counting."""
    if config.devices == 1:
        return
    found = devices.list_devices()
    gpus = [d.name for d in found if d.name.startswith("cuda")]
    on_cpu = config.device == "cpu" or (config.device == "auto" and found[0].name == "cpu")
    if on_cpu:
        have = devices.cores()
        if config.devices > have:
            raise ConfigError(
                f"devices = {config.devices}: this machine has no GPU for them and {have} "
                f"core{'s' if have != 1 else ''}; choose devices={have} at most",
                key="devices",
            )
    elif found[0].name == "mps":
        raise ConfigError(f"devices = {config.devices}: an Apple GPU is one device; choose devices=1", key="devices")
    elif len(gpus) < config.devices and (gpus or not devices.may_have_gpu()):
        there = f"this machine names {len(gpus)} GPU{'s' if len(gpus) != 1 else ''}"
        more = f" ({', '.join(gpus)}); choose devices={len(gpus)} at most" if gpus else "; choose device=cpu"
        raise ConfigError(f"devices = {config.devices}: {there}{more}", key="devices")


def _teachers(config: TrainConfig, corpus: Corpus) -> str:
    """The setting `teacher` with its folders absolute. Raises ConfigError where one is not there, or its scores are not."""
    from trainer.modelfolder import OUT_OF_FOLD, asks_out_of_fold, find_teachers

    models = find_teachers(config.teacher, corpus.labels.names)
    names = [str(m.path) if m.kind == "folder" else m.name for m in models]
    if asks_out_of_fold(config.teacher):
        from trainer.corpus.suspects import require_scores

        require_scores(corpus, config.data, config.taxonomy, "teacher")
        names.append(OUT_OF_FOLD)
    return ",".join(names)


def _doubts(config: TrainConfig, corpus: Corpus) -> tuple[TrainConfig, str]:
    """What settings about doubtful labels need is there: the config with its paths whole, the rater files' fingerprint.

    Raises ConfigError that says what makes or fetches it.
    """
    if config.suspects != "keep":
        from trainer.corpus.suspects import require_scores

        require_scores(corpus, config.data, config.taxonomy)
    if config.rater_labels == "none":
        return config, ""
    from trainer.corpus import raters

    found = raters.fingerprint(config.rater_labels)
    return replace(config, rater_labels=str(paths.expanded(config.rater_labels).absolute())), found


def versions() -> dict[str, str]:
    """The versions that a run's weights may depend on."""
    found = {"python": platform.python_version()}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _portable(data: str | Path, corpus: Corpus) -> str:
    """What the worker, which runs elsewhere, is to load: the very corpus that was checked."""
    if isinstance(data, str) and data in FIXED_NAMES:
        return data
    return hub.pinned(corpus.path) or str(corpus.path)
