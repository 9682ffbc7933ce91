"""Runs for pictures: invented from start to end, every number from a formula, so that they are the same on every machine."""

from __future__ import annotations

import math
import tomllib
import zlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
import tomli_w

from trainer.config import TrainConfig
from trainer.corpus import load_corpus
from trainer.labels import EMOTIONS
from trainer.runs.dev_scores import DevScores, write_dev_scores
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import CONFIG, Run

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC).timestamp()
"""The time at which all pictures are taken, in unix seconds."""

STEPS = 35
"""Of an epoch of the sample."""


def chance(*names: object) -> float:
    """0..1, always the same for the same names."""
    return zlib.crc32(" ".join(map(str, names)).encode()) / 2**32


def created(name: str, age: float, seed: int, **settings: Any) -> Run:
    """An empty run that is `age` seconds old and is called `name`."""
    corpus = load_corpus("sample")
    record = {"corpus": {"path": "/data/sample", "sha256": dict(corpus.fingerprint)}}
    run = Run.create(TrainConfig(seed=seed, **settings), record)
    when = datetime.fromtimestamp(NOW - age, UTC)
    text = tomllib.loads((run.folder / CONFIG).read_text("utf-8")) | {"created": when}
    (run.folder / CONFIG).write_text(tomli_w.dumps(text), "utf-8")
    return Run(run.folder.rename(run.folder.with_name(f"{when:%Y%m%d-%H%M}-{name}")))


def tell(run: Run, age: float, steps: int, best: float, end: dict[str, Any] | None, loud: float = 1.0) -> None:
    """The story of `steps` steps: a loss that falls, a score after each epoch that comes near to `best`, and an end."""
    config, total = run.config, STEPS * run.config.epochs
    clock = _Clock(NOW - age)
    log = EventLog(run.folder / "events.jsonl", clock=clock, mono=clock)
    log.append(
        "started", steps=total, epochs=config.epochs, rows={"train": 1120, "dev": 280}, encoder="minilm",
        parameters=22_723_996, device="cpu", precision="bf16", batch_size=config.batch_size, labels=list(EMOTIONS),
        halvings=0, split=1, pid=4242,
    )  # fmt: skip
    for step in range(1, steps + 1):
        clock.now += 0.4
        warm = 0.06 * total
        lr = config.lr * (step / warm if step < warm else (total - step) / (total - warm))
        noise = loud * 0.02 * (chance(run.id, step) - 0.5)
        log.append(
            "step", step=step, epoch=1 + (step - 1) // STEPS, loss=_loss(step) + noise, lr=lr,
            grad_norm=0.3 + 0.4 * math.exp(-step / 20) + 0.1 * chance("grad", step),
            examples_per_s=92.0 + 8 * chance("rate", step), tokens_per_s=2050.0 + 90 * chance("tokens", step),
            eta_s=max(0.0, 0.45 * (total - step)),
        )  # fmt: skip
        if step % STEPS == 0:
            clock.now += 1.5
            _validate(log, run.id, step // STEPS, step, best * (1 - math.exp(-step / 60)))
    clock.now += 0.5
    if end is not None:
        log.append(
            str(end["kind"]), step=steps, epoch=math.ceil(steps / STEPS), **{k: end[k] for k in end if k != "kind"}
        )
    log.close()


def finished(name: str, age: float, best: float, seed: int, **settings: Any) -> Run:
    """A run that came to its end, with what it said of each comment of dev."""
    run = created(name, age, seed, **settings)
    epochs = run.config.epochs
    with RunLock(run.folder):
        end = {"kind": "finished", "seconds": 14.5 * epochs, "best_epoch": epochs, "macro_f1": best, "reason": None}
        tell(run, age, STEPS * epochs, best, end)
    _score(run, best)
    return run


def failed(name: str, age: float) -> Run:
    """A run whose loss went away."""
    run = created(name, age, 3, lr=0.02)
    with RunLock(run.folder):
        error = "the loss is not a number any more at step 21. A lower lr helps, or more warmup"
        tell(run, age, 20, 0.1, {"kind": "failed", "error": error, "reason": "nan"}, loud=4.0)
    return run


def _loss(step: float) -> float:
    return 0.085 + 0.09 * math.exp(-step / 45)


def _validate(log: EventLog, seed: str, epoch: int, step: int, macro: float) -> None:
    per_label = {}
    for name in EMOTIONS:
        precision = min(0.98, max(0.02, macro + 0.5 * (chance(seed, "p", name) - 0.5)))
        recall = min(0.98, max(0.02, macro + 0.5 * (chance(seed, "r", name) - 0.5)))
        f1 = 2 * precision * recall / (precision + recall)
        threshold = round(0.1 + 0.4 * chance(seed, "t", name), 4)
        per_label[name] = {
            "precision": precision, "recall": recall, "f1": f1, "support": 10 + int(20 * chance("n", name)),
            "threshold": threshold,
        }  # fmt: skip
    log.append(
        "validation", step=step, epoch=epoch, train_loss=_loss(step), loss=_loss(step) + 0.008, macro_f1=macro,
        micro_f1=macro + 0.04, weighted_f1=macro + 0.02, per_label=per_label, seconds=1.5, best=True,
        diagnosis="still learning" if epoch < 3 else "fits well", **{"macro_f1_at_0.3": macro - 0.05},
    )  # fmt: skip


def _score(run: Run, best: float) -> None:
    corpus = load_corpus("sample")
    rows = corpus.splits["dev"].labels
    p = np.zeros((len(rows), len(EMOTIONS)), np.float32)
    for row, own in enumerate(rows):
        for index, name in enumerate(EMOTIONS):
            right = chance(run.id, row, name, "right") < best + 0.05
            p[row, index] = (0.35 + 0.6 * chance(row, name)) if (index in own) == right and (
                index in own or chance(row, name, "odd") < 0.06
            ) else 0.2 * chance(row, name)  # fmt: skip
    limits = np.full(len(EMOTIONS), 0.3, np.float32)
    write_dev_scores(run.folder, DevScores(p, EMOTIONS, limits, run.config.epochs, corpus.fingerprint["dev"]))


class _Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
