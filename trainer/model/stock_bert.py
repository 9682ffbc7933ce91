"""What a folder must hold to be the stock BERT classifier that is computed here, without transformers.

Known without torch: `bert` computes it in torch, `light` in numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.encoders import COMPACT, read_json

PLAIN: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertForSequenceClassification"],
    "hidden_act": "gelu",
    "is_decoder": False,
    "add_cross_attention": False,
    "position_embedding_type": "absolute",
    "attn_implementation": "sdpa",
    "quantization_config": None,
    "pruned_heads": {},
}
"""What config.json may say of these, where it says something; anything else is another kind of model."""

SIZES = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
    "max_position_embeddings", "type_vocab_size",
)  # fmt: skip
NEEDED = ("model_type", "architectures", "hidden_act", "layer_norm_eps", *SIZES)

ENCODERS = ("BertModel", "BertForMaskedLM", "BertForPreTraining", "BertForSequenceClassification")
"""What a stock encoder may have been before: all of them hold its weights under the same names."""


DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")


def is_plain(folder: Path) -> bool:
    """Whether the model in `folder` is one that `load` knows, as far as its config.json says."""
    said = read_json(folder / "config.json")
    return (
        _is_plain(said)
        and said["architectures"] == PLAIN["architectures"]
        and isinstance(said.get("id2label"), dict)
        and ((folder / "model.safetensors").is_file() or (folder / COMPACT).is_file())
    )


def is_plain_encoder(folder: Path) -> bool:
    """Whether `folder` holds a stock BERT's encoder, with whatever head."""
    said = read_json(folder / "config.json")
    known = [[name] for name in ENCODERS]
    return (
        _is_plain({**said, "architectures": PLAIN["architectures"]})
        and said.get("architectures") in known
        and all(isinstance(said.get(name, 0.1), float | int) for name in DROPOUTS)
        and (folder / "model.safetensors").is_file()
    )


def _is_plain(said: dict[str, Any]) -> bool:
    return (
        all(said.get(name) is not None for name in NEEDED)
        and all(said.get(name, value) == value for name, value in PLAIN.items())
        and all(isinstance(said[name], int) and said[name] > 0 for name in SIZES)
        and said["hidden_size"] % said["num_attention_heads"] == 0
        and isinstance(said["layer_norm_eps"], float)
    )


def shapes(said: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Every weight of such a model, with its shape."""
    width, wide, labels = said["hidden_size"], said["intermediate_size"], len(said["id2label"])
    found: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (said["vocab_size"], width),
        "bert.embeddings.position_embeddings.weight": (said["max_position_embeddings"], width),
        "bert.embeddings.token_type_embeddings.weight": (said["type_vocab_size"], width),
    }
    norms, linears = ["bert.embeddings.LayerNorm"], {"bert.pooler.dense": (width, width), "classifier": (labels, width)}
    for number in range(said["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linears[f"{layer}.attention.{part}"] = (width, width)
        linears[f"{layer}.intermediate.dense"] = (wide, width)
        linears[f"{layer}.output.dense"] = (width, wide)
    for name in norms:
        found |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for name, shape in linears.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return found
