"""The rows of a Parquet file, one by one: columns -> Python values -> rows.

`large_parquet` reads the same in columns; what it is not sure of comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trainer.corpus.fields import TEXT_NAMES, find_columns
from trainer.corpus.gathered import Gathered


def missing(names: Sequence[str]) -> str:
    """Which column is not among these."""
    has_text = any(name.strip().lower() in TEXT_NAMES for name in names)
    return "no labels" if has_text else "no text"


def read_parquet(data: bytes, rows: Gathered) -> None:
    """Gather the rows of a whole file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = list(file.schema_arrow.names)
        columns = find_columns(names)
        if columns is None:
            return rows.bad(0, f"missing column: {missing(names)} among {', '.join(names[:10])}")
        wanted = [names[i] for i in (columns.text, columns.labels, columns.id) if i is not None]
        table = file.read(columns=wanted, use_threads=False)
        columns_of_values = [values_of(table.column(name)) for name in wanted]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        return rows.bad(0, f"not a readable Parquet file: {error}")
    add_rows(range(1, table.num_rows + 1), columns_of_values, rows)
    return None


def add_rows(numbers: Iterable[int], values: Sequence[Sequence[Any]], rows: Gathered) -> None:
    """Gather rows with these numbers: texts, labels and, where there are any, ids."""
    for number, *parts in zip(numbers, *values, strict=True):
        if any(part is _NOT_UTF8 for part in parts):
            rows.bad(number, "not UTF-8 text")
        else:
            rows.add(number, *parts, *[None] * (3 - len(parts)))


_NOT_UTF8 = object()


def values_of(column: Any) -> list[Any]:
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
