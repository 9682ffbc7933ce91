"""What the best epoch said of each comment of dev, kept beside the model: which comments it got wrong can be asked later.

Written by the worker at each better epoch, read by terminal and commands without torch. It can be lost without harm.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

NAME = "dev_scores.safetensors"


@dataclass(frozen=True)
class DevScores:
    """`probabilities` (n, labels) in 0..1, float32, in the order of the split's rows and of `labels`.

    `thresholds` (labels) are those that the model of `epoch` carries. `sha256` is the dev split's fingerprint.
    """

    probabilities: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    thresholds: npt.NDArray[np.float32]
    epoch: int
    sha256: str
    way: str = "per_label"
    """How thresholds are fitted in this run: one of `trainer.model.thresholds.WAYS`."""


def write_dev_scores(folder: Path, scores: DevScores) -> Path:
    """Put `scores` into a run's folder, whole or not at all. Raises OSError."""
    about = {
        "labels": json.dumps(scores.labels),
        "epoch": str(scores.epoch),
        "sha256": scores.sha256,
        "way": scores.way,
    }
    data = save({"probabilities": scores.probabilities, "thresholds": scores.thresholds}, about)
    fresh = folder / f".{NAME}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    fresh.replace(folder / NAME)
    return folder / NAME


def read_dev_scores(folder: Path) -> DevScores | None:
    """The scores in a run's folder; None where there are none that can be read."""
    try:
        with safe_open(folder / NAME, framework="numpy") as file:
            about: dict[str, str] = file.metadata() or {}
            probabilities, thresholds = file.get_tensor("probabilities"), file.get_tensor("thresholds")
        labels: Any = json.loads(about["labels"])
        epoch = int(about["epoch"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    names = tuple(str(name) for name in labels) if isinstance(labels, list) else ()
    if probabilities.ndim != 2 or probabilities.shape[1] != len(names) or thresholds.shape != (len(names),):
        return None
    return DevScores(
        probabilities.astype(np.float32),
        names,
        thresholds.astype(np.float32),
        epoch,
        about.get("sha256", ""),
        about.get("way", "per_label"),
    )
