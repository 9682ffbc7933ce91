"""A whole training of a model of DistilBERT's size, from the command to the saved model: what one waits for on a GPU.

Random weights over the bundled vocabulary, all of them learned, three epochs of the corpus. Without a GPU a few comments and one epoch
stand for it, since the whole would take an hour.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.command import goemo
from benchmarks.machine import place
from benchmarks.results import Measured
from benchmarks.training import random_distilbert
from trainer.encoders import find_encoder

FEW = 512


def whole(corpus: str) -> list[Measured]:
    """Seconds from the command, and from the first step, to the end; and the memory that it took on a GPU."""
    from trainer.runs.events import LOG
    from trainer.runs.tail import read_events

    short = place() == "CPU"
    size = ("--set", f"limit={FEW}", "--set", "epochs=1") if short else ("--set", "epochs=3")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        encoder = random_distilbert(Path(home) / "encoder", find_encoder("minilm").folder)
        began = time.time()
        run = goemo(home, "train", "--detach", "--data", corpus, "--encoder", str(encoder), *size)
        goemo(home, "runs", "attach", run)
        events = read_events(Path(home) / "runs" / run / LOG)
    by_kind = {event["kind"]: event for event in events}
    started, finished = by_kind["started"], by_kind["finished"]
    taken, learned = finished["wall"] - began, finished["wall"] - started["wall"]
    memory = finished.get("memory_peak")
    rows, epochs = (
        f"{FEW:,} rows" if short else "all rows",
        f"{started['epochs']} epoch{'s' if started['epochs'] > 1 else ''}",
    )
    return [
        Measured(
            f"train {rows} of {Path(corpus).name}, {epochs}, DistilBERT's size: from the command to the saved model",
            f"{taken:.1f} s",
            f"{learned:.1f} s of them from the first step on, dev scored after each epoch"
            + (f"; {memory / 1e9:.2f} GB on the GPU at most" if memory else ""),
            place(),
        )
    ]
