"""Suspect rows as screen and command show them: which labels are doubted, what a person decided, the list without them.

Reads what is kept beside the corpus; nothing is trained or ranked here, and no widget is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.corpus.decisions import VERDICTS, Decision, Verdict, keep_decisions, read_decisions
from trainer.corpus.suspects import Suspects, begun, command, fold_file, folder_of, read_scores, read_suspects
from trainer.errors import ConfigError, GoemoError

if TYPE_CHECKING:
    from goemo_tui.services.corpus import Rows, SplitColumns
    from trainer.corpus import Corpus, Split

WORDS: dict[Verdict, str] = {"fine": "fine", "wrong": "wrong", "model": "model's"}
"""What is said of a row that was decided."""


@dataclass(frozen=True)
class Doubt:
    """One suspect row. Label ids throughout; `probability` has one value a label."""

    rank: int
    row: int
    given: tuple[int, ...]
    doubted: tuple[int, ...]
    missing: tuple[int, ...]
    suggested: tuple[int, ...]
    quality: float
    """cleanlab's, in 0..1."""
    margin: float
    """How much further a given label is raised above its base rate than any other, in nats; negative: less far."""
    probability: Any


@dataclass
class Judged:
    """The suspects of one corpus with what was decided so far."""

    suspects: Suspects
    decisions: dict[int, Decision]

    def doubts(self, most: int) -> list[Doubt]:
        """The `most` most doubtful rows, in order."""
        return [self.doubt(rank, int(row)) for rank, row in enumerate(self.suspects.order[:most], 1)]

    def doubt(self, rank: int, row: int) -> Doubt:
        """What is to be said of a row."""
        found, issues, given = self.suspects, self.suspects.ranking.issues[row], self.suspects.given[row]
        return Doubt(
            rank=rank,
            row=row,
            given=_ids(given),
            doubted=_ids(issues & given),
            missing=_ids(issues & ~given),
            suggested=found.suggested(row),
            quality=float(found.ranking.quality[row]),
            margin=float(found.margin[row]),
            probability=found.scores.probabilities[row],
        )

    def decide(self, row: int, verdict: Verdict | None) -> None:
        """Keep a verdict on a row, or take it back (None).

        Raises GoemoError where the disk refuses, and for the model's labels where they are those that are given.
        """
        if verdict == "model" and self.suspects.suggested(row) == _ids(self.suspects.given[row]):
            raise GoemoError("the model has no other labels for this row: are they fine, or wrong?")
        new = dict(self.decisions)
        if verdict is None:
            new.pop(row, None)
        else:
            new[row] = Decision(verdict, self.suspects.suggested(row) if verdict == "model" else ())
        keep_decisions(self.suspects.scores.folder, new)
        self.decisions = new


def judged_columns(columns: SplitColumns) -> Judged | None:
    """The suspects that are kept for a train split; None where there are none, or none are ranked."""
    return judged(_corpus(columns))


def missing_columns(columns: SplitColumns, data: str) -> tuple[str, str]:
    """Why there are none for a train split, and the command that finds them."""
    return what_is_missing(_corpus(columns)), command(data)


def _corpus(columns: SplitColumns) -> Corpus:
    from pathlib import Path

    from trainer.corpus import Corpus

    return Corpus("", Path(), columns.labels, {"train": columns.split})


def judged(corpus: Corpus, taxonomy: str = "emotions") -> Judged | None:
    """The suspects that are kept for a corpus; None where there are none, or none are ranked."""
    found = read_suspects(corpus, taxonomy)
    if found is None:
        return None
    assert found.order is not None  # worked out here, which may be a thread beside the screen
    return Judged(found, read_decisions(found.scores.folder, len(corpus.labels)))


def what_is_missing(corpus: Corpus) -> str:
    """Why there are no suspects to show, and what the command would do about it."""
    if read_scores(corpus) is not None:
        return "The rows are scored, but not ranked yet. This ranks them in seconds:"
    folder = folder_of(corpus)
    work = begun(folder)
    folds = work.get("folds") if work is not None else None
    if isinstance(folds, int):
        done = sum(fold_file(folder, fold).is_file() for fold in range(min(folds, 100)))
        return f"This is being found out, or was broken off: {done} of {folds} folds are done. This goes on with it:"
    return (
        "Which labels are doubtful is not known yet. This trains a model for each fold, which judges rows that it has not "
        "seen; stopped, it goes on where it was:"
    )


def cleaned(split: Split, found: Judged, share: float) -> tuple[Split, list[int]]:
    """The split with the labels that a person chose, and its rows without the most doubtful `share` and the wrong ones."""
    worst = found.suspects.worst(share, found.decisions)
    labels = list(split.labels)
    for row, decision in found.decisions.items():
        if decision.verdict == "model" and row < len(labels):
            labels[row] = decision.labels
            worst[row] = False
    return replace(split, labels=labels), [int(row) for row in np.flatnonzero(~worst)]


def cleaned_columns(columns: SplitColumns, found: Judged, share: float) -> tuple[SplitColumns, Rows]:
    """What `cleaned` gives, as the export takes it."""
    split, rows = cleaned(columns.split, found, share)
    return replace(columns, split=split), np.array(rows, dtype=np.int64)


def summary(told: Mapping[str, Any], about: Mapping[str, Any]) -> list[str]:
    """What the ranking comes to, in sentences, with method and caveat."""
    rows = max(1, int(told.get("rows", 0)))

    def of(key: str) -> str:
        number = int(told.get(key, 0))
        return f"{number:,} of {rows:,} rows ({100 * number / rows:.1f}%)"

    f1 = about.get("macro_f1")
    scored = f", macro-F1 {f1:.3f}" if isinstance(f1, float) else ""
    folds = f"{about['folds']} models, each of the other folds" if "folds" in about else "models that had not seen them"
    return [
        f"judged by {folds}{scored}; {told.get('method', 'method unknown')}",
        f"{of('any')} have a doubtful label: {of('doubted')} one that is given, {of('missed')} one that is missing",
        f"{of('both')} have both: another label fits and the given one does not",
        f"by cleanlab's default method, which doubts more: {of('any_by_default')}",
        "This is where labels and model disagree, not a count of errors: where people would disagree too, or where the "
        "model knows little, right labels are doubted as well. Whether 30% of the labels are wrong only people can say.",
    ]


def parse_mark(text: str) -> tuple[int, Verdict | None]:
    """`12=fine` -> line and verdict; `none` takes one back. Raises ConfigError."""
    line, equals, verdict = text.partition("=")
    if not equals or not line.strip().isdecimal() or verdict not in (*VERDICTS, "none"):
        raise ConfigError(f"--mark {text}: a line and one of {', '.join(VERDICTS)}, none; for example 12=fine", "mark")
    return int(line), next((one for one in VERDICTS if one == verdict), None)


def _ids(mask: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(mask))
