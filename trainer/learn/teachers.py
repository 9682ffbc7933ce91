"""What other models say of the training rows: targets to learn from besides the labels (distillation).

Computed once a run and kept in its folder, so that a training that is taken up again learns from the same numbers. How a
teacher came about is its own matter: a larger encoder, or the same one under other seeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import LabelSet
from trainer.learn.device import choose_precision
from trainer.learn.task import Array
from trainer.model import bert, classifier
from trainer.modelfolder import asks_out_of_fold, find_teachers, read_label_names, read_max_length

FILE = "teachers.safetensors"


def taught(
    folder: Path,
    teacher: str,
    texts: Sequence[str],
    labels: LabelSet,
    device: torch.device,
    stop: Callable[[], bool],
    out_of_fold: Callable[[], Array],
    say: Callable[[str], None] = lambda text: None,
) -> Array:
    """The mean of the teachers' probabilities, float32 of (rows, labels), in the order of `texts` and `labels`.

    Kept in `folder`. `out_of_fold` gives the scores of the teacher of that name, `say` is told how far it is.
    Raises ConfigError for a teacher that is gone or has other labels, ModelError, or Cancelled.
    """
    digest = hashlib.sha256(repr((teacher, labels.names, list(texts))).encode("utf-8", "replace")).hexdigest()
    known = _read(folder / FILE, digest)
    if known is not None:
        return known
    models, said = find_teachers(teacher, labels.names), []
    for number, model in enumerate(models, 1):
        say(f"asking teacher {number} of {len(models)}, {model.name}, about {len(texts):,} rows")
        said.append(_ask(model.path, texts, labels, device, stop))
    if asks_out_of_fold(teacher):
        said.append(out_of_fold())
    mean: Array = np.asarray(np.mean(said, axis=0), dtype=np.float32)
    with suppress(OSError):  # a disk that is full: asked again next time
        save_file({"probabilities": mean}, folder / FILE, {"of": digest})
        (folder / FILE).chmod(0o600)
    return mean


def _ask(folder: Path, texts: Sequence[str], labels: LabelSet, device: torch.device, stop: Callable[[], bool]) -> Array:
    place = {label.lower(): k for k, label in enumerate(read_label_names(folder)[0])}
    model = (bert.load(folder) or classifier.load(folder)).to(device)
    tokens = tokenize(list(texts), load_tokenizer(folder), read_max_length(folder), cancelled=stop)
    # where training is done in half precision, what it learns from need not be finer
    with torch.autocast(device.type, torch.bfloat16, enabled=choose_precision("auto", device) == "bf16"):
        p = classifier.probabilities(model, tokens, device, stop=stop)
    return p[:, [place[label.lower()] for label in labels.names]]


def _read(file: Path, digest: str) -> Array | None:
    try:
        with safe_open(file, framework="numpy") as found:
            if (found.metadata() or {}).get("of") != digest:
                return None
            return np.asarray(found.get_tensor("probabilities"), dtype=np.float32)
    except (OSError, SafetensorError):
        return None
