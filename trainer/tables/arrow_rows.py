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
    named = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in found)
    yield from _cut(named, rows, size, skip - before)


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
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        lengths: Array = pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        return lengths
    if types.is_primitive(kind) or types.is_fixed_size_binary(kind) or types.is_null(kind):
        return np.full(len(column), 0 if types.is_null(kind) else max(1, kind.bit_width // 8), np.int64)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inner = kind.value_type
        if types.is_primitive(inner):
            items = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
            sizes: Array = items.astype(np.int64) * max(1, inner.bit_width // 8)
            return sizes
    nested: Array = np.array([column.slice(row, 1).nbytes for row in range(len(column))], np.int64)
    return nested


def _one(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    import pyarrow as pa

    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
