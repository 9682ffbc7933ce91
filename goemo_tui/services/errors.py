"""The comments that a model got wrong for one emotion, the most confident mistakes first.

A row is judged by the threshold that it is scored by, so that these are the comments behind P, R and F1: of a run's dev each
half by the threshold fitted on the other. `scored_dev` reads the run's folder and its corpus: for a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import NotFoundError, RunError
from trainer.runs.run import Run

if TYPE_CHECKING:
    from trainer.corpus import Split
    from trainer.runs.dev_scores import DevScores
    from trainer.scoring.counts import Array

FALSE_POSITIVE, FALSE_NEGATIVE = "false positive", "false negative"
KINDS = (FALSE_POSITIVE, FALSE_NEGATIVE)
SIGNS = {FALSE_POSITIVE: "+", FALSE_NEGATIVE: "−"}
"""Said though it is not so, and not said though it is."""


@dataclass(frozen=True)
class Mistake:
    """One comment. `predicted` are (label, probability) of what the model said, the surest first; all as the file says.

    `threshold` is what it was judged by, `confidence` how far, 0..1, the probability lies beyond that on the wrong side.
    """

    kind: str
    row: int
    line: int
    id: str
    text: str
    probability: float
    threshold: float
    confidence: float
    labels: tuple[str, ...]
    predicted: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Mistakes:
    """What a run, or another model, got wrong for `label`, surest first, of `rows` comments of which `support` carry it.

    `threshold` is the model's own, `judged_by` those that the comments were judged by. `epoch` is None of a model alone.
    """

    run: str
    label: str
    split: str
    epoch: int | None
    threshold: float
    judged_by: tuple[float, ...]
    rows: int
    support: int
    mistakes: tuple[Mistake, ...]

    def of(self, *kinds: str) -> tuple[Mistake, ...]:
        """Those of some kinds."""
        return tuple(mistake for mistake in self.mistakes if mistake.kind in kinds)


@dataclass(frozen=True)
class ScoredDev:
    """A run's dev comments and what its best epoch said of each, or any split and what a model says of it.

    `cuts` (rows, labels) are the thresholds that each row is judged by. `scores.epoch` is 0 of a model alone.
    """

    run: str
    split: Split
    scores: DevScores
    cuts: Array


def scored_dev(folder: Path) -> ScoredDev:
    """Read the scores of a run and the comments that they are of.

    Raises NotFoundError for a run without scores, RunError where the comments are not those any more, and whatever reading
    the corpus does.
    """
    from trainer.corpus import load_corpus
    from trainer.model.metrics import cross_cuts, multi_hot
    from trainer.runs.dev_scores import read_dev_scores

    run = Run.open(folder)
    scores = read_dev_scores(run.folder)
    if scores is None:
        raise NotFoundError(_no_scores(run))
    config = run.config
    corpus = load_corpus(config.data)
    if "dev" not in corpus.splits:
        raise RunError(
            f"{corpus.path} has no dev comments any more: the run's own corpus is needed to list its mistakes"
        )
    if corpus.fingerprint["dev"] != scores.sha256:
        raise RunError(
            f"the dev comments in {corpus.path} are not those that run {run.id} was scored on (another fingerprint): "
            "put the old file back, or train again on the new one"
        )
    split = corpus.under(config.taxonomy).splits["dev"]
    names = corpus.under(config.taxonomy).labels.names
    if names != scores.labels or len(split) != len(scores.probabilities):
        raise RunError(
            f"the labels in {corpus.path} are not those that run {run.id} learned: put its label file back, or train again"
        )
    truth = multi_hot(split.labels, len(names))
    return ScoredDev(run.id, split, scores, cross_cuts(truth, scores.probabilities, scores.way))


def _no_scores(run: Run) -> str:
    if run.look().snapshot.best is None:
        return f"run {run.id} has no validation yet: its mistakes can be listed after its first epoch"
    from goemo_tui.services.train_command import command_of_run

    return (
        f"run {run.id} was made before scores were kept beside the model, so its mistakes are not known. "
        f"The same run again keeps them: {command_of_run(run.config)}"
    )


def require_label(dev: ScoredDev, label: str) -> int:
    """The column of `label`, whatever its case. Raises NotFoundError that names those there are."""
    names = [name.lower() for name in dev.scores.labels]
    if label.lower() not in names:
        raise NotFoundError(f"{dev.run} knows no emotion {label!r}; it knows {', '.join(dev.scores.labels)}")
    return names.index(label.lower())


def mistakes(dev: ScoredDev, label: str) -> Mistakes:
    """All of them. Raises NotFoundError for an unknown label."""
    import numpy as np

    column = require_label(dev, label)
    said_of = dev.scores.probabilities[:, column]
    threshold = float(dev.scores.thresholds[column])
    cuts = dev.cuts[:, column]
    said = said_of >= cuts
    truth = np.fromiter((column in row for row in dev.split.labels), bool, len(dev.split))
    found = [_mistake(dev, int(row), column, bool(said[row])) for row in np.flatnonzero(said != truth)]
    found.sort(key=lambda m: (-m.confidence, m.row))
    name, epoch = dev.scores.labels[column], dev.scores.epoch or None
    judged_by = tuple(float(cut) for cut in np.unique(cuts))
    return Mistakes(
        dev.run, name, dev.split.name, epoch, threshold, judged_by, len(dev.split), int(truth.sum()), tuple(found)
    )


def _mistake(dev: ScoredDev, row: int, column: int, said: bool) -> Mistake:
    names, limits, p = dev.scores.labels, dev.cuts[row], dev.scores.probabilities[row]
    probability, limit = float(p[column]), float(limits[column])
    beyond = (probability - limit) / max(1e-9, 1 - limit) if said else (limit - probability) / max(1e-9, limit)
    predicted = sorted(((names[i], float(p[i])) for i in range(len(names)) if p[i] >= limits[i]), key=lambda s: -s[1])
    return Mistake(
        FALSE_POSITIVE if said else FALSE_NEGATIVE,
        row,
        dev.split.lines[row],
        dev.split.ids[row],
        dev.split.text[row],
        probability,
        limit,
        beyond,
        tuple(names[i] for i in dev.split.labels[row]),
        tuple(predicted),
    )


def document(found: Mistakes, shown: Sequence[Mistake]) -> dict[str, Any]:
    """The mistakes as JSON values; `shown` are those that are listed."""
    return {
        "run": found.run,
        "emotion": found.label,
        "split": found.split,
        "epoch": found.epoch,
        "threshold": round(found.threshold, 6),
        "judged_by": [round(cut, 6) for cut in found.judged_by],
        "rows": found.rows,
        "support": found.support,
        "false_positives": len(found.of(FALSE_POSITIVE)),
        "false_negatives": len(found.of(FALSE_NEGATIVE)),
        "mistakes": [
            {
                "kind": m.kind,
                "line": m.line,
                "id": m.id,
                "text": m.text,
                "probability": round(m.probability, 6),
                "threshold": round(m.threshold, 6),
                "labels": list(m.labels),
                "predicted": {label: round(p, 6) for label, p in m.predicted},
            }
            for m in shown
        ],
    }
