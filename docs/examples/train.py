"""Train in this process: watch each event, and end it early without losing what was learned.

python docs/examples/train.py [key=value ...]        such as limit=200 epochs=1
"""

from __future__ import annotations

import sys
from typing import Any

from trainer import TrainResult, train
from trainer.errors import GoemoError

OFTEN = 10
"""A line is printed every so many steps."""


class Watch:
    """An observer that prints, and a stop that says so once the loss is low enough."""

    def __init__(self, enough: float = 0.0) -> None:
        self.enough = enough
        self.loss = float("inf")

    def __call__(self, event: dict[str, Any]) -> None:
        """One event of the run: what is appended to its events.jsonl."""
        if event["kind"] == "step":
            self.loss = event["loss"]
            if event["step"] % OFTEN == 0:
                print(f"step {event['step']:>5}  loss {event['loss']:.4f}  {event['examples_per_s']:.0f} rows/s")
        elif event["kind"] == "validation":
            print(f"epoch {event['epoch']}  dev macro-F1 {event['macro_f1']:.3f}")
        elif event["kind"] == "warning":
            print(event["text"])

    def stop(self) -> bool:
        """Asked after each step; once true, a checkpoint is written and the training ends."""
        return self.loss < self.enough


def main(*pairs: str) -> TrainResult:
    """Train on the sample corpus with settings such as epochs=1."""
    settings = dict(pair.split("=", 1) for pair in pairs)
    watch = Watch(enough=0.02)
    result = train("sample", observer=watch, stop=watch.stop, **settings)
    print(f"{result.run} {result.state}, model in {result.model}")
    return result


if __name__ == "__main__":
    if not all("=" in pair for pair in sys.argv[1:]):
        sys.exit("usage: python docs/examples/train.py [key=value ...]")
    try:
        main(*sys.argv[1:])
    except GoemoError as error:
        sys.exit(str(error))
