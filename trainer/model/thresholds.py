"""Where probabilities are cut into labels: ways of fitting one threshold a label on a split whose labels are known.

The threshold of best F1 on a few positive rows is mostly chance (grief has 13 in dev), so that the usual way asks many
resamples of the rows and leans on the other labels. numpy only. Scoring the rows of the fit is for `metrics` to prevent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

WAYS = ("bagged", "per_label", "shrunk", "global")

CLASSIC = 0.3
"""The one threshold of the classic recipe."""

ENOUGH = 5
"""A label with fewer positive rows than this takes the common threshold: a fit on four rows is noise."""

LOWEST = 1e-4
"""Thresholds keep this far from 0 and 1, which would say everything or nothing."""

TRUST = 25
"""So many positive rows weigh as much as the common threshold in "shrunk" and "bagged"."""

RESAMPLES = 60


def fit_thresholds(truth: Array, probability: Array, way: str = "per_label") -> Array:
    """One threshold a label, shape (labels,), each within (0, 1), fitted on `truth` and `probability` of (rows, labels).

    per_label: best F1 of each label. global: one for all, best in macro-F1. shrunk: per label, drawn towards the global
    one where positive rows are few. bagged: the same with the mean of many resamples' best in place of the one best.
    A label with fewer than ENOUGH positive rows takes the global one.
    """
    truth = truth.astype(bool)
    support = truth.sum(0)
    rare = support < ENOUGH
    if rare.all():
        return np.full(truth.shape[1], CLASSIC)
    common = _common(truth[:, ~rare], probability[:, ~rare]) if way != "per_label" or rare.any() else CLASSIC
    if way == "global":
        return np.full(truth.shape[1], common)
    best = _bagged if way == "bagged" else _best
    fitted = np.array([best(truth[:, k], probability[:, k]) for k in range(truth.shape[1])])
    if way != "per_label":
        share = support / (support + TRUST)
        fitted = _probability(share * _logit(fitted) + (1 - share) * _logit(np.float64(common)))
    fitted[rare] = common
    return np.asarray(np.clip(fitted, LOWEST, 1 - LOWEST))


def _best(truth: Array, probability: Array) -> float:
    """The threshold of best F1 on these rows of one label, half way between two probabilities."""
    order = np.argsort(-probability, kind="stable")
    p, hits = probability[order].astype(np.float64), np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(p) + 1) + max(1, int(truth.sum())))
    possible = _possible(p)
    if not possible.any() or not truth.any():
        return 0.5
    return _cut(p, int(np.argmax(np.where(possible, f1, -1.0))))


def _bagged(truth: Array, probability: Array) -> float:
    """The mean, in logits, of the best thresholds of RESAMPLES resamples of the rows, always the same ones."""
    order = np.argsort(-probability, kind="stable")
    p, hit = probability[order].astype(np.float64), truth[order]
    possible = _possible(p)
    if not possible.any() or not truth.any():
        return 0.5
    drawn = np.random.Generator(np.random.PCG64(0)).poisson(1.0, (RESAMPLES, len(p)))
    hits, said = np.cumsum(drawn * hit, 1), np.cumsum(drawn, 1)
    f1 = np.where(possible, 2 * hits / np.maximum(1, said + hits[:, -1:]), -1.0)
    found = np.array([_cut(p, int(at)) for at in f1[hits[:, -1] > 0].argmax(1)])
    return float(_probability(_logit(found).mean())) if len(found) else _best(truth, probability)


def _possible(p: Array) -> Array:
    """Where a cut behind each of these falling probabilities would part two different ones."""
    return (np.append(p[1:] != p[:-1], True) if len(p) else np.zeros(0, dtype=bool)) & (p > LOWEST)


def _cut(p: Array, at: int) -> float:
    below = p[at + 1] if at + 1 < len(p) else 0.0
    return float(np.clip((p[at] + below) / 2, LOWEST, 1 - LOWEST))


def _common(truth: Array, probability: Array) -> float:
    """The one threshold of best macro-F1."""
    support = truth.sum(0)
    candidates = np.arange(0.05, 0.96, 0.01)
    found = []
    for t in candidates:
        said = probability >= t
        found.append((2 * (truth & said).sum(0) / np.maximum(1, support + said.sum(0))).mean())
    return float(candidates[int(np.argmax(found))])


def _logit(p: Array | np.float64) -> Array:
    q = np.clip(p, LOWEST, 1 - LOWEST)
    return np.asarray(np.log(q / (1 - q)))


def _probability(logit: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-logit)))
