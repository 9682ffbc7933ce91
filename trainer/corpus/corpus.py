"""A corpus: its splits, their label set, and what should be known before it is trained on.

May not know where corpora lie or how files are read.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.corpus.split import Problem, Split
from trainer.errors import CorpusError
from trainer.labels import LabelSet

SPLITS = ("train", "dev", "test")

HELD_OUT = 10
"""One row in so many becomes dev (and, of a single file, as many again test) where no file says otherwise."""


@dataclass(frozen=True)
class Corpus:
    """`splits` holds those that are there, in the order train, dev, test; `warnings` are sentences for people."""

    name: str
    path: Path
    labels: LabelSet
    splits: dict[str, Split]
    warnings: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every row that was skipped, split by split, in line order."""
        return tuple(problem for split in self.splits.values() for problem in split.problems)

    @property
    def scored(self) -> str:
        """The split that is scored where none is named: test where there is one, else dev, else the only one there is."""
        only = next(iter(self.splits)) if len(self.splits) == 1 else "dev"
        return "test" if "test" in self.splits else only

    @property
    def fingerprint(self) -> dict[str, str]:
        """Split name -> sha256 of its file, or of its rows where it was cut out of one."""
        return {name: split.sha256 for name, split in self.splits.items()}

    def require_trainable(self) -> None:
        """Raise CorpusError, with the first five reasons, unless there are good train and dev splits."""
        for name in ("train", "dev"):
            split = self.splits.get(name)
            if split is not None and split.refused:
                raise CorpusError(f"{split.refused}\ncorrect these lines (goemo-tui data check {self.path} lists all)")
            if not split:
                raise CorpusError(
                    f"{self.path} has no {name} rows to train with: give it a file named {name}.tsv (or .csv, .jsonl, "
                    ".parquet)" + ("" if name == "train" else ", or at least ten rows in train to take a tenth from")
                )

    def under(self, taxonomy: str) -> Corpus:
        """The corpus with its labels grouped (each row's groups once, sorted). Raises ConfigError as LabelSet does."""
        labels, group_of = self.labels.grouped(taxonomy)
        if labels == self.labels and group_of == tuple(range(len(labels))):
            return self
        splits = {
            name: replace(split, labels=[tuple(sorted({group_of[i] for i in row})) for row in split.labels])
            for name, split in self.splits.items()
        }
        return replace(self, labels=labels, splits=splits)


def divided(whole: Split, parts: tuple[str, ...]) -> dict[str, Split]:
    """A tenth of the rows for each of `parts` (dev, test), the rest for train, in file order; no row is lost.

    Which rows is a function of their number and order alone. A part that would be empty is left out. Train keeps the
    file's problems and its refusal.
    """
    order = list(range(len(whole)))
    random.Random(0).shuffle(order)
    size = len(whole) // HELD_OUT
    cut = {name: whole.take(name, sorted(order[i * size : (i + 1) * size])) for i, name in enumerate(parts) if size}
    rest = whole.take("train", sorted(order[len(cut) * size :]))
    cut["train"] = replace(rest, problems=whole.problems, refused=whole.refused)
    return {name: cut[name] for name in SPLITS if name in cut}


def order_warning(splits: Mapping[str, Split], labels: LabelSet, alphabetical: bool) -> str | None:
    """A warning if the numbers in the rows seem to follow the other order of the 28 than their label file does.

    `alphabetical`: the label file lists them so. In the real distribution `neutral` is three times as frequent as
    anything else; where 20 (or 27) has its place, the eight emotions from there on have silently changed names.
    """
    if not labels.official:
        return None
    # What 20 means in the official order is optimism; what 27 means in the alphabetical one is surprise.
    impostor = labels.index()["surprise" if alphabetical else "optimism"]
    neutral = labels.index()["neutral"]
    for split in splits.values():
        if not split.numbered or len(split) < 500:
            continue
        counts = split.label_counts(len(labels))
        most = counts[impostor]
        others = max(count for i, count in enumerate(counts) if i != impostor)
        if most > 2 * others and most > 5 * counts[neutral]:
            number = 27 if alphabetical else 20
            listed = "alphabetically" if alphabetical else "in the official order (neutral last, 27)"
            return (
                f"{split.name}: label {number} is by far the most frequent, as neutral is in this kind of corpus, but "
                f"the labels are listed {listed}: if the rows count the other way, eight emotions from optimism to "
                "surprise are silently renamed; put an emotions.txt with the right order beside the data"
            )
    return None
