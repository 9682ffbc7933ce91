"""Holds an ONNX file against torch on comments: the same tokens, batch by batch, in batches of every width.

Reads the file as another program would, by ONNX Runtime from the disk, and knows nothing of how it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.corpus import Corpus
from trainer.corpus.tokens import TokenArrays, load_tokenizer, tokenize
from trainer.errors import CorpusError, ModelError
from trainer.infer.matching import matched
from trainer.model.batches import by_length
from trainer.model.metrics import CLASSIC, multi_hot, scores
from trainer.modelfolder import read_label_names, read_max_length, read_thresholds

Array = np.ndarray[Any, np.dtype[Any]]

COMMENTS = 500
"""Of a corpus, at most: what a model is tried on."""

AT_ONCE = 2_048
"""Padded tokens that are computed together."""


@dataclass(frozen=True)
class Trial:
    """What torch says: `logits`, float32 of (texts, labels), of `tokens`, the last of which is no comment but one of full length.

    `truth` and `cuts` are there where the corpus knows the model's labels; they are of `known` of the labels and of the comments.
    """

    tokens: TokenArrays
    fill: int
    logits: Array
    truth: Array | None = None
    cuts: Array | None = None
    known: tuple[int, ...] = ()


@dataclass(frozen=True)
class Comments:
    """The rows that a model is tried on: `text`, and the label ids of each in the corpus's terms."""

    text: list[str]
    labels: list[tuple[int, ...]]


def comments(corpus: Corpus) -> Comments:
    """`COMMENTS` rows at most, those that no model has learned from first. Raises CorpusError for a corpus without a row."""
    text: list[str] = []
    labels: list[tuple[int, ...]] = []
    for name in ("test", "dev", "train"):
        split = corpus.splits.get(name)
        room = COMMENTS - len(text)
        if split is not None and room > 0:
            text += split.text[:room]
            labels += split.labels[:room]
    if not text:
        raise CorpusError(f"{corpus.path} has no comment to try an export on")
    return Comments(text, labels)


def trial(folder: Path, corpus: Corpus) -> Trial:
    """Ask torch about `comments(corpus)`. Raises ModelError, CorpusError."""
    import torch

    from trainer.model import bert, classifier

    rows = comments(corpus)
    longest = " ".join(rows.text)  # cut to the model's length like any other
    tokens = tokenize([*rows.text, longest], load_tokenizer(folder), read_max_length(folder))
    model = bert.load(folder) or classifier.load(folder)
    fill = classifier.pad_id(model)
    logits = np.zeros((len(tokens), classifier.outputs(model)), np.float32)
    with torch.inference_mode():
        for batch in by_length(tokens.lengths, AT_ONCE):
            ids, mask = classifier.padded(tokens, batch, fill)
            logits[batch] = model(input_ids=ids, attention_mask=mask).logits.float().numpy()
    names, _ = read_label_names(folder)
    try:
        labels = matched(corpus, names)
    except ModelError:
        return Trial(tokens, fill, logits)
    own = read_thresholds(folder) or {}
    # under the model's taxonomy the ids mean groups
    truth = multi_hot(comments(labels.corpus).labels, len(labels.corpus.labels))[:, labels.in_corpus]
    cuts = np.array([own.get(names[k], CLASSIC) for k in labels.in_model])
    return Trial(tokens, fill, logits, truth, cuts, tuple(labels.in_model))


def compared(found: Trial, file: Path) -> dict[str, float]:
    """The largest and the mean difference of a probability, and the largest of a logit. Raises ModelError."""
    return _apart(found, run(file, found.tokens, found.fill))


def moved(found: Trial, file: Path) -> dict[str, Any]:
    """The same of a file in lower precision, and macro-F1 of both at the model's thresholds where the labels are known, else None.

    The thresholds may have been fitted on some of these comments, which flatters both: only the difference says something.
    """
    logits, f1 = run(file, found.tokens, found.fill), None
    if found.truth is not None and found.cuts is not None:
        f1 = {
            name: scores(found.truth, _sigmoid(said[: len(found.truth), list(found.known)]) >= found.cuts).macro_f1
            for name, said in (("fp32", found.logits), ("int8", logits))
        }
    return {**_apart(found, logits), "macro_f1": f1}


def _apart(found: Trial, logits: Array) -> dict[str, float]:
    apart = np.abs(_sigmoid(logits) - _sigmoid(found.logits))
    return {
        "largest": float(apart.max()), "mean": float(apart.mean()),
        "largest_logit": float(np.abs(logits - found.logits).max()),
    }  # fmt: skip


def run(file: Path, tokens: TokenArrays, fill: int) -> Array:
    """Logits by ONNX Runtime, float32 of (texts, labels). Raises ModelError where it cannot read or compute the file."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.log_severity_level = 3
    out: Array | None = None
    try:
        session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        for batch in by_length(tokens.lengths, AT_ONCE):
            ids, mask = tokens.padded(batch, fill)
            said = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
            if out is None:
                out = np.zeros((len(tokens), said.shape[1]), np.float32)
            out[batch] = said
    except Exception as error:  # the runtime's errors have no class in common but this one
        raise ModelError(f"{file.name}: ONNX Runtime cannot compute it: {str(error).partition(chr(10))[0]}") from error
    if out is None or not np.isfinite(out).all():
        raise ModelError(f"{file.name}: what it says is no number")
    return out


def _sigmoid(logits: Array) -> Array:
    found: Array = np.exp(-np.logaddexp(0, -logits.astype(np.float64)))
    return found
