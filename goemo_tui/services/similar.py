"""The nearest comments of a split by the words they share: TF-IDF and cosine. It knows words and no meaning.

Everything runs on whole columns in Arrow and numpy, so that an index of 43,410 comments is made beside the screen without
holding it up. Knows no widget; safe to use in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from goemo_tui.services.arrow import texts_of, values_of
from goemo_tui.services.corpus import SplitColumns

CHUNK = 20_000
"""Comments taken apart at a time; between two chunks progress is told and a cancel is noticed."""

MOST = 500_000
"""Rows of a split that are compared: the index of 434,100 took 145 MB, and 560 MB while it was made."""

_BETWEEN = r"[\s!-&(-/:-@\[-`{-~“”„«»…–—]+"
"""What stands between words: blanks and punctuation. Apostrophes and emoji are parts of words, or words."""

_QUOTES = r"(^|\s)'+|'+(\s|$)"


@dataclass(frozen=True)
class Near:
    """A row of the split and its `similarity`, 0 to 1. `same_text`: character by character the text asked for."""

    row: int
    similarity: float
    same_text: bool


@dataclass(frozen=True)
class WordIndex:
    """Where each word occurs, and how much it weighs there. Word i has the entries `starts[i]:starts[i + 1]`.

    `words` (w): Arrow strings. `idf` (w): float32. `rows`: int32, rising within a word. `weights`: float32; those of a
    row have a sum of squares of 1. `texts`: the comments themselves.
    """

    words: Any
    idf: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    texts: Sequence[str]


def too_many(rows: int) -> str:
    """Why so many rows are not compared; empty where they are."""
    return f"words are compared in splits of up to {MOST:,} comments; this one has {rows:,}" if rows > MOST else ""


def build(
    columns: SplitColumns,
    cancelled: Callable[[], bool] = lambda: False,
    done: Callable[[int], None] = lambda rows: None,
) -> WordIndex | None:
    """Index a split; `done(rows so far)` after each chunk. None where it was cancelled."""
    n = len(columns)
    parts: list[Any] = []
    numbers: list[npt.NDArray[np.int64]] = []
    lowered = columns.lowered  # of many rows it is made anew each time
    for start in range(0, n, CHUNK):
        if cancelled():
            return None
        words, lengths = _words_of(lowered.slice(start, CHUNK).combine_chunks().cast(pa.large_string()))
        parts.append(words)
        numbers.append(lengths)
        done(min(start + CHUNK, n))
    if not parts:
        empty = np.zeros(0, dtype=np.float32)
        nothing = pa.LargeStringArray.from_buffers(0, pa.py_buffer(bytes(8)), pa.py_buffer(b""))
        return WordIndex(nothing, empty, np.zeros(1, np.int64), np.zeros(0, np.int32), empty, columns.split.text)
    encoded = pa.concat_arrays(parts).dictionary_encode()
    ids = values_of(encoded.indices, np.int32).astype(np.int64)
    owner = np.repeat(np.arange(n, dtype=np.int64), np.concatenate(numbers))
    there = _filled(encoded.dictionary)[ids]
    ids, owner = ids[there], owner[there]
    vocabulary = len(encoded.dictionary)
    keys, times = np.unique(ids * n + owner, return_counts=True)  # word by word, rows rising
    of_word, rows = np.divmod(keys, n)
    seen = np.bincount(of_word, minlength=vocabulary)
    idf = (np.log((1 + n) / (1 + seen)) + 1).astype(np.float32)
    weights = (1 + np.log(times)) * idf[of_word]
    norms = np.sqrt(np.bincount(rows, weights=weights**2, minlength=n))
    return WordIndex(
        words=encoded.dictionary,
        idf=idf,
        starts=np.concatenate(([0], np.cumsum(seen))).astype(np.int64),
        rows=rows.astype(np.int32),
        weights=(weights / norms[rows]).astype(np.float32),
        texts=columns.split.text,
    )


def nearest(index: WordIndex, text: str, top: int = 10, without: int | None = None) -> tuple[Near, ...]:
    """The `top` rows that share most with `text`, best first; those that share no word are left out.

    `without` is a row that is not to be found: the one that is asked about.
    """
    words, _ = _words_of(pc.utf8_lower(texts_of([text])))
    filled = _filled(words)
    found = pc.index_in(words, value_set=index.words)
    known = values_of(pc.is_valid(found).cast(pa.uint8()), np.uint8).astype(bool)
    ids, times = np.unique(values_of(found, np.int32)[known & filled], return_counts=True)
    unknown = int((filled & ~known).sum())
    if not len(ids):
        return ()
    mine = (1 + np.log(times)) * index.idf[ids]
    # A word that the split does not have is as rare as can be: it makes everything less similar.
    rarest = np.log(1 + len(index.texts)) + 1
    norm = float(np.sqrt((mine**2).sum() + unknown * rarest**2))
    scores = np.zeros(len(index.texts), dtype=np.float32)
    for word, weight in zip(ids, mine, strict=True):
        at = slice(index.starts[word], index.starts[word + 1])
        scores[index.rows[at]] += weight * index.weights[at]
    if without is not None:
        scores[without] = 0
    top = min(top, len(scores))
    best = np.argpartition(-scores, top - 1)[:top] if top else np.zeros(0, dtype=np.int64)
    best = best[np.lexsort((best, -scores[best]))]
    return tuple(
        Near(int(row), min(1.0, float(scores[row]) / norm), index.texts[row] == text) for row in best if scores[row] > 0
    )


def _words_of(lowered: Any) -> tuple[Any, npt.NDArray[np.int64]]:
    """The words of texts one after the other (Arrow strings), and how many each text has; an empty one may be among them."""
    apart = pc.replace_substring_regex(pc.replace_substring(lowered, "’", "'"), _BETWEEN, " ")
    apart = pc.utf8_trim_whitespace(pc.replace_substring_regex(apart, _QUOTES, " "))
    lists = pc.split_pattern_regex(apart, " +")
    kind = np.int64 if pa.types.is_large_list(lists.type) else np.int32
    return lists.flatten(), values_of(pc.list_value_length(lists), kind).astype(np.int64)


def _filled(words: Any) -> npt.NDArray[np.bool_]:
    """Which of the words hold a character."""
    filled: npt.NDArray[np.bool_] = values_of(pc.binary_length(words), np.int64) > 0
    return filled
