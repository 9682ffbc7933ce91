"""The trainings that are tortured: small, and each with another way of counting rows, windows, epochs and checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.runs.plan import plan
from trainer.runs.run import Run

COMMON: dict[str, Any] = {
    "head_init": "random", "checkpoint_minutes": 0, "max_length": 32,
    "lr": 5e-4, "head_lr": 0.03, "warmup": 0.5, "weight_decay": 0,
}  # fmt: skip
"""A random head learns through dropout, so that a generator in another state shows; steps alone decide on checkpoints.

With these rates later epochs are better ones, so that the model that is kept knows of all that went before it.
"""


@dataclass(frozen=True)
class Variant:
    """A name for the table, and the settings beside the common ones."""

    name: str
    settings: dict[str, Any]

    def create(self, encoder: Path) -> Run:
        """A new run of it on the sample corpus."""
        ready = plan("sample", str(encoder), "goemo", {**COMMON, **self.settings})
        return Run.create(ready.config, ready.record())


# Most have checkpoints that never fall on the end of an epoch, where a resume is easy; "bf16" has some there.
VARIANTS = (
    Variant("plain", {"seed": 1, "limit": 400, "batch_size": 8, "epochs": 4, "checkpoint_steps": 7}),
    Variant(
        "windows of 2, the last ragged",
        {"seed": 2, "limit": 298, "batch_size": 4, "accumulation": 2, "epochs": 4, "checkpoint_steps": 5},
    ),
    Variant(
        "early stopping",
        {
            "seed": 4, "limit": 160, "batch_size": 4, "epochs": 40, "checkpoint_steps": 7, "patience": 2, "lr": 1e-3,
            "warmup": 0.02,
        },
    ),
    Variant(
        "windows of 3, shuffled",
        {
            "seed": 3, "limit": 250, "batch_size": 3, "accumulation": 3, "epochs": 5, "checkpoint_steps": 3,
            "batching": "shuffled",
        },
    ),
    Variant(
        "bf16, cosine, no clipping",
        {
            "seed": 5, "limit": 320, "batch_size": 8, "epochs": 4, "checkpoint_steps": 5, "precision": "bf16",
            "scheduler": "cosine", "clip": 0,
        },
    ),
    Variant(
        "like the notebook, windows of 2",
        {
            "seed": 6, "limit": 260, "batch_size": 4, "accumulation": 2, "epochs": 4, "checkpoint_steps": 6,
            "batching": "shuffled", "padding": "max_length", "scheduler": "constant", "warmup": 0, "clip": 0,
            "threshold": 0.3,
        },
    ),
)  # fmt: skip
