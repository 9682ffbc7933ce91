"""`make bench`: loading, starting, training, predicting and what is learned, each beside what it is compared with, in ten minutes.

Ratios are medians over interleaved repeats; single times on a shared machine say little. Each run adds its rows to RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.clock import interleaved, process
from benchmarks.machine import fast_bf16, place, this_machine
from benchmarks.results import Measured, append

FEW, EPOCHS = 1_120, 4
"""Rows and epochs of the trainings that are compared in what they learn: the sample's train split."""

Part = Callable[[str], list[Measured]]
"""Measures something with the corpus of that name or folder."""


def starting(_: str) -> list[Measured]:
    """The command line and the app's imports against a bare interpreter and against importing torch."""
    bare, version, app, torch = interleaved(
        process("-c", "pass"),
        process("-m", "goemo_tui", "--version"),
        process("-c", "import goemo_tui.app"),
        process("-c", "import torch"),
    )
    return [
        Measured("goemo-tui --version", f"{version:.2f} s", f"{version / bare:.1f}x a bare interpreter"),
        Measured("imports of the app", f"{app:.2f} s", f"{app / torch:.2f}x importing torch"),
    ]


def loading(corpus: str) -> list[Measured]:
    """Reading a corpus against reading its bytes as lines."""
    from trainer import load_corpus

    files = [s.file for s in load_corpus(corpus).splits.values() if s.file]
    ours, lines = interleaved(lambda: load_corpus(corpus), lambda: [f.read_bytes().split(b"\n") for f in files])
    rows = sum(len(s.text) for s in load_corpus(corpus).splits.values())
    return [Measured(f"load {rows:,} rows", f"{ours:.3f} s", f"{ours / lines:.0f}x splitting the bytes into lines")]


def beginning(corpus: str) -> list[Measured]:
    """From the command to the first step of a training, and comments into tokens."""
    from benchmarks.beginning import beginning

    return beginning(corpus)


def training(corpus: str) -> list[Measured]:
    """The program's own steps beside those of the classic notebook and of transformers' Trainer."""
    from benchmarks.training import as_workers

    return as_workers(corpus)


def predicting(_: str) -> list[Measured]:
    """One comment at a time, warm, by each way of computing it."""
    from benchmarks.predicting import predicting

    return predicting()


def scoring(corpus: str) -> list[Measured]:
    """A file of comments through the starter, beside the same model in transformers' pipeline."""
    from benchmarks.predicting import scoring

    return scoring(corpus)


def watching(_: str) -> list[Measured]:
    """What it costs a training that the app watches it."""
    from benchmarks.watched import watched

    return watched()


def quality(corpus: str) -> list[Measured]:
    """The recipe `goemo` beside the one before adapters and mean pooling, on a few rows; benchmarks/QUALITY.md has all."""
    from benchmarks.quality.recipes import RECIPES
    from trainer import train

    def learned(**settings: Any) -> tuple[float, float]:
        began = time.perf_counter()
        result = train(corpus, limit=FEW, epochs=EPOCHS, checkpoint_minutes=0.0, **settings)
        return float(result.validation["macro_f1"]), time.perf_counter() - began

    with tempfile.TemporaryDirectory() as home:
        os.environ["GOEMO_HOME"] = home
        stock, stock_seconds = learned(**{k: v for k, v in RECIPES["stock"].settings.items() if k != "epochs"})
        ours, ours_seconds = learned()
    return [
        Measured(
            f"dev macro-F1 after {EPOCHS} epochs of {FEW:,} rows",
            f"{ours:.3f}",
            f"{ours - stock:+.3f} to the stock head's {stock:.3f}, in {ours_seconds / stock_seconds:.2f}x its time",
            place(),
        )
    ]


def equality(corpus: str) -> list[Measured]:
    """What the program's own loop learns beside transformers' Trainer, from the same weights and comments."""
    from benchmarks.equality import equality

    return equality(corpus)


def whole(corpus: str) -> list[Measured]:
    """From the command to the saved model, which is what one waits for on a GPU."""
    from benchmarks.whole import whole

    return whole(corpus)


PARTS: dict[str, Part] = {
    part.__name__: part
    for part in (starting, loading, beginning, training, watching, predicting, scoring, quality, equality, whole)
}
LONG = ("equality", "whole")
"""What takes long, or says little without a GPU, and is measured only where `--only` names it."""


def usual_parts() -> list[str]:
    """All that ten minutes are enough for: without fast bf16, two trainings to their end take longer than all else."""
    usual = [name for name in PARTS if name not in LONG]
    if fast_bf16():
        return usual
    print("without fast bf16 quality is left out: --only quality measures it", file=sys.stderr)
    return [name for name in usual if name != "quality"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and add what was measured to `benchmarks/RESULTS.md`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only; benchmarks/RESULTS.md stays as it is")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args(arguments)
    corpus = os.environ.get("GOEMO_TEST_CORPUS", "sample")
    machine, console = this_machine(Path(corpus).name), Console()
    told = f"{machine.date} · {machine.commit or 'no commit'}"
    console.print(f"{machine}\n{told}", markup=False, highlight=False)
    found: list[Measured] = []
    for name in options.only or usual_parts():
        print(f"{name} …", file=sys.stderr)
        found += PARTS[name](corpus)
    table = Table("what", "here", "compared in the same run")
    for one in found:
        table.add_row(*(escape(text) for text in (one.what, one.figure, one.beside)))
    console.print(table)
    if not options.no_write:
        append(found, machine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
