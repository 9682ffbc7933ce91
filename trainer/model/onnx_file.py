"""A classifier as an ONNX file: stock encoders by the graph that predicts here, all others by torch's own exporter.

In: `input_ids` and `attention_mask`, int64 of (rows, width), both free. Out: `logits`, fp32 of (rows, labels).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

from trainer.errors import ModelError
from trainer.model import graph, stock

TRACED_OPSET = 18
"""The newest that torch's exporter knows well."""

LARGEST = 1_900_000_000
"""Bytes that a file may have in one piece; protobuf ends at two gigabytes, and weights beyond lie in a file beside it."""

READY = dict.fromkeys(("onnx.infer", "onnx.quant.pre_process"), "onnxruntime.quant")
"""Tells the quantizer that nothing is to be inferred or simplified before, which it would advise in the log."""

AXES = {"input_ids": {0: "rows", 1: "width"}, "attention_mask": {0: "rows", 1: "width"}, "logits": {0: "rows"}}


def write(folder: Path, file: Path, about: Mapping[str, str]) -> int:
    """Write the classifier in `folder`, whole, to `file`; the opset. `about` becomes its metadata. Raises ModelError, OSError."""
    found = stock.read(folder)
    if found is not None:
        model = with_weights(found)
    else:
        model = _traced(folder, file)
    _save(model, file, about)
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def with_weights(found: stock.Stock, hidden: bool = False) -> ModelProto:
    """The graph of a stock encoder with its weights inside."""
    model, weights = graph.build(found, hidden)
    for place in model.graph.initializer:
        if place.name in weights:
            place.CopyFrom(onnx.numpy_helper.from_array(weights[place.name], place.name))
    return model


def write_int8(file: Path, into: Path, about: Mapping[str, str]) -> None:
    """The graph in `file` in int8, in seven bits of eight, so that every processor says the same. Raises ModelError."""
    quantize(onnx.load(file), into, seven_bits=True)
    _save(onnx.load(into), into, about)


def quantize(model: ModelProto, into: Path, seven_bits: bool) -> None:
    """Write `model` with the weights of its linear layers in int8, a scale for each output; activations get theirs by batch.

    `seven_bits` of eight: without VNNI a processor's sums of two products have sixteen bits, which eight would overflow.
    Raises ModelError.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx.helper.set_model_props(model, READY)
    try:
        quantize_dynamic(
            model, into, per_channel=True, reduce_range=seven_bits, weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"], use_external_data_format=_size(model) > LARGEST,
        )  # fmt: skip
    except Exception as error:  # the quantizer's errors have no class in common but this one
        raise ModelError(f"the model cannot be written in int8: {str(error).partition(chr(10))[0]}") from error


def _traced(folder: Path, file: Path) -> ModelProto:
    """By torch.onnx, which follows one batch through the model. Its newer way asks for onnxscript, which is not among our packages."""
    import torch

    from trainer.model import bert, classifier

    model = bert.load(folder) or classifier.load(folder)
    example = (
        torch.full((2, 7), max(5, classifier.pad_id(model) + 1), dtype=torch.long),
        torch.ones((2, 7), dtype=torch.long),
    )
    example[1][1, 4:] = 0  # a batch with padding, so that the mask is no constant
    made = file.with_suffix(".traced")
    try:
        with torch.inference_mode(), warnings.catch_warnings(), classifier.quiet():
            warnings.simplefilter("ignore")  # advice for who writes models
            torch.onnx.export(
                _Logits(model).eval(), example, str(made), dynamo=False, input_names=["input_ids", "attention_mask"],
                output_names=["logits"], dynamic_axes=AXES, opset_version=TRACED_OPSET,
            )  # fmt: skip
        found = onnx.load(made)
    except Exception as error:  # the exporter's errors have no class in common but this one
        what = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{folder.name}: torch.onnx cannot export a {type(model).__name__}: {what}") from error
    made.unlink()
    return found


def _Logits(model: Any) -> Any:
    import torch

    class Logits(torch.nn.Module):
        """A classifier that answers with its logits alone."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return found

    return Logits()


def _save(model: ModelProto, file: Path, about: Mapping[str, str]) -> None:
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(about))
    model.producer_name = "goemo-tui"
    beside = file.with_name(f"{file.name}.data")
    if _size(model) > LARGEST:
        onnx.save_model(model, file, save_as_external_data=True, location=beside.name)
    else:
        onnx.save_model(model, file)
        beside.unlink(missing_ok=True)


def _size(model: ModelProto) -> int:
    return sum(len(place.raw_data) for place in model.graph.initializer)
