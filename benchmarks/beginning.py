"""What comes before the first step of a training: the start of its worker, and comments into tokens.

The encoder is the bundled one; the corpus is tokenized once before, as it is in the second training of anybody.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.clock import REPEATS, interleaved, process, seconds
from benchmarks.command import goemo
from benchmarks.results import Measured

PATIENCE = 300.0


def beginning(corpus: str) -> list[Measured]:
    """From the command to the first step that is told of, beside what importing the usual libraries alone takes."""
    steps: list[float] = []
    imports: list[float] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for number in range(REPEATS + 1):
            taken = _first_step(corpus, home)
            usual = seconds(process("-c", "import torch; from transformers import BertForSequenceClassification"))
            if number:  # the first one tokenizes the corpus, and reads the disk
                steps.append(taken)
                imports.append(usual)
    first, libraries = statistics.median(steps), statistics.median(imports)
    return [
        Measured(
            "train: from the command to its first step",
            f"{first:.2f} s",
            f"{first / libraries:.2f}x importing torch and transformers' BERT ({libraries:.2f} s)",
        ),
        _tokenizing(corpus),
    ]


def _first_step(corpus: str, home: str) -> float:
    began = time.time()
    run = goemo(home, "train", "--detach", "--data", corpus)
    try:
        return _told(Path(home) / "runs" / run / "events.jsonl", began + PATIENCE) - began
    finally:
        goemo(home, "runs", "stop", run)


def _told(log: Path, until: float) -> float:
    """When the first step was done. The first event tells of two, so that the rates are not those of the first one."""
    from trainer.runs.tail import read_events

    while time.time() < until:
        started = 0
        for event in read_events(log) if log.exists() else ():
            started = int(event.get("batch_size", started))
            if event.get("kind") == "step":
                return float(event["wall"]) - (int(event["step"]) - 1) * started / float(event["examples_per_s"])
        time.sleep(0.02)
    raise TimeoutError(f"{log} tells of no step")


def _tokenizing(corpus: str) -> Measured:
    from transformers import AutoTokenizer

    from trainer import load_corpus
    from trainer.corpus.tokens import load_tokenizer, tokenize
    from trainer.encoders import find_encoder

    folder = find_encoder("minilm").folder
    texts = list(load_corpus(corpus).splits["train"].text)
    ours: Any = load_tokenizer(folder)
    stock: Any = AutoTokenizer.from_pretrained(str(folder))
    here, there = interleaved(lambda: tokenize(texts, ours, 128), lambda: stock(texts, truncation=True, max_length=128))
    return Measured(
        f"tokenize {len(texts):,} comments",
        f"{here:.2f} s",
        f"transformers' tokenizer {there:.2f} s ({there / here:.1f}x)",
    )
