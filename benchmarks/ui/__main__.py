"""Measure every part and print the table. The exit code is 1 where something could not be measured, or misses and
`--strict` was asked for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import ui
from benchmarks.budgets import Figure, document, load, machine, print_table
from benchmarks.comments import make_corpus, real_corpus
from benchmarks.screen import NotSeenError
from benchmarks.ui.asking import asking
from benchmarks.ui.bench import Bench
from benchmarks.ui.filtering import filtering
from benchmarks.ui.quitting import quitting
from benchmarks.ui.resting import idling, memory
from benchmarks.ui.starting import opening, starting
from benchmarks.ui.watching import watching

Part = Callable[[Bench], Iterator[Figure]]
PARTS: dict[str, Part] = {
    part.__name__: part for part in (starting, opening, filtering, asking, watching, idling, memory, quitting)
}
NEED_MODEL = ("asking", "idling", "memory", "quitting")


def measure(bench: Bench, parts: Sequence[str], talk: Console) -> list[Figure]:
    """Every part; one that fails is a figure that says so, and the others go on."""
    figures: list[Figure] = []
    for name in parts:
        talk.print(f"{name} … (load {load()})", markup=False, highlight=False)
        try:
            figures += PARTS[name](bench)
        except (NotSeenError, OSError, subprocess.SubprocessError) as error:
            figures.append(Figure(f"{name}: not measured", None, "", 0, str(error)))
    return figures


def make_model(home: Path) -> None:
    """A run of the bundled encoder on a few rows: its speed is that of any other."""
    words = ["--home", str(home), "train", "--set", "limit=64", "--set", "epochs=1"]
    subprocess.run([sys.executable, "-m", "goemo_tui", *words], check=True, capture_output=True)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description=ui.__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a budget is missed")
    parser.add_argument("--real", action="store_true", help="watch a real training as well")
    parser.add_argument("--home", metavar="DIR", type=Path, help="a home whose model is asked (it is copied)")
    parser.add_argument("--corpus", metavar="DIR", type=Path, help="train.tsv, dev.tsv and test.tsv (GoEmotions)")
    parser.add_argument("--only", metavar="PARTS", default=",".join(PARTS), help="some of %(default)s")
    parser.add_argument("--starts", type=int, default=7, help="starts of which the median is taken (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a run is watched (%(default)s)")
    options = parser.parse_args(arguments)
    options.parts = options.only.split(",")
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = options_of(arguments)
    talk, before = Console(stderr=True), load()
    with tempfile.TemporaryDirectory(prefix="goemo-bench-", ignore_cleanup_errors=True) as scratch:
        home = Path(scratch) / "home"
        corpus: Path | None = options.corpus or real_corpus()
        named = str(corpus.name) if corpus else "made-up comments"
        if options.home:
            shutil.copytree(options.home, home, ignore=shutil.ignore_patterns("checkpoints"))
        elif any(part in NEED_MODEL for part in options.parts):
            talk.print("training a model to ask …")
            make_model(home)
        bench = Bench(
            home, corpus or make_corpus(Path(scratch) / "comments"), options.starts, options.seconds, options.real
        )
        figures = measure(bench, options.parts, talk)
    if options.json:
        print(json.dumps(document(figures, before, named)))
    else:
        console = Console(width=max(120, Console().width))
        console.print(f"{machine()}\nload {before} before, {load()} after · {named} · 120x36, xterm-256color")
        print_table(figures, console)
    if any(one.value is None for one in figures):
        return 1
    return int(options.strict and any(one.verdict == "MISSES" for one in figures))


if __name__ == "__main__":
    sys.exit(main())
