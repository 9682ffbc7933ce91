"""The stock BERT classifier in torch alone: trained and predicted with, without the seconds that importing transformers takes.

Computes what `BertForSequenceClassification` computes, operation by operation (its default attention), so that without
dropout the numbers are equal to the last bit; a test holds the two together. Names of modules and weights are those of the stock
model, and so is what is saved. Whatever else a folder holds is left to transformers: `load` and `over` answer None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as f

from trainer.encoders import COMPACT, read_json
from trainer.labels import LabelSet
from trainer.model import compact
from trainer.model.stock_bert import is_plain, is_plain_encoder, shapes

SPREAD = 0.02
"""Standard deviation that new weights start with, where config.json names none."""


class Output(NamedTuple):
    """`logits`: of shape (rows, labels)."""

    logits: Tensor


class Linear(nn.Linear):
    """Without values to begin with, which would be drawn for nothing."""

    def reset_parameters(self) -> None:
        """Leave it as it is."""


class Embedding(nn.Embedding):
    """Likewise."""

    def reset_parameters(self) -> None:
        """Leave it as it is."""


class Bert(nn.Module):
    """Called with `input_ids` and `attention_mask`, both int64 of (rows, width); without a mask, all tokens are seen.
    `config`: config.json's keys, and `num_labels`.

    Made with whatever the memory holds: weights are those that are loaded into it.
    """

    base_model_prefix = "bert"

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = SimpleNamespace(**{"pad_token_id": 0, **said}, num_labels=len(said["id2label"]))
        self.bert = _Encoder(said)
        dropped = said.get("classifier_dropout")
        self.dropout = nn.Dropout(said.get("hidden_dropout_prob", 0.1) if dropped is None else dropped)
        self.classifier = Linear(said["hidden_size"], self.config.num_labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Output:
        """Embeddings, layers, pooler, head."""
        pooled = torch.tanh(self.bert.pooler.dense(self.hidden(input_ids, attention_mask)[:, 0]))
        return Output(self.classifier(self.dropout(pooled)))

    def hidden(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """The last hidden states, of shape (rows, width, hidden)."""
        rows, width = input_ids.shape
        x: Tensor = self.bert.embeddings(input_ids)
        mask = None
        # a GPU would be waited for, only to hear whether anything is masked
        if attention_mask is not None and (attention_mask.device.type != "cpu" or not attention_mask.all()):
            mask = attention_mask.bool()[:, None, None, :].expand(rows, 1, width, width)
        for layer in self.bert.encoder.layer:
            x = layer(x, mask)
        return x

    @property
    def base_model(self) -> nn.Module:
        """All but the head."""
        return self.bert

    def get_input_embeddings(self) -> nn.Module:
        """The vectors of the tokens."""
        return self.bert.embeddings.word_embeddings

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        """Look tokens up there from now on."""
        self.bert.embeddings.word_embeddings = embeddings

    @torch.no_grad()
    def resize_token_embeddings(self, rows: int, mean_resizing: bool = False) -> None:
        """Give the vectors of the tokens so many rows; new ones start at random, as transformers' do without `mean_resizing`."""
        before: Any = self.get_input_embeddings()
        after = nn.Embedding(rows, before.embedding_dim, before.padding_idx)
        nn.init.normal_(after.weight, std=_spread(vars(self.config)))
        after.weight[: before.num_embeddings] = before.weight[:rows]
        self.set_input_embeddings(after)
        self.config.vocab_size = rows

    def save_pretrained(self, folder: Path) -> None:
        """Write config.json and model.safetensors as the stock model's. Raises OSError, SafetensorError."""
        said = {
            k: v
            for k, v in vars(self.config).items()
            if k not in ("num_labels", "_name_or_path", "auto_map", "torch_dtype")
        }
        names = {int(k): name for k, name in said["id2label"].items()}
        said |= {
            "architectures": ["BertForSequenceClassification"], "dtype": "float32", "problem_type": "multi_label_classification",
            "id2label": names, "label2id": {name: k for k, name in names.items()},
        }  # fmt: skip
        weights = {name: weight.detach().contiguous() for name, weight in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        (folder / "config.json").write_text(json.dumps(said, indent=2, sort_keys=True) + "\n", "utf-8")


class _Encoder(nn.Module):
    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.embeddings = _Embeddings(said)
        self.encoder: Any = nn.Module()
        self.encoder.layer = nn.ModuleList(BertLayer(said) for _ in range(said["num_hidden_layers"]))
        self.pooler: Any = nn.Module()
        self.pooler.dense = Linear(said["hidden_size"], said["hidden_size"])


class _Embeddings(nn.Module):
    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        width, pad = said["hidden_size"], said.get("pad_token_id", 0)
        self.word_embeddings: nn.Module = Embedding(said["vocab_size"], width, padding_idx=pad)
        self.position_embeddings = Embedding(said["max_position_embeddings"], width)
        self.token_type_embeddings = Embedding(said["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=said["layer_norm_eps"])
        self.dropout = nn.Dropout(said.get("hidden_dropout_prob", 0.1))

    def forward(self, ids: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.word_embeddings(ids) + self.token_type_embeddings(torch.zeros_like(ids))
        dropped: Tensor = self.dropout(self.LayerNorm(x + self.position_embeddings(positions)))
        return dropped


class BertLayer(nn.Module):
    """Attention, then two linear layers, each with its residual and norm. What `fast_layer` and `first_row` compute otherwise."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.attention: Any = nn.Module()
        self.attention.self = _Attention(said)
        self.attention.output = _Residual(said, said["hidden_size"])
        self.intermediate: Any = nn.Module()
        self.intermediate.dense = Linear(said["hidden_size"], said["intermediate_size"])
        self.output = _Residual(said, said["intermediate_size"])

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """(rows, width, hidden) -> the same. `attention_mask`: bool of (rows, 1, width, width), None where all are seen."""
        seen = self.attention.self(hidden_states, attention_mask)
        return self.feed_forward_chunk(self.attention.output(seen, hidden_states))

    def feed_forward_chunk(self, x: Tensor) -> Tensor:
        """What comes after the attention."""
        found: Tensor = self.output(f.gelu(self.intermediate.dense(x)), x)
        return found


class _Attention(nn.Module):
    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        width, self.num_attention_heads = said["hidden_size"], said["num_attention_heads"]
        self.attention_head_size = width // self.num_attention_heads
        self.scaling = self.attention_head_size**-0.5
        self.query, self.key, self.value = (Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(said.get("attention_probs_dropout_prob", 0.1))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = (
            part(x).view(*x.shape[:-1], -1, self.attention_head_size).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        dropout = self.dropout.p if self.training else 0.0
        seen = f.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout, scale=self.scaling)
        return seen.transpose(1, 2).contiguous().reshape(*x.shape[:-1], -1)


class _Residual(nn.Module):
    def __init__(self, said: Mapping[str, Any], inputs: int) -> None:
        super().__init__()
        self.dense = Linear(inputs, said["hidden_size"])
        self.LayerNorm = nn.LayerNorm(said["hidden_size"], eps=said["layer_norm_eps"])
        self.dropout = nn.Dropout(said.get("hidden_dropout_prob", 0.1))

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        found: Tensor = self.LayerNorm(self.dropout(self.dense(x)) + residual)
        return found


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
    return _with(Bert(said), weights).eval()


def over(folder: Path, labels: LabelSet, more_layers: int = 0) -> Bert | None:
    """A classifier with a new head over the stock encoder in `folder`, and `more_layers` new layers, on the CPU in fp32.

    What is new starts at random, drawn from torch's generator. None for what only transformers knows, or says what is wrong with.
    """
    if not is_plain_encoder(folder):
        return None
    said = read_json(folder / "config.json")
    said["num_hidden_layers"] += more_layers
    said["id2label"] = dict(enumerate(labels.names))
    try:
        stored = load_file(folder / "model.safetensors")
    except (SafetensorError, OSError):
        return None
    prefixed = any(name.startswith("bert.") for name in stored)
    weights, wanted = {}, shapes(said)
    for name, shape in wanted.items():
        found = stored.get(name if prefixed else name.removeprefix("bert."))
        new = (
            name.startswith(("bert.pooler.", "classifier.")) or _number(name) >= said["num_hidden_layers"] - more_layers
        )
        if found is not None and tuple(found.shape) == shape and found.is_floating_point():
            weights[name] = found
        elif new:
            weights[name] = _drawn(name, shape, said)
        else:
            return None
    return _with(Bert(said), weights)


def _with(model: Bert, weights: Mapping[str, Tensor]) -> Bert:
    # a copy: the file is mapped, and whoever writes over it later would change what is computed here
    model.load_state_dict({name: w.to(torch.float32, copy=True) for name, w in weights.items()}, assign=True)
    return model


def _drawn(name: str, shape: tuple[int, ...], said: Mapping[str, Any]) -> Tensor:
    """New weights as transformers draws them: norms at one, biases at zero, all else normal."""
    if len(shape) == 2:
        return torch.empty(shape).normal_(std=_spread(said))
    return torch.ones(shape) if name.endswith("LayerNorm.weight") else torch.zeros(shape)


def _spread(said: Mapping[str, Any]) -> float:
    return float(said.get("initializer_range", SPREAD))


def _number(name: str) -> int:
    """The layer that a weight belongs to, -1 for none."""
    return int(name.split(".")[3]) if name.startswith("bert.encoder.layer.") else -1
