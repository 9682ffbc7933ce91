"""Stop a training, take it up again, and read its story from the run's folder, as any other process may.

python docs/examples/resume.py [key=value ...]
"""

from __future__ import annotations

import sys
from typing import Any

from trainer import Run, TrainResult, resume, train
from trainer.errors import GoemoError


def main(*pairs: str) -> TrainResult:
    """Train for five steps, with a checkpoint at the fifth, stop, go on to the end, and print what the run's folder tells of both."""
    settings = {"checkpoint_steps": "5", **dict(pair.split("=", 1) for pair in pairs)}
    steps = [0]

    def count(event: dict[str, Any]) -> None:
        if event["kind"] == "step":
            steps.append(event["step"])

    stopped = train("sample", observer=count, stop=lambda: steps[-1] >= 5, **settings)
    print(f"{stopped.run} {stopped.state} after step {steps[-1]}")

    finished = resume(stopped.run)
    run = Run.open(finished.run)
    told = run.snapshot()  # the same from another process, also while it trains
    print(f"{run.short} {run.state}: step {told.step} of {told.steps}, losses of {len(told.curve)} steps")
    for validation in told.validations:
        print(f"  epoch {validation['epoch']}  dev macro-F1 {validation['macro_f1']:.3f}")
    return finished


if __name__ == "__main__":
    if not all("=" in pair for pair in sys.argv[1:]):
        sys.exit("usage: python docs/examples/resume.py [key=value ...]")
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
