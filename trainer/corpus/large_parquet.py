"""A large Parquet file read in columns, batch by batch, with no Python object for a row.

Only what is plain goes this way; every other row is read by `parquet_rows`, so that both ways give the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.corpus.blocks import Block, assembled, doubtful, joined, made_ids, read_labels
from trainer.corpus.fields import find_columns
from trainer.corpus.gathered import Gathered
from trainer.corpus.label_cells import LabelCells
from trainer.corpus.label_rows import LabelRows
from trainer.corpus.parquet_rows import add_rows, values_of
from trainer.corpus.split import Split
from trainer.labels import LabelFile

BATCH = 1 << 17
"""Rows read at a time."""

Mask = npt.NDArray[np.bool_]


def read_large_parquet(file: Path, path: str, name: str, label_file: LabelFile) -> Split | None:
    """The split in a Parquet file; None where it is broken or a column is of a kind that is read row by row.

    Raises OSError where it goes away meanwhile.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    blocks: list[Block] = []
    try:
        source = pq.ParquetFile(file)
        names = list(source.schema_arrow.names)
        columns = find_columns(names)
        if columns is None:
            return None
        wanted = [names[i] for i in (columns.text, columns.labels, columns.id) if i is not None]
        if not all(_known(source.schema_arrow.field(one).type, place) for place, one in enumerate(wanted)):
            return None
        first = 1
        for batch in source.iter_batches(BATCH, columns=wanted):
            rows = Gathered(path, name, LabelCells(label_file))
            blocks.append(_read([batch.column(one) for one in wanted], first, rows))
            first += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, KeyError):  # broken; two columns of one name; more text than fits …
        return None
    if not any(len(block.lines) for block in blocks):
        return None
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return joined(blocks, file, path, name, sha256)


def _known(kind: Any, place: int) -> bool:
    """Whether a column of text (place 0), labels (1) or ids (2) of this Arrow type is read here."""
    from pyarrow import types

    text = types.is_string(kind) or types.is_large_string(kind)
    if place == 0:
        return bool(text)
    whole = types.is_integer(kind) and not types.is_uint64(kind)
    listed = place == 1 and (types.is_list(kind) or types.is_large_list(kind))
    return bool(
        text or whole or (listed and types.is_integer(kind.value_type) and not types.is_uint64(kind.value_type))
    )


def _read(columns: Sequence[Any], first: int, rows: Gathered) -> Block:
    """The rows of a batch: texts, labels and, where there are any, ids."""
    import pyarrow as pa

    number = len(columns[0])
    lines = np.arange(first, first + number, dtype=np.int64)
    text, odd = _strings(columns[0])
    ids: Any = None
    if len(columns) == 3:
        ids, unsure = _strings(columns[2])
        odd |= unsure
    labels, unread = _labels(columns[1], odd, rows.cells)
    odd |= unread
    places = np.flatnonzero(odd)
    if len(places):
        some = [values_of(column.take(pa.array(places))) for column in columns]
        add_rows(lines[places].tolist(), some, rows)
    return assembled(rows, text, made_ids(rows.name, lines) if ids is None else ids, labels, lines, odd)


def _strings(column: Any) -> tuple[Any, Mask]:
    """A column of strings or numbers as strings, and of which rows that is not sure."""
    import pyarrow as pa
    import pyarrow.compute as pc

    null = _mask(column.is_null())
    try:
        strings = pc.fill_null(column.cast(pa.string()), "")
        strings.validate(full=True)
    except pa.ArrowInvalid:  # some are not UTF-8: these rows are told by themselves
        return pa.array([""] * len(column), pa.string()), np.ones(len(column), dtype=bool)
    return strings, null | doubtful(strings) | _mask(pc.match_substring(strings, "\0"))


def _labels(column: Any, odd: Mask, reader: LabelCells) -> tuple[LabelRows, Mask]:
    """What the cells say, and of which rows that is not sure."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_string(column.type) or types.is_large_string(column.type):
        strings, unsure = _strings(column)
        return read_labels(strings.dictionary_encode(), odd | unsure, reader)
    listed = types.is_list(column.type) or types.is_large_list(column.type)
    numbers = pc.fill_null(pc.list_value_length(column), 0) if listed else pc.cast(column.is_valid(), pa.int32())
    values = (column.flatten() if listed else column.drop_null()).cast(pa.int64())
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_integers(numbers.cast(pa.int64())))])
    ids_to = np.array(reader.ids_to, dtype=np.int32)
    found = _integers(pc.fill_null(values, -1))
    good = (found >= 0) & (found < len(ids_to))
    flat = ids_to[np.where(good, found, 0)]
    # Sorted, each once: what is not so is sorted by `Gathered`.
    begins = np.zeros(len(flat) + 1, dtype=bool)
    begins[starts] = True
    good[1:] &= (flat[1:] > flat[:-1]) | begins[1:-1]
    bad = np.diff(starts) == 0
    bad[np.repeat(np.arange(len(bad)), np.diff(starts))[~good]] = True
    if not (odd | bad).all():
        reader.numbered = True
    return LabelRows(flat, starts), bad


def _integers(array: Any) -> npt.NDArray[np.int64]:
    return np.frombuffer(array.buffers()[1] or b"", dtype=np.int64, count=len(array), offset=8 * array.offset)


def _mask(array: Any) -> Mask:
    import pyarrow as pa

    whole = array.cast(pa.uint8())
    return np.frombuffer(whole.buffers()[1] or b"", dtype=np.uint8, count=len(whole), offset=whole.offset).astype(bool)
