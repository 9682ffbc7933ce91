"""ONNX Runtime's own int8 beside the fp32 that predicts: how fast, and what it costs in macro-F1 on dev.

`python -m benchmarks.int8 [--data PATH] [--model MODEL] [--rows N]`. int8 is worth offering where macro-F1 stays within .003.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as runtime
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.clock import interleaved
from trainer import Predictor, load_corpus
from trainer.corpus.tokens import tokenize
from trainer.model import graph, metrics, onnx_bert, stock
from trainer.model.metrics import multi_hot
from trainer.model.onnx_bert import OnnxBert


class Int8Bert(OnnxBert):
    """Its linear layers in int8: weights by output channel, activations as each batch has them."""

    def _session(self, hidden: bool) -> runtime.InferenceSession:
        model, weights = graph.build(self.stock, hidden)
        for place in model.graph.initializer:
            if place.name in weights:
                place.CopyFrom(onnx.numpy_helper.from_array(weights[place.name], place.name))
        with tempfile.TemporaryDirectory() as folder:
            whole, small = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
            onnx.save(model, whole)
            # seven bits of eight: without VNNI the sum of two products would not fit into sixteen
            quantize_dynamic(
                whole, small, per_channel=True, reduce_range=not vnni(), weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul", "Gemm"],
            )  # fmt: skip
            return self._open(small.read_bytes(), {})


def vnni() -> bool:
    """Whether the processor multiplies int8 by itself."""
    try:
        return any(flag in Path("/proc/cpuinfo").read_text() for flag in ("avx512_vnni", "avx_vnni"))
    except OSError:
        return False


def int8(folder: Path, few: bool = False) -> Int8Bert:
    """The stock classifier in `folder`."""
    found = stock.read(folder)
    assert found is not None, f"{folder} holds no stock classifier"
    return Int8Bert(folder, found, onnx_bert.cores_for(few))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rows", type=int, help="only the first of dev")
    options = parser.parse_args(arguments)
    predictor = Predictor(options.model, "cpu")
    dev = load_corpus(options.data).splits["dev"]
    texts, truth = dev.text[: options.rows], multi_hot(dev.labels[: options.rows], len(predictor.labels))
    tokens = tokenize(texts, predictor.tokenizer, predictor.max_length)
    engines: dict[str, Any] = {"fp32": predictor.engine, "int8": int8(predictor.folder.path)}
    found: dict[str, Any] = {}

    def ask(name: str) -> None:
        found[name] = engines[name].probabilities(tokens)

    times = interleaved(*(partial(ask, name) for name in engines))
    cuts = predictor.thresholds()
    for name, taken in zip(engines, times, strict=True):
        f1 = metrics.scores(truth, found[name] >= cuts).macro_f1
        print(
            f"{name}: {len(texts) / taken:.1f} rows/s, macro-F1 of {len(texts):,} rows at the model's thresholds {f1:.4f}"
        )
    apart = np.abs(found["fp32"] - found["int8"])
    print(f"probabilities differ by {apart.mean():.4f} on average, by {apart.max():.3f} at most; VNNI: {vnni()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
