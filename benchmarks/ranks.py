"""What several processes on one machine's processor save: `python -m benchmarks.ranks [--rows N] [--data PATH] [COUNT…]`.

Trains the same run with each count of processes, one after the other, in a home of its own, and prints rows a second as the
run's own events tell them, and how long a validation took.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from trainer.runs import process
from trainer.runs.plan import plan
from trainer.runs.run import ENDED, Run
from trainer.runs.tail import read_events


def main() -> int:
    """0, or 1 if a training did not finish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranks")
    parser.add_argument("counts", metavar="COUNT", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rows", type=int, default=640)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["GOEMO_HOME"] = home
        for count in options.counts:
            load = os.getloadavg()[0]
            settings = {
                "devices": count, "device": "cpu", "limit": options.rows, "epochs": 1, "batch_size": options.batch_size,
                "checkpoint_minutes": 0.0,
            }  # fmt: skip
            ready = plan(options.data, settings=settings)
            run = Run.create(ready.config, ready.record())
            process.start(run)
            while run.look().state not in ENDED:
                time.sleep(0.2)
            events = read_events(run.folder / "events.jsonl")
            if run.state != "finished":
                print(run.worker_log.read_text(), file=sys.stderr)
                return 1
            print(
                f"{count} process{'es' if count > 1 else ''}: {_speed(events)}; load before {load:.1f} on {psutil.cpu_count()} cores"
            )
            _forget(run.folder)
    return 0


def _speed(events: list[dict[str, object]]) -> str:
    steps = [e for e in events if e["kind"] == "step"]
    validation = next(e for e in events if e["kind"] == "validation")
    rates = [float(str(e["examples_per_s"])) for e in steps[1:]]
    return (
        f"{statistics.median(rates):.1f} rows/s (median of {len(rates)} events), validation {validation['seconds']} s"
    )


def _forget(folder: Path) -> None:
    for path in folder.rglob("*.safetensors"):
        path.unlink()


if __name__ == "__main__":
    sys.exit(main())
