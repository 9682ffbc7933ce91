"""The stock BERT classifier in torch alone: for prediction, with transformers' numbers and without the seconds that
importing transformers takes.

Computes what `BertForSequenceClassification` computes, operation by operation (its default attention, fp32, no
dropout), so that the numbers are equal to the last bit; a test holds the two together. Whatever else a folder holds
is left to transformers: `load` answers None.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as f

from trainer.encoders import COMPACT, read_json
from trainer.model import compact
from trainer.model.stock_bert import is_plain, shapes


class Config(NamedTuple):
    """What is asked of a model besides its logits."""

    num_labels: int
    pad_token_id: int | None


class Output(NamedTuple):
    """`logits`: fp32 of shape (rows, labels)."""

    logits: Tensor


class Bert(nn.Module):
    """Weights by the names of their file. Called with `input_ids` and `attention_mask`, both int64 of (rows, width)."""

    def __init__(self, said: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.config = Config(len(said["id2label"]), said.get("pad_token_id", 0))
        self.layers, self.heads = int(said["num_hidden_layers"]), int(said["num_attention_heads"])
        self.eps = float(said["layer_norm_eps"])
        for name, weight in weights.items():
            # a copy: the file is mapped, and whoever writes over it later would change what is computed here
            self.register_buffer(_slot(name), weight.to(torch.float32, copy=True))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Output:
        """Embeddings, layers, pooler, head."""
        x = self.hidden(input_ids, attention_mask)
        pooled = torch.tanh(self._linear(x[:, 0], "bert.pooler.dense"))
        return Output(self._linear(pooled, "classifier"))

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The last hidden states, fp32 of shape (rows, width, hidden)."""
        rows, width = input_ids.shape
        positions = torch.arange(width, device=input_ids.device)
        x = f.embedding(input_ids, self._of("bert.embeddings.word_embeddings"))
        x = x + f.embedding(torch.zeros_like(input_ids), self._of("bert.embeddings.token_type_embeddings"))
        x = x + f.embedding(positions, self._of("bert.embeddings.position_embeddings"))
        x = self._norm(x, "bert.embeddings.LayerNorm")
        seen = attention_mask.bool()
        mask = None if seen.all() else seen[:, None, None, :].expand(rows, 1, width, width)
        for number in range(self.layers):
            x = self._layer(x, mask, f"bert.encoder.layer.{number}")
        return x

    def _layer(self, x: Tensor, mask: Tensor | None, name: str) -> Tensor:
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}").view(*x.shape[:-1], self.heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        seen = f.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=query.shape[-1] ** -0.5)
        seen = seen.transpose(1, 2).contiguous().reshape(*x.shape[:-1], -1)
        x = self._norm(self._linear(seen, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        wide = f.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(self._linear(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def _of(self, name: str, kind: str = "weight") -> Tensor:
        return self.get_buffer(_slot(f"{name}.{kind}"))

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return f.linear(x, self._of(name), self._of(name, "bias"))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight = self._of(name)
        return f.layer_norm(x, weight.shape, weight, self._of(name, "bias"), self.eps)


def load(folder: Path) -> Bert | None:
    """The classifier in `folder` on the CPU in fp32, ready to predict; None for what only transformers knows."""
    if not is_plain(folder):
        return None
    said = read_json(folder / "config.json")
    try:
        packed = (folder / COMPACT).is_file()
        weights = (
            {name: torch.from_numpy(value) for name, value in compact.unpack(folder).items()}
            if packed
            else load_file(folder / "model.safetensors")
        )
    except (SafetensorError, OSError):
        return None  # transformers says what is wrong with it
    if {name: tuple(weight.shape) for name, weight in weights.items()} != shapes(said):
        return None
    if not all(weight.is_floating_point() for weight in weights.values()):
        return None
    return Bert(said, weights).eval()


def _slot(name: str) -> str:
    return name.replace(".", "/")
