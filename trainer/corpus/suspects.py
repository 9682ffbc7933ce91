"""Rows whose labels a model most disbelieves, as they are kept under the home: scores in, an order of rows out.

`suspects/<fingerprint>/` holds `oof.npy` (what models said of rows that they had not learned from) with `about.json`, and
`quality.npy`, `issues.npy` with `ranking.json`, which are worked out of it. numpy only; nothing is trained here.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer import paths
from trainer.corpus.corpus import Corpus
from trainer.corpus.decisions import Decision
from trainer.errors import ConfigError, GoemoError

SCORES, ABOUT = "oof.npy", "about.json"
QUALITY, ISSUES, RANKING = "quality.npy", "issues.npy", "ranking.json"
BEGUN = "begun.json"
"""What the work that is not done yet is: settings and folds. It goes when the scores are there."""
FORMAT = 1


@dataclass(frozen=True)
class OutOfFold:
    """`probabilities` (rows of train, labels) float32 in 0..1, of models that had not seen the row; NaN: not judged."""

    folder: Path
    probabilities: NDArray[np.float32]
    labels: tuple[str, ...]
    about: Mapping[str, Any]

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """(rows,): which rows a model was asked about."""
        return np.asarray(~np.isnan(self.probabilities).any(1))


@dataclass(frozen=True)
class Ranking:
    """`quality` (rows,) in 0..1, low is doubtful. `issues` (rows, labels): this label of this row is doubted, be it
    given or missing. `told`: how it was made and what it comes to. Rows that were not judged: quality NaN, no issue.
    """

    quality: NDArray[np.float32]
    issues: NDArray[np.bool_]
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Suspects:
    """Scores and ranking of one corpus, with the labels that its rows carry."""

    scores: OutOfFold
    ranking: Ranking
    given: NDArray[np.bool_]
    """(rows, labels)."""

    @cached_property
    def doubted(self) -> NDArray[np.bool_]:
        """(rows,): a given label is doubted."""
        return np.asarray((self.ranking.issues & self.given).any(1))

    @cached_property
    def missed(self) -> NDArray[np.bool_]:
        """(rows,): a label that is not given is thought to be missing."""
        return np.asarray((self.ranking.issues & ~self.given).any(1))

    @cached_property
    def margin(self) -> NDArray[np.float64]:
        """(rows,): by how much more the model raises the odds of a given label than those of any other, in nats.

        Odds over those of the label's frequency: a rare label that is said with 5% is said loudly. NaN: not judged.
        """
        p = np.clip(self.scores.probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
        base = (self.given.sum(0) + 0.5) / (len(self.given) + 1)
        raised = np.log(p / (1 - p)) - np.log(base / (1 - base))
        own = np.where(self.given, raised, -np.inf).max(1)
        other = np.where(self.given, -np.inf, raised).max(1, initial=-1e3)
        return np.asarray(own - other)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The rows that were judged, the most doubtful first.

        First those where another label fits and the given one does not, then those with either, then the rest; each
        by its margin. cleanlab's quality in its place finds fewer labels that were planted, and takes more rare ones for
        wrong, which no model is sure of.
        """
        tier = 2 - self.doubted.astype(int) - self.missed.astype(int)
        order = np.lexsort((self.margin, tier))
        return order[self.scores.judged[order]].astype(np.int64)

    def suggested(self, row: int) -> tuple[int, ...]:
        """The label ids that the model would give: doubted ones out, missing ones in; at least the likeliest one."""
        said = np.flatnonzero(self.given[row] ^ self.ranking.issues[row])
        return tuple(map(int, said)) or (int(np.argmax(self.scores.probabilities[row])),)

    def worst(self, share: float, decisions: Mapping[int, Decision]) -> NDArray[np.bool_]:
        """(rows,): the most doubtful `share` of the judged rows, without those that a person found fine, and with all
        those that a person found wrong.
        """
        fine = [row for row, decision in decisions.items() if decision.verdict == "fine"]
        wrong = [row for row, decision in decisions.items() if decision.verdict != "fine"]
        order = self.order[~np.isin(self.order, [*fine, *wrong])]
        mask = np.zeros(len(self.given), dtype=bool)
        mask[order[: round(share * int(self.scores.judged.sum()))]] = True
        mask[[row for row in wrong if row < len(mask)]] = True
        return mask


def folder_of(corpus: Corpus, taxonomy: str = "emotions") -> Path:
    """Where a corpus's scores are kept. It goes by the bytes of the training rows: another file is another corpus."""
    name = corpus.fingerprint.get("train", "")[:16] or "no-train"
    return paths.home() / "suspects" / (name if taxonomy == "emotions" else f"{name}-{taxonomy}")


def command(data: object, taxonomy: str = "emotions") -> str:
    """The command that makes the scores."""
    import shlex

    words = ["goemo-tui", "data", "suspects", str(data)]
    return shlex.join([*words, *(["--set", f"taxonomy={taxonomy}"] if taxonomy != "emotions" else [])])


def given_labels(corpus: Corpus) -> NDArray[np.bool_]:
    """(rows of train, labels): which labels the rows carry."""
    rows = corpus.splits["train"].labels
    given = np.zeros((len(rows), len(corpus.labels)), dtype=bool)
    for row, ids in enumerate(rows):
        given[row, list(ids)] = True
    return given


def begun(folder: Path) -> dict[str, Any] | None:
    """What was begun in `folder` and is not done: its settings and folds; None where nothing is."""
    return _json(folder / BEGUN) or None


def fold_file(folder: Path, fold: int) -> Path:
    """Where a fold's scores are kept until all are there."""
    return folder / f"fold-{fold}.npy"


def read_scores(corpus: Corpus, taxonomy: str = "emotions") -> OutOfFold | None:
    """The scores of a corpus (its labels grouped by `taxonomy` already); None where there are none that fit it."""
    folder = folder_of(corpus, taxonomy)
    about = _json(folder / ABOUT)
    values = _array(folder / SCORES)
    split = corpus.splits.get("train")
    if values is None or split is None or values.ndim != 2 or values.shape != (len(split), len(corpus.labels)):
        return None
    if about.get("labels") != list(corpus.labels.names) or about.get("sha256", split.sha256) != split.sha256:
        return None
    known = values[~np.isnan(values).any(1)]
    if not np.issubdtype(values.dtype, np.floating) or not len(known) or not ((known >= 0) & (known <= 1)).all():
        return None
    return OutOfFold(folder, values.astype(np.float32), corpus.labels.names, about)


def keep_scores(folder: Path, probabilities: NDArray[np.float32], about: Mapping[str, Any]) -> None:
    """Write scores, whole or not at all; a ranking of others goes. Raises GoemoError where the disk refuses."""
    try:
        paths.private_folder(folder)
        (folder / RANKING).unlink(missing_ok=True)
        paths.write_private(folder / SCORES, _npy(probabilities.astype(np.float32)))
        paths.write_private(folder / ABOUT, json.dumps({"format": FORMAT, **about}, indent=1).encode())
    except OSError as error:
        raise GoemoError(f"{folder} cannot be written: {error.strerror or error}") from None


def read_ranking(scores: OutOfFold) -> Ranking | None:
    """The ranking of these very scores; None where there is none yet."""
    told = _json(scores.folder / RANKING)
    quality, issues = _array(scores.folder / QUALITY), _array(scores.folder / ISSUES)
    shape = scores.probabilities.shape
    if quality is None or issues is None or quality.shape != shape[:1] or issues.shape != shape:
        return None
    if told.get("of") != fingerprint(scores):
        return None
    return Ranking(quality.astype(np.float32), issues.astype(bool), told)


def keep_ranking(scores: OutOfFold, ranking: Ranking) -> None:
    """Write a ranking beside its scores. Raises GoemoError where the disk refuses."""
    try:
        (scores.folder / RANKING).unlink(missing_ok=True)
        paths.write_private(scores.folder / QUALITY, _npy(ranking.quality))
        paths.write_private(scores.folder / ISSUES, _npy(ranking.issues))
        told = {"format": FORMAT, **ranking.told, "of": fingerprint(scores)}
        paths.write_private(scores.folder / RANKING, json.dumps(told, indent=1).encode())
    except OSError as error:
        raise GoemoError(f"{scores.folder} cannot be written: {error.strerror or error}") from None


def read_suspects(corpus: Corpus, taxonomy: str = "emotions") -> Suspects | None:
    """Scores and ranking of a corpus (its labels grouped already); None where either is missing."""
    scores = read_scores(corpus, taxonomy)
    ranking = None if scores is None else read_ranking(scores)
    return None if scores is None or ranking is None else Suspects(scores, ranking, given_labels(corpus))


def require_scores(corpus: Corpus, data: object, taxonomy: str = "emotions", key: str = "suspects") -> OutOfFold:
    """The scores of a corpus. Raises ConfigError about the setting `key` that names the command which makes them."""
    scores = read_scores(corpus, taxonomy)
    if scores is None:
        raise ConfigError(
            f"{key}: what models say of the rows of {data} that they have not learned from is not known yet. "
            f"{command(data, taxonomy)} finds out",
            key=key,
        )
    return scores


def fingerprint(scores: OutOfFold) -> str:
    """What a ranking names as its own: a hash of the probabilities."""
    return hashlib.sha256(np.ascontiguousarray(scores.probabilities).tobytes()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _array(path: Path) -> NDArray[Any] | None:
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if isinstance(found, np.ndarray) else None


def _npy(values: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, values, allow_pickle=False)
    return out.getvalue()
