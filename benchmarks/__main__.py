"""`make bench`: loading, starting, training, predicting and what is learned, each beside what it is compared with, in a few minutes.

Ratios are medians over interleaved repeats; single times on a shared machine say little.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

REPEATS = 3
ROWS = 192
SCORED = 512
FEW, EPOCHS = 1_120, 4
"""Rows and epochs of the trainings that are compared in what they learn: the sample's train split."""


def seconds(what: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def process(*arguments: str) -> Callable[[], object]:
    """A call that runs a fresh Python to its end."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def interleaved(*calls: Callable[[], object]) -> list[float]:
    """The median seconds of each call, after one round that is not counted, A B A B …"""
    for call in calls:
        call()
    times = [[seconds(call) for call in calls] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def starting(table: Table) -> None:
    """The command line and the app's imports against a bare interpreter and against importing torch."""
    bare, version, app, torch = interleaved(
        process("-c", "pass"),
        process("-m", "goemo_tui", "--version"),
        process("-c", "import goemo_tui.app"),
        process("-c", "import torch"),
    )
    table.add_row("goemo-tui --version", f"{version:.2f} s", f"{version / bare:.1f}x a bare interpreter")
    table.add_row("imports of the app", f"{app:.2f} s", f"{app / torch:.2f}x importing torch")


def loading(table: Table, corpus: str) -> None:
    """Reading a corpus against reading its bytes as lines."""
    from trainer import load_corpus

    files = [s.file for s in load_corpus(corpus).splits.values() if s.file]
    ours, lines = interleaved(lambda: load_corpus(corpus), lambda: [f.read_bytes().split(b"\n") for f in files])
    rows = sum(len(s.text) for s in load_corpus(corpus).splits.values())
    table.add_row(f"load {rows:,} rows", f"{ours:.3f} s", f"{ours / lines:.0f}x splitting the bytes into lines")


def training(table: Table, corpus: str) -> None:
    """One epoch of both recipes over the same rows of the bundled encoder: what padding to 128 in fp32 costs."""
    from dataclasses import replace

    from trainer.config import TrainConfig, recipe
    from trainer.corpus import load_corpus
    from trainer.corpus.tokens import load_tokenizer, tokenize
    from trainer.encoders import find_encoder
    from trainer.learn.loop import learn
    from trainer.learn.task import Rows, Task
    from trainer.model.metrics import multi_hot

    found = load_corpus(corpus)
    encoder = find_encoder("minilm").folder
    tokenizer = load_tokenizer(encoder)
    train = found.splits["train"]

    def run(config: TrainConfig) -> Callable[[], object]:
        config = replace(config, epochs=1, checkpoint_minutes=0.0)

        def rows(n: int) -> Rows:
            return Rows(
                tokenize(train.text[:n], tokenizer, config.max_length), multi_hot(train.labels[:n], len(found.labels))
            )

        task = Task(config, found.labels, encoder, rows(ROWS), rows(1), Path(os.devnull), lambda *_: Path(os.devnull))
        return lambda: list(learn(task))

    ours, notebook = interleaved(run(recipe("goemo")), run(recipe("notebook", encoder="minilm")))
    table.add_row(
        f"train {ROWS} rows, goemo",
        f"{ROWS / ours:.0f} rows/s",
        f"{notebook / ours:.1f}x the notebook's {ROWS / notebook:.0f} rows/s",
    )


def predicting(table: Table) -> None:
    """One comment at a time, warm."""
    from trainer import Predictor, train

    with tempfile.TemporaryDirectory() as home:
        os.environ["GOEMO_HOME"] = home
        predictor = Predictor(train("sample", limit=32, epochs=1).run)
        times = sorted(
            seconds(lambda: predictor.predict(["what a day, I could not have asked for more"])) for _ in range(60)
        )
    table.add_row("predict one comment", f"{times[30] * 1000:.1f} ms", f"p95 {times[56] * 1000:.1f} ms")


def scoring(table: Table, corpus: str) -> None:
    """A file of comments through the starter, beside the same model in transformers' pipeline; tokenizing and writing too."""
    import io

    from transformers import pipeline

    from goemo_tui.cli import main as command
    from trainer import Predictor, load_corpus
    from trainer.infer.score import Work
    from trainer.tables.kind import Kind
    from trainer.tables.sink import Layout
    from trainer.tables.source import Source

    splits = load_corpus(corpus).splits
    texts = [" ".join(text.split()) for text in splits.get("test", splits["train"]).text[:SCORED]]
    with tempfile.TemporaryDirectory() as folder:
        file, model = Path(folder) / "comments.txt", Path(folder) / "model"
        file.write_text("\n".join(texts) + "\n", encoding="utf-8")
        with redirect_stdout(io.StringIO()):
            command(["models", "export", "starter", str(model)])
        stock = pipeline(
            "text-classification",
            model=str(model),
            top_k=None,
            function_to_apply="sigmoid",
            truncation=True,
            device="cpu",
        )

        def ours(precision: str) -> Callable[[], object]:
            predictor = Predictor(str(model), device="cpu", precision=precision)

            def score() -> None:
                source = Source(str(file), Kind("txt"))
                Work(source, predictor, Layout(Kind("csv"), source.names, predictor.labels)).into(io.BytesIO().write)

            return score

        loop, batched, plain, half = interleaved(
            lambda: [stock(text) for text in texts],
            lambda: stock(texts, batch_size=64),
            ours("fp32"),
            ours("bf16"),
        )
    for name, taken in (("fp32", plain), ("bf16", half)):
        table.add_row(
            f"score {len(texts):,} comments, {name}",
            f"{len(texts) / taken:.0f} rows/s",
            f"{loop / taken:.1f}x the pipeline's loop, {batched / taken:.1f}x its batches of 64",
        )


def quality(table: Table, corpus: str) -> None:
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
    table.add_row(
        f"dev macro-F1 after {EPOCHS} epochs of {FEW:,} rows",
        f"{ours:.3f}",
        f"{ours - stock:+.3f} to the stock head's {stock:.3f}, in {ours_seconds / stock_seconds:.2f}x its time",
    )


def main() -> int:
    """Measure and print."""
    import torch

    from trainer.devices import list_devices

    corpus = os.environ.get("GOEMO_TEST_CORPUS", "sample")
    console = Console()
    console.print(
        f"{list_devices()[-1]} · torch {torch.__version__} · {torch.get_num_threads()} threads · corpus {corpus}",
        markup=False,
    )
    table = Table("what", "here", "compared in the same run")
    starting(table)
    loading(table, corpus)
    training(table, corpus)
    predicting(table)
    scoring(table, corpus)
    quality(table, corpus)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
