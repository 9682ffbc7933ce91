"""A stock classifier in ONNX Runtime whose linear layers compute in int8: for many comments, where the processor is fast at it.

macro-F1 on dev stays where it was and a probability moves by .0025 on average (`python -m benchmarks.int8`); never a default.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnxruntime as runtime

from trainer.model import onnx_file, stock
from trainer.model.onnx_bert import OnnxBert, cores_for


class Int8Bert(OnnxBert):
    """Weights in int8 with a scale for each output, made when it is loaded; activations with the scale that each batch has."""

    at_once = 1_024

    def _session(self, hidden: bool) -> runtime.InferenceSession:
        if hidden:  # by which comments are compared: an index of one precision would not fit the texts of another
            return super()._session(hidden)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "int8.onnx"
            onnx_file.quantize(onnx_file.with_weights(self.stock), file, seven_bits=not vnni())
            return self._open(file.read_bytes(), {})


def vnni() -> bool:
    """Whether the processor multiplies int8 by itself."""
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return any(flag in told for flag in ("avx512_vnni", "avx_vnni", "asimddp"))


def load(folder: Path, few: bool = False) -> Int8Bert | None:
    """The classifier in `folder`; None for what is no stock one. Raises ModelError or NotFoundError for a broken compact form."""
    found = stock.read(folder)
    return None if found is None else Int8Bert(folder, found, cores_for(few))
