"""A fine-tuned model as what it adds to its encoder: low-rank differences and a head, a few megabytes.

How the starter model travels. It is added to the bundled encoder's weights when it is loaded, in numpy alone; nothing is
written anywhere. A difference of low rank (adapters) comes back as it was, up to half precision.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from trainer.corpus.tokens import load_tokenizer
from trainer.encoders import BUNDLED, COMPACT, compact_base, find_encoder, read_json
from trainer.errors import ModelError

Weights = dict[str, np.ndarray[Any, np.dtype[Any]]]

WEIGHTS = "compact.safetensors"
FORMAT = 1

EMBEDDING = "bert.embeddings.word_embeddings.weight"
OWN = "own_rows"
"""The rows of the embedding for the tokens that the encoder does not have."""

LOST = 0.02
"""A difference whose part beyond the rank is larger than this share of it (Frobenius norm) is refused."""


def pack(model: Path, encoder: str, rank: int, out: Path) -> dict[str, float]:
    """Write the classifier in `model` into `out`, which exists, as its difference to `encoder`.

    Returns the share of each difference that the rank does not hold. Raises ModelError where that is too much, or where
    something differs that a low rank cannot tell (embeddings, norms: the encoder was learned whole).
    """
    if encoder != BUNDLED:
        raise ModelError(f"only what adds to {BUNDLED} can be packed: of another encoder nobody could tell the version")
    found = find_encoder(encoder)
    learned, base = load_file(model / "model.safetensors"), start(found.folder, read_json(model / "config.json"))
    kept: Weights = {}
    own = learned[EMBEDDING][len(base[EMBEDDING]) :]
    if len(own):
        learned[EMBEDDING] = learned[EMBEDDING][: len(base[EMBEDDING])]
        kept[OWN] = own
    lost: dict[str, float] = {}
    for name, value in learned.items():
        difference = value.astype(np.float32) - base[name] if name in base else None
        if difference is None:
            kept[name] = value
        elif np.array_equal(value.astype(np.float32), base[name]):
            continue
        elif value.ndim == 2 and ".layer." in name:
            u, s, v = np.linalg.svd(difference, full_matrices=False)
            lost[name] = float(np.linalg.norm(s[rank:]) / np.linalg.norm(s))
            root = np.sqrt(s[:rank])
            kept[f"{name}.b"], kept[f"{name}.a"] = u[:, :rank] * root, root[:, None] * v[:rank]
        else:
            raise ModelError(f"{model}: {name} differs from {encoder}: only adapters and a head can be packed")
    worst = max(lost, key=lambda name: lost[name], default="")
    if worst and lost[worst] > LOST:
        raise ModelError(f"{model}: rank {rank} loses {lost[worst]:.0%} of {worst}; was it trained with adapters?")
    save_file({name: np.ascontiguousarray(value, np.float16) for name, value in kept.items()}, out / WEIGHTS)
    about = {
        "format": FORMAT, "encoder": encoder, "rank": rank,
        "parameters": sum(value.size for value in learned.values()) + own.size,
        **({"own_tokens": _own_tokens(model, found.folder, len(own))} if len(own) else {}),
    }  # fmt: skip
    (out / COMPACT).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    return lost


def _own_tokens(model: Path, encoder: Path, rows: int) -> list[str]:
    """The tokens that the model has beside its encoder's, in the order of their ids."""
    known = load_tokenizer(encoder).get_vocab_size()
    vocabulary = load_tokenizer(model).get_vocab()
    found = sorted((at, token) for token, at in vocabulary.items() if at >= known)
    if [at for at, _ in found] != list(range(known, known + rows)):
        raise ModelError(f"{model}: its tokens of its own do not fit the {rows} rows that its embedding has for them")
    return [token for _, token in found]


def unpack(folder: Path) -> Weights:
    """All weights, in fp32, of the classifier that `folder` holds in compact form, by the names of a stock model.

    Raises ModelError where a file is broken or of a newer version, NotFoundError where its encoder is not installed.
    """
    about = read_json(folder / COMPACT)
    if about.get("format") != FORMAT:
        raise ModelError(f"{folder / COMPACT} has format {about.get('format')}; this version reads {FORMAT}")
    encoder = compact_base(folder)
    weights = start(encoder, read_json(folder / "config.json"))
    try:
        kept = load_file(folder / WEIGHTS)
        own = kept.pop(OWN, None)
        if own is not None:
            weights[EMBEDDING] = np.concatenate([weights[EMBEDDING], own.astype(np.float32)])
        for name, value in kept.items():
            if name.endswith(".b"):
                stem = name.removesuffix(".b")
                weights[stem] += value.astype(np.float32) @ kept[f"{stem}.a"].astype(np.float32)
            elif not name.endswith(".a"):
                weights[name] = value.astype(np.float32)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ModelError(f"{folder / WEIGHTS} cannot be read: {error}") from error
    return weights


def write_whole(folder: Path, out: Path) -> None:
    """Write the model that `folder` holds in compact form into `out`, made anew, in the Hugging Face layout.

    Raises ModelError, NotFoundError, and OSError where the disk refuses.
    """
    weights, encoder = unpack(folder), compact_base(folder)
    out.mkdir(parents=True)
    try:
        save_file(weights, out / "model.safetensors", {"format": "pt"})
    except SafetensorError as error:  # what a full disk looks like from there
        raise OSError(str(error)) from error
    (out / "tokenizer.json").write_text(load_tokenizer(folder).to_str(pretty=True), "utf-8")
    for name in ("vocab.txt", "special_tokens_map.json"):
        shutil.copyfile(encoder / name, out / name)
    settings = read_json(encoder / "tokenizer_config.json") | read_json(folder / "tokenizer_config.json")
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    for name in ("config.json", "thresholds.json", "README.md"):
        shutil.copyfile(folder / name, out / name)


def start(encoder: Path, config: dict[str, Any]) -> Weights:
    """The weights that a training over the encoder in `encoder` begins with, in fp32, without the head."""
    weights: Weights = {}
    with safe_open(encoder / "model.safetensors", "np") as file:
        for name in file.keys():  # noqa: SIM118  # no mapping
            if name.startswith(("embeddings.", "encoder.")) and not name.endswith("_ids"):
                weights[f"bert.{name}"] = file.get_tensor(name).astype(np.float32, copy=False)
    layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("bert.encoder.layer."))
    if config["num_hidden_layers"] == layers + 1:
        weights |= _mean_layer(weights, layers, config)
    return weights


def _mean_layer(weights: Weights, number: int, config: dict[str, Any]) -> Weights:
    """The layer that `pooling.start_as_mean` makes."""
    below, name = (f"bert.encoder.layer.{n}" for n in (number - 1, number))
    width, wide = config["hidden_size"], config["intermediate_size"]
    zero, one = np.zeros(width, np.float32), np.ones(width, np.float32)
    found = {
        "attention.self.query.weight": np.zeros((width, width), np.float32), "attention.self.value.weight": np.eye(width, dtype=np.float32),
        "attention.output.dense.weight": np.eye(width, dtype=np.float32), "output.dense.weight": np.zeros((width, wide), np.float32),
    }  # fmt: skip
    for copied in ("attention.self.key", "intermediate.dense"):
        for kind in ("weight", "bias"):
            found[f"{copied}.{kind}"] = weights[f"{below}.{copied}.{kind}"].copy()
    for linear in ("attention.self.query", "attention.self.value", "attention.output.dense", "output.dense"):
        found[f"{linear}.bias"] = zero
    for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
        found[f"{norm}.weight"], found[f"{norm}.bias"] = one, zero
    return {f"{name}.{key}": value for key, value in found.items()}
