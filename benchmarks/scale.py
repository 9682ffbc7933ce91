"""How cost grows with a corpus: `python -m benchmarks.scale --data FOLDER [--times 1 10 100]`, a table of times and memory.

The corpus is repeated with noise; each size is opened, filtered, sorted and cut into tokens in a process of its own; then a training
and a scoring of it begin (`scale_runs`), and are left once their pace is known.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TOKENIZED = 50_000
"""Comments that are cut into tokens at each size; the figure is that of all, were they cut at this rate."""

FILTERS = {"filter: a word": "happy", "filter: a pattern": "/h[aeiou]ppy/", "filter: label and word": "label:joy happy"}


def main() -> int:
    """Measure each size in turn and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--data", default="sample", help="corpus with a train split")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100], help="how often it is repeated")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--only-runs", action="store_true", help="only the training and the scoring")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one)))
        return 0
    found = []
    for times in options.times:
        with tempfile.TemporaryDirectory() as folder:
            repeated(options.data, times, Path(folder))
            modules = ("scale_runs",) if options.only_runs else ("scale", "scale_runs")
            told = [_told(f"benchmarks.{module}", folder) for module in modules]
            found.append({**told[0], "steps": {name: step for one in told for name, step in one["steps"].items()}})
    Console(width=100).print(table_of(found))
    return 0


def _told(module: str, folder: str) -> dict[str, Any]:
    run = [sys.executable, "-m", module, "--one", folder]
    told: dict[str, Any] = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return told


def repeated(data: str, times: int, into: Path) -> None:
    """Write the corpus `times` over, in every copy but the first with a word of its own in each comment."""
    from trainer.corpus import load_corpus

    corpus, draw = load_corpus(data), random.Random(0)
    (into / "emotions.txt").write_text("\n".join(corpus.labels.names) + "\n", encoding="utf-8")
    for name, split in corpus.splits.items():
        rows = [
            (" ".join(text.split()), ",".join(map(str, labels)), row_id)
            for text, labels, row_id in zip(split.text, split.labels, split.ids, strict=True)
        ]
        words = [text.rsplit(" ", 1)[-1] for text, _, _ in rows]
        with (into / f"{name}.tsv").open("w", encoding="utf-8") as out:
            for copy in range(times):
                for text, labels, row_id in rows:
                    noise = f" {draw.choice(words)} {draw.randrange(1_000_000)}" if copy else ""
                    out.write(f"{text}{noise}\t{labels}\t{row_id}{copy or ''}\n")


def measured(folder: str) -> dict[str, Any]:
    """Seconds of each step over the corpus in `folder`, and the peak of the process's memory in MB after it."""
    from goemo_tui.services.corpus import answer
    from goemo_tui.services.corpus_loader import find_tokenizer, open_corpus
    from trainer.corpus.stats import repeated as duplicates

    steps: dict[str, tuple[float, int]] = {}

    def step(name: str, what: Callable[[], Any], share: float = 1.0) -> Any:
        began = time.perf_counter()
        result = what()
        steps[name] = ((time.perf_counter() - began) / share, _peak())
        return result

    opened = step("open", lambda: open_corpus(folder, "minilm"))
    columns = opened.splits["train"]
    for name, line in FILTERS.items():
        step(name, partial(answer, columns, line, None))
    step("sort by comment", lambda: answer(columns, "", (1, False)))
    step("sort by emotions", lambda: answer(columns, "", (2, False)))
    step("duplicates", lambda: duplicates(opened.corpus.splits))
    few = min(len(columns), TOKENIZED)
    tokenizer = find_tokenizer("minilm").tokenizer
    step("tokens", lambda: _tokens(columns.split.text[:few], tokenizer), few / len(columns))
    return {"rows": sum(len(s) for s in opened.splits.values()), "bytes": size_of(folder), "steps": steps}


def size_of(folder: str) -> int:
    """Bytes of the corpus in `folder`."""
    return sum(file.stat().st_size for file in Path(folder).iterdir())


def _tokens(texts: Any, tokenizer: Any) -> None:
    from trainer.corpus.tokens import tokenize

    tokenize(texts, tokenizer, 128)


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def table_of(found: list[dict[str, Any]]) -> Table:
    """A column for each size; each cell with how much more it is than the column before."""
    table = Table(title=f"what a corpus costs, {os.cpu_count()} cores (peak of memory so far)")
    table.add_column("")
    for size in found:
        table.add_column(f"{size['rows']:,} rows\n{size['bytes'] / 1e6:,.0f} MB", justify="right")
    for name in found[0]["steps"]:
        cells = []
        for size in found:
            seconds, peak = size["steps"][name]
            cells.append(f"{seconds:,.2f} s  {peak:,} MB")
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    sys.exit(main())
