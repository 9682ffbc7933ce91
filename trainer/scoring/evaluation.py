"""All there is to know of how probabilities fare against the truth, as one immutable thing, and as JSON values.

It is told what was said, and by which cut: it fits no threshold, so nothing here can flatter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainer.scoring import bootstrap
from trainer.scoring.average_precision import average_precision
from trainer.scoring.bootstrap import Resampled, interval, intervals, resampled
from trainer.scoring.calibration import Reliability, reliability
from trainer.scoring.confusions import Confusions, confusions
from trainer.scoring.counts import Array, Average, Counts, averages, count
from trainer.scoring.levels import Level, levels

TOP = 5
"""Confusions that are listed of each label."""


@dataclass(frozen=True)
class Evaluation:
    """A split scored. Arrays have one value a label, in the order of `names`; `resampled` is None where none was asked for."""

    names: tuple[str, ...]
    rows: int
    counts: Counts
    averages: dict[str, Average]
    subset_accuracy: float
    hamming_loss: float
    average_precision: Array
    reliability: Reliability
    reliabilities: tuple[Reliability, ...]
    resampled: Resampled | None
    levels: tuple[Level, ...]
    level_draws: tuple[Resampled | None, ...]
    confusions: Confusions

    @property
    def empty(self) -> tuple[str, ...]:
        """Labels that no row carries: they score 0, as in scikit-learn, and count in the macro averages."""
        return tuple(name for name, rows in zip(self.names, self.counts.support, strict=True) if not rows)

    @property
    def macro_f1_of_present(self) -> float:
        """macro-F1 over the labels that some row carries."""
        there = self.counts.support > 0
        return float(self.counts.f1[there].mean()) if there.any() else 0.0

    @property
    def mean_average_precision(self) -> float:
        """The mean over the labels that some row carries: of one without rows nothing could be put first."""
        there = self.counts.support > 0
        return float(self.average_precision[there].mean()) if there.any() else 0.0


def evaluation(
    names: Sequence[str], truth: Array, probability: Array, said: Array, draws: int = bootstrap.RESAMPLES
) -> Evaluation:
    """Score arrays of shape (rows, labels): what is true, how probable it was held, and what was said of it.

    `draws` is how often the rows are drawn again for confidence intervals, 0 for none.
    """
    truth, said = truth.astype(bool), said.astype(bool)
    coarser = levels(names, truth, said)
    again = bool(draws and len(truth))
    return Evaluation(
        names=tuple(names),
        rows=len(truth),
        counts=count(truth, said),
        averages=averages(truth, said),
        subset_accuracy=float((truth == said).all(1).mean()) if len(truth) else 0.0,
        hamming_loss=float((truth != said).mean()) if truth.size else 0.0,
        average_precision=average_precision(truth, probability),
        reliability=reliability(truth, probability),
        reliabilities=tuple(reliability(truth[:, k], probability[:, k]) for k in range(truth.shape[1])),
        resampled=resampled(truth, said, draws) if again else None,
        levels=coarser,
        level_draws=tuple(resampled(level.truth, level.said, draws) if again else None for level in coarser),
        confusions=confusions(truth, said),
    )


def document(found: Evaluation, top: int = TOP) -> dict[str, Any]:
    """The evaluation as JSON values."""
    per_label = _per_label(found.names, found.counts, found.resampled)
    for k, (name, told) in enumerate(per_label.items()):
        own = found.reliabilities[k]
        told |= {
            "average_precision": float(found.average_precision[k]),
            "ece": own.ece,
            "missed": int(found.confusions.missed[k]),
            "said_wrongly": int(found.confusions.wrong[k]),
            "said_instead": {found.names[j]: rows for j, rows in found.confusions.said_for(k)[:top]},
            "nothing_instead": int(found.confusions.silent[k]),
        }
        assert name == found.names[k]
    return {
        **_means(found.averages),
        "subset_accuracy": found.subset_accuracy,
        "hamming_loss": found.hamming_loss,
        "mean_average_precision": found.mean_average_precision,
        "macro_f1_of_present": found.macro_f1_of_present,
        "empty": list(found.empty),
        "bootstrap": _bootstrap(found.resampled),
        "per_label": per_label,
        "calibration": {
            "ece": found.reliability.ece,
            "mean_ece": float(sum(one.ece for one in found.reliabilities) / max(1, len(found.names))),
            "brier": found.reliability.brier,
            "bins": [{"probability": p, "true": t, "decisions": n} for p, t, n in found.reliability.points],
        },
        "levels": {
            level.name: {
                **_means(level.averages),
                "bootstrap": _bootstrap(drawn),
                "per_label": _per_label(level.groups, level.counts, drawn),
            }
            for level, drawn in zip(found.levels, found.level_draws, strict=True)
        },
        "confusions": [
            {"true": found.names[i], "said": found.names[j], "rows": rows}
            for i, j, rows in found.confusions.pairs(4 * top)
        ],
    }


def _means(found: dict[str, Average]) -> dict[str, float]:
    return {f"{way}_{part}": value for way, average in found.items() for part, value in asdict(average).items()}


def _bootstrap(drawn: Resampled | None) -> dict[str, Any] | None:
    if drawn is None:
        return None
    ends = {key: asdict(interval(getattr(drawn, key))) for key in bootstrap.FIGURES}
    return {"resamples": len(drawn), "seed": bootstrap.SEED, "level": bootstrap.LEVEL, **ends}


def _per_label(names: Sequence[str], counts: Counts, drawn: Resampled | None) -> dict[str, dict[str, Any]]:
    ends = intervals(drawn.per_label) if drawn is not None else None
    precision, recall, f1 = counts.precision, counts.recall, counts.f1
    return {
        name: {
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
            "support": int(counts.support[k]),
            "f1_interval": asdict(ends[k]) if ends is not None else None,
        }
        for k, name in enumerate(names)
    }
