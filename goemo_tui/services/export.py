"""Rows of a split into a file: TSV, CSV, JSONL or Parquet, told by the path's ending, as our own reader takes them back.

Whole or not at all: a temporary file (mode 0600) that is renamed. Knows no widget and no command line; no pandas.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from goemo_tui.services.label_cells import list_writer, string_writer
from trainer.corpus.fields import split_fields
from trainer.corpus.locate import LABEL_FILES
from trainer.corpus.read import EXTENSIONS
from trainer.errors import CorpusError, GoemoError
from trainer.labels import OFFICIAL, LabelSet, read_label_file
from trainer.paths import expanded, nobody

if TYPE_CHECKING:
    from goemo_tui.services.corpus import Rows, SplitColumns

HEADER = ("text", "labels", "id")
"""The columns of every format."""


class ExportError(GoemoError):
    """Rows that cannot be written where and how it was asked."""


class AlreadyThere(ExportError):
    """A file of that name is there; nothing was written."""


@dataclass(frozen=True)
class Exported:
    """What was written. `note` is what to know before the file is read again ("" where there is nothing to know)."""

    path: Path
    rows: int
    size: int
    note: str = ""


def export(columns: SplitColumns, rows: Rows, to: str | Path, overwrite: bool = False) -> Exported:
    """Write `rows` in their order. Raises ExportError; AlreadyThere for a file that may not be overwritten."""
    path = target(to)
    source = columns.split.file
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise ExportError(f"{path} is the file that these rows were read from: choose another name")
    if path.exists() and not overwrite:
        raise AlreadyThere(f"{path} is there already")
    _WRITERS[path.suffix.lower()](columns, rows, path)
    return Exported(path, len(rows), path.stat().st_size, _label_note(columns.labels, path))


def target(to: str | Path) -> Path:
    """The path that is meant. Raises ExportError where no file of ours can be written there."""
    text = str(to).strip()
    if not text or "\0" in text:
        raise ExportError("name a file to write, such as rows.tsv")
    if name := nobody(text):
        raise ExportError(f"{text}: nobody here is called {name}, write the path out")
    path = expanded(text).absolute()
    if text.endswith("/") or path.is_dir():
        raise ExportError(f"{path} is a folder: name a file in it, such as {path / 'rows.tsv'}")
    if path.suffix.lower() not in EXTENSIONS:
        raise ExportError(f"{path.name}: the ending says the format, one of {', '.join(EXTENSIONS)}")
    if not path.parent.is_dir():
        raise ExportError(f"{path.parent} is no folder")
    return path


def _label_note(labels: LabelSet, path: Path) -> str:
    """What a reader of the file must know about its labels.

    The official 28 are known everywhere. Labels of a corpus's own are named by a label file beside the rows: it is
    written where that changes the meaning of no other file.
    """
    beside = next((path.parent / name for name in LABEL_FILES if (path.parent / name).is_file()), None)
    if beside is not None:
        with suppress(CorpusError):
            if read_label_file(beside).labels == labels:
                return ""
        return f"{beside} names other labels than these rows carry: move the file to a folder of its own"
    if labels == OFFICIAL:
        return ""
    if any(other.suffix.lower() in EXTENSIONS and other != path for other in path.parent.iterdir()):
        return f"its labels are the corpus's own: to read it again, put the corpus's {LABEL_FILES[0]} beside it"
    text = "".join(f"{name}\n" for name in labels.names)
    _whole(path.parent / LABEL_FILES[0], lambda file: file.write(text.encode()))
    return f"its labels are the corpus's own: {LABEL_FILES[0]}, written beside it, names them"


def _whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path` and give it that name; whatever goes wrong, it leaves no trace."""
    part = path.with_name(f".goemo-export-{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from None
    except UnicodeEncodeError:
        raise ExportError("a comment holds half of a surrogate pair, which no file can hold") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write_delimited(delimiter: str) -> Callable[[SplitColumns, Rows, Path], None]:
    def write(columns: SplitColumns, rows: Rows, path: Path) -> None:
        kind = path.suffix.lower().removeprefix(".").upper()
        lines = _lines(columns, rows, delimiter, kind)
        _whole(path, lambda file: file.writelines(lines))

    return write


def _lines(columns: SplitColumns, rows: Rows, delimiter: str, kind: str) -> Iterator[bytes]:
    """A header and one line a row; what one line cannot hold is refused, never altered."""
    split, cell = columns.split, string_writer(columns.labels)
    yield f"{delimiter.join(HEADER)}\n".encode()
    for row in map(int, rows):
        fields = [split.text[row], cell(split.labels[row]), split.ids[row]]
        line = delimiter.join(fields)
        if '"' in line or "\r" in line or line.count(delimiter) != len(fields) - 1:
            line = delimiter.join(_quoted(field, delimiter) for field in fields)
        if "\n" in line or split_fields(line, delimiter) != fields:
            raise ExportError(
                f"line {columns.lines[row]} holds a comment that a line of {kind} cannot hold (it has line breaks of "
                "its own): write .jsonl or .parquet"
            )
        yield (line + "\n").encode()


def _quoted(field: str, delimiter: str) -> str:
    """A field as CSV quotes it, where it needs that: a quote inside a comment is text as it stands."""
    if field.startswith('"') or delimiter in field or "\r" in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def _write_jsonl(columns: SplitColumns, rows: Rows, path: Path) -> None:
    split, cell = columns.split, list_writer(columns.labels)

    def lines() -> Iterable[bytes]:
        for row in map(int, rows):
            values = (split.text[row], cell(split.labels[row]), split.ids[row])
            yield (json.dumps(dict(zip(HEADER, values, strict=True)), ensure_ascii=False) + "\n").encode()

    _whole(path, lambda file: file.writelines(lines()))


def _write_parquet(columns: SplitColumns, rows: Rows, path: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from goemo_tui.services.arrow import texts_of

    split, cell = columns.split, list_writer(columns.labels)
    chosen = [int(row) for row in rows]
    cells = [cell(split.labels[row]) for row in chosen]
    ends = np.zeros(len(cells) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, cells), dtype=np.int32, count=len(cells)), out=ends[1:])
    # every array from its buffers: pa.array of a list would import pandas
    offsets = pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends.tobytes())])
    names = texts_of([name for one in cells for name in one]).cast(pa.string())
    arrays: list[Any] = [
        texts_of([split.text[row] for row in chosen]).cast(pa.string()),
        pa.ListArray.from_arrays(offsets, names),
        texts_of([split.ids[row] for row in chosen]).cast(pa.string()),
    ]
    table = pa.Table.from_arrays(arrays, names=list(HEADER))
    _whole(path, lambda file: pq.write_table(table, file))


_WRITERS: dict[str, Callable[[SplitColumns, Rows, Path], None]] = {
    ".tsv": _write_delimited("\t"),
    ".csv": _write_delimited(","),
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
