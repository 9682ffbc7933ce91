"""A split in, a report out: what a model gets right on rows whose labels are known, and how two models compare there.

Thresholds that were fitted on these very rows are not used on them: each half is cut by thresholds fitted on the other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.corpus import Corpus, Split, load_corpus
from trainer.corpus.corpus import SPLITS
from trainer.errors import ConfigError, ModelError, NotFoundError
from trainer.infer.fitted_rows import CROSS_FITTED, TOO_FEW, Seen, seen
from trainer.infer.like import fingerprint_of
from trainer.infer.matching import Matched, matched, some
from trainer.infer.predictor import TUNED, Predictor, Threshold
from trainer.model.metrics import can_cross_fit, cross_cuts, multi_hot
from trainer.modelfolder import read_way
from trainer.scoring import bootstrap as draws
from trainer.scoring.counts import Array
from trainer.scoring.evaluation import Evaluation, document, evaluation
from trainer.scoring.levels import applicable


@dataclass(frozen=True)
class Scored:
    """A split as one model reads it. Arrays of shape (rows, labels), in the order of `labels`.

    `row_cuts` are the thresholds that each row was cut by, `cuts` of shape (labels,) those that the model carries.
    """

    model: str
    corpus: Path
    split: str
    labels: tuple[str, ...]
    truth: Array
    probability: Array
    row_cuts: Array
    cuts: Array
    cross_fitted: bool
    left_out: Matched
    notes: tuple[str, ...]

    @property
    def said(self) -> Array:
        """What was said of each row: bool of shape (rows, labels)."""
        return np.asarray(self.probability >= self.row_cuts)


def evaluate(
    model: str | Predictor | None = None,
    data: str | Path | None = None,
    split: str | None = None,
    threshold: Threshold = TUNED,
    device: str = "auto",
    bootstrap: int = draws.RESAMPLES,
    against: str | Predictor | None = None,
) -> dict[str, Any]:
    """Scores of `model` on one split of `data`, as the JSON document of `goemo-tui eval`.

    Left out, the split is test where the corpus has one, else dev. The corpus's labels are matched to the model's by
    name, under the grouping that the model was trained with. `bootstrap` is how often the rows are drawn again for
    confidence intervals (0: none); `against` is a second model, held against the first on the same draws. Raises
    NotFoundError, CorpusError, ModelError, and ConfigError for a threshold, device or bootstrap that cannot be.
    """
    if not 0 <= bootstrap <= draws.MOST:
        raise ConfigError(f"bootstrap {bootstrap}: give 0 for none, or a number up to {draws.MOST:,}", key="bootstrap")
    first = _predictor(model, device, threshold)
    second = _predictor(against, device, threshold) if against is not None else None
    corpus = load_corpus(data)
    one = score(first, corpus, split, threshold)
    report = report_of(one, bootstrap)
    if second is not None:
        other = score(second, corpus, split, threshold)
        report["against"] = report_of(other, bootstrap)
        report["difference"] = compared(one, other, bootstrap)
    return report


def score(predictor: Predictor, corpus: Corpus, split: str | None, threshold: Threshold = TUNED) -> Scored:
    """What the model says of the rows of a split, and what is true of them. Raises NotFoundError, ModelError, ConfigError."""
    name = split or corpus.scored
    notes: list[str] = []
    if name not in corpus.splits:
        raise NotFoundError(
            f"{corpus.path} has no split {name!r}; there are: {', '.join(corpus.splits)}. Name one of them with --split"
            + _way_to(name, corpus)
        )
    if split is None and name == "train":
        notes.append("the corpus has one split, train, and that is scored")
    elif split is None and name == "dev":
        notes.append("the corpus has no test split, so dev is scored, on which a run's best epoch was chosen")
    labels = matched(corpus, predictor.labels)
    rows = labels.corpus.splits[name]
    if name == "train" and _learned(predictor.folder.path, rows):
        notes.append("these are training rows: of a model that learned them the scores say how well it remembers")
    if not len(rows.text):
        raise NotFoundError(f"{corpus.path}: the split {name!r} has no usable row")
    truth = multi_hot(rows.labels, len(labels.corpus.labels))[:, labels.in_corpus]
    probability = predictor.probabilities(rows.text)[:, labels.in_model]
    cuts = predictor.thresholds(threshold)[labels.in_model]
    own = seen(predictor.folder.path, rows) if threshold == TUNED else Seen(0, len(rows))
    again = own.flatters and can_cross_fit(truth)
    row_cuts = (
        cross_cuts(truth, probability, read_way(predictor.folder.path))
        if again
        else np.broadcast_to(cuts, probability.shape)
    )
    if own.flatters:
        notes.append(f"{own.told}, {CROSS_FITTED if again else TOO_FEW}")
    elif own.doubt:
        notes.append(own.doubt)
    names = tuple(predictor.labels[k] for k in labels.in_model)
    notes += labels.notes(name, truth_rows=len(rows.text))
    return Scored(
        predictor.name, corpus.path, name, names, truth, probability, row_cuts, cuts, again, labels, tuple(notes)
    )  # fmt: skip


def _way_to(name: str, corpus: Corpus) -> str:
    """How the corpus would come to a split of this name, where it can."""
    if name not in SPLITS:
        return ""
    if not corpus.path.is_dir():
        return f", or put them into a folder, with a {name}.tsv beside them"
    there = next((file.name for file in corpus.path.glob(f"{name}.*")), None)
    return f"; {there} is there, but has no usable row" if there else f", or put a {name}.tsv beside them"


def _learned(folder: Path, rows: Split) -> bool:
    """Whether a model may have learned these rows: its run did, or their file is called so and nothing says otherwise."""
    if fingerprint_of(folder) == rows.sha256:
        return True
    return rows.file is not None and rows.file.stem.lower() == "train"


def report_of(found: Scored, bootstrap: int) -> dict[str, Any]:
    """The JSON document of one model's scores."""
    scores = evaluation(found.labels, found.truth, found.probability, found.said, bootstrap)
    return {
        "model": found.model,
        "data": str(found.corpus),
        "split": found.split,
        "n": len(found.truth),
        "cross_fitted": found.cross_fitted,
        "notes": [*found.notes, *_doubts(scores, found.split)],
        "left_out": {"model": list(found.left_out.only_model), "corpus": list(found.left_out.only_corpus)},
        "thresholds": {label: float(found.cuts[k]) for k, label in enumerate(found.labels)},
        **document(scores),
    }


def compared(one: Scored, other: Scored, bootstrap: int) -> dict[str, Any]:
    """B over A on the same draws, as JSON values. Raises ModelError where the two know other labels."""
    if {name.lower() for name in one.labels} != {name.lower() for name in other.labels}:
        raise ModelError(
            f"{one.model} and {other.model} know other labels ({len(one.labels)} and {len(other.labels)}), so their scores "
            "mean different things: compare models of the same labels"
        )
    at = {name.lower(): k for k, name in enumerate(other.labels)}
    said = other.said[:, [at[name.lower()] for name in one.labels]]
    found = draws.paired(one.truth, one.said, said, max(1, bootstrap))

    def told(difference: draws.Difference) -> dict[str, Any]:
        if not bootstrap:
            return {"difference": difference.difference, "low": None, "high": None, "better": None, "clear": None}
        return {**asdict(difference), "clear": difference.clear}

    return {
        "resamples": bootstrap,
        **{key: told(found[key]) for key in draws.FIGURES},
        "per_label": {name: told(found["per_label"][k]) for k, name in enumerate(one.labels)},
    }


def _predictor(model: str | Predictor | None, device: str, threshold: Threshold) -> Predictor:
    return model if isinstance(model, Predictor) else Predictor(model, device=device, threshold=threshold)


def _doubts(found: Evaluation, split: str) -> list[str]:
    """What must be known before the figures are believed."""
    notes = []
    if found.empty and len(found.empty) < len(found.names):
        several, rest = len(found.empty) > 1, len(found.names) - len(found.empty)
        others = f"over the other {rest} labels" if rest > 1 else "of the other label"
        notes.append(
            f"{some(found.empty)}: no row of {split} carries {'them' if several else 'it'}, so {'they' if several else 'it'} "
            f"score{'' if several else 's'} 0, as in scikit-learn, and count{'' if several else 's'} in the macro averages; "
            f"{others} macro-F1 is {found.macro_f1_of_present:.3f}, and mean AP is of {'these' if rest > 1 else 'that'} alone"
        )
    elif found.empty:
        notes.append(f"no row of {split} carries any label: every score is 0")
    if not applicable(found.names):
        notes.append("Ekman's emotions and sentiment group the official 28 labels; these are others")
    return notes
