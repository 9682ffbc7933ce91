"""All that a run's stored scores of dev tell, computed again from them: intervals, calibration, levels, confusions.

Reads the run's folder and its corpus, and counts for a second: for a thread. Thresholds are never fitted on the rows that
they cut, so the figures are those of the run's validation, and so are the mistakes that lead on to single comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goemo_tui.services.errors import ScoredDev, scored_dev
from trainer.errors import GoemoError, RunError

if TYPE_CHECKING:
    from trainer.scoring.bootstrap import Difference
    from trainer.scoring.confusions import Confusions
    from trainer.scoring.counts import Array
    from trainer.scoring.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class RunEvaluation:
    """`scores` are cross-fitted, and `mistakes` are those behind them."""

    run: str
    epoch: int
    scores: Evaluation

    @property
    def mistakes(self) -> Confusions:
        """What was said instead, label by label."""
        return self.scores.confusions

    def column(self, label: str) -> int | None:
        """The number of a label; None for one that these scores do not know."""
        return self.scores.names.index(label) if label in self.scores.names else None


@dataclass(frozen=True)
class Paired:
    """One run over another in macro-, micro- and weighted F1, by those keys; or `trouble` says why that is not known."""

    run: str
    found: dict[str, Difference]
    resamples: int = 0
    trouble: str = ""


def evaluation_of(folder: Path) -> RunEvaluation:
    """Compute it. Raises GoemoError for a run without scores, or whose comments are not there any more."""
    from trainer.scoring.evaluation import evaluation

    dev = scored_dev(folder)
    scores = evaluation(dev.scores.labels, _truth(dev), dev.scores.probabilities, _said(dev))
    return RunEvaluation(dev.run, dev.scores.epoch, scores)


def paired_over(base: Path, folders: tuple[Path, ...]) -> tuple[Paired, ...]:
    """Each of `folders` over `base`, on the same resamples of dev. Blocks for a second each; raises nothing."""
    from trainer.scoring.bootstrap import FIGURES, RESAMPLES, paired

    try:
        first = scored_dev(base)
    except GoemoError as error:
        return tuple(Paired(folder.name, {}, trouble=_short(error, base.name)) for folder in folders)
    truth, said = _truth(first), _said(first)
    told = []
    for folder in folders:
        try:
            other = scored_dev(folder)
            _require_alike(first, other)
        except GoemoError as error:
            told.append(Paired(folder.name, {}, trouble=_short(error, folder.name)))
            continue
        found = paired(truth, said, _said(other), RESAMPLES)
        told.append(Paired(folder.name, {key: found[key] for key in FIGURES}, RESAMPLES))
    return tuple(told)


def _require_alike(first: ScoredDev, other: ScoredDev) -> None:
    if first.scores.sha256 != other.scores.sha256:
        raise RunError("scored on other comments")
    if first.scores.labels != other.scores.labels:
        raise RunError("other labels")


def _short(error: GoemoError, run: str) -> str:
    """The first clause: a page of runs has no room for more."""
    return str(error).split(": ")[0].split(", so ")[0].replace(f"run {run} ", "it ")


def _truth(dev: ScoredDev) -> Array:
    from trainer.model.metrics import multi_hot

    return multi_hot(dev.split.labels, len(dev.scores.labels))


def _said(dev: ScoredDev) -> Array:
    said: Array = dev.scores.probabilities >= dev.cuts
    return said
