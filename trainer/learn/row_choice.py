"""Which rows of train a run learns from, and what each counts: a first part, all folds but one, suspects left out or weighed.

What was chosen by suspects is kept in the run's folder, so that a training that goes on has the same rows whatever a
person decides about them meanwhile.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from trainer.corpus import Corpus
from trainer.corpus.decisions import read_decisions
from trainer.corpus.folds import folds_of
from trainer.corpus.split import chosen_of
from trainer.errors import ConfigError, GoemoError
from trainer.learn.task import Array
from trainer.paths import write_private
from trainer.runs.run import Run

KEPT = "row_weights.npy"
FOLD = "fold"
"""The table of `config.toml` in a run that learns from all folds but one: `left_out`, `of` and `seed`."""


@dataclass(frozen=True)
class Chosen:
    """`rows`: indexes into the train split, in file order. `weights` (rows,) float32, None where all count the same."""

    rows: Array
    weights: Array | None = None
    said: str = ""
    """What to tell of the choice."""


def choose(run: Run, corpus: Corpus) -> Chosen:
    """The rows that `run` learns from. `corpus` has its labels grouped already.

    Raises ConfigError where suspects are asked for and not known, or where no row would be left.
    """
    config, split = run.config, corpus.splits["train"]
    rows = np.arange(min(len(split), config.limit or len(split)))
    fold = run.record.get(FOLD)
    if isinstance(fold, dict):
        own = folds_of(
            chosen_of(split.text, rows.tolist()),
            chosen_of(split.labels, rows.tolist()),
            int(fold["of"]),
            int(fold["seed"]),
        )
        return _some(Chosen(rows[own != int(fold["left_out"])]))
    if config.suspects == "keep":
        return Chosen(rows)
    weights = _weights(run, corpus)[rows]
    many = int((weights < 1).sum())
    if config.suspects == "leave_out":
        rows = rows[weights > 0]
        return _some(Chosen(rows, None, f"{many:,} rows with doubtful labels are left out, {len(rows):,} are learned"))
    said = f"{many:,} rows with doubtful labels count {config.suspect_weight:g} each"
    return _some(Chosen(rows, weights, said))


def _some(chosen: Chosen) -> Chosen:
    if not len(chosen.rows):
        raise ConfigError("no row of train is left to learn from: choose fewer suspects, or a larger limit", "suspects")
    return chosen


def _weights(run: Run, corpus: Corpus) -> Array:
    """(rows of train,) float32: as kept in the run's folder, else by the scores and decisions as they are now."""
    from trainer.corpus.suspects import Suspects, given_labels, require_scores
    from trainer.model.label_quality import ranked

    config, rows = run.config, len(corpus.splits["train"])
    kept = _kept(run, rows)
    if kept is not None:
        return kept
    scores = require_scores(corpus, config.data, config.taxonomy)
    given = given_labels(corpus)
    decisions = read_decisions(scores.folder, len(corpus.labels))
    worst = Suspects(scores, ranked(scores, given), given).worst(config.suspect_share, decisions)
    weight = 0.0 if config.suspects == "leave_out" else config.suspect_weight
    weights = np.where(worst, weight, 1.0).astype(np.float32)
    out = io.BytesIO()
    np.save(out, weights, allow_pickle=False)
    try:
        write_private(run.folder / KEPT, out.getvalue())
    except OSError as error:
        raise GoemoError(f"{run.folder / KEPT} cannot be written: {error.strerror or error}") from None
    return weights


def _kept(run: Run, rows: int) -> Array | None:
    try:
        found: Array = np.load(run.folder / KEPT, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found.astype(np.float32) if isinstance(found, np.ndarray) and found.shape == (rows,) else None
