"""What a training is asked to do: one frozen, validated set of settings, in and out as TOML, and the named recipes.

The table of fields feeds the command line, the form and the docs alike. Nothing here imports torch.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import Any, Literal

import tomli_w

from trainer.errors import ConfigError
from trainer.labels import TAXONOMIES


@dataclass(frozen=True)
class Setting:
    """How one field is explained and checked. `low`/`high` are inclusive; `choices` closes the set."""

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    group: Literal["simple", "advanced", "source"] = "simple"


def _is(default: Any, help: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(help, low, high, **more)})


AUGMENTATIONS = ("synonyms", "deletion", "back_translation")
"""Ways to make a new comment of one that is there; what each does is told in `trainer.corpus.augment`."""

OWN_TOKENS = ("none", "placeholders", "emoji", "all")
COMBINED = tuple("+".join(some) for n in (1, 2, 3) for some in combinations(AUGMENTATIONS, n))


@dataclass(frozen=True)
class TrainConfig:
    """Every setting of a training. Values are checked on construction; ConfigError names the key.

    The defaults are the recipe `goemo` for the bundled encoder. `recipe()` gives the others.
    """

    data: str = _is("sample", "corpus: sample, a downloaded one, a folder or a file", group="source")
    encoder: str = _is("minilm", "minilm, distilbert, a local folder or a Hub name", group="source")
    recipe: str = _is(
        "goemo", "the named recipe these settings started from", choices=("goemo", "notebook"), group="source"
    )
    epochs: int = _is(3, "how often the model sees each comment", 1, 1000)
    batch_size: int = _is(32, "comments in one step", 1, 4096)
    lr: float = _is(1e-3, "highest learning rate of the encoder, or of its adapters", 0.0, 1.0)
    limit: int = _is(0, "train on the first N rows for a quick look; 0 takes all", 0, 10**9)
    seed: int = _is(0, "the same seed on the same machine gives the same weights", 0, 2**32 - 1)
    device: str = _is("auto", "auto, cpu, cuda, cuda:1, mps")
    devices: int = _is(
        1, "processes that share each batch, each on a GPU of its own, or on the processor", 1, 1024, group="advanced"
    )
    taxonomy: str = _is("emotions", "the corpus's own labels, or their grouping", choices=tuple(TAXONOMIES))
    max_length: int = _is(64, "tokens kept of a comment; 64 loses nothing of GoEmotions", 4, 8192)
    accumulation: int = _is(1, "micro-batches added up before one optimizer step", 1, 4096, group="advanced")
    head_lr: float = _is(1e-3, "highest learning rate of the classifier head", 0.0, 1.0, group="advanced")
    head_first: float = _is(
        0.0, "share of all steps at the beginning in which only the head learns", 0.0, 0.9, group="advanced"
    )
    weight_decay: float = _is(0.01, "AdamW's weight decay", 0.0, 1.0, group="advanced")
    scheduler: str = _is(
        "linear", "how the rate falls after warm-up", choices=("linear", "cosine", "constant"), group="advanced"
    )
    warmup: float = _is(0.06, "share of all steps over which the rate rises", 0.0, 1.0, group="advanced")
    decay: str = _is(
        "weights",
        "what weight_decay acts on: weights, or all (biases and norms too)",
        choices=("weights", "all"),
        group="advanced",
    )
    clip: float = _is(1.0, "largest gradient norm; 0 does not clip", 0.0, 1e6, group="advanced")
    patience: int = _is(0, "stop after N epochs without a better dev score; 0 never", 0, 1000, group="advanced")
    precision: str = _is(
        "auto", "bf16 where the device is fast at it", choices=("auto", "bf16", "fp32"), group="advanced"
    )
    batching: str = _is(
        "grouped",
        "grouped: comments of like length together; shuffled: any order",
        choices=("grouped", "shuffled"),
        group="advanced",
    )
    padding: str = _is(
        "longest",
        "pad to the longest of the batch, or to max_length",
        choices=("longest", "max_length"),
        group="advanced",
    )
    head_init: str = _is(
        "log_odds",
        "log_odds: zero weights, bias at each label's frequency; random",
        choices=("log_odds", "random"),
        group="advanced",
    )
    pooling: str = _is(
        "auto",
        "cls: the stock head as it is; mean: on one more layer that starts as the mean of the tokens; auto: mean if it can",
        choices=("auto", "mean", "cls"),
        group="advanced",
    )
    lora_rank: int = _is(
        16, "learn low-rank adapters of this rank instead of all weights; 0 learns all", 0, 1024, group="advanced"
    )
    lora_alpha: int = _is(32, "how strongly adapters act: they are scaled by alpha / rank", 1, 4096, group="advanced")
    own_tokens: str = _is(
        "none",
        "what of the corpus becomes one token each: placeholders such as [NAME], emoji the encoder does not know, all",
        choices=OWN_TOKENS,
        group="advanced",
    )
    layer_decay: float = _is(
        1.0, "each layer learns this much slower than the one above it", 0.01, 1.0, group="advanced"
    )
    loss: str = _is(
        "bce",
        "bce, focal (hard ones count more), asymmetric (easy negatives do not count), weighted (rare labels count more)",
        choices=("bce", "focal", "asymmetric", "weighted"),
        group="advanced",
    )
    gamma: float = _is(2.0, "how fast easy ones fade in focal and asymmetric loss", 0.0, 10.0, group="advanced")
    label_smoothing: float = _is(
        0.0, "how far targets are drawn towards the labels' base rates", 0.0, 0.5, group="advanced"
    )
    r_drop: float = _is(
        0.0, "R-Drop: how strongly two passes with other dropout must agree; 0 is off", 0.0, 100.0, group="advanced"
    )
    ema: float = _is(
        0.0, "score and keep a running average of the weights, such as 0.999; 0 is off", 0.0, 0.99999, group="advanced"
    )
    teacher: str = _is(
        "none",
        "models to learn from besides the labels: runs, folders, out-of-fold (data suspects), joined by commas",
        group="advanced",
    )
    distill: float = _is(0.5, "how much of the targets the teachers give", 0.0, 1.0, group="advanced")
    threshold_fit: str = _is(
        "calibrated",
        "how thresholds are fitted on dev: per_label (best F1), smoothed, calibrated, blended (their mean), global (one)",
        choices=("blended", "smoothed", "calibrated", "per_label", "global"),
        group="advanced",
    )
    threshold: float = _is(
        0.0, "report and save one threshold for all labels; 0 fits one each on dev", 0.0, 1.0, group="advanced"
    )
    suspects: str = _is(
        "keep",
        "rows whose labels are most doubtful (goemo-tui data suspects)",
        choices=("keep", "leave_out", "down_weight"),
        group="advanced",
    )
    suspect_share: float = _is(
        0.05, "the most doubtful share of rows that suspects is about", 0.0, 0.9, group="advanced"
    )
    suspect_weight: float = _is(0.5, "what such a row counts in the loss if down_weight", 0.0, 1.0, group="advanced")
    rater_labels: str = _is(
        "none", "soft labels: folder of goemotions_1..3.csv with each rater's answer", group="advanced"
    )
    checkpoint_steps: int = _is(0, "write a checkpoint every N steps; 0 goes by minutes", 0, 10**9, group="advanced")
    checkpoint_minutes: float = _is(2.0, "write a checkpoint every N minutes; 0 never", 0.0, 10**6, group="advanced")
    retries: int = _is(0, "take it up again N times if its process dies", 0, 1000, group="advanced")
    augment: str = _is(
        "none",
        "make new train rows of those there, rare emotions first",
        choices=("none", *COMBINED),
        group="advanced",
    )
    augment_share: float = _is(
        0.5, "new rows as a share of train's; 4 of one comment at most", 0.0, 4.0, group="advanced"
    )
    translation: str = _is(
        "Helsinki-NLP/opus-mt-en-ar+Helsinki-NLP/opus-mt-ar-en",
        "for back_translation: two models, there+back, Hub names or folders",
        group="advanced",
    )
    deterministic: bool = _is(
        False,
        "the same weights each time on a GPU too, at some cost in speed",
        choices=("false", "true"),
        group="advanced",
    )

    def __post_init__(self) -> None:
        if isinstance(self.augment, str):
            object.__setattr__(self, "augment", "+".join(augmentations(self.augment)) or "none")
        for f in fields(self):
            value = getattr(self, f.name)
            if str(f.type) == "float" and isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, f.name, float(value))
            _check(f.name, getattr(self, f.name), f.type, f.metadata["setting"])
        if self.lr == 0 and self.head_lr == 0:
            raise ConfigError("lr and head_lr are both 0: nothing would be learned", key="lr")
        check_device(self.device)
        _check_devices(self)
        translation_pair(self.translation)

    def with_settings(self, pairs: Iterable[str] | Mapping[str, Any]) -> TrainConfig:
        """A copy with `key=value` texts (or a mapping) applied. Raises ConfigError naming the key."""
        return replace(self, **parse_settings(pairs))

    def to_toml(self) -> str:
        """The settings as TOML, one key a line."""
        return tomli_w.dumps({f.name: getattr(self, f.name) for f in fields(self)})

    def to_dict(self) -> dict[str, Any]:
        """Field name -> value, in field order."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The inverse of `to_dict`; keys it does not know are ignored (a newer version may have written them).

        What an older version wrote is read as that version meant it.
        """
        known = {f.name for f in fields(cls)}
        return cls(**parse_settings({**BEFORE, **{k: v for k, v in values.items() if k in known}}))

    @classmethod
    def from_toml(cls, text: str) -> TrainConfig:
        """The inverse of `to_toml`. Raises ConfigError for text that is not TOML or a value out of range."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"the settings are not TOML: {error}") from None


BEFORE: dict[str, Any] = {"pooling": "cls", "lora_rank": 0, "threshold_fit": "per_label"}
"""What runs did before there were settings for it."""

SETTINGS: dict[str, Setting] = {f.name: f.metadata["setting"] for f in fields(TrainConfig)}
"""Name -> explanation and range, in the order a form shows them."""

_TYPES = {f.name: str(f.type) for f in fields(TrainConfig)}


_BOOLEAN = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def check_device(name: str) -> None:
    """Raise ConfigError unless `name` is auto, cpu, cuda, cuda:N or mps (whether it is there is another question)."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", name):
        raise ConfigError(f"device = {name!r}: choose auto, cpu, cuda, cuda:N or mps", key="device")


def _check_devices(config: TrainConfig) -> None:
    if config.devices == 1:
        return
    if config.device == "mps" or config.device.startswith("cuda:"):
        raise ConfigError(
            f"devices = {config.devices}: device = {config.device!r} is one device; choose auto, cuda or cpu",
            key="devices",
        )
    if config.devices > config.batch_size:
        raise ConfigError(
            f"devices = {config.devices}: each needs a comment of every batch, and batch_size is {config.batch_size}",
            key="devices",
        )


def augmentations(text: str) -> tuple[str, ...]:
    """`synonyms+deletion` -> the methods, each once, in the order of AUGMENTATIONS; `none` -> (). Raises ConfigError."""
    named = [part.strip() for part in text.split("+")]
    if named == ["none"]:
        return ()
    for name in named:
        if name not in AUGMENTATIONS:
            raise ConfigError(
                f"augment = {text!r}: choose none, or some of {', '.join(AUGMENTATIONS)} joined by +, for example "
                f"synonyms+deletion",
                key="augment",
            )
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice:
        raise ConfigError(f"augment = {text!r} names {twice} twice: each method once", key="augment")
    return tuple(name for name in AUGMENTATIONS if name in named)


def translation_pair(text: str) -> tuple[str, str]:
    """`there+back` -> the two models' names or folders. Raises ConfigError."""
    there, _, back = (part.strip() for part in text.partition("+"))
    if not there or not back or "+" in back:
        raise ConfigError(
            f"translation = {text!r}: name two models joined by +, the one there and the one back: Hub names or folders "
            f"(without a + in them)",
            key="translation",
        )
    return there, back


def parse_settings(pairs: Iterable[str] | Mapping[str, Any]) -> dict[str, Any]:
    """`["epochs=2", …]` or a mapping -> typed values. Raises ConfigError for an unknown key or a wrong type."""
    if isinstance(pairs, Mapping):
        items: list[tuple[str, Any]] = list(pairs.items())
    else:
        items = []
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                raise ConfigError(f"{pair!r} is not key=value, for example epochs=2")
            items.append((key.strip(), value.strip()))
    return {key: _parse(key, value) for key, value in items}


def _parse(key: str, value: Any) -> Any:
    if key not in _TYPES:
        raise ConfigError(f"no setting is called {key!r}; there are: {', '.join(_TYPES)}", key=key)
    kind = _TYPES[key]
    if kind == "bool" and isinstance(value, str):
        if value.lower() not in _BOOLEAN:
            raise ConfigError(f"{key} = {value!r}: choose true or false", key=key)
        return _BOOLEAN[value.lower()]
    if not isinstance(value, str):
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return value
    if kind == "str":
        return value
    try:
        return int(value.replace("_", "")) if kind == "int" else float(value)
    except ValueError:
        wanted = "a whole number" if kind == "int" else "a number"
        raise ConfigError(f"{key} = {value!r} is not {wanted}", key=key) from None


def _check(key: str, value: Any, kind: Any, setting: Setting) -> None:
    expected: Any = {"int": int, "float": float, "str": str, "bool": bool}[str(kind)]
    if not isinstance(value, expected) or isinstance(value, bool) != (str(kind) == "bool"):
        raise ConfigError(f"{key} = {value!r} is not of type {kind}", key=key)
    if isinstance(value, bool):
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} = {value} is not a finite number", key=key)
    if setting.choices and value not in setting.choices:
        raise ConfigError(f"{key} = {value!r}: choose one of {', '.join(setting.choices)}", key=key)
    low, high = setting.low, setting.high
    if low is not None and high is not None and not low <= value <= high:
        raise ConfigError(f"{key} = {value} is out of range: {_plain(low)} to {_plain(high)}", key=key)
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ConfigError(f"{key} is empty", key=key)


def _plain(number: float) -> str:
    """A bound as a person writes it: 4294967295, 0.5, 1e-06."""
    return str(int(number)) if number == int(number) else f"{number:g}"


NOTEBOOK: dict[str, Any] = {
    "recipe": "notebook", "encoder": "distilbert", "max_length": 128, "padding": "max_length", "batching": "shuffled",
    "batch_size": 16, "precision": "fp32", "lr": 2e-5, "head_lr": 2e-5, "weight_decay": 0.01, "scheduler": "constant",
    "warmup": 0.0, "clip": 0.0, "decay": "all", "epochs": 2, "head_init": "random", "threshold": 0.3,
    "pooling": "cls", "lora_rank": 0, "threshold_fit": "per_label",
}  # fmt: skip
"""The classic notebook to the letter; torch's AdamW decays everything by 0.01 unless told otherwise, and it does not."""

RECIPES: dict[str, str] = {
    "goemo": "adapters and a mean layer over the bundled encoder, all weights of wider ones; length-grouped bf16 batches",
    "notebook": "the classic: pad to 128, batch 16, fp32, AdamW 2e-5 constant, 2 epochs, threshold 0.3",
}

WIDE = 512
"""Encoders at least this wide (DistilBERT: 768) are learned whole, at a smaller rate; the bundled one (384) is not."""


def recipe(name: str = "goemo", encoder: str | None = None, width: int | None = None) -> TrainConfig:
    """The settings of a named recipe. `width` is the encoder's hidden size where known; it chooses what `goemo` learns, and how fast.

    Raises ConfigError for an unknown name.
    """
    if name not in RECIPES:
        raise ConfigError(f"no recipe is called {name!r}; there are: {', '.join(RECIPES)}", key="recipe")
    config = TrainConfig(**NOTEBOOK) if name == "notebook" else TrainConfig()
    if encoder:
        config = replace(config, encoder=encoder)
    if name == "goemo":
        wide = width >= WIDE if width is not None else config.encoder == "distilbert"
        if wide:  # adapters were measured on the bundled encoder alone
            config = replace(config, lr=3e-5, lora_rank=0, pooling="cls")
    return config


def chosen(config: TrainConfig) -> dict[str, Any]:
    """The settings that somebody chose: those that `config.recipe` would not give for `config.encoder`.

    Corpus, encoder and recipe apart. Where the encoder's width is not known by its name, the rate counts as chosen
    unless every width would give it. The recipe with these on top is `config` again.
    """
    widths = (None,) if config.encoder in ("minilm", "distilbert") else (None, 1, 10 * WIDE)
    usual = [recipe(config.recipe, config.encoder, width).to_dict() for width in widths]
    apart = {name for name, setting in SETTINGS.items() if setting.group == "source"}
    own = config.to_dict()
    return {k: v for k, v in own.items() if k not in apart and any(v != base[k] for base in usual)}
