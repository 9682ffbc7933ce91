"""What a training will take, before it is started: time from a few timed steps, disk from the size of its model.

Only arithmetic on figures that `trainer.learn.estimate` measured elsewhere: no torch, nothing is read or written but the
free space of a disk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainer import paths
from trainer.config import TrainConfig
from trainer.surroundings import CHECKPOINTS, MODELS, WEIGHT, checkpoint_bytes, free_bytes

KEPT = 3
"""Checkpoints that stay at most: the newest two and the best."""

WRITE_RATE = 150e6
"""Bytes a second at which a checkpoint is thought to reach the disk, its checksum and fsync included."""

BEARING = (
    "data", "encoder", "batch_size", "limit", "device", "taxonomy", "max_length", "precision", "batching", "padding",
    "deterministic", "pooling", "lora_rank", "r_drop", "ema",
)  # fmt: skip
"""The settings that a measurement is good for only as they are. All others cost no time, or a time that is reckoned."""


@dataclass(frozen=True)
class Measured:
    """What timed steps told of one set of BEARING settings. Times in seconds, `memory_peak` in bytes.

    `batch_seconds` is the mean over all `batches` of an epoch, which hold `rows` rows and `tokens` tokens;
    `update_seconds` comes on top once a step. `steps` were really timed.
    """

    device: str
    precision: str
    parameters: int
    rows: int
    tokens: int
    batches: int
    batch_seconds: float
    update_seconds: float
    validation_seconds: float
    loading_seconds: float
    steps: int
    memory_peak: int | None = None
    learned: int | None = None
    """Parameters that are learned, where they are not all."""
    notes: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Measured:
        """The inverse of `dataclasses.asdict`. Raises TypeError where keys are missing."""
        known = {f.name for f in fields(cls)}
        found = {k: v for k, v in values.items() if k in known}
        return cls(**{**found, "notes": tuple(found.get("notes") or ())})


@dataclass(frozen=True)
class Forecast:
    """What a training will take. Times in seconds, sizes in bytes; `seconds` are all of it, loading included.

    `disk_needed` is what the run takes up at its largest, `disk_free` is None where the system does not say.
    """

    seconds: float
    steps: int
    epochs: int
    seconds_per_step: float
    validation_seconds: float
    examples_per_s: float
    tokens_per_s: float
    device: str
    precision: str
    checkpoint_bytes: int
    checkpoints_kept: int
    model_bytes: int
    disk_needed: int
    disk_free: int | None
    memory_peak: int | None
    steps_timed: int
    note: str | None

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True)
class Room:
    """What a training takes of the disk at its largest (bytes), of which `checkpoints` are many at most, and what is free."""

    checkpoint: int
    checkpoints: int
    model: int
    needed: int
    free: int | None

    @property
    def short(self) -> bool:
        """Whether it would not fit."""
        return self.free is not None and self.free < self.needed


def free_now() -> int | None:
    """Bytes that are free where runs are kept; None where the system does not say. Asks the file system."""
    return free_bytes(paths.runs_folder())


def room(config: TrainConfig, parameters: int, free: int | None, learned: int | None = None) -> Room:
    """The disk that a run of these settings needs, with a model of so many parameters, where so many bytes are free.

    `learned` of them are learned, if not all.
    """
    wanted = bool(config.checkpoint_steps or config.checkpoint_minutes)
    one, model = checkpoint_bytes(parameters, learned), WEIGHT * parameters
    needed = (CHECKPOINTS * one if wanted else 0) + MODELS * model
    return Room(one, KEPT if wanted else 0, model, needed, free)


def learned_at_most(config: TrainConfig, parameters: int, layers: int, width: int) -> int | None:
    """About how many of an encoder's parameters these settings learn, before it is built; None where it is all of them.

    Adapters stand beside the six linear layers of each stock layer (the feed-forward one is four times as wide), one
    layer more among them where `pooling` adds it; the head is learned whole. A checkpoint keeps AdamW's moments of these alone.
    """
    if not config.lora_rank:
        return None
    adapters = (4 * (width + width) + 2 * (width + 4 * width)) * config.lora_rank * (layers + 1)
    return min(parameters, adapters + width * (width + 64))


def bearing(config: TrainConfig) -> tuple[Any, ...]:
    """The values of BEARING: two trainings for which they are equal may share a measurement."""
    return tuple(getattr(config, name) for name in BEARING)


def forecast(config: TrainConfig, measured: Measured, free: int | None) -> Forecast:
    """What a training takes of which so much was measured, under settings that agree with it in BEARING.

    `free` are the bytes that are free on its disk.
    """
    a_step = measured.batch_seconds * config.accumulation + measured.update_seconds
    steps = config.epochs * math.ceil(measured.batches / config.accumulation)
    learning = config.epochs * measured.batches * measured.batch_seconds + steps * measured.update_seconds
    disk = room(config, measured.parameters, free, measured.learned)
    working = learning + config.epochs * (measured.validation_seconds + disk.model / WRITE_RATE)
    every = min(60 * config.checkpoint_minutes or math.inf, config.checkpoint_steps * a_step or math.inf)
    writing = working / every * disk.checkpoint / WRITE_RATE
    notes = list(measured.notes)
    if config.patience and config.patience < config.epochs:
        notes.append(f"at most: it may stop early (patience={config.patience})")
    if config.devices > 1:
        notes.append(f"as one device would take it: what {config.devices} save together was not timed")
    epoch = max(learning / config.epochs, 1e-9)
    return Forecast(
        seconds=round(measured.loading_seconds + working + writing, 2), steps=steps, epochs=config.epochs,
        seconds_per_step=round(a_step, 5), validation_seconds=round(measured.validation_seconds, 3),
        examples_per_s=round(measured.rows / epoch, 2), tokens_per_s=round(measured.tokens / epoch, 1),
        device=measured.device, precision=measured.precision, checkpoint_bytes=disk.checkpoint,
        checkpoints_kept=disk.checkpoints, model_bytes=disk.model, disk_needed=disk.needed, disk_free=disk.free,
        memory_peak=measured.memory_peak, steps_timed=measured.steps, note="; ".join(notes) or None,
    )  # fmt: skip
