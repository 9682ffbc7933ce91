"""`goemo-tui train --estimate`: what a training would take in time and disk. Starts, makes and downloads nothing.

The steps are timed by a child process; torch is not imported here.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from goemo_tui import wording
from trainer.config import TrainConfig
from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from goemo_tui.commands.train import Asked
    from trainer.runs.forecast import Forecast, Room
    from trainer.runs.plan import Plan

UNFINISHED = "the measurement was stopped"


def run(args: argparse.Namespace, asked: Asked) -> int:
    """Print the estimate: 0. Raises GoemoError; NotFoundError also for an encoder that would have to be fetched."""
    from goemo_tui.commands.progress import say
    from goemo_tui.commands.train import device_notes, runs_beside
    from goemo_tui.services.estimate import Measurement, beside_words, busy_words
    from trainer.runs.forecast import forecast, free_now, room
    from trainer.runs.plan import plan

    if args.detach:
        raise ConfigError("--estimate starts nothing, and --detach has nothing to leave: give one of them")
    require_here(asked)
    ready = plan(asked.data, asked.encoder, asked.recipe, asked.settings)
    config = ready.config
    for line in device_notes(config):
        say(line)
    beside, busy = beside_words(runs_beside(config)), busy_words()
    measurement = Measurement(config)
    try:
        measured = measurement.result(_Said())
    finally:
        measurement.cancel()
    if measured is None:
        raise GoemoError(UNFINISHED)
    free = free_now()
    if measured.device == "cpu":
        beside = "; ".join(filter(None, (beside, busy)))
    found, disk = forecast(config, measured, free), room(config, measured.parameters, free, measured.learned)
    if args.json:
        print(json.dumps(found.to_dict()))
    else:
        print("\n".join(lines(ready, found, disk, beside)))
    if args.json and beside:
        say(beside)
    return 0


def require_here(asked: Asked) -> None:
    """Raise NotFoundError for an encoder that is not on this machine: an estimate fetches nothing."""
    from trainer.config import recipe
    from trainer.encoders import find_encoder

    try:
        find_encoder(asked.encoder or recipe(asked.recipe).encoder, allow_download=False)
    except NotFoundError as error:
        raise NotFoundError(f"{error}. goemo-tui train fetches it; then its speed can be measured") from None


def lines(ready: Plan, found: Forecast, disk: Room, beside: str) -> list[str]:
    """The estimate for people."""
    from goemo_tui.commands.train import rows_learned
    from goemo_tui.safe_text import clean
    from goemo_tui.services.estimate import about, speed

    config: TrainConfig = ready.config
    what = f"{config.encoder} on {rows_learned(ready):,} comments of {config.data}"
    speeds = f"{speed(found)}, {wording.rate(found.examples_per_s)} comments/s"
    free = f", {wording.size(disk.free)} are free" if disk.free is not None else ""
    kept = f"up to {found.checkpoints_kept} checkpoints of {wording.size(found.checkpoint_bytes)}"
    out = [
        clean(f"{what}: {found.epochs} epoch{'s' if found.epochs != 1 else ''}, {found.steps:,} steps"),
        f"  time    {about(found.seconds)}",
        f"  speed   {speeds} on {found.device} in {found.precision} ({found.steps_timed} steps timed)",
        f"  disk    {wording.size(disk.needed)} at most{free}",
        f"          {kept if found.checkpoints_kept else 'no checkpoints'}, a model of {wording.size(found.model_bytes)}",
    ]
    if found.memory_peak is not None:
        out.append(f"  memory  {wording.size(found.memory_peak)} at most while it was measured")
    if disk.short:
        out.append("  ✗ there is not enough room: goemo-tui runs prune frees some")
    out += [f"  note    {clean(note)}" for note in (found.note, beside) if note]
    return out


class _Said:
    """What the child is busy with, on stderr; the many steps that it times are one line."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, text: str) -> None:
        from goemo_tui.commands.progress import say

        text = "timing steps" if text.startswith("timing step ") else text
        if text != self.last:
            self.last = text
            say(f"… {text}")
