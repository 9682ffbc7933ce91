"""Prediction beside its rivals: one comment by each way of computing it, and whole files beside transformers' pipeline.

The model is the starter, exported to the stock folder that everybody can load.
"""

from __future__ import annotations

import io
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch

from benchmarks.clock import interleaved, seconds
from benchmarks.machine import fast_bf16
from benchmarks.results import Measured
from trainer import Predictor
from trainer.corpus.tokens import TokenArrays
from trainer.infer.torch_engine import TorchEngine
from trainer.model import classifier, int8_bert, onnx_bert
from trainer.model.classifier import quiet

COMMENT = "I'm so excited about this! But also a bit nervous about how it will turn out..."
ASKED = 60
"""Times that each way is asked, in turn."""

SCORED, SCORED_FAST = 128, 512
"""Comments of a file, and where bf16 is fast: few would be over before the batches are full."""


class Transformers:
    """Transformers' own model, eager: what its pipeline computes. Loaded as everybody does."""

    device = "cpu"

    def __init__(self, folder: Path, labels: int) -> None:
        self.labels, self.model = labels, classifier.load(folder)

    def probabilities(self, tokens: TokenArrays, stop: Any = None, tell: Any = None) -> Any:
        """As those of `OnnxBert`."""
        return classifier.probabilities(self.model, tokens, torch.device("cpu"), stop=stop, tell=tell)


def predicting() -> list[Measured]:
    """From the text to the scores of all emotions, asked in turn, after each was asked five times."""
    with exported() as model:
        predictor = Predictor(str(model), "cpu", few=True)
        ways = {
            "ONNX Runtime, fp32": onnx_bert.load(model, few=True),
            "ONNX Runtime, int8": int8_bert.load(model, few=True),
            "torch": TorchEngine(model, "cpu", "fp32", few=False),
            "torch on one core": TorchEngine(model, "cpu", "fp32", few=True),
            "transformers": Transformers(model, len(predictor.labels)),
        }
        assert type(predictor.engine) is type(ways["ONNX Runtime, fp32"]), (
            "the way that is used is the one measured first"
        )
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ASKED + 5):
            for name, engine in ways.items():
                predictor.engine = engine  # type: ignore[assignment]
                taken = seconds(lambda: predictor.predict([COMMENT]))
                if number >= 5:
                    times[name].append(taken)
        tokens = len(predictor.tokenizer.encode(COMMENT).ids)
    p50 = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    used, *others = p50
    p95 = statistics.quantiles(times[used], n=20)[-1] * 1000
    beside = ", ".join(f"{name} {p50[name]:.1f} ({p50[name] / p50[used]:.2f}x)" for name in others)
    return [
        Measured(
            f"predict one comment of {tokens} tokens", f"{p50[used]:.1f} ms, p95 {p95:.1f}", f"{used}; ms of {beside}"
        )
    ]


@contextmanager
def exported() -> Iterator[Path]:
    """The starter as a stock folder."""
    from goemo_tui.cli import main as command

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            command(["models", "export", "starter", str(model)])
        yield model


def scoring(corpus: str) -> list[Measured]:
    """A file of comments through the starter, beside the same model in transformers' pipeline; tokenizing and writing too."""
    from transformers import pipeline

    from trainer import load_corpus
    from trainer.infer.score import Work
    from trainer.tables.kind import Kind
    from trainer.tables.sink import Layout
    from trainer.tables.source import Source

    fast = fast_bf16("cpu")
    comments = load_corpus(corpus).splits["train"].text[: SCORED_FAST if fast else SCORED]
    texts = [" ".join(text.split()) for text in comments]
    with exported() as model:
        file = model.parent / "comments.txt"
        file.write_text("\n".join(texts) + "\n", encoding="utf-8")
        with quiet():
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

        # a processor that cannot multiply bf16 by itself would be busy with it for minutes
        precisions = ("fp32", "int8", "bf16") if fast else ("fp32", "int8")
        loop, batched, *own = interleaved(
            lambda: [stock(text) for text in texts],
            lambda: stock(texts, batch_size=64),
            *(ours(precision) for precision in precisions),
        )
    return [
        Measured(
            f"score {len(texts):,} comments, {precision}",
            f"{len(texts) / taken:.0f} rows/s",
            f"{loop / taken:.1f}x the pipeline's loop, {batched / taken:.1f}x its batches of 64",
        )
        for precision, taken in zip(precisions, own, strict=True)
    ]
