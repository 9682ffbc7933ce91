"""Which labels are doubtful, by cleanlab's multi-label methods, from out-of-fold probabilities.

cleanlab takes a second to import and brings pandas and scikit-learn: it is imported when it is needed, in the process
that ranks. Nothing is learned or read from disk here.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.corpus.suspects import OutOfFold, Ranking, keep_ranking, read_ranking

METHOD = "confident_learning"
"""cleanlab's way of saying that one label of one row is doubtful: each label has its own limit, fitted to how sure the
model is of the rows that carry it, so that a rare label is not doubted for being rare."""

WIDEST = "prune_by_noise_rate"
"""cleanlab's default, which doubts more; only counted."""


def rank(given: NDArray[np.bool_], probabilities: NDArray[np.float32]) -> Ranking:
    """Rank rows by how doubtful their labels are. Both arrays have shape (rows, labels); NaN rows were not judged.

    A label that no judged row carries, or that all carry, cannot be doubted. Needs cleanlab.
    """
    judged = ~np.isnan(probabilities).any(1)
    truth, p = given[judged], probabilities[judged].astype(np.float64)
    usable = truth.any(0) & ~truth.all(0) if len(truth) else np.zeros(given.shape[1], dtype=bool)
    quality = np.full(len(given), np.nan, dtype=np.float32)
    issues = np.zeros(given.shape, dtype=bool)
    widest = np.zeros(truth.shape, dtype=bool)
    if usable.sum() >= 1:
        scored, doubted, wide = _cleanlab(truth[:, usable], p[:, usable])
        quality[judged] = scored
        issues[np.ix_(judged, usable)] = doubted
        widest[:, usable] = wide
    else:
        quality[judged] = np.where(truth, p, 1 - p).min(1, initial=1.0)
    return Ranking(quality, issues, _told(truth, issues[judged], widest))


def ranked(scores: OutOfFold, given: NDArray[np.bool_]) -> Ranking:
    """The kept ranking of these scores, made and kept where there is none. Raises GoemoError where the disk refuses."""
    found = read_ranking(scores)
    if found is None:
        found = rank(given, scores.probabilities)
        keep_ranking(scores, found)
        return read_ranking(scores) or found
    return found


def _cleanlab(
    truth: NDArray[np.bool_], p: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sparse labels divide by nothing here and there, which says no more than that
        from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
        from cleanlab.multilabel_classification.rank import get_label_quality_scores

        labels = [np.flatnonzero(row).tolist() for row in truth]
        quality = get_label_quality_scores(
            labels, p, method="self_confidence", aggregator_kwargs={"method": "softmin", "temperature": 0.1}
        )
        doubted, wide = (
            np.asarray(find_multilabel_issues_per_class(labels, p, filter_by=name, n_jobs=1), dtype=bool)
            for name in (METHOD, WIDEST)
        )
    return np.asarray(quality, dtype=np.float32), doubted, wide


def _told(truth: NDArray[np.bool_], issues: NDArray[np.bool_], widest: NDArray[np.bool_]) -> dict[str, Any]:
    """What the ranking comes to, in numbers of rows."""
    doubted, missed = issues & truth, issues & ~truth
    return {
        "method": f"cleanlab {_version()} {METHOD}, one label against the rest; quality: self-confidence, softmin",
        "rows": len(truth),
        "any": int(issues.any(1).sum()),
        "doubted": int(doubted.any(1).sum()),
        "missed": int(missed.any(1).sum()),
        "both": int((doubted.any(1) & missed.any(1)).sum()),
        "any_by_default": int(widest.any(1).sum()),
        "given_by_label": truth.sum(0).tolist(),
        "doubted_by_label": doubted.sum(0).tolist(),
        "missed_by_label": missed.sum(0).tolist(),
    }


def _version() -> str:
    from importlib.metadata import version

    return version("cleanlab")
