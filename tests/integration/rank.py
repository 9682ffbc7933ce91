"""One rank of a training of a tiny encoder, as torchrun starts it, with something done to it first; a program of the tests.

`python -m torch.distributed.run … rank.py WHAT RUN_FOLDER`. What it is to do stands in `main`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trainer.__main__ import main as train
from trainer.learn.optimizer import AdamW
from trainer.learn.step import Steps
from trainer.runs.run import Run
from trainer.runs.torchrun import leave, place

WINDOWS = ([16], [15], [1], [16, 7, 2], [3, 1])
"""Rows of each batch of a window; some divide by two, one leaves a rank without a row."""


def gradients(folder: Path) -> None:
    """The gradients of each of WINDOWS without dropout, as each rank has them, into `gradients-RANK.safetensors`."""
    import numpy as np
    from safetensors.torch import save_file

    from trainer.learn import loop
    from trainer.learn.ranks import joined
    from trainer.learn.work import prepare

    here, found = place(), {}
    with joined(here, "cpu") as ranks:
        task = prepare(Run.open(folder), lambda: False, first=ranks.first)[0]
        training = loop._ready(task, torch.device("cpu"), "fp32", task.before, ranks)[0]
        training.model.train()
        for module in training.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for number, sizes in enumerate(WINDOWS):
            ends = np.cumsum(sizes)
            window = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
            loss = training.gradients(window, lambda: False)[0]
            found[f"{number}.loss"] = ranks.add_gradients(training.learned, loss).reshape(1)
            for name, p in training.model.named_parameters():
                if p.grad is not None:
                    found[f"{number}.{name}"] = p.grad.clone()
                p.grad = None
    save_file({k: v.contiguous() for k, v in found.items()}, folder / f"gradients-{here.size}-{here.rank}.safetensors")


def once(at: int, what: Callable[[], Any], owner: type, name: str) -> None:
    """Do something at the `at`-th call of a method, before it, on the second rank alone."""
    real, calls = getattr(owner, name), [0]

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == at:
            what()
        return real(self, *arguments, **named)

    if place().rank == 1:
        setattr(owner, name, call)


def short() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def main() -> int:
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "gradients":
        gradients(folder)
        return 0
    if what == "short":  # in the middle of the gradients of step 4
        once(4, short, Steps, "loss")
    elif what == "short-update":
        once(4, short, AdamW, "step")
    elif what == "stop":
        once(4, lambda: os.kill(os.getpid(), signal.SIGTERM), Steps, "gradients")
    elif what == "blind" and place().rank == 1:
        os.environ["HF_HOME"] = os.environ["GOEMO_HOME"] = "/nowhere"
        Run.config = property(lambda self: (_ for _ in ()).throw(AssertionError))  # type: ignore[assignment, method-assign]
    return train([str(folder)])


if __name__ == "__main__":
    leave(main())
