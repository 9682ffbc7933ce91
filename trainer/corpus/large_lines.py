"""A large TSV file read in columns, block by block, with no Python object for a row: ten times as fast, a third of the memory.

Only what is plain goes this way; every line that is not (a quote, an odd blank, a bad label …) is read by `delimited`,
so that both ways give the same rows and the same words.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from trainer.corpus.delimited import BOM, add_lines, decoded, layout
from trainer.corpus.fields import OFFICIAL_COLUMNS, Columns
from trainer.corpus.gathered import LONGEST, Gathered, refusal
from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.corpus.label_rows import LabelRows, gathered
from trainer.corpus.split import Problem, Split
from trainer.corpus.texts import Texts
from trainer.labels import LabelFile

BLOCK = 16 << 20
"""Bytes read at a time."""

Numbers = npt.NDArray[np.int64]

_ODD = np.zeros(256, dtype=bool)
_ODD[: ord(" ") + 1] = True
_ODD[[0xC2, 0xE1, 0xE2, 0xE3]] = True  # all blanks beyond ASCII start with one of these bytes
"""First bytes of a field that may be blank."""

_QUOTE = ord('"')


def read_large(file: Path, path: str, name: str, label_file: LabelFile) -> Split | None:
    """The split in a TSV file; None where not one row is good, so that who asked can say why. Raises OSError."""
    digest, blocks = hashlib.sha256(), list[_Block]()
    waiting: deque[Future[_Block]] = deque()
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
    return _joined(blocks, file, path, name, digest.hexdigest()) if any(len(b.lines) for b in blocks) else None


def _joined(blocks: list[_Block], file: Path, path: str, name: str, sha256: str) -> Split:
    lines = np.concatenate([block.lines for block in blocks])
    plain = range(int(lines[0]), int(lines[0]) + len(lines))
    problems = tuple(problem for block in blocks for problem in block.problems)
    return Split(
        name,
        Texts([block.text for block in blocks]),
        LabelRows.joined([block.labels for block in blocks]),
        Texts([block.ids for block in blocks]),
        plain if lines[-1] == plain[-1] else array("q", lines.tobytes()),
        problems,
        file,
        sha256,
        refusal(path, len(lines), problems),
        any(block.numbered for block in blocks),
    )


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
class _Block:
    """The good rows of some lines: Arrow strings, labels, line numbers; and what is wrong with the others."""

    text: Any
    ids: Any
    labels: LabelRows
    lines: Numbers
    problems: list[Problem]
    numbered: bool


@dataclass(frozen=True)
class _Parsed:
    """The lines of a block that have the right number of fields. `lines` count from 0."""

    text: Any
    cells: Any
    ids: Any | None
    lines: Numbers
    count: int


def _read(asked: _Asked) -> _Block:
    """Read the lines of a block. Runs in a thread: Arrow and numpy let go of the lock."""
    import pyarrow as pa

    parsed, rows = _parse(asked.data, asked.columns), asked.rows
    if parsed is None:
        _line_by_line(asked, range(asked.data.count(b"\n")))
        return _block(rows, _strings(rows.text), _strings(rows.ids), LabelRows.of(rows.labels), _numbers(rows.lines))
    text, lines = parsed.text, parsed.lines + asked.first
    ids = _made(rows.name, lines) if parsed.ids is None else parsed.ids
    odd = _doubtful(text) if parsed.ids is None else _doubtful(text) | _doubtful(ids)
    labels, unread = _labels(parsed.cells, odd, rows.cells)
    odd |= unread
    left = np.setdiff1d(np.arange(parsed.count), parsed.lines, assume_unique=True)
    if not odd.any() and not len(left):
        return _block(rows, text, ids, labels, lines)
    _line_by_line(asked, np.union1d(parsed.lines[odd], left).tolist())
    keep = np.flatnonzero(~odd)
    lines = np.concatenate([lines[keep], _numbers(rows.lines)])
    order = np.argsort(lines, kind="stable")
    kept, places = pa.array(keep), pa.array(order)
    return _block(
        rows,
        pa.concat_arrays([text.take(kept), _strings(rows.text)]).take(places),
        pa.concat_arrays([ids.take(kept), _strings(rows.ids)]).take(places),
        LabelRows.joined([labels.take(keep), LabelRows.of(rows.labels)]).take(order),
        lines[order],
    )


def _block(rows: Gathered, text: Any, ids: Any, labels: LabelRows, lines: Numbers) -> _Block:
    return _Block(text, ids, labels, lines, rows.problems, rows.cells.numbered)


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
    if not block or b"\0" in block or (not _all_read(columns) and _quoted(block)):
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


def _labels(cells: Any, odd: npt.NDArray[np.bool_], reader: LabelCells) -> tuple[LabelRows, npt.NDArray[np.bool_]]:
    """What the cells of a block say, and of which rows that is not known. A cell is read once, not once a row.

    Cells of `odd` rows alone are left: whether a row's labels are looked at is for `Gathered.add` to say.
    """
    codes = np.frombuffer(cells.indices.buffers()[1], dtype=np.int32, count=len(cells), offset=4 * cells.indices.offset)
    known: list[tuple[int, ...]] = [()] * len(cells.dictionary)
    bad = np.ones(len(known), dtype=bool)
    for place in np.unique(codes[~odd]).tolist():
        cell = cells.dictionary[place].as_py()
        with suppress(BadLabel):
            if not (cell.startswith('"') and cell.endswith('"')):
                known[place] = reader.read(cell)
                bad[place] = False
    of = LabelRows.of(known)
    return LabelRows(*gathered(of.flat, of.starts[:-1][codes], of.numbers[codes])), bad[codes]


def _doubtful(strings: Any) -> npt.NDArray[np.bool_]:
    """Of which strings it is not known at a glance that they are neither blank nor quoted nor too long."""
    ends, data = np.frombuffer(strings.buffers()[1], dtype=np.int32), strings.buffers()[2]
    ends = ends[strings.offset : strings.offset + len(strings) + 1]
    numbers = np.diff(ends)
    if data is None or not data.size:
        return np.ones(len(strings), dtype=bool)
    letters = np.frombuffer(data, dtype=np.uint8)
    first, last = letters[np.minimum(ends[:-1], data.size - 1)], letters[np.maximum(ends[1:] - 1, 0)]
    # A quote that is not closed at the field's end is text. One that is closed further on has swallowed a tab, and then
    # the tabs decide (`delimited`): text as well.
    quoted = (first == _QUOTE) & (last == _QUOTE)
    odd: npt.NDArray[np.bool_] = _ODD[first] | quoted | (numbers == 0) | (numbers > LONGEST)
    return odd


def _made(name: str, lines: Numbers) -> Any:
    """Ids of rows that have none, as `Gathered.add` makes them."""
    import pyarrow as pa

    return pa.array([f"{name}-{line}" for line in lines.tolist()], pa.string())


def _strings(values: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _numbers(values: Sequence[int]) -> Numbers:
    return np.array(values, dtype=np.int64)
