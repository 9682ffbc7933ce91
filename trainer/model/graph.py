"""A stock classifier as an ONNX graph: what other programs compute, and ONNX Runtime computes in half of torch's time.

Standard operators alone (opset 20); which of them are computed in one go is the runtime's business. Weights stay where they
are: the graph names them, and whoever runs or writes it gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from trainer.model.stock import KINDS, Stock

Array = np.ndarray[Any, np.dtype[Any]]

OPSET, IR = 20, 10
"""The first opset with Gelu, and the format of its time: runtimes of 2024 read both."""

INLINE = 1_024
"""Bytes up to which a constant stands in the graph itself."""

MASKED = -1e9
"""What is added to the attention to a padded place: behind the softmax nothing is left of it."""


def build(stock: Stock, hidden: bool = False) -> tuple[ModelProto, dict[str, Array]]:
    """The graph, and the arrays for its initializers that are said to lie elsewhere, by name.

    In: `input_ids` and `attention_mask`, int64 of shape (rows, width), at least one place of each row not masked. Out: `logits`,
    fp32 of (rows, labels); or with `hidden` `last_hidden_state`, fp32 of (rows, width, hidden).
    """
    made = _Graph(stock)
    made.shapes()
    x = made.embedded()
    for number in range(stock.layers):
        # behind the last layer only [CLS] is read
        x = made.layer(x, number, first_only=not hidden and number == stock.layers - 1)
    name, shape = made.out(x, hidden)
    sides = ["rows", "width"]
    graph = helper.make_graph(
        made.nodes,
        "classifier",
        [helper.make_tensor_value_info(n, TensorProto.INT64, sides) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [_initializer(n, value) for n, value in made.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return model, {n: value for n, value in made.constants.items() if value.nbytes > INLINE}


class _Graph:
    """Nodes and constants as they come. Hidden states are flat, (rows x width, hidden), but for the attention."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        self.width = stock.weights["bert.embeddings.LayerNorm.weight"].shape[0]
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {}

    def op(self, kind: str, inputs: Sequence[str], out: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [out], out, **attributes))
        return out

    def constant(self, name: str, value: Array) -> str:
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def shapes(self) -> None:
        """What rows and columns are reshaped to, and what is added to the attention."""
        heads = self.stock.heads
        for name, value in {
            "zero": [0], "one": [1], "two": [2], "flat": [-1, self.width], "hidden": [self.width],
            "heads": [-1, self.width // heads], "middle": [1, 2],
        }.items():  # fmt: skip
            self.constant(name, np.array(value, np.int64))
        self.op("Shape", ["input_ids"], "shape")
        self.op("Slice", ["shape", "zero", "one", "zero"], "rows")
        self.op("Slice", ["shape", "one", "two", "zero"], "width")
        self.op("Concat", ["shape", "hidden"], "as_rows", axis=0)
        self.op("Concat", ["shape", "heads"], "as_heads", axis=0)
        self.op("Concat", ["rows", "one", "heads"], "as_first_heads", axis=0)
        self.constant("seen", np.array(1, np.float32))
        self.constant("masked", np.array(MASKED, np.float32))
        self.constant("scale", np.array((self.width // heads) ** -0.5, np.float32))
        self.op("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        self.op("Mul", [self.op("Sub", ["seen", "mask"], "unseen"), "masked"], "penalty")
        self.op("Unsqueeze", ["penalty", "middle"], "penalties")

    def embedded(self) -> str:
        weights, name = self.stock.weights, "bert.embeddings"
        kinds = weights.get(f"{name}.{KINDS}.weight")
        positions = weights[f"{name}.position_embeddings.weight"]
        self.constant("words", weights[f"{name}.word_embeddings.weight"])
        self.constant("positions", positions if kinds is None else positions + kinds[0])
        self.op("Gather", ["words", "input_ids"], "embedded.words")
        self.op("Slice", ["positions", "zero", "width", "zero"], "embedded.positions")
        self.op("Add", ["embedded.words", "embedded.positions"], "embedded")
        return self.norm(self.op("Reshape", ["embedded", "flat"], "embedded.flat"), f"{name}.LayerNorm")

    def layer(self, x: str, number: int, first_only: bool) -> str:
        name = f"bert.encoder.layer.{number}"
        rows = self.first(x, f"{name}.first") if first_only else x
        seen = self.linear(self.attention(x, rows, f"{name}.attention"), f"{name}.attention.output.dense")
        rows = self.norm(self.op("Add", [seen, rows], f"{seen}.sum"), f"{name}.attention.output.LayerNorm")
        wide = self.op("Gelu", [self.linear(rows, f"{name}.intermediate.dense")], f"{name}.wide")
        narrow = self.linear(wide, f"{name}.output.dense")
        return self.norm(self.op("Add", [narrow, rows], f"{narrow}.sum"), f"{name}.output.LayerNorm")

    def attention(self, x: str, rows: str, name: str) -> str:
        """What `rows` (all of x, or the first of each) take from x; flat. One product of x gives all that is taken of it."""
        if rows == x:
            query, key, value = self.heads(x, name, ["query", "key", "value"])
        else:
            (query,) = self.heads(rows, name, ["query"])
            key, value = self.heads(x, name, ["key", "value"])
        turned = self.op("Transpose", [key], f"{name}.key.turned", perm=[0, 1, 3, 2])
        scores = self.op("Mul", [self.op("MatMul", [query, turned], f"{name}.scores"), "scale"], f"{name}.scaled")
        shares = self.op(
            "Softmax", [self.op("Add", [scores, "penalties"], f"{name}.unmasked")], f"{name}.shares", axis=-1
        )
        seen = self.op("MatMul", [shares, value], f"{name}.seen")
        seen = self.op("Transpose", [seen], f"{name}.seen.turned", perm=[0, 2, 1, 3])
        return self.op("Reshape", [seen, "flat"], f"{name}.seen.flat")

    def heads(self, x: str, name: str, parts: Sequence[str]) -> list[str]:
        """What the linear layers `parts` make of x, each of shape (rows, heads, places, what a head sees)."""
        joined = f"{name}.{'_'.join(parts)}"
        flat = self.op("Gemm", [x, *self.learned([f"{name}.self.{part}" for part in parts], joined)], joined, transB=1)
        shape = "as_first_heads" if parts == ["query"] else "as_heads"
        turned = self.op(
            "Transpose", [self.op("Reshape", [flat, shape], f"{joined}.heads")], f"{joined}.turned", perm=[0, 2, 1, 3]
        )
        if len(parts) == 1:
            return [turned]
        found = [f"{name}.{part}.turned" if part != "key" else f"{name}.key" for part in parts]
        self.nodes.append(helper.make_node("Split", [turned], found, joined + ".split", axis=1, num_outputs=len(parts)))
        return found

    def first(self, x: str, name: str) -> str:
        """The first place of each row; flat."""
        apart = self.op("Reshape", [x, "as_rows"], f"{name}.apart")
        return self.op("Reshape", [self.op("Slice", [apart, "zero", "one", "one"], f"{name}.cut"), "flat"], name)

    def out(self, x: str, hidden: bool) -> tuple[str, list[str | int]]:
        """Name and shape of the output."""
        if hidden:
            return self.op("Reshape", [x, "as_rows"], "last_hidden_state"), ["rows", "width", self.width]
        pooled = self.op(self.stock.activation, [self.linear(x, "bert.pooler.dense")], "pooled")
        return self.linear(pooled, "classifier", "logits"), ["rows", self.stock.labels]

    def linear(self, x: str, name: str, out: str = "") -> str:
        return self.op("Gemm", [x, *self.learned([name])], out or name, transB=1)

    def norm(self, x: str, name: str) -> str:
        return self.op("LayerNormalization", [x, *self.learned([name])], name, axis=-1, epsilon=self.stock.eps)

    def learned(self, names: Sequence[str], joined: str = "") -> list[str]:
        """Weight and bias of a linear layer or a norm, or of several linear layers one below the other."""
        weights = self.stock.weights
        return [
            self.constant(
                f"{joined or names[0]}.{kind}",
                weights[f"{names[0]}.{kind}"]
                if len(names) == 1
                else np.concatenate([weights[f"{n}.{kind}"] for n in names]),
            )
            for kind in ("weight", "bias")
        ]


def _initializer(name: str, value: Array) -> TensorProto:
    if value.nbytes <= INLINE:
        return numpy_helper.from_array(value, name)
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    elsewhere = TensorProto(name=name, dims=value.shape, data_type=kind, data_location=TensorProto.EXTERNAL)
    elsewhere.external_data.add(key="location", value=name)
    return elsewhere
