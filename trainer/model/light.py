"""The stock BERT classifier in numpy: for a few sentences, without the seconds that importing torch takes.

Computes what `bert` computes, to about 1e-6 of a probability; a test holds the two together. One text at a time, so that
nothing is padded; many of them are torch's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from trainer.corpus.tokens import TokenArrays
from trainer.encoders import COMPACT, read_json
from trainer.model import compact
from trainer.model.stock_bert import is_plain, shapes

Array = np.ndarray[Any, np.dtype[Any]]


class LightBert:
    """Weights in fp32 by the names of their file, and what config.json says of them."""

    def __init__(self, said: dict[str, Any], weights: dict[str, Array]) -> None:
        self.labels, self.pad = len(said["id2label"]), int(said.get("pad_token_id") or 0)
        self.layers, self.heads = int(said["num_hidden_layers"]), int(said["num_attention_heads"])
        self.eps = float(said["layer_norm_eps"])
        self.weights = weights

    def probabilities(self, tokens: TokenArrays) -> Array:
        """Sigmoid probabilities, float32 of (rows, labels), in the rows' order."""
        out = np.zeros((len(tokens), self.labels), np.float32)
        for i in range(len(tokens)):
            ids = tokens.row(i)
            out[i] = np.exp(-np.logaddexp(0, -self.logits(ids if len(ids) else np.array([self.pad]))))  # the sigmoid
        return out

    def logits(self, ids: Array) -> Array:
        """float32 of (labels,), of the token ids of one text, which are at least one."""
        word, position, kind = (
            self.weights[f"bert.embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        x = self._norm(word[ids] + kind[0] + position[: len(ids)], "bert.embeddings.LayerNorm")
        for number in range(self.layers):
            x = self._layer(x, f"bert.encoder.layer.{number}", first_only=number == self.layers - 1)
        return self._linear(np.tanh(self._linear(x[0], "bert.pooler.dense")), "classifier")

    def _layer(self, x: Array, name: str, first_only: bool) -> Array:
        rows = x[:1] if first_only else x  # behind the last layer only [CLS] is read

        def heads(of: Array, part: str) -> Array:
            found = self._linear(of, f"{name}.attention.self.{part}")
            return found.reshape(len(of), self.heads, -1).transpose(1, 0, 2)

        query, key, value = heads(rows, "query"), heads(x, "key"), heads(x, "value")
        scores = query @ key.transpose(0, 2, 1) * np.float32(query.shape[-1] ** -0.5)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True)) @ value
        seen = seen.transpose(1, 0, 2).reshape(len(rows), -1)
        rows = self._norm(
            self._linear(seen, f"{name}.attention.output.dense") + rows, f"{name}.attention.output.LayerNorm"
        )
        wide = _gelu(self._linear(rows, f"{name}.intermediate.dense"))
        return self._norm(self._linear(wide, f"{name}.output.dense") + rows, f"{name}.output.LayerNorm")

    def _linear(self, x: Array, name: str) -> Array:
        found: Array = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return found

    def _norm(self, x: Array, name: str) -> Array:
        apart = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((apart * apart).mean(-1, keepdims=True) + np.float32(self.eps))
        found: Array = apart / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return found


def load(folder: Path) -> LightBert | None:
    """The classifier in `folder`; None for what only torch or transformers knows, or says what is wrong with.

    Raises ModelError or NotFoundError for a broken compact form.
    """
    if not is_plain(folder):
        return None
    said = read_json(folder / "config.json")
    try:
        packed = (folder / COMPACT).is_file()
        weights = compact.unpack(folder) if packed else load_file(folder / "model.safetensors")
    except (SafetensorError, OSError, KeyError, AttributeError, TypeError):
        return None  # a number format that numpy does not have, or a broken file
    if {name: weight.shape for name, weight in weights.items()} != shapes(said):
        return None
    if not all(np.issubdtype(weight.dtype, np.floating) for weight in weights.values()):
        return None
    return LightBert(said, {name: weight.astype(np.float32, copy=False) for name, weight in weights.items()})


def _gelu(x: Array) -> Array:
    return (x * (0.5 + 0.5 * _erf(x * np.float64(0.5**0.5)))).astype(np.float32)


def _erf(x: Array) -> Array:
    """The error function to 1.5e-7, finer than what fp32 keeps of it (Abramowitz and Stegun, Handbook, 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    found: Array = np.sign(x) * (1 - tail * np.exp(-x * x))
    return found
