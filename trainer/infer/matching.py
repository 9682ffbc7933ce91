"""A corpus in the terms of a model: which label of the one is which of the other, and what only one of them knows.

By name, whatever the case. What only one knows is left out of the scores and said, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus import Corpus
from trainer.errors import ConfigError, ModelError
from trainer.labels import EKMAN, EMOTIONS, SENTIMENT, TAXONOMIES


@dataclass(frozen=True)
class Matched:
    """`corpus` under the model's taxonomy; `in_model[i]` and `in_corpus[i]` are the ids of the same label in each."""

    corpus: Corpus
    in_model: list[int]
    in_corpus: list[int]
    only_model: tuple[str, ...] = ()
    only_corpus: tuple[str, ...] = ()

    def notes(self, split: str, truth_rows: int) -> list[str]:
        """What is left out, for people."""
        notes = []
        if self.only_corpus:
            ids = {name: k for k, name in enumerate(self.corpus.labels.names)}
            unknown = {ids[name] for name in self.only_corpus}
            rows = sum(1 for row in self.corpus.splits[split].labels if unknown & set(row))
            notes.append(
                f"the model does not know {some(self.only_corpus)} ({rows:,} of {truth_rows:,} rows carry such a label): "
                "left out of the scores"
            )
        if self.only_model:
            notes.append(
                f"the corpus has no label {some(self.only_model)}: what the model says of that cannot be judged and is left out"
            )
        return notes


def matched(corpus: Corpus, labels: Sequence[str]) -> Matched:
    """Match by name, under the taxonomy whose names are the model's where there is one. Raises ModelError where the two
    share no label, or share names that mean something else.
    """
    own = {name.lower(): k for k, name in enumerate(labels)}
    for taxonomy in TAXONOMIES:
        try:
            grouped = corpus.under(taxonomy)
        except ConfigError:
            continue
        theirs = {name.lower(): k for k, name in enumerate(grouped.labels.names)}
        if theirs.keys() == own.keys():
            return Matched(grouped, list(range(len(labels))), [theirs[name] for name in own])
    theirs = {name.lower(): k for k, name in enumerate(corpus.labels.names)}
    shared = [name for name in own if name in theirs]
    if not shared or _other_meaning(set(own), set(theirs)):
        why = " (Ekman's groups and sentiments have names of emotions but hold more)" if shared else ""
        raise ModelError(
            f"the model's labels ({', '.join(labels[:4])} …, {len(labels)} in all) are not those of {corpus.path} "
            f"({', '.join(corpus.labels.names[:4])} …, {len(corpus.labels)} in all){why}"
        )
    return Matched(
        corpus,
        [own[name] for name in shared],
        [theirs[name] for name in shared],
        tuple(name for name in labels if name.lower() not in theirs),
        tuple(name for name in corpus.labels.names if name.lower() not in own),
    )


def _other_meaning(model: set[str], corpus: set[str]) -> bool:
    """Whether one side groups what the other tells apart: `joy` of Ekman's is twelve of the 28."""
    known = (set(EMOTIONS), set(EKMAN), set(SENTIMENT))
    return model in known and corpus in known and model != corpus


def some(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
