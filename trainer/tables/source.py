"""A file, or what comes through a pipe, as portions of rows; memory stays the same however long it is.

Every row comes out, in order: one that cannot be read carries an error and what could be kept of it. Unlike a corpus, a
CSV file may have line breaks inside quotes here: reviews have.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import IO, Any

from trainer.corpus.fields import TEXT_NAMES
from trainer.errors import ConfigError, CorpusError
from trainer.tables.kind import Kind
from trainer.tables.places import is_once, name_of, opened
from trainer.tables.portion import Portion, whole
from trainer.tables.records import (
    Line,
    Record,
    Unpacked,
    bare,
    comma_records,
    lines_of,
    tab_records,
    without_last_blank,
)

PEEK = 1_000
"""Objects of a JSONL file that are looked at to learn which columns there are."""

_OFFICIAL = re.compile(r"\d+(,\d+)*\Z")

Row = tuple[dict[str, Any], str, str]
"""The fields, the text, and what is wrong with it."""


class Source:
    """Rows to come. `names` are the columns, `column` the one with the text; `size` is the file's in bytes, 0 if unknown.

    `where` is a path, a URI, or "-" for stdin; what is no regular file is opened once and read once, as stdin is.
    `skipped`: rows that were passed over as asked.
    Raises NotFoundError, ConfigError and CorpusError where there is nothing to read.
    """

    def __init__(self, where: str, kind: Kind, column: str | None = None) -> None:
        self.where, self.kind = where, kind
        self._once = is_once(where)
        self.names: tuple[str, ...] = ()
        self.size = 0
        self.has_header = True
        self.skipped = 0
        self._raw: IO[bytes] | None = None
        self._at: Callable[[], int] = lambda: 0
        if kind.format == "parquet":
            self._open_parquet(column)
            return
        lines = lines_of(self._open(), self._shown)
        match kind.format:
            case "tsv":
                self._delimited(tab_records(lines), column, "\t")
            case "csv":
                self._delimited(comma_records(lines), column, ",")
            case "jsonl":
                self._objects(lines, column)
            case _:
                self.names, self.column = ("text",), "text"
                self._rows: Iterator[Row] = (_judged({"text": line}, line, broken) for line, broken in bare(lines))

    @property
    def is_pipe(self) -> bool:
        """Whether it can be read once only."""
        return self._once

    @property
    def position(self) -> int:
        """How far it is read, in the bytes of `size`."""
        return self._at()

    def portions(self, rows: int, skip: int = 0, characters: int = 16_000_000) -> Iterator[Portion]:
        """Portions of at most `rows` rows and about `characters` characters, without the first `skip` rows.

        They begin where the last one of an earlier call has ended if `skip` says so: whoever goes on gets the same ones.
        """
        if self.kind.format == "parquet":
            yield from self._batches(rows, skip)
            return
        self.skipped = self.passed(skip)
        first, held, weight = skip, list[Row](), 0
        for row in self._rows:
            held.append(row)
            weight += sum(len(v) for v in row[0].values() if isinstance(v, str))
            if len(held) >= rows or weight >= characters:
                yield _portion(first, held)
                first, held, weight = first + len(held), [], 0
        if held:
            yield _portion(first, held)

    def passed(self, rows: int) -> int:
        """Pass over so many rows of text; how many there were."""
        return sum(1 for _ in islice(self._rows, rows))

    def close(self) -> None:
        """Let go of the file."""
        if self._raw is not None:
            self._raw.close()

    def _open(self) -> IO[bytes]:
        if self.where == "-":
            if sys.stdin is None:
                raise CorpusError("stdin is closed: there is nothing to read")
            return sys.stdin.buffer
        raw = self._file()
        if not self._once:
            self._at = lambda: self.size if raw.closed else raw.tell()
        match self.kind.compression:
            case "gzip":
                return io.BufferedReader(Unpacked(gzip.GzipFile(fileobj=raw), self._shown), 1 << 16)
            case "zstd":
                import pyarrow as pa

                return io.BufferedReader(
                    Unpacked(pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"), self._shown)
                )
        return raw

    def _file(self) -> IO[bytes]:
        self._raw, size = opened(self.where)
        self.size = 0 if self._once else size
        return self._raw

    # TSV and CSV

    def _delimited(self, records: Iterator[Record], column: str | None, delimiter: str) -> None:
        head = next(records, None)
        if head is None:
            raise CorpusError(f"{self._shown} has no rows")
        names, text, is_header = self._header(head[0], column)
        self.names, self.column, self.has_header = names, names[text], is_header

        def row(record: Record) -> Row:
            fields, broken = record
            named = dict(zip(names, fields, strict=False))
            if len(fields) != len(names):
                if len(fields) > len(names):  # nothing is lost: the last column takes what is left over
                    named[names[-1]] = delimiter.join(fields[len(names) - 1 :])
                what = "blank line" if fields in ([], [""]) else f"{len(fields)} columns, {len(names)} expected"
                return named, "", what
            return _judged(named, fields[text], broken)

        body = records if is_header else chain([head], records)
        self._rows = map(row, without_last_blank(body, lambda record: record[0] in ([], [""])))

    def _header(self, first: list[str], column: str | None) -> tuple[tuple[str, ...], int, bool]:
        """Names of the columns, which of them has the text, and whether the first line names them."""
        lowered = [name.strip().lower() for name in first]
        if column is not None:
            wanted = column.strip().lower()
            if wanted in lowered:
                return _unlike(first), lowered.index(wanted), True
            if column.isdecimal() and 1 <= int(column) <= len(first):
                return _nameless(first), int(column) - 1, False
            raise ConfigError(
                f"{self._shown} has no column {column!r}; its first line has: {', '.join(first)[:300]}. For a file that "
                "does not name its columns give a number, such as --column 1",
                key="column",
            )
        found = next((lowered.index(name) for name in TEXT_NAMES if name in lowered), None)
        if found is not None:
            return _unlike(first), found, True
        if len(first) == 1 or (len(first) == 3 and _OFFICIAL.match(first[1])):
            return _nameless(first), 0, False
        raise ConfigError(
            f"{self._shown}: which column has the text? Its first line has: {', '.join(first)[:300]}. Say --column NAME, "
            "or its number where the columns have no names",
            key="column",
        )

    # JSONL

    def _objects(self, lines: Iterator[Line], column: str | None) -> None:
        objects = (_object(*line) for line in without_last_blank(bare(lines), lambda line: not line[0]))
        peeked = list(islice(objects, PEEK))
        if not peeked:
            raise CorpusError(f"{self._shown} has no rows")
        self.names = tuple(dict.fromkeys(key for found, _ in peeked for key in found))
        self.column = self._text_column(self.names, column)

        def row(read: tuple[dict[str, Any], str]) -> Row:
            found, trouble = read
            if trouble:
                return found, "", trouble
            return _judged(found, found.get(self.column), False)

        self._rows = map(row, chain(peeked, objects))

    def _text_column(self, names: Sequence[str], column: str | None) -> str:
        if column is not None and column in names:
            return column
        lowered = {name.strip().lower(): name for name in reversed(names)}
        wanted = TEXT_NAMES if column is None else (column.strip().lower(),)
        found = next((lowered[name] for name in wanted if name in lowered), None)
        if found is None:
            asked = "which column has the text?" if column is None else f"there is no column {column!r}."
            raise ConfigError(
                f"{self._shown}: {asked} It has: {', '.join(names)[:300]}. Say --column NAME", key="column"
            )
        return found

    # Parquet

    def _open_parquet(self, column: str | None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._once:
            raise ConfigError("Parquet cannot come through a pipe: name the file")
        raw = self._file()
        try:
            self._parquet = pq.ParquetFile(raw)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._shown} is no readable Parquet file: {error}") from None
        self.names = tuple(self._parquet.schema_arrow.names)
        self.column = self._text_column(self.names, column)
        self.size, self._seen = self._parquet.metadata.num_rows, 0
        self._at = lambda: self._seen
        kind = self._parquet.schema_arrow.field(self.column).type
        if not _is_text(kind):
            raise ConfigError(f"{self._shown}: the column {self.column} holds {kind}, not text", key="column")

    @property
    def schema(self) -> Any:
        """The Arrow schema of a Parquet file, None for any other."""
        return self._parquet.schema_arrow if self.kind.format == "parquet" else None

    def _batches(self, rows: int, skip: int) -> Iterator[Portion]:
        """Row groups that lie before `skip` are not read at all."""
        import pyarrow as pa

        meta = self._parquet.metadata
        self.skipped = min(skip, meta.num_rows)
        group, before = 0, 0
        while group < meta.num_row_groups and before + meta.row_group(group).num_rows <= skip:
            before += meta.row_group(group).num_rows
            group += 1
        first = self._seen = skip
        try:
            batches = self._parquet.iter_batches(rows, row_groups=range(group, meta.num_row_groups))
            for batch in _cut(batches, rows, skip - before):
                judged = [_judged({}, value, False) for value in _plain(batch.column(self.column))]
                texts, errors = [text for _, text, _ in judged], [error for _, _, error in judged]
                yield Portion(first, texts, errors, [], batch)
                first = self._seen = first + batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._shown} is damaged behind row {first:,}: {error}") from None

    @property
    def _shown(self) -> str:
        return "stdin" if self.where == "-" else name_of(self.where)


def _cut(batches: Iterator[Any], rows: int, skip: int) -> Iterator[Any]:
    """Record batches of `rows` rows each, without the first `skip` of all."""
    held: list[Any] = []
    for batch in batches:
        passed = min(skip, batch.num_rows)
        skip, batch = skip - passed, batch.slice(passed)
        while batch.num_rows:
            piece = batch.slice(0, rows - sum(one.num_rows for one in held))
            held, batch = [*held, piece], batch.slice(piece.num_rows)
            if sum(one.num_rows for one in held) == rows:
                yield _one(held)
                held = []
    if held:
        yield _one(held)


def _one(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    import pyarrow as pa

    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _object(line: str, broken: bool) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = "blank line" if not line.strip() else f"not JSON: {getattr(error, 'msg', 'it cannot be used')}"
        return {"line": line} if line.strip() else {}, what
    if not isinstance(found, dict):
        return {"line": line}, "not a JSON object"
    return found, "not UTF-8 text" if broken else ""


def _judged(fields: dict[str, Any], text: object, broken: bool) -> Row:
    if broken or isinstance(text, bytes):
        return fields, "", "not UTF-8 text"
    if text is None:
        return fields, "", "no text"
    if not isinstance(text, str):
        return fields, "", f"text of type {type(text).__name__}, not a string"
    if not text.strip():
        return fields, "", "empty text"
    return fields, whole(text), ""


def _portion(first: int, rows: list[Row]) -> Portion:
    return Portion(
        first, [text for _, text, _ in rows], [error for _, _, error in rows], [fields for fields, _, _ in rows]
    )


def _unlike(names: Sequence[str]) -> tuple[str, ...]:
    """The names of a header, no two alike and none empty."""
    found: list[str] = []
    for number, name in enumerate((name.strip() for name in names), 1):
        name = name or f"column_{number}"
        while name in found:
            name += "_2"
        found.append(name)
    return tuple(found)


def _nameless(first: Sequence[str]) -> tuple[str, ...]:
    if len(first) == 3 and _OFFICIAL.match(first[1]):
        return ("text", "labels", "id")
    return ("text",) if len(first) == 1 else tuple(f"column_{n}" for n in range(1, len(first) + 1))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _plain(column: Any) -> list[Any]:
    """A column's strings; one that is not UTF-8 costs its own row only."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.cast("binary").as_py()
