"""What other models say of the training rows: targets to learn from besides the labels (distillation).

Their mean is kept in the run's folder, so that a training that is taken up again learns from the same numbers; what each
says is kept in the cache, so that five students of other seeds ask once. How a teacher came about is its own matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from trainer import kept_arrays, paths
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import LabelSet
from trainer.learn.device import choose_precision
from trainer.learn.task import Array
from trainer.model import bert, classifier
from trainer.modelfolder import asks_out_of_fold, find_teachers, model_digest, read_label_names, read_max_length

FILE = "teachers.safetensors"

KEPT = 20
"""Answers in the cache, of about 5 MB each for 43,000 comments: the least lately used go first."""


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
    wanted = kept_arrays.digest([teacher, *labels.names, "", *texts])
    known = _read(folder / FILE, wanted, len(texts))
    if known is not None:
        return known
    models, said = find_teachers(teacher, labels.names), []
    for number, model in enumerate(models, 1):
        kept, key = _place(model.path, texts, device)
        answer = _read(kept, key, len(texts)) if kept else None
        if answer is None:
            say(f"asking teacher {number} of {len(models)}, {model.name}, about {len(texts):,} rows")
            answer = _ask(model.path, texts, device, stop)
            if kept:
                kept_arrays.keep(kept, key, {"probabilities": answer}, KEPT)
        said.append(_in_order(answer, model.path, labels))
    if asks_out_of_fold(teacher):
        said.append(out_of_fold())
    mean: Array = np.asarray(np.mean(said, axis=0), dtype=np.float32)
    kept_arrays.keep(folder / FILE, wanted, {"probabilities": mean})
    return mean


def _ask(folder: Path, texts: Sequence[str], device: torch.device, stop: Callable[[], bool]) -> Array:
    """Its probabilities, labels in its own order."""
    model = (bert.load(folder) or classifier.load(folder)).to(device)
    tokens = tokenize(list(texts), load_tokenizer(folder), read_max_length(folder), cancelled=stop)
    with torch.autocast(device.type, torch.bfloat16, enabled=_in_half(device)):
        return classifier.probabilities(model, tokens, device, stop=stop)


def _in_half(device: torch.device) -> bool:
    # where training is done in half precision, what it learns from need not be finer
    return choose_precision("auto", device) == "bf16"


def _in_order(answer: Array, folder: Path, labels: LabelSet) -> Array:
    place = {label.lower(): k for k, label in enumerate(read_label_names(folder)[0])}
    return answer[:, [place[label.lower()] for label in labels.names]]


def _place(model: Path, texts: Sequence[str], device: torch.device) -> tuple[Path | None, str]:
    """Where a model's answers about these texts are kept, and what they depend on."""
    try:
        key = kept_arrays.digest([model_digest(model), read_max_length(model), _in_half(device), *texts])
    except OSError:  # asked all the same, which says what is wrong
        return None, ""
    return paths.cache_folder() / "teachers" / f"{key[:32]}.safetensors", key


def _read(file: Path, key: str, rows: int) -> Array | None:
    found = (kept_arrays.read(file, key) or {}).get("probabilities")
    fits = found is not None and found.ndim == 2 and len(found) == rows and found.dtype == np.float32
    return found if fits else None
