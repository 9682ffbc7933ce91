"""A large TSV file read in columns, block by block, with no Python object for a row: 419 MB took a fifth of the time and a third of
the memory.

Only what is plain goes this way; every line that is not (a quote, an odd blank, a bad label …) is read by `delimited`,
so that both ways give the same rows and the same words.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from trainer.corpus.blocks import Block, Numbers, assembled, doubtful, joined, made_ids, one_by_one, read_labels
from trainer.corpus.delimited import BOM, add_lines, decoded, layout
from trainer.corpus.fields import OFFICIAL_COLUMNS, Columns
from trainer.corpus.gathered import Gathered
from trainer.corpus.label_cells import LabelCells
from trainer.corpus.split import Split
from trainer.labels import LabelFile

BLOCK = 16 << 20
"""Bytes read at a time."""

LONGEST_BLOCK = 1 << 30
"""Bytes of a block, which one line without an end can make as long as the file: Arrow counts up to twice as many."""


def read_large(file: Path, path: str, name: str, label_file: LabelFile) -> Split | None:
    """The split in a TSV file; None where not one row is good, so that who asked can say why. Raises OSError."""
    digest, blocks = hashlib.sha256(), list[Block]()
    waiting: deque[Future[Block]] = deque()
    workers = max(1, min(4, os.cpu_count() or 1))
    with file.open("rb") as stream, ThreadPoolExecutor(workers) as pool:
        columns, line = OFFICIAL_COLUMNS, 1
        for number, data in enumerate(_blocks(stream, digest)):
            if number == 0:
                head, _, rest = data.partition(b"\n")
                named = layout(decoded(head.removesuffix(b"\r")), "\t")
                if named is not None:
                    columns, line, data = named, 2, rest
            asked = _Asked(data, line, columns, Gathered(path, name, LabelCells(label_file)))
            waiting.append(pool.submit(_read, asked))
            line += data.count(b"\n")
            if len(waiting) > workers:  # not the whole file at once
                blocks.append(waiting.popleft().result())
        blocks += [one.result() for one in waiting]
    return joined(blocks, file, path, name, digest.hexdigest()) if any(len(b.lines) for b in blocks) else None


def _blocks(stream: IO[bytes], digest: Any) -> Iterator[bytes]:
    """Whole lines, each ended by a line feed. The blank line that may end a file is left out, as `lines_of` does."""
    rest, held = b"", b""
    while data := stream.read(BLOCK):
        digest.update(data)
        if not rest and not held:
            data = data.removeprefix(BOM)
        end = data.rfind(b"\n") + 1
        if not end:
            rest += data
            continue
        if held:
            yield held
        held, rest = rest + data[:end], data[end:]
    last = held + rest
    if not last:
        return
    last = last if last.endswith(b"\n") else last + b"\n"
    start = last.rfind(b"\n", 0, -1) + 1
    yield last[:start] if not last[start:-1].removesuffix(b"\r").strip(b" ") else last


@dataclass(frozen=True)
class _Asked:
    """Whole lines of a file; `first` is the number of the first one. `rows` takes those that are read one by one."""

    data: bytes
    first: int
    columns: Columns
    rows: Gathered


@dataclass(frozen=True)
class _Parsed:
    """The lines of a block that have the right number of fields. `lines` count from 0."""

    text: Any
    cells: Any
    ids: Any | None
    lines: Numbers
    count: int


def _read(asked: _Asked) -> Block:
    """Read the lines of a block. Runs in a thread: Arrow and numpy let go of the lock."""

    parsed, rows = _parse(asked.data, asked.columns), asked.rows
    if parsed is None:
        _line_by_line(asked, range(asked.data.count(b"\n")))
        return one_by_one(rows)
    text, lines = parsed.text, parsed.lines + asked.first
    ids = made_ids(rows.name, lines) if parsed.ids is None else parsed.ids
    odd = doubtful(text) if parsed.ids is None else doubtful(text) | doubtful(ids)
    labels, unread = read_labels(parsed.cells, odd, rows.cells)
    odd |= unread
    left = np.setdiff1d(np.arange(parsed.count), parsed.lines, assume_unique=True)
    if odd.any() or len(left):
        _line_by_line(asked, np.union1d(parsed.lines[odd], left).tolist())
    return assembled(rows, text, ids, labels, lines, odd)


def _line_by_line(asked: _Asked, numbers: Sequence[int]) -> None:
    """Read these lines (counted from 0) as those of a small file are read."""
    ends = np.flatnonzero(np.frombuffer(asked.data, dtype=np.uint8) == ord("\n")).tolist()
    lines = ((n, asked.data[ends[n - 1] + 1 if n else 0 : ends[n]]) for n in numbers)
    told = ((n + asked.first, decoded(line.removesuffix(b"\r"))) for n, line in lines)
    add_lines(told, "\t", asked.columns, asked.rows)


def _parse(block: bytes, columns: Columns) -> _Parsed | None:
    """Cut a block into columns; None where it is not plain."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    block = _tidy(block)
    if not block or len(block) > LONGEST_BLOCK or b"\0" in block or (not _all_read(columns) and _quoted(block)):
        return None
    bad: list[int] = []

    def skip(row: Any) -> str:
        bad.append(row.number - 1)
        return "skip"

    names = [str(i) for i in range(columns.count)]
    try:
        ends = pa.py_buffer(np.array([0, len(block)], dtype=np.int32).tobytes())
        pa.StringArray.from_buffers(1, ends, pa.py_buffer(block)).validate(full=True)
        table = pacsv.read_csv(
            pa.BufferReader(block),
            pacsv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            pacsv.ParseOptions(
                delimiter="\t", quote_char=False, double_quote=False, newlines_in_values=False,
                ignore_empty_lines=False, invalid_row_handler=skip,
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )  # fmt: skip
    except pa.ArrowException:  # not UTF-8
        return None
    count = block.count(b"\n")
    good = np.ones(count, dtype=bool)
    good[bad] = False
    lines = np.flatnonzero(good).astype(np.int64)
    if len(lines) != table.num_rows:
        return None
    text, cells = table.column(columns.text), table.column(columns.labels)
    ids = None if columns.id is None else _whole(table.column(columns.id))
    return _Parsed(_whole(text), _whole(cells).dictionary_encode(), ids, lines, count)


def _tidy(block: bytes) -> bytes:
    """With line feeds alone. Empty where carriage returns stand elsewhere too."""
    if b"\r" not in block:
        return block
    return block.replace(b"\r\n", b"\n") if block.count(b"\r") == block.count(b"\r\n") else b""


def _all_read(columns: Columns) -> bool:
    return columns.count == len({columns.text, columns.labels, columns.id} - {None})


def _quoted(block: bytes) -> bool:
    return block.startswith(b'"') or b'\t"' in block or b'\n"' in block


def _whole(column: Any) -> Any:
    import pyarrow as pa

    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
