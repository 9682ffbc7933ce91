"""A file, or what comes through a pipe, as portions of rows; memory stays the same however long it is.

Every row comes out, in order: one that cannot be read carries an error and what could be kept of it. Unlike a corpus, a
CSV file may have line breaks inside quotes here: reviews have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import IO, Any

from trainer.errors import ConfigError, CorpusError
from trainer.tables.arrow_rows import batches, opened_rows
from trainer.tables.header import delimiter_of, header, perhaps_name, text_column
from trainer.tables.kind import Kind
from trainer.tables.places import is_once, name_of, opened
from trainer.tables.portion import Portion, whole
from trainer.tables.records import (
    NOT_UTF8,
    TOO_LONG,
    Line,
    Record,
    bare,
    comma_records,
    lines_of,
    tab_records,
    without_last_blank,
)
from trainer.tables.stream import Stream

PEEK = 1_000
"""Objects of a JSONL file that are looked at, at the most, to learn which columns there are, and no more of them than SIZE allows."""

SIZE = 8_000_000
"""Characters, or bytes of Parquet, that a portion holds at the most, but for the row that goes beyond: fields of every kind count."""

Row = tuple[dict[str, Any], str, str, int]
"""The fields, the text, what is wrong with it, and about how many characters it all is."""

Read = tuple[dict[str, Any], str, int]
"""An object of JSONL: its fields, what is wrong with its line, and how many characters that has."""


class Source:
    """Rows to come. `names` are the columns, `column` the one with the text; `size` is the file's in bytes, 0 if unknown.

    `where` is a path, a URI, or "-" for stdin; what is no regular file is opened once and read once, as stdin is.
    `skipped`: rows that were passed over as asked; `instead`: what stands over the text where the first line is taken for a row
    and may be none; `torn`: what is wrong with a packed file that breaks off, once its rows have come.
    Raises NotFoundError, ConfigError and CorpusError where there is nothing to read.
    """

    def __init__(self, where: str, kind: Kind, column: str | None = None) -> None:
        self.where, self.kind = where, kind
        self._once = is_once(where)
        self.names: tuple[str, ...] = ()
        self.size = 0
        self.has_header = True
        self.instead = ""
        self.skipped = 0
        self._raw: IO[bytes] | None = None
        self._stream: Stream | None = None
        self._rows: Iterator[Row]
        if kind.format == "parquet":
            self._open_parquet(column)
            return
        self._stream = Stream(where, kind.compression, self._shown)
        self.size = self._stream.size
        self._at: Callable[[], int] = lambda: self._stream.position if self._stream is not None else 0
        try:
            self._begin(lines_of(self._stream.bytes, self._shown), column)
        except BaseException:
            self.close()
            raise

    def _begin(self, lines: Iterator[Line], column: str | None) -> None:
        match self.kind.format:
            case "tsv":
                self._delimited(tab_records(lines), column, "\t")
            case "csv":
                first = next(lines, None)
                delimiter = "," if first is None else delimiter_of(first[0], column)
                lines = chain(() if first is None else (first,), lines)
                self._delimited(comma_records(lines, delimiter), column, delimiter)
            case "jsonl":
                self._objects(lines, column)
            case _:
                self.names, self.column = ("text",), "text"
                self._rows = (_judged({"text": line}, line, wrong, len(line)) for line, wrong in bare(lines))
        self._rows = self._to_the_tear(self._rows)

    @property
    def is_pipe(self) -> bool:
        """Whether it can be read once only."""
        return self._once

    @property
    def position(self) -> int:
        """How far it is read, in the bytes of `size`."""
        return self._at()

    @property
    def torn(self) -> str:
        """Why it breaks off, if it does."""
        return self._stream.torn if self._stream is not None else ""

    def portions(self, rows: int, skip: int = 0, characters: int = SIZE, until: int | None = None) -> Iterator[Portion]:
        """Portions of at most `rows` rows and about `characters` characters, without the first `skip` rows; of Parquet those
        before row `until` alone, where it is given.

        They begin where the last one of an earlier call has ended if `skip` says so: whoever goes on gets the same ones.
        """
        if self.kind.format == "parquet":
            yield from self._batches(rows, characters, skip, until)
            return
        self.skipped = self.passed(skip)
        first, held, weight = skip, list[Row](), 0
        for row in self._rows:
            held.append(row)
            weight += row[3]
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
        if self._stream is not None:
            self._stream.close()

    def _to_the_tear(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows; the last one of a stream that breaks off within it may be half a text, and is not judged."""
        held: Row | None = None
        for row in rows:
            if held is not None:
                yield held
            held = row
        if held is not None:
            if self._stream is not None and self._stream.within_a_line:
                held = (held[0], "", "the file breaks off within this row", held[3])
            yield held

    # TSV and CSV

    def _delimited(self, records: Iterator[Record], column: str | None, delimiter: str) -> None:
        head = next(records, None)
        if head is None:
            raise CorpusError(f"{self._shown} has no rows")
        names, text, is_header = header(head[0], column, self._shown)
        self.names, self.column, self.has_header = names, names[text], is_header
        self.instead = "" if is_header else perhaps_name(head[0], text)

        def row(record: Record) -> Row:
            fields, wrong = record
            named, size = dict(zip(names, fields, strict=False)), sum(map(len, fields))
            if len(fields) != len(names) and wrong != TOO_LONG:
                if len(fields) > len(names):  # nothing is lost: the last column takes what is left over
                    named[names[-1]] = delimiter.join(fields[len(names) - 1 :])
                what = "blank line" if fields in ([], [""]) else f"{len(fields)} columns, {len(names)} expected"
                return named, "", what, size
            return _judged(named, named.get(names[text], ""), wrong, size)

        body = records if is_header else chain([head], records)
        self._rows = map(row, without_last_blank(body, lambda record: record[0] in ([], [""])))

    # JSONL

    def _objects(self, lines: Iterator[Line], column: str | None) -> None:
        objects = (_object(*line) for line in without_last_blank(bare(lines), lambda line: not line[0]))
        peeked = _peeked(objects)
        if not peeked:
            raise CorpusError(f"{self._shown} has no rows")
        begun = next((found for found, _, _ in peeked if found), {})
        if all(trouble for _, trouble, _ in peeked) or str(begun.get("line", "")).strip() in ("[", "{"):
            raise CorpusError(f"{self._shown} {_no_lines(peeked)}")
        self.names = tuple(dict.fromkeys(key for found, _, _ in peeked for key in found))
        self.column = text_column(self.names, column, self._shown)

        def row(read: Read) -> Row:
            found, trouble, size = read
            if trouble:
                return found, "", trouble, size
            return _judged(found, found.get(self.column), "", size)

        self._rows = map(row, chain(peeked, objects))

    # Parquet

    def _open_parquet(self, column: str | None) -> None:
        if self._once:
            raise ConfigError("Parquet cannot come through a pipe: name the file")
        self._raw, _ = opened(self.where)
        try:
            self._parquet, self._schema = opened_rows(self._raw, self._shown)
            self.names = tuple(self._schema.names)
            self.column = text_column(self.names, column, self._shown)
            kind = self._schema.field(self.column).type
            if not _is_text(kind):
                raise ConfigError(f"{self._shown}: the column {self.column} holds {kind}, not text", key="column")
        except BaseException:
            self.close()
            raise
        self.size, self._seen = self._parquet.metadata.num_rows, 0
        self._at = lambda: self._seen

    @property
    def schema(self) -> Any:
        """The Arrow schema of a Parquet file, None for any other."""
        return self._schema if self.kind.format == "parquet" else None

    def _batches(self, rows: int, size: int, skip: int, until: int | None) -> Iterator[Portion]:
        import pyarrow as pa

        self.skipped = min(skip, self._parquet.metadata.num_rows)
        first = self._seen = skip
        try:
            for batch in batches(self._parquet, self._schema, rows, size, skip):
                if until is not None:
                    batch = batch.slice(0, max(0, until - first))
                if not batch.num_rows:
                    return
                judged = [_judged({}, value, "", 0) for value in _plain(batch.column(self.column))]
                texts, errors = [text for _, text, _, _ in judged], [error for _, _, error, _ in judged]
                yield Portion(first, texts, errors, [], batch)
                first = self._seen = first + batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._shown} is damaged behind row {first:,}: {error}") from None

    @property
    def _shown(self) -> str:
        return "stdin" if self.where == "-" else name_of(self.where)


def _object(line: str, wrong: str) -> Read:
    if wrong == TOO_LONG:
        return {"line": line}, wrong, len(line)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = "blank line" if not line.strip() else f"not JSON: {getattr(error, 'msg', 'it cannot be used')}"
        return {"line": line} if line.strip() else {}, what, len(line)
    if not isinstance(found, dict):
        return {"line": line}, "not a JSON object", len(line)
    return found, wrong, len(line)


def _peeked(objects: Iterator[Read]) -> list[Read]:
    """The first objects: large ones are not held by the thousand."""
    found, weight = list[Read](), 0
    for read in islice(objects, PEEK):
        found.append(read)
        weight += read[2]
        if weight >= SIZE:
            break
    return found


def _no_lines(peeked: list[Read]) -> str:
    """What a file is that was said to be JSONL, and none of its first lines is an object."""
    first, trouble = next(((found["line"].strip(), what) for found, what, _ in peeked if found), ("", ""))
    if not first:
        return "has no rows: its lines are blank"
    if first.startswith(("[", "{")):
        what = "is a JSON array" if first.startswith("[") else "has objects that go over several lines"
        return f"{what}, not JSONL, which has an object on each line: jq -c '.[]?' makes lines of an array, jq -c . of objects"
    return f"is no JSONL, which has an object on each line; its first line is {trouble}"


def _judged(fields: dict[str, Any], text: object, wrong: str, size: int) -> Row:
    if wrong or isinstance(text, bytes):
        return fields, "", wrong or NOT_UTF8, size
    if text is None:
        return fields, "", "no text", size
    if not isinstance(text, str):
        return fields, "", f"text of type {type(text).__name__}, not a string", size
    if not text.strip():
        return fields, "", "empty text", size
    return fields, whole(text), "", size


def _portion(first: int, rows: list[Row]) -> Portion:
    texts, errors = [text for _, text, _, _ in rows], [error for _, _, error, _ in rows]
    return Portion(first, texts, errors, [fields for fields, _, _, _ in rows])


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
