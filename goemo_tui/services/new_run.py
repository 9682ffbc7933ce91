"""A training being set up: the texts of the form's fields, what is wrong with them, and the start itself.

The same checks as the command line's, because both go through `trainer.runs.plan`. No widget is known here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.config import SETTINGS, TrainConfig, recipe
from trainer.encoders import Anatomy, anatomy, find_encoder
from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from goemo_tui.services.runs import RunView

SOURCE = ("data", "encoder", "recipe")
NOW, WHEN_FREE = "now", "gpu"
"""When a training starts: at once, or as soon as a GPU is free. Everything else is the id of a run to wait for."""


@dataclass(frozen=True)
class Draft:
    """What stands in the form. `texts` holds every field but the recipe, as typed."""

    recipe: str
    texts: Mapping[str, str]
    width: int | None = None
    """Hidden size of the chosen encoder where it is known; it decides the recipe's learning rate."""
    start: str = NOW
    """NOW, WHEN_FREE, or the id of the run whose end is waited for."""

    @property
    def after(self) -> str | None:
        """The run that is waited for."""
        return None if self.start in (NOW, WHEN_FREE) else self.start

    @property
    def base(self) -> TrainConfig:
        """The recipe's own settings for the chosen encoder."""
        return recipe(self.recipe, self.texts.get("encoder", "").strip() or None, self.width)


def defaults(recipe_name: str, encoder: str | None = None, width: int | None = None) -> dict[str, str]:
    """The texts of a form filled with a recipe's values."""
    config = recipe(recipe_name, encoder or None, width)
    return {key: text_of(value) for key, value in config.to_dict().items() if key != "recipe"}


def text_of(value: object) -> str:
    """A setting's value as a field shows it: `0.0002`, `3` and `true`, as one would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def check(draft: Draft) -> tuple[TrainConfig | None, dict[str, str]]:
    """The settings, or None and what is wrong with which field."""
    from trainer.runs.queue import check_device

    base = draft.base
    wrong: dict[str, str] = {}
    for key, text in draft.texts.items():
        try:
            base.with_settings({key: text.strip()})
        except ConfigError as error:
            wrong[error.key or key] = str(error)
    if wrong:
        return None, wrong
    try:
        config = base.with_settings({key: text.strip() for key, text in draft.texts.items()})
        if draft.start == WHEN_FREE:
            check_device(config.device)
        return config, {}
    except ConfigError as error:
        return None, {error.key or "lr": str(error)}


def changes(draft: Draft, config: TrainConfig) -> dict[str, str]:
    """The settings that differ from the recipe's own, as texts; data, encoder and recipe apart."""
    base = draft.base.to_dict()
    return {k: text_of(v) for k, v in config.to_dict().items() if k not in SOURCE and v != base[k]}


def command(draft: Draft, config: TrainConfig) -> str:
    """The headless command that starts the very same training."""
    words = ["goemo-tui", "train", "--data", config.data]
    if config.encoder != recipe(draft.recipe).encoder:
        words += ["--encoder", config.encoder]
    if draft.recipe != "goemo":
        words += ["--recipe", draft.recipe]
    for key, text in changes(draft, config).items():
        words += ["--set", f"{key}={text}"]
    if draft.after is not None:
        words += ["--after", draft.after]
    elif draft.start == WHEN_FREE:
        words.append("--when-free")
    return shlex.join(words)


@dataclass(frozen=True)
class Started:
    """A run that was started or put in the queue, and what is to be known about it."""

    run_id: str
    warnings: tuple[str, ...] = ()


def begin(draft: Draft, say: Callable[[str], None] = lambda text: None) -> Started:
    """Check everything as the command line does, make the run and start its worker, which may wait for its turn.

    Blocks (it reads the corpus and may fetch an encoder): call it from a thread. `say` is told what goes on. Raises
    GoemoError.
    """
    from trainer.runs import process, queue
    from trainer.runs.plan import plan
    from trainer.runs.run import Run

    config, wrong = check(draft)
    if config is None:
        raise ConfigError(next(iter(wrong.values())), key=next(iter(wrong)))
    say("reading the corpus and looking for the encoder")

    def fetching(file: str, done: int, total: int) -> None:
        share = f" {100 * done // total}%" if total else ""
        say(f"fetching the encoder: {file}{share}")

    found = plan(config.data, config.encoder, draft.recipe, changes(draft, config), fetching)
    turn = queue.checked(draft.after, draft.start == WHEN_FREE, found.config)
    run = Run.create(found.config, {**found.record(), **turn.record()})
    say(f"starting {run.id}")
    process.start(run)
    return Started(run.id, found.warnings)


def start_choices(runs: Iterable[RunView], devices: Iterable[str], chosen: str = NOW) -> list[tuple[str, str, str]]:
    """(value, what is shown, what it means) of when a training can start, given the runs and the devices there are.

    `chosen` stays among them when its run ends meanwhile.
    """
    found = [(NOW, "now", "at once, whatever else is running")]
    if chosen == WHEN_FREE or any(device.startswith("cuda") for device in devices):
        found.append((WHEN_FREE, "when a GPU is free", "waits until nobody uses one, and trains on that one"))
    for run in runs:
        if run.living:
            found.append((run.id, f"after {run.short}", f"waits until {run.short} has ended, however it ends"))
        elif run.id == chosen:
            found.append((run.id, f"after {run.short}", f"{run.short} has ended by now: starts at once"))
    return found


@dataclass(frozen=True)
class EncoderNote:
    """What is known of an encoder by its name. `anatomy` is None where it is not on this machine; `text` says why."""

    name: str
    anatomy: Anatomy | None
    text: str


def look_up(name: str) -> EncoderNote:
    """What an encoder is made of, without downloading anything. Blocks for a moment: call it from a thread."""
    try:
        found = find_encoder(name, allow_download=False)
        shape = anatomy(found.folder)
    except NotFoundError:
        if name.startswith(("/", ".", "~")) or Path(name).is_dir():
            return EncoderNote(name, None, "no such folder")
        return EncoderNote(name, None, "not on this machine: it is fetched from the Hub at the start")
    except GoemoError as error:
        return EncoderNote(name, None, str(error))
    return EncoderNote(name, shape, f"{shape} · {found.source}")


def explanation(key: str) -> str:
    """Range or choices and the help of a setting: `1 to 1000 · how often the model sees each comment`."""
    setting = SETTINGS[key]
    if setting.choices or setting.low is None or setting.high is None:
        return setting.help
    return f"{_bound(setting.low)} to {_bound(setting.high)} · {setting.help}"


def _bound(value: float) -> str:
    return (
        f"{value:g}"
        if abs(value) < 1e5 or value != round(value)
        else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    )


def corpus_choices(data: str = "sample", recent: Iterable[str] = ()) -> list[tuple[str, str, str]]:
    """(value, what is shown, how many rows) of `data`, the `recent` paths that are still there, and the named corpora.

    Reads the named ones: call it from a thread.
    """
    from trainer.corpus import list_corpora

    named = {c.name: (c.name, c.name, rows_of(c.splits)) for c in list_corpora() if c.splits}
    others = dict.fromkeys(p for p in (data, *recent) if p not in named and (p == data or _is_there(p)))
    own = [(path, short_path(path), "") for path in others]
    return [*own, *named.values()]


def rows_of(splits: Mapping[str, int]) -> str:
    """`1,120 train · 280 dev`."""
    return " · ".join(f"{rows:,} {split}" for split, rows in splits.items())


def data_setting(data: str) -> str:
    """What the Data screen opened, as a setting: a name stays a name, a path becomes whole, whether it is there or not."""
    if data in ("sample", "goemotions"):
        return data
    try:
        path = Path(data).expanduser()
    except RuntimeError:  # ~ of nobody
        return data
    return str(path.absolute()) if "/" in data or _is_there(str(path)) else data


def short_path(path: str, room: int = 22) -> str:
    """The end of a path, which tells it from others; the whole one where there is room."""
    if len(path) <= room or "/" not in path.rstrip("/"):
        return path
    parts = Path(path).parts
    two = "…/" + "/".join(parts[-2:])
    return two if len(two) <= room else "…/" + parts[-1]


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True)
class CorpusNote:
    """What is known of a corpus by its name or path: its rows in `text`, or in `wrong` why no training can start."""

    name: str
    text: str
    wrong: str


def look_at_corpus(name: str) -> CorpusNote:
    """Read a corpus as the start will. Blocks: call it from a thread."""
    from trainer.corpus import load_corpus

    try:
        corpus = load_corpus(name)
        corpus.require_trainable()
    except GoemoError as error:
        return CorpusNote(name, "", str(error).replace("\n", " "))
    return CorpusNote(name, rows_of({split: len(rows) for split, rows in corpus.splits.items()}), "")


def device_choices() -> list[tuple[str, str, str]]:
    """(name, what is shown, what it is) of what this machine computes on; what others use says so. For a thread."""
    from trainer.devices import list_devices

    devices = list_devices()
    best = str(devices[0]) if devices else ""
    shown = [(device.name, f"{device.name} (busy)" if device.busy else device.name, str(device)) for device in devices]
    return [("auto", "auto", f"the best that is there: {best}"), *shown]
