"""A split in, a report out: what a model gets right on rows whose labels are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.corpus import Corpus, load_corpus
from trainer.errors import ConfigError, ModelError, NotFoundError
from trainer.infer.predictor import TUNED, Predictor, Threshold
from trainer.labels import TAXONOMIES, LabelSet
from trainer.model.metrics import multi_hot, scores


def evaluate(
    model: str | Predictor | None = None,
    data: str | Path | None = None,
    split: str | None = None,
    threshold: Threshold = TUNED,
    device: str = "auto",
) -> dict[str, Any]:
    """Scores of `model` on one split of `data`, as the JSON document of `goemo-tui eval`.

    Left out, the split is test where the corpus has one, else dev. The corpus's labels are matched to the model's by
    name, under the grouping that the model was trained with. Raises NotFoundError, CorpusError, ModelError, and
    ConfigError for a threshold or device that cannot be.
    """
    predictor = model if isinstance(model, Predictor) else Predictor(model, device=device, threshold=threshold)
    corpus = load_corpus(data)
    name = split or corpus.scored
    if name not in corpus.splits:
        raise NotFoundError(f"{corpus.path} has no split {name!r}; there are: {', '.join(corpus.splits)}")
    corpus = in_terms_of(corpus, LabelSet(predictor.labels))
    rows = corpus.splits[name]
    if not len(rows.text):
        raise NotFoundError(f"{corpus.path}: the split {name!r} has no usable row")
    ids = {name.lower(): k for name, k in corpus.labels.index().items()}
    order = [ids[label.lower()] for label in predictor.labels]
    truth = multi_hot(rows.labels, len(corpus.labels))[:, order]
    cuts = predictor.thresholds(threshold)
    found = scores(truth, predictor.probabilities(rows.text) >= cuts)
    return {
        "split": name,
        "n": len(rows.text),
        "macro_f1": found.macro_f1,
        "micro_f1": found.micro_f1,
        "weighted_f1": found.weighted_f1,
        "macro_precision": float(found.precision.mean()),
        "macro_recall": float(found.recall.mean()),
        "subset_accuracy": found.subset_accuracy,
        "hamming_loss": found.hamming_loss,
        "thresholds": {label: float(cuts[k]) for k, label in enumerate(predictor.labels)},
        "per_label": {
            label: {
                "precision": float(found.precision[k]),
                "recall": float(found.recall[k]),
                "f1": float(found.f1[k]),
                "support": int(found.support[k]),
            }
            for k, label in enumerate(predictor.labels)
        },
    }


def in_terms_of(corpus: Corpus, labels: LabelSet) -> Corpus:
    """The corpus under the taxonomy whose names are the model's. Raises ModelError where none fits."""
    for taxonomy in TAXONOMIES:
        try:
            grouped = corpus.under(taxonomy)
        except ConfigError:
            continue
        if {n.lower() for n in grouped.labels.names} == {n.lower() for n in labels.names}:
            return grouped
    raise ModelError(
        f"the model's labels ({', '.join(labels.names[:4])} …, {len(labels)} in all) are not those of {corpus.path} "
        f"({', '.join(corpus.labels.names[:4])} …, {len(corpus.labels)} in all)"
    )
