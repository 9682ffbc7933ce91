"""Whether comments are among those that a model's thresholds were fitted on: scores on such rows flatter it.

Asked of the comments, not of their file: the same rows in another order or with other line ends are the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.corpus import Split, load_corpus
from trainer.corpus.row_hashes import SMALL_SHARE, RowHashes
from trainer.encoders import read_json
from trainer.errors import GoemoError
from trainer.infer.like import named_corpora, trained_on
from trainer.modelfolder import read_fitted_on

UNKNOWN = "the model does not say on which rows its thresholds were fitted: if on these, its scores are flattered"
ONLY_THE_FILE = (
    "of the rows that the model's thresholds were fitted on only their file's fingerprint is known, which is not that of "
    "these: if they came from there, its scores are flattered"
)
CROSS_FITTED = "so its scores are cross-fitted: each half is cut by thresholds fitted on the other half"
TOO_FEW = "and too few to fit others on a half of them: its scores are flattered"


@dataclass(frozen=True)
class Seen:
    """How many of `of` rows the thresholds were fitted on; `doubt` says in words why that is not known."""

    rows: int
    of: int
    doubt: str = ""

    @property
    def flatters(self) -> bool:
        """Whether it is more than short comments have in common anyway."""
        return self.rows > SMALL_SHARE * self.of

    @property
    def told(self) -> str:
        """`the model's thresholds were fitted on …`, in words."""
        which = "these very rows" if self.rows == self.of else f"{self.rows:,} of these {self.of:,} rows"
        return f"the model's thresholds were fitted on {which}"


def seen(folder: Path, rows: Split) -> Seen:
    """How much of `rows` the model in `folder` was given to fit its thresholds. Raises ModelError for a broken file."""
    many, fitted = len(rows), read_fitted_on(folder)
    if fitted == "":
        return Seen(0, many)
    if fitted == rows.sha256:
        return Seen(many, many)
    path = folder / "thresholds.json"
    hashes = RowHashes.read(read_json(path).get("fitted_on")) if path.is_file() else None
    if hashes is None and fitted is None:
        return Seen(0, many, UNKNOWN)
    if hashes is None:  # made before a model told of its rows: they may still be at hand
        split = _at_hand(folder, str(fitted))
        if split is None:
            return Seen(0, many, ONLY_THE_FILE if rows.name == "dev" else "")
        hashes = RowHashes.of(split.text)
    known, asked = hashes.known(rows.text)
    return Seen(known, asked) if asked == many else Seen(round(many * known / max(1, asked)), many)


def _at_hand(folder: Path, sha256: str) -> Split | None:
    """The split with this fingerprint, in the corpus of the model's run or in one that has a name."""
    for name in _corpora(folder):
        try:
            corpus = load_corpus(name, fetch=False)
        except GoemoError:
            continue
        found = next((split for split in corpus.splits.values() if split.sha256 == sha256), None)
        if found is not None:
            return found
    return None


def _corpora(folder: Path) -> Iterator[str]:
    own = trained_on(folder)
    yield from [own] if own else []
    yield from named_corpora()
