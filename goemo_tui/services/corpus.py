"""One split as columns: Arrow text to search, label ids as flat arrays, token counts as they come.

Everything that a filter keystroke costs happens here, on whole columns. Knows no widget; safe to build in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from goemo_tui.services.query import QueryError, Term, parse, unclosed, words_of

if TYPE_CHECKING:
    from trainer.corpus import Corpus, Split
    from trainer.labels import LabelSet

Rows = npt.NDArray[np.int64]
"""Row indexes into a split, in the order in which they are shown."""

COLUMNS = ("#", "comment", "emotions", "tok")
"""The table's columns; their positions are what `sorted_by` takes."""

CHUNK = 2_000
"""Comments tokenized at a time: the first page has its counts after a blink, and a cancel is noticed."""


@dataclass
class SplitColumns:
    """A split of n rows. Build with `columns_of`."""

    split: Split
    labels: LabelSet
    lowered: Any
    """Arrow large_string (n): the comments in lower case."""
    flat: npt.NDArray[np.int32]
    """Label ids of all rows, one after the other."""
    owner: npt.NDArray[np.int64]
    """The row that each entry of `flat` belongs to."""
    label_numbers: npt.NDArray[np.int64]
    """(n): how many labels a row has."""
    lines: npt.NDArray[np.int64]
    """(n): physical line in the file."""
    tokens: npt.NDArray[np.int32]
    """(n): tokens with [CLS] and [SEP], -1 where not yet counted."""
    _ranks: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.split.text)

    @property
    def counted(self) -> bool:
        """True once every row has its token count."""
        return not bool((self.tokens < 0).any())

    def emotions(self, row: int) -> str:
        """The names of a row's labels, divided by blanks."""
        return " ".join(self.labels.names[i] for i in self.split.labels[row])

    def all_rows(self) -> Rows:
        """Every row in file order."""
        return np.arange(len(self), dtype=np.int64)

    def label_counts(self, rows: Rows | None = None) -> npt.NDArray[np.int64]:
        """(labels): in how many of `rows` (default: all) each label occurs."""
        flat = self.flat
        if rows is not None and len(rows) < len(self):
            chosen = np.zeros(len(self), dtype=bool)
            chosen[rows] = True
            flat = flat[chosen[self.owner]]
        return np.bincount(flat, minlength=len(self.labels)).astype(np.int64)

    def select(self, terms: tuple[Term, ...]) -> Rows:
        """The rows in file order for which every term holds.

        Raises QueryError for a regular expression that is none, and for token counts that are still being made.
        """
        if not terms:
            return self.all_rows()
        mask = np.ones(len(self), dtype=bool)
        for term in terms:
            found = self._mask(term)
            mask &= ~found if term.negated else found
        return np.flatnonzero(mask).astype(np.int64)

    def _mask(self, term: Term) -> npt.NDArray[np.bool_]:
        if term.kind == "word":
            return _mask_of(pc.match_substring(self.lowered, pattern=term.text))
        if term.kind == "regex":
            try:
                return _mask_of(pc.match_substring_regex(self._text(), pattern=term.text, ignore_case=True))
            except pa.ArrowInvalid as error:
                said = str(error).removeprefix("Invalid regular expression: ")
                raise QueryError(f"/{term.text}/ is no regular expression: {said}") from None
        if term.kind == "id":
            return np.fromiter((i.lower().startswith(term.text) for i in self.split.ids), dtype=bool, count=len(self))
        if term.kind == "label":
            mask = np.zeros(len(self), dtype=bool)
            mask[self.owner[np.isin(self.flat, term.labels)]] = True
            return mask
        if term.kind == "labels":
            return _between(self.label_numbers, term)
        if term.kind == "line":
            return _between(self.lines, term)
        if not self.counted:
            done = int((self.tokens >= 0).sum())
            raise QueryError(f"tokens are still being counted ({done:,} of {len(self):,})")
        return _between(self.tokens, term)

    def _text(self) -> Any:
        return _arrow(self.split.text)

    def sorted_by(self, rows: Rows, column: int, descending: bool) -> Rows:
        """`rows` ordered by one of `COLUMNS`; equal ones stay in file order."""
        rank = self._rank(column)[rows]
        return rows[np.argsort(-rank if descending else rank, kind="stable")]

    def _rank(self, column: int) -> npt.NDArray[np.int64]:
        if column == 0:
            return self.lines
        if column == 3:
            return self.tokens.astype(np.int64)
        if column not in self._ranks:
            keys = self.lowered if column == 1 else _arrow([self.emotions(i) for i in range(len(self))])
            self._ranks[column] = _numpy(pc.rank(keys, tiebreaker="dense"), np.uint64).astype(np.int64)
        return self._ranks[column]


def columns_of(corpus: Corpus, name: str) -> SplitColumns:
    """The split `name` of `corpus` as columns (54,000 rows take about 50 ms)."""
    split = corpus.splits[name]
    n = len(split.text)
    numbers = np.fromiter(map(len, split.labels), dtype=np.int64, count=n)
    return SplitColumns(
        split=split,
        labels=corpus.labels,
        lowered=pc.utf8_lower(_arrow(split.text)),
        flat=np.fromiter(chain.from_iterable(split.labels), dtype=np.int32, count=int(numbers.sum())),
        owner=np.repeat(np.arange(n, dtype=np.int64), numbers),
        label_numbers=numbers,
        lines=np.asarray(split.lines, dtype=np.int64),
        tokens=np.full(n, -1, dtype=np.int32),
    )


@dataclass(frozen=True)
class Found:
    """The answer to a filter line. `rows` is None where the line cannot be used; `error` says why.

    `note` is what should be known about a line that can be used.
    """

    rows: Rows | None
    words: tuple[str, ...] = ()
    error: str = ""
    note: str = ""


def find(columns: SplitColumns, text: str) -> Found:
    """Answer a filter line; its mistakes become `error`."""
    try:
        terms = parse(text, columns.labels)
        return Found(columns.select(terms), words_of(terms), note=unclosed(text))
    except QueryError as error:
        return Found(None, (), str(error))


def count_tokens(
    columns: SplitColumns, tokenizer: Any, cancelled: Callable[[], bool], done: Callable[[int], None]
) -> bool:
    """Fill `columns.tokens` chunk by chunk and call `done(rows so far)` after each. False where it was cancelled."""
    from trainer.corpus.tokens import tokenize

    for start in range(0, len(columns), CHUNK):
        if cancelled():
            return False
        texts = columns.split.text[start : start + CHUNK]
        columns.tokens[start : start + len(texts)] = tokenize(texts, tokenizer, 1_000_000, cancelled).lengths
        done(start + len(texts))
    return True


def _between(values: npt.NDArray[Any], term: Term) -> npt.NDArray[np.bool_]:
    mask = np.ones(len(values), dtype=bool)
    if term.low is not None:
        mask &= values >= term.low
    if term.high is not None:
        mask &= values <= term.high
    return mask


def _numpy(array: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """The values of an Arrow array without nulls, read from its buffer: `to_numpy` would import pandas."""
    return np.frombuffer(
        array.buffers()[1], dtype=dtype, count=len(array), offset=array.offset * np.dtype(dtype).itemsize
    )


def _mask_of(array: Any) -> npt.NDArray[np.bool_]:
    """An Arrow boolean array (bits) as numpy's."""
    return _numpy(array.cast(pa.uint8()), np.uint8).astype(bool)


def _arrow(texts: list[str]) -> Any:
    """An Arrow large_string array, put together from its buffers: `pa.array` of a list would import pandas.

    A lone surrogate, as a JSON escape can bring one, becomes a question mark.
    """
    encoded = [text.encode("utf-8", "replace") for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)), out=offsets[1:])
    buffers = pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded))
    return pa.LargeStringArray.from_buffers(len(encoded), *buffers)
