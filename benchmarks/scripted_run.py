"""`python -m benchmarks.scripted_run [PER_SECOND [STEPS [BEFORE]]]`: a run that tells a training's story at a real pace.

It holds the lock and appends events as a worker does and learns nothing, so that what a screen costs can be measured
without a training beside it. Ends by itself, by SIGTERM, or with the process that started it.
"""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time

from trainer.config import TrainConfig
from trainer.labels import EMOTIONS
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

EPOCHS = 3


def epoch_of(n: int, steps: int) -> int:
    """The epoch of a step, counted from 1."""
    return min(EPOCHS, n * EPOCHS // steps + 1)


def step(log: EventLog, n: int, steps: int, chance: random.Random) -> None:
    """One step event as the worker writes it."""
    speed = 100.0 + chance.uniform(-3, 3)
    log.append(
        "step", step=n, epoch=epoch_of(n, steps), loss=0.07 + 0.6 * math.exp(-n / 200) * chance.uniform(0.8, 1.2),
        lr=2e-4 * (1 - n / steps), grad_norm=chance.uniform(0.4, 1.1), examples_per_s=speed,
        tokens_per_s=speed * 20, eta_s=(steps - n) * 32 / speed,
    )  # fmt: skip


def validation(log: EventLog, n: int, epoch: int) -> None:
    """The end of an epoch."""
    f1 = 0.3 + 0.2 * (1 - math.exp(-epoch))
    per_label = {
        name: {"precision": f1, "recall": f1, "f1": f1, "support": 100 + i, "threshold": 0.3}
        for i, name in enumerate(EMOTIONS)
    }
    log.append(
        "validation", step=n, epoch=epoch, loss=0.09, train_loss=0.08, macro_f1=f1, micro_f1=f1 + 0.1,
        weighted_f1=f1 + 0.09, per_label=per_label, diagnosis="fits well", best=True, **{"macro_f1_at_0.3": f1},
    )  # fmt: skip


def main(per_second: float = 10.0, steps: int = 4000, before: int = 1500) -> int:
    """Tell `before` steps at once, then the rest at `per_second`. Prints the run's id once it lives."""
    chance = random.Random(0)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    parent = os.getppid()
    run = Run.create(TrainConfig(epochs=EPOCHS))
    with RunLock(run.folder, signals=True), EventLog(run.folder / LOG) as log:
        log.append(
            "started", step=0, steps=steps, epochs=EPOCHS, rows={"train": steps * 32 // EPOCHS, "dev": 5426},
            device="cpu", parameters=22_700_000, pid=os.getpid(),
        )  # fmt: skip
        for n in range(1, steps + 1):
            step(log, n, steps, chance)
            if n * EPOCHS % steps == 0:
                validation(log, n, n * EPOCHS // steps)
            if n == before:
                print(run.id, flush=True)
            if n >= before:
                time.sleep(1 / per_second)
            if asked or os.getppid() != parent:
                log.append("stopped", step=n, epoch=epoch_of(n, steps))
                return 0
        log.append("finished", step=steps, epoch=EPOCHS, seconds=steps / per_second, reason=None)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(kind(word) for kind, word in zip((float, int, int), sys.argv[1:], strict=False))))
