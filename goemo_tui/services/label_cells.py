"""Label ids -> what a file's label cell says, so that the corpus reader finds the same ids in it again.

Names where they can be told apart, else the ids. Each way of writing is tried on the reader before it is used.
"""

from __future__ import annotations

from collections.abc import Callable

from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.labels import LabelFile, LabelSet

Ids = tuple[int, ...]


def string_writer(labels: LabelSet) -> Callable[[Ids], str]:
    """Writes a row's labels as one cell of a TSV or CSV line: names divided by commas."""
    known: dict[Ids, str] = {}

    def write(ids: Ids) -> str:
        if ids not in known:
            names = ",".join(labels.names[i] for i in ids)
            plain = not any(char in names for char in '\t\n\r"')
            known[ids] = names if plain and _reads(names, ids, labels) else ",".join(map(str, ids))
        return known[ids]

    return write


def list_writer(labels: LabelSet) -> Callable[[Ids], list[str]]:
    """Writes a row's labels as a list of strings, for JSONL and Parquet."""
    known: dict[Ids, list[str]] = {}

    def write(ids: Ids) -> list[str]:
        if ids not in known:
            names = [labels.names[i] for i in ids]
            known[ids] = names if _reads(names, ids, labels) else [str(i) for i in ids]
        return known[ids]

    return write


def _reads(cell: object, ids: Ids, labels: LabelSet) -> bool:
    try:
        return LabelCells(LabelFile(labels, tuple(range(len(labels))))).read(cell) == ids
    except BadLabel:
        return False
