"""The classifiers whose arithmetic is known here, stock BERT and DistilBERT, read into numpy under one set of names.

May not import torch or transformers. What is not stock, or says something odd of itself, is left to transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from trainer.encoders import COMPACT, read_json
from trainer.model import compact, stock_bert

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = "token_type_embeddings"


@dataclass(frozen=True)
class Stock:
    """A classifier over [CLS]: `layers` of `heads`, then one linear layer with `activation` ("Tanh" or "Relu"), then the labels.

    `weights`: fp32, by BERT's names; a DistilBERT has no token types. `pad` fills up a batch; `eps` is the norms'.
    """

    labels: int
    pad: int
    layers: int
    heads: int
    eps: float
    activation: str
    weights: dict[str, Array]


def read(folder: Path) -> Stock | None:
    """The classifier in `folder`; None for what only torch or transformers knows, or says what is wrong with.

    Raises ModelError or NotFoundError for a broken compact form.
    """
    said = read_json(folder / "config.json")
    if stock_bert.is_plain(folder):
        weights = _weights(folder, said, stock_bert.shapes)
        eps, activation = said["layer_norm_eps"], "Tanh"
    elif _is_plain_distilbert(folder, said):
        said = {**said, **{ours: said[theirs] for ours, theirs in _SIZES.items()}}
        weights = _weights(folder, said, _distilbert_shapes)
        weights = weights and {_as_bert(name): weight for name, weight in weights.items()}
        eps, activation = 1e-12, "Relu"
    else:
        return None
    if weights is None:
        return None
    pad, labels = int(said.get("pad_token_id") or 0), len(said["id2label"])
    return Stock(labels, pad, said["num_hidden_layers"], said["num_attention_heads"], eps, activation, weights)


def _weights(
    folder: Path, said: dict[str, Any], shapes: Callable[[dict[str, Any]], dict[str, tuple[int, ...]]]
) -> dict[str, Array] | None:
    """fp32; None where they are not exactly those of `shapes`, or of a number format that numpy does not have."""
    try:
        packed = (folder / COMPACT).is_file()
        weights = compact.unpack(folder) if packed else load_file(folder / "model.safetensors")
    except (SafetensorError, OSError, KeyError, AttributeError, TypeError):
        return None
    if {name: weight.shape for name, weight in weights.items()} != shapes(said):
        return None
    if not all(np.issubdtype(weight.dtype, np.floating) for weight in weights.values()):
        return None
    return {name: weight.astype(np.float32, copy=False) for name, weight in weights.items()}


# DistilBERT: the same arithmetic under other names

_PLAIN: dict[str, Any] = {
    "model_type": "distilbert",
    "architectures": ["DistilBertForSequenceClassification"],
    "activation": "gelu",
    "quantization_config": None,
    "pruned_heads": {},
}
_SIZES = {
    "vocab_size": "vocab_size", "hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim", "max_position_embeddings": "max_position_embeddings",
}  # fmt: skip
_NAMES = {
    "attention.self.query": "attention.q_lin", "attention.self.key": "attention.k_lin", "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin", "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1", "output.dense": "ffn.lin2", "output.LayerNorm": "output_layer_norm",
}  # fmt: skip


def _is_plain_distilbert(folder: Path, said: dict[str, Any]) -> bool:
    return (
        all(said.get(name) is not None for name in ("model_type", "architectures", "id2label", *_SIZES.values()))
        and all(said.get(name, value) == value for name, value in _PLAIN.items())
        and all(isinstance(said[name], int) and said[name] > 0 for name in _SIZES.values())
        and said["dim"] % said["n_heads"] == 0
        and isinstance(said["id2label"], dict)
        and (folder / "model.safetensors").is_file()
    )


def _distilbert_shapes(said: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    shapes = stock_bert.shapes({**said, "type_vocab_size": 1})
    return {_as_distilbert(name): shape for name, shape in shapes.items() if KINDS not in name}


def _as_distilbert(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem == "bert.pooler.dense":
        return f"pre_classifier.{kind}"
    if not stem.startswith("bert.encoder.layer."):
        return name.replace("bert.", "distilbert.", 1) if name.startswith("bert.") else name
    number, _, part = stem.removeprefix("bert.encoder.layer.").partition(".")
    return f"distilbert.transformer.layer.{number}.{_NAMES[part]}.{kind}"


def _as_bert(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem == "pre_classifier":
        return f"bert.pooler.dense.{kind}"
    if not stem.startswith("distilbert.transformer.layer."):
        return name.removeprefix("distil")
    number, _, part = stem.removeprefix("distilbert.transformer.layer.").partition(".")
    ours = next(ours for ours, theirs in _NAMES.items() if theirs == part)
    return f"bert.encoder.layer.{number}.{ours}.{kind}"
