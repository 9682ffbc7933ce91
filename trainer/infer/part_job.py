"""Files of rows cut into parts, and one process's share of them. Whoever hands parts out, Ray or another, is not known here."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trainer.errors import CorpusError, GoemoError, ModelError
from trainer.infer.score import By, Work
from trainer.modelfolder import find_model, model_digest
from trainer.tables.kind import Kind
from trainer.tables.part_folder import MARKS, Part, PartFolder, Planned
from trainer.tables.places import fingerprint, name_of
from trainer.tables.portion import Portion
from trainer.tables.several import Files, opened_like
from trainer.tables.sink import Layout, one_file
from trainer.tables.source import Source

ROWS = 16_384
"""Rows of a part: what a kill costs a worker at the most."""
TRIES = 3
"""How often a part is begun again whose worker died; then it is told of, and the others go on."""


@dataclass(frozen=True)
class Job:
    """All that a worker has to know. `files` in their order, the one at `first` being what the others are like; `digest` is
    the model's, `out` the folder (a path or a URI) that every worker can write to."""

    files: Files
    first: int
    column: str | None
    names: tuple[str, ...]
    schema: bytes | None
    model: str
    digest: str
    device: str
    threshold: str
    precision: str
    by: By
    portion: int
    part: int
    out: str

    def about(self, labels: Sequence[str], thresholds: Sequence[float]) -> dict[str, Any]:
        """What parts that belong together have in common, beside the files."""
        found = {
            "column": self.column,
            "columns": list(self.names),
            "model": self.digest,
            "labels": list(labels),
            "threshold": list(thresholds),
            "precision": self.precision,
            "by": [list(self.by.values), list(self.by.days)],
            "portion": self.portion,
            "part": self.part,
        }
        return dict(json.loads(json.dumps(found)))


def plan_of(about: dict[str, Any]) -> str:
    """The name of what is done, which each mark of a part carries."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]


def planned(file: str, kind: Kind, first: Source, job: Job, number: int) -> Planned:
    """The parts of a file, cut where portions end; or what is wrong with it, so that the others go on.

    A Parquet file says how many rows it has; another one is read to its end for that, and nothing of it is judged.
    """
    print: list[Any] = []
    try:
        print = fingerprint(file)
        source = opened_like(first, file, kind, job.column)
        try:
            sizes = _portions(source, job.portion)
            parts = tuple(_cut(sizes, job.part, number))
            return Planned(name_of(file), print, () if source.torn else parts, source.torn)
        finally:
            source.close()
    except GoemoError as error:
        return Planned(name_of(file), print, wrong=str(error))


def _portions(source: Source, rows: int) -> Iterator[int]:
    if source.kind.format != "parquet":
        yield from (len(portion) for portion in source.portions(rows))
        return
    left = source.size
    while left > 0:
        yield min(rows, left)
        left -= rows


def _cut(sizes: Iterator[int], rows: int, file: int) -> Iterator[Part]:
    first = held = number = 0
    for size in sizes:
        held += size
        if held >= rows:
            yield Part(file, number, first, held)
            first, held, number = first + held, 0, number + 1
    if held:
        yield Part(file, number, first, held)


class Worker:
    """A process that has loaded the model once and does part after part. Raises ModelError where its model is another."""

    def __init__(self, job: Job, plan: str) -> None:
        from trainer.infer.predictor import Predictor

        self.job, self.folder = job, PartFolder(job.out, plan)
        predictor = Predictor(find_model(job.model), job.device, job.threshold, precision=job.precision)
        if model_digest(predictor.folder.path) != job.digest:
            raise ModelError(f"{job.model} on {socket.gethostname()} is another model than where the command was given")
        self.folder.join()
        open_ended = job.files[0][1].format == "jsonl"
        layout = Layout(Kind("parquet"), job.names, predictor.labels, False, self._schema, open_ended)
        self._predictor, self._layout = predictor, layout
        self._open: tuple[int, int, Source] | None = None

    def do(self, part: Part) -> dict[str, Any]:
        """The part's mark; a part that is whole already is not done again.

        Raises GoemoError for what is wrong with its file, and for a part at which too many workers have died.
        """
        known = self.folder.mark(part)
        if known is not None:
            return known
        died = self._died(part)
        if died > TRIES:
            raise CorpusError(f"its worker died {died} times")
        who = {"pid": os.getpid(), "host": socket.gethostname()}
        self.folder.started(part, {**who, "died": died})
        source = self._source(part)
        work = Work(source, self._predictor, self._layout, self.job.by, self.job.portion)
        bodies, portions, rows = list[bytes](), list[dict[str, Any]](), 0
        for body, told in work.portions(self._rows(source, part), 0, 0):
            bodies.append(body)
            portions.append(told)
            rows += told["rows"]
        if rows != part.rows:
            raise CorpusError(f"{source.where}: {rows:,} rows where {part.rows:,} were planned; has it changed?")
        self._open = (part.file, part.first + rows, source)
        return self.folder.add(part, one_file(self._layout, bodies), portions, who)

    def _died(self, part: Part) -> int:
        """How many workers have begun the part since the start, and said no more of it."""
        try:
            begun = json.loads(self.folder.folder.read(f"{MARKS}/{part.name}.begun") or b"null")
        except ValueError:  # torn
            return 1
        return int(begun.get("died", 0)) + 1 if isinstance(begun, dict) else 0

    def _source(self, part: Part) -> Source:
        """The file of the part, at its first row: gone on with where the last part was before it in the same file."""
        if self._open is not None:
            file, at, source = self._open
            self._open = None
            if file == part.file and source.kind.format == "parquet":
                return source
            if file == part.file and at <= part.first:
                source.passed(part.first - at)
                return source
            source.close()
        source = opened_like(self._first, *self.job.files[part.file], self.job.column)
        if source.kind.format != "parquet":
            source.passed(part.first)
        return source

    @cached_property
    def _first(self) -> Source:
        """The file that the others are like."""
        source = Source(*self.job.files[self.job.first], self.job.column)
        source.close()
        return source

    @property
    def _schema(self) -> Any:
        if self.job.schema is None:
            return None
        import pyarrow as pa

        return pa.ipc.read_schema(pa.BufferReader(self.job.schema))

    def _rows(self, source: Source, part: Part) -> Iterator[Portion]:
        typed = source.kind.format == "parquet"
        skip, until = (part.first, part.first + part.rows) if typed else (0, None)
        passed = 0
        name = name_of(source.where) if len(self.job.files) > 1 else ""
        for portion in source.portions(self.job.portion, skip, until=until) if part.rows else ():
            yield Portion(part.first + passed, portion.texts, portion.errors, portion.fields, portion.batch, name)
            passed += len(portion)
            if passed >= part.rows:
                return
