"""What it costs that a training cannot be lost: steps a second with events and checkpoints, and without, in one run.

`python -m benchmarks.durability --data PATH` trains the bundled encoder and switches every few seconds between writing
everything down, as a real run does, and writing nothing, so that whatever else goes on here slows both alike.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from typing import Any

WRITING, SILENT = 20.0, 10.0
"""Seconds of each kind before the other comes."""


@dataclass
class Tally:
    """Steps and seconds of one kind."""

    steps: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / max(self.seconds, 1e-9)


def measure(data: str, checkpoints: int, minutes: float, writing: float, silent: float) -> None:
    """Train until `checkpoints` were written, one every `minutes` of the writing time, and print the comparison."""
    from trainer.learn import saving, training
    from trainer.learn.loop import learn
    from trainer.learn.saving import Saver
    from trainer.learn.work import prepare
    from trainer.model.batches import steps_per_epoch
    from trainer.runs.events import LOG, EventLog
    from trainer.runs.plan import plan
    from trainer.runs.run import Run

    ready = plan(data, settings={"epochs": 1000, "checkpoint_minutes": minutes})
    run = Run.create(ready.config, ready.record())
    task, _ = prepare(run, lambda: False)
    each = steps_per_epoch(len(task.train.truth), ready.config.batch_size, ready.config.accumulation)
    tally = {True: Tally(), False: Tally()}
    now: dict[str, Any] = {"writes": False, "since": time.monotonic(), "last": None, "written": 0, "saved_at": 0.0}
    usual, saving.BEST_SHARE = training.BETWEEN_STEP_EVENTS, 0.0

    def switch() -> None:
        now["writes"], now["since"] = not now["writes"], time.monotonic()
        training.BETWEEN_STEP_EVENTS = usual if now["writes"] else float("inf")

    def stop() -> bool:
        """Asked once before each step: what passed since the last time belongs to the kind at hand."""
        at = time.monotonic()
        if now["last"] is not None:
            kind = tally[now["writes"]]
            kind.steps, kind.seconds = kind.steps + 1, kind.seconds + at - now["last"]
        now["last"] = at
        if at - now["since"] >= (writing if now["writes"] else silent):
            switch()
        return bool(now["written"] >= checkpoints and not now["writes"])

    def due(self: Saver, step: int, at: float) -> bool:
        spent = tally[True].seconds
        last = step % each == 0  # that checkpoint would come behind a validation, which is no step
        return bool(now["writes"]) and not last and spent - now["saved_at"] >= 60 * minutes

    Saver.due = due  # type: ignore[method-assign,assignment]
    times, events = [], 0
    with EventLog(run.folder / LOG) as log:
        for kind, fields in learn(task, stop):
            if kind == "validation":
                now["last"] = None  # the time of a validation is neither's
            log.append(kind, **fields)
            events += 1
            if kind == "checkpoint" and now["writes"]:
                now["written"], now["saved_at"] = now["written"] + 1, tally[True].seconds
                times.append(fields["seconds"])
                print(
                    f"checkpoint {now['written']}: {fields['bytes'] / 1e6:.0f} MB in {fields['seconds']:.2f} s",
                    flush=True,
                )
    on, off = tally[True], tally[False]
    print(f"without  {off.rate:.3f} steps/s  ({off.steps} steps in {off.seconds:.0f} s)")
    print(
        f"with     {on.rate:.3f} steps/s  ({on.steps} steps in {on.seconds:.0f} s, {events} events, {len(times)} checkpoints)"
    )
    print(
        f"cost     {100 * (1 - on.rate / off.rate):+.2f}%  (of which checkpoints {100 * sum(times) / on.seconds:.2f}%)"
    )


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--data", default="sample", help="the corpus (default: sample)")
    parser.add_argument("--checkpoints", type=int, default=6, help="how many are written (default: 6)")
    parser.add_argument("--minutes", type=float, default=2.0, help="of writing time between two (default: 2, as usual)")
    parser.add_argument("--blocks", type=float, nargs=2, default=(WRITING, SILENT), help="seconds with and without")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goemo-") as home:
        os.environ["GOEMO_HOME"] = home
        measure(args.data, args.checkpoints, args.minutes, *args.blocks)


if __name__ == "__main__":
    main()
