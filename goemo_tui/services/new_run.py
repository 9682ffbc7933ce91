"""A training being set up: the texts of the form's fields, what is wrong with them, and the start itself.

The same checks as the command line's, because both go through `trainer.runs.plan`. No widget is known here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from goemo_tui.services.train_command import SOURCE, command_of_run, train_command
from goemo_tui.services.train_command import text_of as text_of
from trainer.config import TrainConfig, parse_settings, recipe
from trainer.errors import ConfigError
from trainer.runs.like import Like

command_of = command_of_run
"""The headless command that makes a training of these settings again."""

NOW, WHEN_FREE = "now", "gpu"
"""When a training starts: at once, or as soon as a GPU is free. Everything else is the id of a run to wait for."""

AS_SET, NOWHERE = "", "none"
"""Where a training is mirrored to: where the settings say, or nowhere. Everything else names trackers."""


@dataclass(frozen=True)
class Draft:
    """What stands in the form. `texts` holds every field but the recipe, as typed."""

    recipe: str
    texts: Mapping[str, str]
    width: int | None = None
    """Hidden size of the chosen encoder where it is known; it decides the recipe's learning rate."""
    start: str = NOW
    """NOW, WHEN_FREE, or the id of the run whose end is waited for."""
    track: str = AS_SET
    """Where the run is mirrored to, as `train --track` takes it; AS_SET: as the settings say."""

    @property
    def after(self) -> str | None:
        """The run that is waited for."""
        return None if self.start in (NOW, WHEN_FREE) else self.start

    like: Like | None = None
    """The run that settings were taken over from; its recipe is the draft's, then."""

    @property
    def base(self) -> TrainConfig:
        """What the fields hold before anybody changes one: the recipe's settings, or the other run's, for the encoder."""
        encoder = self.texts.get("encoder", "").strip() or None
        if self.like is not None:
            return self.like.base(encoder, self.width)
        return recipe(self.recipe, encoder, self.width)

    @property
    def usual(self) -> dict[str, str]:
        """The text that a field goes back to, for each key of `texts` but a corpus that nothing prescribes."""
        its = {key: text_of(value) for key, value in self.base.to_dict().items() if key != "recipe"}
        if self.like is not None:
            return {**its, "encoder": self.like.config.encoder}
        del its["data"]
        return {**its, "encoder": recipe(self.recipe).encoder}


def defaults(recipe_name: str, encoder: str | None = None, width: int | None = None) -> dict[str, str]:
    """The texts of a form filled with a recipe's values."""
    return texts_of(recipe(recipe_name, encoder or None, width))


def texts_of(config: TrainConfig) -> dict[str, str]:
    """The texts of a form that stands for these settings."""
    return {key: text_of(value) for key, value in config.to_dict().items() if key != "recipe"}


def differing(draft: Draft) -> dict[str, str]:
    """The fields that are not as they would be by themselves -> the text that puts each back."""
    return {key: usual for key, usual in draft.usual.items() if not _same(key, draft.texts.get(key, usual), usual)}


def _same(key: str, text: str, usual: str) -> bool:
    """Whether two texts say the same of a setting: `2e-4` and `0.0002` do."""
    try:
        return bool(parse_settings({key: text.strip()}) == parse_settings({key: usual}))
    except ConfigError:
        return False


def check(draft: Draft) -> tuple[TrainConfig | None, dict[str, str]]:
    """The settings, or None and what is wrong with which field."""
    from trainer.runs.queue import check_device
    from trainer.track.tracker import chosen

    base = draft.base
    wrong: dict[str, str] = {}
    try:
        chosen("" if draft.track == NOWHERE else draft.track)
    except ConfigError as error:
        wrong["track"] = str(error)
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
    """The settings that differ from the recipe's own or the other run's, as texts; data, encoder and recipe apart."""
    base = draft.base.to_dict()
    return {k: text_of(v) for k, v in config.to_dict().items() if k not in SOURCE and v != base[k]}


def command(draft: Draft, config: TrainConfig) -> str:
    """The headless command that starts the very same training."""
    more = ["--after", draft.after] if draft.after else ["--when-free"] if draft.start == WHEN_FREE else []
    more += ["--track", draft.track] if draft.track != AS_SET else []
    if draft.like is None:
        return train_command(config, changes(draft, config), *more)
    words = ["goemo-tui", "train", "--like", draft.like.run_id]
    for key in ("data", "encoder"):
        value = getattr(config, key)
        if value != getattr(draft.like.config, key):
            words += [f"--{key}", value]
    for key, text in changes(draft, config).items():
        words += ["--set", f"{key}={text}"]
    return shlex.join([*words, *more])


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
    from goemo_tui.services import trackers
    from trainer.runs import process, queue
    from trainer.runs.plan import plan
    from trainer.runs.run import Run
    from trainer.track import start

    config, wrong = check(draft)
    if config is None:
        raise ConfigError(next(iter(wrong.values())), key=next(iter(wrong)))
    say("reading the corpus and looking for the encoder")

    def fetching(file: str, done: int, total: int) -> None:
        share = f" {100 * done // total}%" if total else ""
        say(f"fetching the encoder: {file}{share}")

    settings = {**(draft.like.chosen if draft.like else {}), **changes(draft, config)}
    found = plan(config.data, config.encoder, draft.recipe, settings, fetching)
    turn = queue.checked(draft.after, draft.start == WHEN_FREE, found.config)
    track, complaints = trackers.asked(draft.track if draft.track != AS_SET else None)
    run = Run.create(found.config, {**found.record(), **turn.record(), **start.record(track)})
    say(f"starting {run.id}")
    process.start(run)
    return Started(run.id, (*found.warnings, *complaints, *start.begin(run)))
