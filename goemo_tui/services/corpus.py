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

from goemo_tui.services.arrow import texts_of, values_of
from goemo_tui.services.query import Expression, QueryError, Term, parse, words_of

if TYPE_CHECKING:
    from trainer.corpus import Corpus, Split
    from trainer.labels import LabelSet

Rows = npt.NDArray[np.int64]
"""Row indexes into a split, in the order in which they are shown."""

COLUMNS = ("#", "comment", "emotions", "tok")
"""The table's columns; their positions are what `sorted_by` takes."""

SEARCHES = 24
"""Searches of texts whose answers are kept for a split (a byte a row each)."""

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
    _asked: dict[str, Any] = field(default_factory=dict)
    """Arrow columns that only some filters want, made when the first one asks: `text`, `ids` (in lower case)."""
    _searches: dict[tuple[str, str], npt.NDArray[np.bool_]] = field(default_factory=dict)

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

    def select(self, expression: Expression | None) -> Rows:
        """The rows in file order for which `expression` holds; every row for None.

        Raises QueryError for a regular expression that is none, and for token counts that are still being made.
        """
        return self.all_rows() if expression is None else np.flatnonzero(self._mask(expression)).astype(np.int64)

    def _mask(self, expression: Expression) -> npt.NDArray[np.bool_]:
        if isinstance(expression, Term):
            mask = self._mask_of_term(expression)
        else:
            masks = [self._mask(part) for part in expression.parts]
            mask = np.logical_and.reduce(masks) if expression.join == "and" else np.logical_or.reduce(masks)
        return ~mask if expression.negated else mask

    def _mask_of_term(self, term: Term) -> npt.NDArray[np.bool_]:
        if term.kind in ("word", "regex"):
            return self._searched(term)
        if term.kind == "id":
            return _mask_of(pc.starts_with(self._column("ids"), pattern=term.text))
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

    def _searched(self, term: Term) -> npt.NDArray[np.bool_]:
        """The rows whose text fits. Known for the last searches: while a line is typed only its last word changes."""
        key = (term.kind, term.text)
        if key not in self._searches:
            try:
                found = (
                    pc.match_substring(self.lowered, pattern=term.text)
                    if term.kind == "word"
                    else pc.match_substring_regex(self._column("text"), pattern=term.text, ignore_case=True)
                )
            except pa.ArrowInvalid as error:
                said = str(error).removeprefix("Invalid regular expression: ")
                raise QueryError(f"/{term.text}/ is no regular expression: {said}") from None
            while len(self._searches) >= SEARCHES:
                del self._searches[next(iter(self._searches))]
            self._searches[key] = _mask_of(found)
        return self._searches[key]

    def _column(self, name: str) -> Any:
        if name not in self._asked:
            values = texts_of(self.split.text) if name == "text" else texts_of([i.lower() for i in self.split.ids])
            self._asked[name] = values
        return self._asked[name]

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
            keys = self.lowered if column == 1 else texts_of([self.emotions(i) for i in range(len(self))])
            self._ranks[column] = values_of(pc.rank(keys, tiebreaker="dense"), np.uint64).astype(np.int64)
        return self._ranks[column]


def columns_of(corpus: Corpus, name: str) -> SplitColumns:
    """The split `name` of `corpus` as columns (54,000 rows take about 50 ms)."""
    split = corpus.splits[name]
    n = len(split.text)
    numbers = np.fromiter(map(len, split.labels), dtype=np.int64, count=n)
    return SplitColumns(
        split=split,
        labels=corpus.labels,
        lowered=pc.utf8_lower(texts_of(split.text)),
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
        query = parse(text, columns.labels)
        return Found(columns.select(query.expression), words_of(query.expression), note=query.note)
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


def _mask_of(array: Any) -> npt.NDArray[np.bool_]:
    """An Arrow boolean array (bits) as numpy's."""
    return values_of(array.cast(pa.uint8()), np.uint8).astype(bool)
