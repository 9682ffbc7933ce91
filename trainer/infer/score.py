"""Whole files of texts through a classifier: read ahead, judged sorted by length, written behind; the same numbers as
`predict`. Memory holds a few portions, however long the file is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import TokenArrays, tokenize
from trainer.labels import EKMAN, EMOTIONS, SENTIMENT
from trainer.modelfolder import model_digest
from trainer.tables import tally
from trainer.tables.days import as_day
from trainer.tables.parts import ONCE, Parts
from trainer.tables.places import fingerprint
from trainer.tables.portion import Portion, values_of
from trainer.tables.several import Several
from trainer.tables.sink import Layout, followed, join
from trainer.tables.source import Source

if TYPE_CHECKING:
    from trainer.infer.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 8_192
"""Rows of a portion: what is sorted together, and what a kill costs at the most."""

CHARACTERS = 1_000_000
"""Of texts that are tokenized together."""


@dataclass(frozen=True)
class Progress:
    """How far it is. `rows` are done, `errors` of them were not judged; `share` of the source (0..1, None where its length is
    not known); `rows_per_s` and the `seconds` that are left, as this process went so far."""

    rows: int
    errors: int
    share: float | None
    rows_per_s: float
    left: float | None


Wrong = tuple[int, str, str]
"""A row that could not be judged: its number (from 1), why, and of several files the one it is in."""


@dataclass(frozen=True)
class Scored:
    """What became of a file. `counts` are those of `tally`; `began_at` rows were there before this process."""

    rows: int
    errors: int
    began_at: int
    seconds: float
    counts: tally.Counts
    groups: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    """The first rows that could not be judged."""
    torn: str = ""
    """What is wrong with a packed file that breaks off: the rows before that are done."""


@dataclass(frozen=True)
class By:
    """Columns to count by: `values` by what stands there, `days` by the day of a time."""

    values: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    def of(self, portion: Portion) -> dict[str, list[str]]:
        """What is counted by, for each row."""
        found = {column: [tally.as_value(v) for v in _column(portion, column)] for column in self.values}
        return found | {column: [as_day(v) for v in _column(portion, column)] for column in self.days}


MOST_WRONG = 20
"""Rows that could not be judged and are told of, in a portion and in all."""


@dataclass
class Work:
    """A source through a predictor into rows of a layout."""

    source: Source | Several
    predictor: Predictor
    layout: Layout
    by: By = By()
    rows: int = ROWS
    tell: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    _began: float = field(default_factory=time.monotonic)

    def into_file(self, to: Path, again: bool = False) -> Scored:
        """Score all into `to`, or go on where an earlier process was broken off. Raises ConfigError, CorpusError, Cancelled."""
        to = followed(to)
        parts = Parts(to, self._about(), again or self.source.is_pipe)
        try:
            began_at = parts.total("rows")
            for body, told in self.portions(self.source.portions(self.rows, began_at), began_at, parts.total("errors")):
                parts.add(body, told)
            join(self.layout, parts.files, to, parts.joined)
            found = summed(parts.told, began_at, self._seconds, self.predictor.labels)
            parts.done()
            return replace(found, torn=self.source.torn)
        finally:
            parts.close()

    def into(self, write: Callable[[bytes], object]) -> Scored:
        """Score all and write it as it comes."""

        def told() -> Iterator[dict[str, Any]]:
            for body, one in self.portions(self.source.portions(self.rows), 0, 0):
                write(body)
                yield one

        write(self.layout.head())
        found = summed(told, 0, 0.0, self.predictor.labels, once=True)
        return replace(found, seconds=self._seconds, torn=self.source.torn)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def portions(self, portions: Iterator[Portion], done: int, errors: int) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """The bytes of each portion and what is told of it. The next one is read and tokenized meanwhile.

        `done` rows were there before, `errors` of them not judged.
        """
        pace = _Pace(self.tell, done, self._began)
        with ThreadPoolExecutor(1, "reading") as ahead, ThreadPoolExecutor(1, "writing") as behind:
            coming: Future[_Ready | None] = ahead.submit(self._ready, portions)
            going: Future[tuple[bytes, dict[str, Any]]] | None = None
            try:
                while (ready := coming.result()) is not None:
                    coming = ahead.submit(self._ready, portions)
                    judged = self._judged(ready, pace, done, errors)
                    done += len(ready.portion)
                    errors += sum(map(bool, ready.portion.errors))
                    if going is not None:
                        yield going.result()
                    going = behind.submit(self._written, ready.portion, judged)
                if going is not None:
                    yield going.result()
            finally:
                coming.cancel()
        pace.at(done, errors, 1.0)

    def _ready(self, portions: Iterator[Portion]) -> _Ready | None:
        before = self._read
        portion = next(portions, None)
        if portion is None:
            return None
        good = np.array([not error for error in portion.errors], dtype=bool)
        texts = [text for text, fine in zip(portion.texts, good, strict=True) if fine]
        tokens = self._tokens(texts)
        return _Ready(portion, good, tokens, (before, self._read))

    def _tokens(self, texts: Sequence[str]) -> TokenArrays:
        """Those of all texts. No text is cut before, for `predict` cuts none; so that long ones do not fill the memory with what
        lies behind the tokens that a model reads, not many characters go at once."""
        ids, lengths, first = [], [np.zeros(1, np.int64)], 0
        while first < len(texts):
            last, characters = first, 0
            while last < len(texts) and (last == first or characters + len(texts[last]) <= CHARACTERS):
                characters, last = characters + len(texts[last]), last + 1
            found = tokenize(texts[first:last], self.predictor.tokenizer, self.predictor.max_length)
            ids.append(found.ids)
            lengths.append(found.lengths)
            first = last
        return TokenArrays(np.concatenate([np.zeros(0, np.int32), *ids]), np.cumsum(np.concatenate(lengths)))

    @property
    def _read(self) -> float:
        """How much of the source is read, 0..1; 0 where its length is not known."""
        return min(1.0, self.source.position / self.source.size) if self.source.size else 0.0

    def _judged(self, ready: _Ready, pace: _Pace, done: int, errors: int) -> Array:
        first, last = ready.read

        def tell(rows: int) -> None:
            if self.stop():
                raise Cancelled("scoring was stopped")
            share = first + (last - first) * rows / max(1, len(ready.tokens))
            pace.at(done + rows, errors, share if self.source.size else None)

        found = np.full((len(ready.portion), len(self.predictor.labels)), np.nan, dtype=np.float32)
        found[ready.good] = self.predictor.of_tokens(ready.tokens, tell)
        return found

    def _written(self, portion: Portion, probabilities: Array) -> tuple[bytes, dict[str, Any]]:
        with np.errstate(invalid="ignore"):
            felt = probabilities >= self.predictor.thresholds()
        judged = ~np.isnan(probabilities[:, 0]) if probabilities.shape[1] else np.zeros(len(portion), dtype=bool)
        wrong = [(portion.first + i + 1, error, portion.file) for i, error in enumerate(portion.errors) if error]
        return self.layout.body(portion, probabilities, felt), {
            "rows": len(portion),
            "errors": len(wrong),
            "wrong": wrong[:MOST_WRONG],
            "counts": tally.count(felt, judged, groups_of(self.predictor.labels), self.by.of(portion), self.by.days),
        }

    def _about(self) -> dict[str, Any]:
        """What parts that belong together have in common; a file's name in it is no secret, it lies beside them."""
        return {
            "input": self._input(),
            "column": self.source.column,
            "model": model_digest(self.predictor.folder.path),
            "threshold": self.predictor.thresholds().tolist(),
            "precision": self.predictor.precision,
            "format": [self.layout.kind.format, self.layout.safe_cells],
            "by": [list(self.by.values), list(self.by.days)],
            "portion": self.rows,
            **({ONCE: True} if self.source.is_pipe else {}),
        }

    def _input(self) -> list[object]:
        if isinstance(self.source, Several):
            return [fingerprint(file) for file, _ in self.source.files]
        return [self.source.where] if self.source.is_pipe else fingerprint(self.source.where)


def groups_of(labels: Sequence[str]) -> dict[str, list[int]]:
    """The groups of the official emotions, by label number; none for a model with other labels."""
    names = [name.lower() for name in labels]
    if set(names) != set(EMOTIONS):
        return {}
    groups = {**{f"ekman:{g}": m for g, m in EKMAN.items()}, **{f"sentiment:{g}": m for g, m in SENTIMENT.items()}}
    return {group: [names.index(member) for member in members] for group, members in groups.items()}


def summed(
    told: Callable[[], Iterable[dict[str, Any]]],
    began_at: int,
    seconds: float,
    labels: Sequence[str],
    once: bool = False,
) -> Scored:
    """What was `told` of all portions, in their order, as one; `once`: it cannot be told again."""
    rows, errors, wrong = 0, 0, list[Wrong]()

    def counts() -> Iterator[tally.Counts]:
        nonlocal rows, errors
        for one in told():
            rows, errors = rows + one["rows"], errors + one["errors"]
            wrong.extend(_wrong(*of) for of in one["wrong"][: MOST_WRONG - len(wrong)])
            yield one["counts"]

    again = None if once else lambda: (one["counts"] for one in told())
    found = tally.added_up(counts(), again)
    return Scored(rows, errors, began_at, seconds, found, tuple(groups_of(labels)), tuple(wrong))


class _Pace:
    """How fast it goes, told on. `done` rows were there before it `began` (monotonic seconds)."""

    def __init__(self, tell: Callable[[Progress], None], done: int, began: float) -> None:
        self._tell, self._done, self._began = tell, done, began
        self._from: float | None = None

    def at(self, rows: int, errors: int, share: float | None) -> None:
        """So far it is."""
        seconds = max(1e-6, time.monotonic() - self._began)
        if self._from is None and share is not None:
            self._from = share if self._done else 0.0
        gone = 0.0 if share is None or self._from is None else share - self._from
        left = seconds * (1 - (share or 0.0)) / gone if gone > 0 else None
        self._tell(Progress(rows, errors, share, (rows - self._done) / seconds, left))


@dataclass(frozen=True)
class _Ready:
    """A portion with the tokens of its good rows; `read`: how far the source was read before it and behind it."""

    portion: Portion
    good: Array
    tokens: TokenArrays
    read: tuple[float, float]


def _wrong(row: int, what: str, file: str = "") -> Wrong:
    return int(row), str(what), str(file)


def _column(portion: Portion, column: str) -> list[Any]:
    if portion.batch is not None:
        return values_of(portion.batch.column(column))
    return [row.get(column) for row in portion.fields]
