"""The classifier: an encoder with its stock `…ForSequenceClassification` head, transformers' or, of a BERT, ours.

Built from an encoder's folder, saved as a plain Hugging Face directory, loaded again for prediction. Safetensors only,
nothing is looked for on a network, and no code that comes with a model is run. transformers takes seconds to import, so
it is imported where it is used: a stock BERT does without it (`trainer.model.bert`).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from trainer.corpus.interrupt import Cancelled, Stop, Tell
from trainer.corpus.own_tokens import add_own_tokens
from trainer.corpus.tokens import TokenArrays, load_tokenizer
from trainer.encoders import read_json, takes_mean
from trainer.errors import ConfigError, ModelError
from trainer.labels import LabelSet
from trainer.model import bert
from trainer.model.batches import by_length
from trainer.model.first_row import read_first_row_only
from trainer.model.own_vectors import add_vectors
from trainer.model.pooling import start_as_mean

Array = np.ndarray[Any, np.dtype[Any]]

TOKENIZER_FILES = ("vocab.txt", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json")


def build(
    folder: Path,
    labels: LabelSet,
    seed: int,
    head_init: str = "log_odds",
    frequency: Array | None = None,
    pooling: str = "cls",
    own: Mapping[int, Sequence[int]] | None = None,
) -> nn.Module:
    """A classifier over the encoder in `folder`, one output a label, on the CPU in fp32 and in training mode.

    `frequency[k]` is the probability of label k where nothing is known of a row, such as its share of the training rows;
    with head_init="log_odds" the last layer starts with zero weights and a bias at the log-odds of it.
    pooling="mean" gives the encoder one more layer, which starts as the mean of the tokens (`pooling.start_as_mean`);
    "auto" does so where the encoder's kind allows it. `own`: token ids that the encoder does not have -> the ids of the
    words that each begins as (`own_vectors.add_vectors`).
    """
    torch.manual_seed(seed)
    mean = takes_mean(pooling, str(read_json(folder / "config.json").get("model_type")))
    model = bert.over(folder, labels, int(mean)) or _over(folder, labels, mean)
    add_vectors(model, own or {})
    if mean:
        start_as_mean(model)
    read_first_row_only(model)
    if head_init == "log_odds":
        if frequency is None:
            raise ConfigError("head_init=log_odds needs each label's frequency", key="head_init")
        with torch.no_grad():
            last = last_layer(model, len(labels))
            last.weight.zero_()
            # half a row is added to both sides, so that a label without a row starts low and finite
            share = torch.as_tensor(frequency, dtype=torch.float64).clamp(1e-5, 1 - 1e-5)
            last.bias.copy_(torch.logit(share))
    return model.train()


def _over(folder: Path, labels: LabelSet, mean: bool) -> nn.Module:
    """A classifier over any encoder that transformers knows. Raises ModelError."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(
            folder,
            num_labels=len(labels),
            id2label=dict(enumerate(labels.names)),
            label2id=labels.index(),
            problem_type="multi_label_classification",
            trust_remote_code=False,
            local_files_only=True,
        )
        config.num_hidden_layers += mean
        model, missing = _read(folder, config=config, ignore_mismatched_sizes=True)
    except Exception as error:  # transformers, safetensors and torch each raise their own for a broken folder
        raise ModelError(
            f"{folder} cannot be used as an encoder: transformers has no classifier of its kind, or a file is broken "
            f"({_first_line(error)}). Code that comes with a model is never run"
        ) from error
    added = f".encoder.layer.{config.num_hidden_layers - 1}." if mean else None
    unknown = [name for name in missing if not is_head(model, name) and not (added and added in name)]
    if unknown:
        raise ModelError(f"{folder} lacks weights of the encoder, which would start at random: {_some(unknown)}")
    return model


def last_layer(model: nn.Module, outputs: int) -> nn.Linear:
    """The linear layer that gives the logits: the last one of the model with as many outputs as there are labels."""
    layers = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == outputs]
    if not layers:
        raise ModelError(
            f"{type(model).__name__} has no linear layer with {outputs} outputs: its head is not a stock one"
        )
    return layers[-1]


def parameter_groups(
    model: nn.Module, weight_decay: float, decay: str = "weights", layer_decay: float = 1.0
) -> list[dict[str, Any]]:
    """AdamW's groups: encoder and head apart (`part`), and without decay for biases and norms unless decay="all".

    The head is all that stands behind the last hidden states: the classifier, and the pooler, which sentence encoders
    leave as it was before they were trained. Parameters that are not learned are in no group. `scale` is the group's
    share of its part's rate: `layer_decay` to the power of the layers above it, embeddings counted as the lowest layer.
    """
    layers = 1 + max((_layer(name) for name, _ in model.named_parameters()), default=0)
    groups: dict[tuple[str, bool, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        part = "head" if is_head(model, name) else "encoder"
        decays = decay == "all" or parameter.ndim >= 2
        scale = 1.0 if part == "head" else layer_decay ** (layers - 1 - _layer(name))
        groups.setdefault((part, decays, scale), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": weight_decay if decays else 0.0, "part": part, "scale": scale}
        for (part, decays, scale), parameters in groups.items()
    ]


def _layer(name: str) -> int:
    """The number of the layer that a parameter belongs to, -1 for the embeddings."""
    found = re.search(r"\.layers?\.(\d+)\.", name)
    return int(found[1]) if found else -1


def is_head(model: nn.Module, name: str) -> bool:
    """Whether the parameter `name` stands behind the last hidden states."""
    base = getattr(model, "base_model_prefix", "") + "."
    return not name.startswith(base) or name.startswith(f"{base}pooler.")


def outputs(model: nn.Module) -> int:
    """How many labels the classifier has."""
    return int(model.config.num_labels)  # type: ignore[union-attr, arg-type]


def pad_id(model: nn.Module) -> int:
    """The id that fills up a batch; it is masked, so that its value never matters where the config names none."""
    return int(getattr(model.config, "pad_token_id", None) or 0)


def padded(tokens: TokenArrays, rows: Sequence[int] | Array, fill: int, to: int | None = None) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask of `rows`, both int64 of shape (rows, width); width is the longest row, or `to`."""
    ids, mask = tokens.padded(rows, fill, to)
    return torch.from_numpy(ids), torch.from_numpy(mask)


@torch.inference_mode()
def probabilities(
    model: nn.Module,
    tokens: TokenArrays,
    device: torch.device,
    batch_tokens: int = 2048,
    stop: Stop = None,
    tell: Tell = None,
) -> Array:
    """Sigmoid probabilities in fp32, shape (rows, labels), in the rows' order. An empty input gives shape (0, labels).

    Rows of like length are computed together, `batch_tokens` padded tokens at a time. `stop` is looked at between
    batches and ends the work with Cancelled; `tell` hears after each how many rows are done. The model's training mode
    is left as it was.
    """
    training, fill = model.training, pad_id(model)
    model.eval()
    out = np.zeros((len(tokens), outputs(model)), dtype=np.float32)
    done, later = 0, []
    try:
        for rows in by_length(tokens.lengths, batch_tokens):
            if stop and stop():
                raise Cancelled("computing probabilities was cancelled")
            ids, mask = padded(tokens, rows, fill)
            logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
            found = torch.sigmoid(logits.float())
            if device.type == "cuda":  # is waited for once, at the end
                later.append((rows, found))
            else:
                out[rows] = found.cpu().numpy()
            done += len(rows)
            if tell:
                tell(done)
        for rows, found in later:
            out[rows] = found.cpu().numpy()
    finally:
        model.train(training)
    return out


def save(
    model: nn.Module,
    encoder_folder: Path,
    folder: Path,
    max_length: int,
    thresholds: dict[str, Any],
    card: str,
    own_tokens: Sequence[str] = (),
) -> None:
    """Write the classifier into `folder` (made anew): weights, config, tokenizer, thresholds.json, README.md.

    The tokenizer is the encoder's and `own_tokens`, with its own truncation and padding taken out and `max_length` as
    the model's limit.
    """
    folder.mkdir(parents=True)
    try:
        with nullcontext() if isinstance(model, bert.Bert) else quiet():
            model.save_pretrained(folder)  # type: ignore[operator]
    except SafetensorError as error:  # what a full disk looks like from there
        raise OSError(str(error)) from error
    # written here and not by its own `save`, whose error on a full disk is no OSError
    tokenizer = add_own_tokens(load_tokenizer(encoder_folder), own_tokens)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), "utf-8")
    for name in TOKENIZER_FILES:
        if (encoder_folder / name).is_file():
            shutil.copyfile(encoder_folder / name, folder / name)
    found = encoder_folder / "tokenizer_config.json"
    settings = read_json(found) if found.is_file() else {}
    settings.pop("auto_map", None)
    settings.pop("name_or_path", None)
    settings["model_max_length"] = max_length
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    (folder / "thresholds.json").write_text(json.dumps(thresholds, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "README.md").write_text(card, "utf-8")


def load(folder: Path) -> nn.Module:
    """The classifier saved in `folder`, on the CPU in fp32, ready to predict. Raises ModelError."""
    try:
        model, missing = _read(folder)
    except Exception as error:  # transformers, safetensors and torch each raise their own for a broken folder
        raise ModelError(f"{folder} cannot be loaded as a classifier: {_first_line(error)}") from error
    if missing:
        raise ModelError(
            f"{folder} is no trained classifier: it lacks {_some(missing)}. An encoder is trained first: "
            f"goemo-tui train --encoder {folder}"
        )
    return model.eval()


def _read(folder: Path, **more: Any) -> tuple[nn.Module, list[str]]:
    """The one way in for weights: safetensors of this disk, nobody's code. The model in fp32, and the names of
    parameters that the folder does not hold, or holds in another shape."""
    from transformers import AutoModelForSequenceClassification

    with quiet():
        found: tuple[nn.Module, dict[str, Any]] = AutoModelForSequenceClassification.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
            **more,
        )
    model, info = found
    mismatched = [
        entry[0] if isinstance(entry, tuple | list) else str(entry) for entry in info.get("mismatched_keys", ())
    ]
    return model, sorted({*info.get("missing_keys", ()), *mismatched})


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and advice (a new head is new, as it should be) out of logs and off screens."""
    from transformers.utils import logging as advice

    level, bars = advice.get_verbosity(), advice.is_progress_bar_enabled()
    advice.set_verbosity_error()
    advice.disable_progress_bar()
    try:
        yield
    finally:
        advice.set_verbosity(level)
        if bars:
            advice.enable_progress_bar()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
