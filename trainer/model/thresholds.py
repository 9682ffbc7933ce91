"""Where probabilities are cut into labels: ways of fitting one threshold a label on a split whose labels are known.

The threshold of best F1 on a few positive rows is mostly chance (grief has 13 in dev), so other ways ask a smoothed curve
or the calibrated probabilities themselves. numpy only. That no row is scored by its own fit is for `metrics` to see to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

WAYS = ("blended", "smoothed", "calibrated", "per_label", "global")

CLASSIC = 0.3
"""The one threshold of the classic recipe."""

ENOUGH = 5
"""A label with fewer positive rows than this takes the common threshold: a fit on four rows is noise."""

LOWEST = 1e-4
"""Thresholds keep this far from 0 and 1, which would say everything or nothing."""

WIDTH = 0.3
"""How far the curve of F1 is smoothed: the standard deviation of the kernel, in logits."""

GRID = np.arange(-6.0, 6.0, 0.05)
"""The logits that a smoothed curve is computed at."""

CERTAINTY = 10.0
"""The calibration begins at leaving probabilities as they are, and needs so much evidence to go from there."""


def fit_thresholds(truth: Array, probability: Array, way: str = "per_label") -> Array:
    """One threshold a label, shape (labels,), each within (0, 1), fitted on `truth` and `probability` of (rows, labels).

    per_label: best F1 on these rows. smoothed: the top of the smoothed curve of F1. calibrated: best expected F1 under
    probabilities that are calibrated on these rows, which asks every row and not only those at the cut. blended: the
    mean of these three, in logits. global: one for all, best in macro-F1; also for labels with fewer than ENOUGH rows.
    """
    truth = truth.astype(bool)
    rare = truth.sum(0) < ENOUGH
    if rare.all():
        return np.full(truth.shape[1], CLASSIC)
    if way == "global":
        return np.full(truth.shape[1], _common(truth[:, ~rare], probability[:, ~rare]))
    fitted = np.array([_FITS[way](truth[:, k], probability[:, k].astype(np.float64)) for k in range(truth.shape[1])])
    if rare.any():
        fitted[rare] = _common(truth[:, ~rare], probability[:, ~rare])
    return np.asarray(np.clip(fitted, LOWEST, 1 - LOWEST))


def _best(truth: Array, probability: Array) -> float:
    """The threshold of best F1 on these rows of one label, half way between two probabilities."""
    order = np.argsort(-probability, kind="stable")
    p, hits = probability[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(p) + 1) + max(1, int(truth.sum())))
    # a cut is possible only between two different probabilities
    possible = (np.append(p[1:] != p[:-1], True) if len(p) else np.zeros(0, dtype=bool)) & (p > LOWEST)
    if not possible.any() or not truth.any():
        return 0.5
    return _between(p, int(np.argmax(np.where(possible, f1, -1.0))))


def _smoothed(truth: Array, probability: Array) -> float:
    """The top of the curve of F1 over the threshold's logit, after a Gaussian kernel has gone over it."""
    if not truth.any():
        return 0.5
    logit = _logit(probability)
    order = np.argsort(-logit, kind="stable")
    said = np.searchsorted(-logit[order], -GRID, side="right")
    hits = np.append(0, np.cumsum(truth[order]))[said]
    f1 = 2 * hits / (said + truth.sum())
    reach = round(3 * WIDTH / 0.05)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * 0.05 / WIDTH) ** 2)
    curve = np.convolve(np.pad(f1, reach, mode="edge"), kernel / kernel.sum(), "valid")
    return float(_probability(GRID[int(curve.argmax())]))


def _calibrated(truth: Array, probability: Array) -> float:
    """The threshold of best expected F1, if slope and shift of the logits were set right (Platt) on these rows."""
    if not truth.any():
        return 0.5
    logit = _logit(probability)
    slope, shift = _platt(truth, logit)
    p = np.sort(_probability(slope * logit + shift))[::-1]
    expected = 2 * np.cumsum(p) / (p.sum() + np.arange(1, len(p) + 1))
    cut = _between(p, int(expected.argmax()))
    return float(_probability((_logit(cut) - shift) / slope))


def _platt(truth: Array, logit: Array) -> tuple[float, float]:
    """Slope and shift of the logits that make these labels most likely, drawn towards 1 and 0. Newton's method."""
    at = np.array([1.0, 0.0])
    x = np.stack([logit, np.ones_like(logit)])
    prior = np.array([CERTAINTY, CERTAINTY / 5])
    for _ in range(20):
        p = _probability(at @ x)
        slope = x @ (p - truth) + prior * (at - [1.0, 0.0])
        curvature = (x * (p * (1 - p))) @ x.T + np.diag(prior)
        at = at - np.clip(np.linalg.solve(curvature, slope), -1, 1)  # bounded: far away, the curve is no parabola
    return max(0.1, float(at[0])), float(at[1])


def _blended(truth: Array, probability: Array) -> float:
    found = [fit(truth, probability) for fit in (_best, _smoothed, _calibrated)]
    return float(_probability(np.mean(_logit(np.array(found)))))


_FITS = {"per_label": _best, "smoothed": _smoothed, "calibrated": _calibrated, "blended": _blended}


def _between(p: Array, at: int) -> float:
    """A cut behind number `at` of falling probabilities."""
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


def _logit(p: Any) -> Array:
    q = np.clip(p, LOWEST / 100, 1 - LOWEST / 100)
    return np.asarray(np.log(q / (1 - q)))


def _probability(logit: Any) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -50, 50))))
