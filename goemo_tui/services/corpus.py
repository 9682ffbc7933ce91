"""One split as columns: Arrow text to search, label ids as flat arrays, token counts as they come.

Everything that a filter keystroke costs happens here, on whole columns. Knows no widget; safe to build in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from goemo_tui.services.arrow import by_chunk, column_of, texts_of, values_of
from goemo_tui.services.query import Expression, Group, QueryError, Term, parse, words_of
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.label_rows import LabelRows

if TYPE_CHECKING:
    from trainer.corpus import Corpus, Split
    from trainer.labels import LabelSet

Rows = npt.NDArray[np.int64]
"""Row indexes into a split, in the order in which they are shown."""

COLUMNS = ("#", "comment", "emotions", "tok")
"""The table's columns; their positions are what `sorted_by` takes."""

SEARCHES, SEARCHES_BYTES = 24, 64 << 20
"""Searches of texts whose answers are kept for a split (a byte a row each), as long as they take no more than this."""

MANY = 300_000
"""Rows from which a search or a sort may take longer than a keystroke may, and a second copy of all texts too much room."""

START = 40
"""Letters by which many comments are sorted; those that begin alike stay in file order."""

CHUNK = 2_000
"""Comments tokenized at a time: the first page has its counts after a blink, and a cancel is noticed."""


@dataclass(frozen=True)
class Watch:
    """Who waits for an answer: told how far it is, and asked whether it is still wanted."""

    done: Callable[[int, int], None] = lambda parts, of: None
    cancelled: Callable[[], bool] = lambda: False


NOBODY = Watch()


@dataclass
class SplitColumns:
    """A split of n rows. Build with `columns_of`."""

    split: Split
    labels: LabelSet
    flat: npt.NDArray[np.int32]
    """Label ids of all rows, one after the other."""
    label_numbers: npt.NDArray[np.int64]
    """(n): how many labels a row has."""
    lines: npt.NDArray[np.int64]
    """(n): physical line in the file."""
    tokens: npt.NDArray[np.int32]
    """(n): tokens with [CLS] and [SEP], -1 where not yet counted."""
    _ranks: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)
    _searches: dict[tuple[str, str], npt.NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.split.text)

    @cached_property
    def owner(self) -> npt.NDArray[np.int64]:
        """The row that each entry of `flat` belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.label_numbers)

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

    def select(self, expression: Expression | None, watch: Watch = NOBODY) -> Rows:
        """The rows in file order for which `expression` holds; every row for None.

        Raises QueryError for a regular expression that is none, and for token counts that are still being made;
        Cancelled where `watch` says so.
        """
        return self.all_rows() if expression is None else np.flatnonzero(self._mask(expression, watch)).astype(np.int64)

    def _mask(self, expression: Expression, watch: Watch) -> npt.NDArray[np.bool_]:
        if isinstance(expression, Term):
            mask = self._mask_of_term(expression, watch)
        else:
            mask = self._mask_of_group(expression, watch)
        return ~mask if expression.negated else mask

    def _mask_of_group(self, group: Group, watch: Watch) -> npt.NDArray[np.bool_]:
        """One mask that the parts are folded into: a group may name a thousand lines, and a mask is a byte a row."""
        join = np.logical_and if group.join == "and" else np.logical_or
        lines = [_line_of(part) if group.join == "or" else None for part in group.parts]
        named = [line for line in lines if line is not None]
        mask = np.isin(self.lines, named) if named else None
        for part, line in zip(group.parts, lines, strict=True):
            if line is not None:
                continue
            if watch.cancelled():
                raise Cancelled("nobody waits for it")
            more = self._mask(part, watch)
            mask = more.copy() if mask is None else join(mask, more, out=mask)
        assert mask is not None
        return mask

    def _mask_of_term(self, term: Term, watch: Watch) -> npt.NDArray[np.bool_]:
        if term.kind in ("word", "regex"):
            return self._searched(term, watch)
        if term.kind == "id":
            found = by_chunk(self._ids, lambda ids: _begins(ids, term.text), watch.done, watch.cancelled)
            return np.concatenate(found) if found else np.zeros(0, dtype=bool)
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

    def _searched(self, term: Term, watch: Watch) -> npt.NDArray[np.bool_]:
        """The rows whose text fits. Known for the last searches: while a line is typed only its last word changes."""
        key = (term.kind, term.text)
        known = self._searches.get(key)
        if known is None:
            copied = term.kind == "word" and len(self) < MANY

            def fits(texts: Any) -> npt.NDArray[np.bool_]:
                if term.kind == "regex":
                    return _mask_of(pc.match_substring_regex(texts, pattern=term.text, ignore_case=True))
                return _mask_of(pc.match_substring(texts if copied else pc.utf8_lower(texts), pattern=term.text))

            try:
                found = by_chunk(self._lowered if copied else self._texts, fits, watch.done, watch.cancelled)
            except pa.ArrowInvalid as error:
                said = str(error).removeprefix("Invalid regular expression: ")
                raise QueryError(f"/{term.text}/ is no regular expression: {said}") from None
            most = min(SEARCHES, max(2, SEARCHES_BYTES // max(1, len(self))))
            fit = np.concatenate(found) if found else np.zeros(0, dtype=bool)
            # another thread, whose answer nobody wants any more, may be here as well
            for oldest in list(self._searches)[: max(0, len(self._searches) - most + 1)]:
                self._searches.pop(oldest, None)
            known = self._searches[key] = fit
        return known

    @property
    def lowered(self) -> Any:
        """Arrow strings (n), in chunks: the comments in lower case. Of many rows they are made anew each time."""
        return self._lowered if len(self) < MANY else self._in_lower_case()

    @cached_property
    def _lowered(self) -> Any:
        return self._in_lower_case()

    def _in_lower_case(self) -> Any:
        chunks = by_chunk(self._texts, pc.utf8_lower)
        return pa.chunked_array(chunks, None if chunks else pa.large_string())

    @cached_property
    def _ids(self) -> Any:
        """The ids: only a filter that asks for one wants them."""
        return column_of(self.split.ids)

    @cached_property
    def _texts(self) -> Any:
        """The comments as they are."""
        return column_of(self.split.text)

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
            self._ranks[column] = self._rank_of_comments() if column == 1 else self._rank_of_emotions()
        return self._ranks[column]

    def _rank_of_comments(self) -> npt.NDArray[np.int64]:
        """By their letters in lower case; of many rows by their first ones, which take less room than the corpus."""
        if len(self) < MANY:
            return _ranked(self.lowered)
        starts = by_chunk(self._texts, lambda texts: pc.utf8_lower(pc.utf8_slice_codeunits(texts, 0, START)))
        ranks = _ranked(pa.chunked_array(starts))
        del starts
        pa.default_memory_pool().release_unused()
        return ranks

    def _rank_of_emotions(self) -> npt.NDArray[np.int64]:
        """By the names of a row's labels. A corpus has a few hundred sets of labels: those are ranked, not the rows."""
        known: dict[tuple[int, ...], int] = {}
        rows = self.split.labels
        codes = np.fromiter((known.setdefault(row, len(known)) for row in rows), dtype=np.int32, count=len(rows))
        names = [" ".join(self.labels.names[i] for i in row) for row in known]
        return _ranked(texts_of(names))[codes] if names else np.zeros(0, dtype=np.int64)


def columns_of(corpus: Corpus, name: str) -> SplitColumns:
    """The split `name` of `corpus` as columns (54,000 rows take about 50 ms)."""
    split = corpus.splits[name]
    n = len(split.text)
    labels, lines = LabelRows.of(split.labels), split.lines
    columns = SplitColumns(
        split=split,
        labels=corpus.labels,
        flat=labels.flat,
        label_numbers=labels.numbers,
        lines=np.arange(lines.start, lines.stop) if isinstance(lines, range) else np.asarray(lines, dtype=np.int64),
        tokens=np.full(n, -1, dtype=np.int32),
    )
    if n < MANY:
        columns.lowered  # noqa: B018 made here, where a thread waits, and not at the first keystroke
    return columns


@dataclass(frozen=True)
class Answer:
    """What a filter line found, and its rows in the order that was asked for. Every row where the line cannot be used."""

    found: Found
    rows: Rows


def answer(columns: SplitColumns, text: str, sorting: tuple[int, bool] | None, watch: Watch = NOBODY) -> Answer:
    """Answer a filter line and sort. Raises Cancelled where `watch` says so."""
    found = find(columns, text, watch)
    # Never the rows of an earlier line: they would be the answer to half a word.
    rows = columns.all_rows() if found.rows is None else found.rows
    return Answer(found, rows if sorting is None else columns.sorted_by(rows, *sorting))


@dataclass(frozen=True)
class Found:
    """The answer to a filter line. `rows` is None where the line cannot be used; `error` says why.

    `note` is what should be known about a line that can be used.
    """

    rows: Rows | None
    words: tuple[str, ...] = ()
    error: str = ""
    note: str = ""


def find(columns: SplitColumns, text: str, watch: Watch = NOBODY) -> Found:
    """Answer a filter line; its mistakes become `error`. Raises Cancelled where `watch` says so."""
    try:
        query = parse(text, columns.labels)
        return Found(columns.select(query.expression, watch), words_of(query.expression), note=query.note)
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


def _ranked(keys: Any) -> npt.NDArray[np.int64]:
    return values_of(pc.rank(keys, tiebreaker="dense"), np.uint64).astype(np.int64)


def _begins(ids: Any, start: str) -> npt.NDArray[np.bool_]:
    return _mask_of(pc.starts_with(pc.utf8_lower(ids), pattern=start))


def _line_of(part: Expression) -> int | None:
    """The one line that a condition names; None for any other condition."""
    one = isinstance(part, Term) and part.kind == "line" and not part.negated and part.low == part.high
    return part.low if one and isinstance(part, Term) else None


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
