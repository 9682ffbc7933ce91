"""Which training comments are most like a text, to the model itself: an index built once a model and corpus.

The building is done in slices, so that whoever drives it answers predictions in between; a building that is left loses
nothing but itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer import paths
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import TokenArrays, tokenize
from trainer.errors import ConfigError, GoemoError, ModelError, NotFoundError
from trainer.infer import nearest
from trainer.infer.nearest import Nearest, Neighbour
from trainer.labels import TAXONOMIES
from trainer.modelfolder import read_fitted_on
from trainer.runs.run import Run

if TYPE_CHECKING:
    from trainer.infer.predictor import Predictor

Array = np.ndarray[Any, np.dtype[Any]]

FIRST_SLICE = 8
MOST_ROWS = 256
"""Rows of the first slice, and of any; a slice takes as many as its time allows."""

ONLY_SAMPLE = "only the sample corpus is at hand"


@dataclass(frozen=True)
class Source:
    """The corpus whose training comments are compared; `note` says in words if it is not the model's own."""

    corpus: Corpus
    note: str


def find_source(model: Path, labels: tuple[str, ...], data: str | None = None, asked: bool = False) -> Source:
    """The corpus that the model in the folder `model` was trained on, where it is at hand; else `data`; else the sample.

    Where `data` was `asked` for by name, it is that corpus or none. Raises GoemoError where it cannot be used, or where
    not even the sample can be read.
    """
    if asked and data is not None:
        return _asked(model, labels, data)
    own, fitted = trained_on(model), read_fitted_on(model)
    corpus = _with_train(own) if own else None
    if corpus is not None and fingerprint_of(model) in (None, corpus.splits["train"].sha256):
        return Source(_in_terms_of(corpus, labels), ONLY_SAMPLE if _is_sample(corpus) else "")
    # of a model without its run, the starter first of all, the dev split tells: its thresholds were fitted there
    given = _with_train(data) if data not in (None, "sample") else None
    there = (corpus for corpus in (given, *map(_with_train, named_corpora())) if corpus is not None)
    for corpus in there if fitted else ():
        dev = corpus.splits.get("dev")
        if dev is not None and dev.sha256 == fitted and not _is_sample(corpus):
            return Source(_in_terms_of(corpus, labels), "")
    if given is not None and not _is_sample(given):
        corpus = given
        note = f"of {corpus.name}: what the model was trained on is not at hand"
        return Source(_in_terms_of(corpus, labels), note)
    corpus = load_corpus("sample")
    if not corpus.splits.get("train"):
        raise NotFoundError(f"{corpus.path} has no training comments")
    return Source(_in_terms_of(corpus, labels), ONLY_SAMPLE)


def _with_train(data: str | None) -> Corpus | None:
    """That corpus where it can be read and has training comments, else None."""
    try:
        corpus = load_corpus(data, fetch=False)
    except GoemoError:
        return None
    return corpus if corpus.splits.get("train") else None


def named_corpora() -> Iterator[str]:
    """The corpora that have a name here: the sample, and what was downloaded or lies beside it."""
    yield "sample"
    yield "goemotions"
    with suppress(OSError):
        yield from sorted(str(p) for p in paths.corpora_folder().iterdir() if p.name != "goemotions" and p.is_dir())


def _asked(model: Path, labels: tuple[str, ...], data: str) -> Source:
    corpus = load_corpus(data)
    train = corpus.splits.get("train")
    if not train:
        raise NotFoundError(f"{corpus.path} has no training comments to look in: name a corpus with a train split")
    dev, fitted = corpus.splits.get("dev"), read_fitted_on(model)
    own = fingerprint_of(model) == train.sha256 or (dev is not None and dev.sha256 == fitted)
    return Source(_in_terms_of(corpus, labels), "" if own else f"of {corpus.name}, as asked for")


def _is_sample(corpus: Corpus) -> bool:
    return corpus.path == (paths.shipped() / "sample").absolute()


def _run_of(model: Path) -> Run | None:
    try:
        return Run.open(model.parent)
    except GoemoError:
        return None


def trained_on(model: Path) -> str | None:
    """The corpus that the run of a model names; None where there is no run."""
    run = _run_of(model)
    try:
        return None if run is None else str(run.config.data)
    except GoemoError:
        return None


def fingerprint_of(model: Path) -> str | None:
    """The sha256 of the train split that the run of a model was started with."""
    run = _run_of(model)
    try:
        told = run.record.get("corpus") if run is not None else None
    except GoemoError:
        return None
    sha256 = told.get("sha256") if isinstance(told, dict) else None
    return str(sha256["train"]) if isinstance(sha256, dict) and "train" in sha256 else None


def _in_terms_of(corpus: Corpus, labels: tuple[str, ...]) -> Corpus:
    """Under the grouping whose names are the model's; as it is where none fits: its labels are still worth reading."""
    for taxonomy in TAXONOMIES:
        try:
            grouped = corpus.under(taxonomy)
        except ConfigError:
            continue
        if {n.lower() for n in grouped.labels.names} == {n.lower() for n in labels}:
            return grouped
    return corpus


class Like:
    """The index of one model and corpus: `prepare` reads what there is, `work` makes what there is not, slice by slice.

    `done` of `of` rows have their vector.
    """

    def __init__(self, predictor: Predictor, data: str | None = None, asked: bool = False) -> None:
        self.predictor, self.data, self.asked = predictor, data, asked
        self.note = ""
        self.done, self.of = 0, 0
        self._nearest: Nearest | None = None
        self._names = ("", "")
        self._tokens: TokenArrays | None = None
        self._order: Array = np.empty(0, dtype=np.int64)
        self._made: Array = np.empty((0, 0), dtype=np.float32)
        self._slice = FIRST_SLICE
        self._source: Source | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return self._nearest is not None

    def prepare(self, stop: Callable[[], bool] | None = None) -> None:
        """Find the corpus, read the index or get ready to build it; takes a second or two, in any thread. Raises GoemoError."""
        folder = self.predictor.folder.path
        self._source = source = find_source(folder, self.predictor.labels, self.data, self.asked)
        train = source.corpus.splits["train"]
        self.note = source.note
        try:
            self._names = (nearest.fingerprint(folder, self.predictor.max_length), train.sha256)
        except OSError as error:
            raise ModelError(f"{folder} cannot be read any more: {error.strerror or error}") from None
        known = nearest.read(nearest.place(*self._names), *self._names, len(train))
        if known is not None:
            self.done = self.of = len(train)
            self._nearest = Nearest(known, train, source.corpus.labels.names)
            return
        self._tokens = tokenize(train.text, self.predictor.tokenizer, self.predictor.max_length, stop)
        self._order = np.argsort(self._tokens.lengths, kind="stable")
        self.of = len(train)

    def work(self, seconds: float) -> bool:
        """Make vectors for about `seconds`; True once all are made. Raises ModelError."""
        if self.ready:
            return True
        assert self._tokens is not None, "prepare comes first"
        began = time.perf_counter()
        rows = self._order[self.done : self.done + self._slice]
        made = self.predictor.engine.vectors(self._tokens, rows)
        if not len(self._made):
            self._made = np.empty((self.of, made.shape[1]), dtype=np.float32)
        self._made[rows] = made
        self.done += len(rows)
        spent = time.perf_counter() - began
        # half as many or twice as many, so that one slow slice decides little
        fits = int(len(rows) * seconds / max(spent, 1e-4))
        self._slice = max(1, min(MOST_ROWS, 2 * self._slice, max(self._slice // 2, fits)))
        if self.done < self.of:
            return False
        assert self._source is not None
        self._nearest = Nearest(
            np.asfortranarray(self._made), self._source.corpus.splits["train"], self._source.corpus.labels.names
        )
        self._tokens = None
        return True

    def save(self) -> None:
        """Keep what was built for the next time; where the disk takes nothing it will be built again."""
        if self._nearest is not None and len(self._made):
            with suppress(OSError):
                nearest.write(nearest.place(*self._names), *self._names, self._made)

    def ask(self, text: str, k: int) -> list[Neighbour]:
        """The `k` training comments nearest to `text`, nearest first; none for a text without words."""
        assert self._nearest is not None, "not ready"
        if not text.strip():
            return []
        tokens = tokenize([text], self.predictor.tokenizer, self.predictor.max_length)
        vector = self.predictor.engine.vectors(tokens, np.arange(1))[0]
        return self._nearest.to(vector, text, k)


def build(
    predictor: Predictor,
    data: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    asked: bool = False,
) -> Like:
    """The whole index at once, read or made and kept; `progress` gets how many of how many. `data` and `asked` are those
    of `find_source`. Raises GoemoError, Cancelled.
    """
    like = Like(predictor, data, asked)
    like.prepare(stop)
    while not like.work(0.25):
        if stop is not None and stop():
            raise Cancelled("the index was left")
        if progress is not None:
            progress(like.done, like.of)
    like.save()
    return like
