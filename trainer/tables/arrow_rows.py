"""The rows of a Parquet file as record batches that are bounded in rows and in bytes, entered anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from trainer.errors import CorpusError
from trainer.tables.header import apart

Array = np.ndarray[Any, np.dtype[Any]]

AT_ONCE = 512
"""Rows that are decoded at once: a value that stands once in the file may fill each of them."""

BUFFER = 1 << 18
"""Bytes of a column that are read at once where row groups are large."""

ODD = 64
"""Bytes that a value of a seldom type is taken for."""

SMALL = 1 << 25
"""Bytes of a row group that Arrow reads whole, which is the fastest."""


def opened_rows(raw: IO[bytes], shown: str) -> tuple[Any, Any]:
    """The Parquet file, and its Arrow schema with no two columns called alike. Raises CorpusError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        meta = pq.ParquetFile(raw).metadata
        small = all(meta.row_group(number).total_byte_size <= SMALL for number in range(meta.num_row_groups))
        file = pq.ParquetFile(raw, metadata=meta, buffer_size=0 if small else BUFFER, pre_buffer=small)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{shown} is no readable Parquet file: {error}") from None
    names = apart(schema.names)
    if names == tuple(schema.names):
        return file, schema
    # what others wrote about the columns, by their names, would be wrong now
    return file, pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def batches(file: Any, schema: Any, rows: int, size: int, skip: int) -> Iterator[Any]:
    """Record batches of at most `rows` rows and about `size` bytes, without the first `skip` rows; row groups that lie before
    those are not read at all. Where a batch ends depends on the rows in it alone, so that whoever goes on gets the same ones."""
    import pyarrow as pa

    meta = file.metadata
    group, before = 0, 0
    while group < meta.num_row_groups and before + meta.row_group(group).num_rows <= skip:
        before += meta.row_group(group).num_rows
        group += 1
    bytes_ = sum(meta.row_group(number).total_byte_size for number in range(meta.num_row_groups))
    decoded = max(1, min(rows, AT_ONCE, size // max(1, bytes_ // max(1, meta.num_rows))))
    found = file.iter_batches(decoded, row_groups=range(group, meta.num_row_groups))
    if schema.names != file.schema_arrow.names:
        found = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in found)
    yield from _cut(found, rows, size, skip - before)


def _cut(batches: Iterator[Any], rows: int, size: int, skip: int) -> Iterator[Any]:
    held: list[Any] = []
    count = weight = 0
    for batch in batches:
        passed = min(skip, batch.num_rows)
        skip, batch = skip - passed, batch.slice(passed)
        ends = np.cumsum(_weights(batch))
        at = begin = 0
        while at < batch.num_rows:
            full = int(np.searchsorted(ends, begin + size - weight)) + 1  # the row that fills it is in it
            last = min(full, batch.num_rows, at + rows - count)
            held.append(batch.slice(at, last - at))
            count, weight = count + last - at, weight + int(ends[last - 1]) - begin
            at, begin = last, int(ends[last - 1])
            if count >= rows or weight >= size:
                yield _one(held)
                held, count, weight = [], 0, 0
    if held:
        yield _one(held)


def _weights(batch: Any) -> Array:
    """Bytes of each row, about: the same for a row wherever it is read."""
    found = np.ones(batch.num_rows, np.int64)
    for column in batch.columns:
        found += _sizes(column)
    return found


def _sizes(column: Any) -> Array:
    """Bytes of each value, about. What Arrow says of a slice is of no use: it counts what all values share as well."""
    from pyarrow import types

    kind, rows = column.type, len(column)
    if types.is_dictionary(kind):
        each = np.append(_sizes(column.dictionary), 0)
        return np.asarray(each[_numbers(column.indices.cast("int64"), -1)])
    if any(test(kind) for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)):
        return _lengths(column, "binary_length")
    if types.is_string_view(kind) or types.is_binary_view(kind):
        return _lengths(column.cast("large_binary"), "binary_length")
    if types.is_struct(kind):
        return sum((_sizes(child) for child in column.flatten()), np.zeros(rows, np.int64))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        ends = np.cumsum(_lengths(column, "list_value_length"))
        upto = np.append(0, np.cumsum(_sizes(column.flatten())))
        return np.asarray(np.diff(upto[np.append(0, ends)]))
    if types.is_primitive(kind) or types.is_fixed_size_binary(kind):
        return np.full(rows, max(1, kind.bit_width // 8), np.int64)
    return np.full(rows, ODD, np.int64)


def _lengths(column: Any, of: str) -> Array:
    import pyarrow.compute as pc

    return _numbers(pc.call_function(of, [column]), 0)


def _numbers(column: Any, missing: int) -> Array:
    import pyarrow.compute as pc

    found: Array = pc.fill_null(column, missing).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _one(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    import pyarrow as pa

    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
