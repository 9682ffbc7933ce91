"""Rows with what was found in them, as TSV, CSV, JSONL or Parquet: portion by portion, joined to one file at the end.

A portion's bytes do not depend on the others, so that a file may be written in parts and by one process after another.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from trainer.errors import ConfigError, CorpusError
from trainer.tables.kind import Kind
from trainer.tables.portion import NEW, OTHERS, Portion, added, values_of, whole

Array = np.ndarray[Any, np.dtype[Any]]

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula, the wide forms of these signs as well; some pass over blanks before it."""

_NUMBER = re.compile(r"[+-](\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

MISLEADING = (b"huggingface",)
"""What other programs write into a schema about all of its columns, and would believe when there are more."""


@dataclass(frozen=True)
class Layout:
    """What the rows of a file look like. `names` are the columns of the source, `labels` those of the model.

    `safe_cells`: cells of TSV and CSV that a spreadsheet would calculate begin with an apostrophe, and CSV has quotes
    everywhere. `schema` is the source's where it has one (Arrow), and is kept in Parquet. `open_ended`: rows may have fields
    that are no columns; a table has one more column for them.
    """

    kind: Kind
    names: tuple[str, ...]
    labels: tuple[str, ...]
    safe_cells: bool = False
    schema: Any = None
    open_ended: bool = False

    @property
    def new(self) -> dict[str, str]:
        """What the new columns are called."""
        return added(self.names, self.labels)

    def head(self) -> bytes:
        """What stands before the first row."""
        if self.kind.format not in ("tsv", "csv"):
            return b""
        new = self.new
        old = (*self.names, new[OTHERS]) if self.open_ended else self.names
        columns = (*old, new[NEW[0]], *(new[label] for label in self.labels), new[NEW[1]])
        return self._lines([self._safe(columns)])

    def body(self, portion: Portion, probabilities: Array, felt: Array) -> bytes:
        """The portion's rows. `probabilities`: (rows, labels), NaN where a row was not judged; `felt`: the same as bools."""
        match self.kind.format:
            case "parquet":
                return self._parquet(portion, probabilities, felt)
            case "jsonl":
                return self._objects(portion, probabilities, felt)
        rows = zip(_fields(portion), portion.errors, probabilities, felt, strict=True)
        return self._lines(self._cells(*row) for row in rows)

    @property
    def _delimiter(self) -> str:
        return "\t" if self.kind.format == "tsv" else ","

    def _cells(self, fields: dict[str, Any], error: str, probabilities: Array, felt: Array) -> Iterable[str]:
        old = [_cell(fields.get(name)) for name in self.names]
        if self.open_ended:
            old.append(_cell(self._others(fields)))
        numbers = ["" if math.isnan(p) else repr(round(float(p), 6)) for p in probabilities]
        texts = self._safe([*old, ",".join(self._felt(probabilities, felt)), error])
        return (*texts[:-1], *numbers, texts[-1])

    def _safe(self, cells: Iterable[str]) -> list[str]:
        """Texts as a table has them: where it is wished, none that a spreadsheet would calculate."""
        if not self.safe_cells:
            return list(cells)
        return [f"'{cell}" if _calculates(cell) else cell for cell in cells]

    def _lines(self, rows: Iterable[Iterable[str]]) -> bytes:
        """As lines. A spreadsheet may split a CSV file at semicolons, where a formula could begin: with safe cells each has quotes."""
        out = io.StringIO(newline="")
        everywhere = self.safe_cells and self.kind.format == "csv"
        csv.writer(
            out,
            delimiter=self._delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if everywhere else csv.QUOTE_MINIMAL,
        ).writerows(rows)
        return out.getvalue().encode("utf-8", "replace")

    def _others(self, fields: dict[str, Any]) -> dict[str, Any] | None:
        return {name: value for name, value in fields.items() if name not in self.names} or None

    def _felt(self, probabilities: Array, felt: Array) -> list[str]:
        """The labels over their threshold, the most probable first."""
        return [self.labels[k] for k in np.argsort(-probabilities, kind="stable") if felt[k]]

    def _objects(self, portion: Portion, probabilities: Array, felt: Array) -> bytes:
        new, found = self.new, bytearray()
        for fields, error, p, over in zip(_fields(portion), portion.errors, probabilities, felt, strict=True):
            answer: dict[str, Any] = {new["emotions"]: self._felt(p, over)}
            answer[new["scores"]] = (
                {} if error else {n: round(float(v), 6) for n, v in zip(self.labels, p, strict=True)}
            )
            if error:
                answer[new["error"]] = error
            found += _line({**fields, **answer})
        return bytes(found)

    def _parquet(self, portion: Portion, probabilities: Array, felt: Array) -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if portion.batch is not None:
            names, columns = list(portion.batch.schema.names), list(portion.batch.columns)
        else:
            names = list(self.names)
            columns = [pa.array([_text(row.get(n)) for row in portion.fields], pa.string()) for n in names]
        if self.open_ended:
            names.append(self.new[OTHERS])
            columns.append(pa.array([_text(self._others(row)) for row in portion.fields], pa.string()))
        new, missing = self.new, np.isnan(probabilities)
        felt_names = [self._felt(p, over) for p, over in zip(probabilities, felt, strict=True)]
        columns.append(pa.array(felt_names, pa.list_(pa.string())))
        for k in range(len(self.labels)):
            rounded = np.array([round(float(p), 6) for p in probabilities[:, k]], dtype=np.float32)
            columns.append(pa.array(rounded, pa.float32(), mask=missing[:, k]))
        columns.append(pa.array([error or None for error in portion.errors], pa.string()))
        names += [new[NEW[0]], *(new[label] for label in self.labels), new[NEW[1]]]
        fields = [] if portion.batch is None else list(portion.batch.schema)
        fields += [pa.field(name, column.type) for name, column in zip(names, columns, strict=True)][len(fields) :]
        out = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields, self._metadata)), out, compression="zstd")
        return out.getvalue()

    @property
    def _metadata(self) -> dict[bytes, bytes] | None:
        """What stands in the source's schema, as far as it is still true."""
        known = {} if self.schema is None else self.schema.metadata or {}
        return {key: value for key, value in known.items() if key not in MISLEADING} or None


def followed(to: Path) -> Path:
    """The file that `to` stands for: where a link leads. Raises ConfigError for a device, a pipe or whatever else a file that
    takes its name would destroy."""
    if to.exists() and not (to.is_file() or to.is_dir()):
        raise ConfigError(
            f"{to} is a device or a pipe, and a file would take its place: leave --out out and send stdout there (> {to})",
            key="out",
        )
    return Path(os.path.realpath(to))


def join(layout: Layout, parts: Sequence[Path], to: Path, through: Path) -> None:
    """The parts in their order as one file, whole or not at all: `through` is a name on the same disk that nobody reads.

    A file that was there keeps who may read it, a new one has what the umask says. Raises CorpusError for a disk that does
    not take it.
    """
    try:
        through.unlink(missing_ok=True)
        handle = os.open(through, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(handle, "wb") as out:
            if layout.kind.format == "parquet":
                _join_parquet(layout, parts, out)
            else:
                with _packed(out, layout.kind.compression) as packed:
                    packed.write(layout.head())
                    for part in parts:
                        with part.open("rb") as source:
                            shutil.copyfileobj(source, packed, 1 << 20)
            if to.exists():
                os.fchmod(out.fileno(), stat.S_IMODE(to.stat().st_mode))
            out.flush()
            os.fsync(out.fileno())
        through.replace(to)
    except OSError as error:
        raise CorpusError(
            f"{to} cannot be written: {error.strerror or error}. All that was done is kept in {through.parent}: the same "
            "command goes on"
        ) from None
    finally:
        with suppress(OSError):
            through.unlink(missing_ok=True)


def without_rows(layout: Layout) -> bytes:
    """A Parquet file that has the columns and nothing in them."""
    import pyarrow as pa

    empty = np.zeros((0, len(layout.labels)), dtype=np.float32)
    none = Portion(0, [], [], [], None if layout.schema is None else pa.RecordBatch.from_pylist([], layout.schema))
    return layout.body(none, empty, empty > 0)


def one_file(layout: Layout, bodies: Sequence[bytes]) -> bytes:
    """The Parquet bodies of some portions as one file's bytes, a row group each."""
    if len(bodies) < 2:
        return bodies[0] if bodies else without_rows(layout)
    out = io.BytesIO()
    _append([io.BytesIO(body) for body in bodies], out)
    return out.getvalue()


def _join_parquet(layout: Layout, parts: Sequence[Path], out: IO[bytes]) -> None:
    if parts:
        _append(parts, out)
    else:
        out.write(without_rows(layout))


def _append(files: Sequence[Any], out: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    writer = None
    for file in files:
        table = pq.read_table(file, use_threads=False)
        writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _packed(out: IO[bytes], compression: str | None) -> Any:
    if compression is None:
        return _Kept(out)
    import gzip

    if compression == "gzip":
        return gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="")
    import pyarrow as pa

    return pa.CompressedOutputStream(pa.PythonFile(_Kept(out), "w"), compression)


class _Kept:
    """A file that is not closed with what was written through it."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.closed = out, False
        self.write: Callable[[Any], int] = out.write
        self.flush: Callable[[], None] = out.flush

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        """Nothing."""

    def tell(self) -> int:
        """Where it stands."""
        return self._out.tell()

    def writable(self) -> bool:
        """Yes."""
        return True


def _fields(portion: Portion) -> list[dict[str, Any]]:
    if portion.batch is None:
        return portion.fields
    columns = [
        (name, values_of(column))
        for name, column in zip(portion.batch.schema.names, portion.batch.columns, strict=True)
    ]
    return [{name: values[i] for name, values in columns} for i in range(len(portion))]


def _line(fields: dict[str, Any]) -> bytes:
    """A line of JSONL."""
    try:
        said = json.dumps(fields, ensure_ascii=False, default=_as_json, allow_nan=False)
    except ValueError:
        said = json.dumps(_known(fields), ensure_ascii=False, default=_as_json)
    try:
        return said.encode() + b"\n"
    except UnicodeEncodeError:  # half of a character, which JSON can only escape
        return json.dumps(_known(fields), default=_as_json).encode() + b"\n"


def _known(value: Any) -> Any:
    """The value with null for numbers that JSON does not have: NaN and the infinite ones."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _known(one) for key, one in value.items()}
    return [_known(one) for one in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str | None:
    """A value as a text column of Parquet holds it."""
    return None if value is None else whole(_cell(value))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(_known(value), ensure_ascii=False, default=_as_json)
    return _as_json(value)


def _as_json(value: Any) -> str:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _calculates(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula. A number with its sign is none."""
    begins = cell.lstrip().startswith(FORMULA) or cell[:1] in ("\t", "\r")
    return begins and not _NUMBER.fullmatch(cell)
