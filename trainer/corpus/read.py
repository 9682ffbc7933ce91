"""One file of comments -> a Split: its good rows in file order, and every bad row with its line and reason.

TSV, CSV, JSONL and Parquet. No content makes it raise or loses a good row: good rows, bad rows, the header and a blank
last line add up to the file's lines. May not know folders or how a corpus is divided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.corpus.delimited import decoded, lines_of, read_delimited
from trainer.corpus.fields import TEXT_NAMES, find_columns
from trainer.corpus.gathered import Gathered
from trainer.corpus.label_cells import LabelCells
from trainer.corpus.split import Split
from trainer.errors import NotFoundError
from trainer.labels import LabelFile

LARGE = 8 << 20
"""Bytes from which a TSV file is read in columns: loading Arrow takes as long as reading a smaller one line by line."""

EXTENSIONS = (".tsv", ".csv", ".jsonl", ".parquet")


def read_split(path: str | Path, name: str, label_file: LabelFile) -> Split:
    """Read one file, its format told by its extension.

    Never raises for bad content (`refused` and `problems` say what is wrong); NotFoundError where nothing is there.
    """
    file = Path(path)
    rows = Gathered(str(path), name, LabelCells(label_file))
    try:
        if file.suffix.lower() == ".tsv" and file.stat().st_size >= LARGE:
            from trainer.corpus.large_lines import read_large

            split = read_large(file, str(path), name, label_file)
            if split is not None:
                return split
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path} is not there") from None
    except OSError as error:
        rows.bad(0, f"cannot be read: {error.strerror or error}")
        return rows.split(file, "", hint=None)
    hint = None
    match file.suffix.lower():
        case ".tsv":
            read_delimited(data, "\t", rows)
        case ".csv":
            read_delimited(data, ",", rows)
        case ".jsonl":
            _read_jsonl(data, rows)
        case ".parquet":
            _read_parquet(data, rows)
        case other:
            rows.bad(0, f"{other or 'no extension'}: the formats read are {', '.join(EXTENSIONS)}")
    if not rows.text and file.suffix.lower() != ".parquet":
        hint = _why_unreadable(data)
    return rows.split(file, hashlib.sha256(data).hexdigest(), hint)


def _why_unreadable(data: bytes) -> str | None:
    """What a file without a usable row is, where its bytes tell: UTF-16, or lines without line feeds."""
    start = data[:4096]
    zeros = [start[offset::2].count(0) * 2 / max(1, len(start)) for offset in (0, 1)]
    # Without a mark, Latin text in UTF-16 still shows: every other byte is zero.
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or (max(zeros) > 0.4 and min(zeros) < 0.05):
        return "the file is UTF-16, not UTF-8: save it again as UTF-8"
    if b"\n" not in data and data.count(b"\r") > 1:
        return "the lines end in carriage returns alone: save the file again with line feeds"
    return None


def _read_jsonl(data: bytes, rows: Gathered) -> None:
    for number, line in enumerate(lines_of(data), start=1):
        if line is None:
            rows.bad(number, "not UTF-8 text")
        elif not line.strip():
            rows.bad(number, "blank line")
        else:
            _add_object(number, line, rows)


def _add_object(number: int, line: str, rows: Gathered) -> None:
    try:
        found: Any = json.loads(line)
    except RecursionError:
        return rows.bad(number, "JSON nested too deeply")
    except json.JSONDecodeError as error:
        return rows.bad(number, f"not JSON: {error.msg} at column {error.colno}")
    except ValueError:
        return rows.bad(number, "not usable JSON: a number of thousands of digits")
    if not isinstance(found, dict):
        return rows.bad(number, "not a JSON object with text and labels")
    columns = find_columns(list(found))
    if columns is None:
        return rows.bad(number, f"missing column: {_missing(list(found))}")
    values = list(found.values())
    text, row_id = values[columns.text], None if columns.id is None else values[columns.id]
    # An escape such as \ud800 is legal JSON but no character: it could be neither written nor tokenized.
    if any(isinstance(part, str) and decoded(part.encode(errors="surrogatepass")) is None for part in (text, row_id)):
        return rows.bad(number, "not UTF-8 text: half of a surrogate pair")
    return rows.add(number, text, values[columns.labels], row_id)


def _missing(names: Sequence[str]) -> str:
    has_text = any(name.strip().lower() in TEXT_NAMES for name in names)
    return "no labels" if has_text else "no text"


def _read_parquet(data: bytes, rows: Gathered) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = list(file.schema_arrow.names)
        columns = find_columns(names)
        if columns is None:
            return rows.bad(0, f"missing column: {_missing(names)} among {', '.join(names[:10])}")
        wanted = [names[i] for i in (columns.text, columns.labels, columns.id) if i is not None]
        table = file.read(columns=wanted, use_threads=False)
        columns_of_values = [_values(table.column(name)) for name in wanted]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        return rows.bad(0, f"not a readable Parquet file: {error}")
    if columns.id is None:
        columns_of_values.append([None] * table.num_rows)
    for number, parts in enumerate(zip(*columns_of_values, strict=True), start=1):
        if any(part is _NOT_UTF8 for part in parts):
            rows.bad(number, "not UTF-8 text")
        else:
            rows.add(number, *parts)
    return None


_NOT_UTF8 = object()


def _values(column: Any) -> list[Any]:
    """A column's values; one string that is not UTF-8 costs its own row only. ValueError for a type of no use here."""
    if not _plain(column.type):
        raise ValueError(f"a column of type {column.type}, where strings, whole numbers or lists of them are expected")
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _plain(kind: Any) -> bool:
    """Whether values of an Arrow type turn into plain Python ones (those of some others would load pandas)."""
    from pyarrow import types

    if types.is_dictionary(kind) or types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _plain(kind.value_type)
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return bool(text or number or types.is_null(kind))


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return _NOT_UTF8
