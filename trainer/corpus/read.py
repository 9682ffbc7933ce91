"""One file of comments -> a Split: its good rows in file order, and every bad row with its line and reason.

TSV, CSV, JSONL and Parquet. No content makes it raise or loses a good row: good rows, bad rows, the header and a blank
last line add up to the file's lines. May not know folders or how a corpus is divided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.corpus.fields import OFFICIAL_COLUMNS, TEXT_NAMES, Columns, find_columns, split_fields
from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.errors import NotFoundError
from trainer.labels import LabelFile

EXTENSIONS = (".tsv", ".csv", ".jsonl", ".parquet")
LONGEST = 10_000
"""Characters of a comment or an id. Anything longer is a broken file rather than a comment."""

MOST_BAD = 0.2
"""A larger share of bad rows and the file is refused for training: it is probably being misread."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """A row that was skipped. `line` counts from 1 (rows, in Parquet); 0 speaks of the whole file."""

    file: str
    line: int
    what: str


@dataclass(frozen=True)
class Split:
    """The usable rows of one split, in file order: `text[i]`, `labels[i]` (ids of the corpus's label set, sorted, at
    least one), `ids[i]` and `lines[i]` (the line it stands on, from 1) belong together.

    `sha256` is that of the file's bytes, or of the rows where the split was cut out of a file. `refused` says why it
    may not be trained on. `numbered`: labels were given as numbers, so that the order of the label file matters.
    """

    name: str
    text: list[str]
    labels: list[tuple[int, ...]]
    ids: list[str]
    lines: list[int]
    problems: tuple[Problem, ...] = ()
    file: Path | None = None
    sha256: str = ""
    refused: str | None = None
    numbered: bool = False

    def __len__(self) -> int:
        return len(self.text)

    def take(self, name: str, rows: Iterable[int]) -> Split:
        """The rows with these indexes as a split of their own, without the file's problems; `sha256` is theirs."""
        chosen = list(rows)
        text, labels = [self.text[i] for i in chosen], [self.labels[i] for i in chosen]
        ids, lines = [self.ids[i] for i in chosen], [self.lines[i] for i in chosen]
        return Split(name, text, labels, ids, lines, (), self.file, rows_sha256(text, labels, ids), None, self.numbered)


def rows_sha256(text: Sequence[str], labels: Sequence[tuple[int, ...]], ids: Sequence[str]) -> str:
    """A fingerprint of rows and their order, in hex. NUL separates: no row holds one."""
    rows = (f"{i}\0{','.join(map(str, ls))}\0{t}\0" for t, ls, i in zip(text, labels, ids, strict=True))
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def read_split(path: str | Path, name: str, label_file: LabelFile) -> Split:
    """Read one file, its format told by its extension.

    Never raises for bad content (`refused` and `problems` say what is wrong); NotFoundError where nothing is there.
    """
    file = Path(path)
    rows = _Rows(str(path), name, LabelCells(label_file))
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path} is not there") from None
    except OSError as error:
        rows.bad(0, f"cannot be read: {error.strerror or error}")
        return rows.split(file, "", hint=None)
    hint = None
    match file.suffix.lower():
        case ".tsv":
            _read_delimited(data, "\t", rows)
        case ".csv":
            _read_delimited(data, ",", rows)
        case ".jsonl":
            _read_jsonl(data, rows)
        case ".parquet":
            _read_parquet(data, rows)
        case other:
            rows.bad(0, f"{other or 'no extension'}: the formats read are {', '.join(EXTENSIONS)}")
    if not rows.text and file.suffix.lower() != ".parquet":
        hint = _why_unreadable(data)
    return rows.split(file, hashlib.sha256(data).hexdigest(), hint)


@dataclass
class _Rows:
    """Gathers the rows of one file; every row goes through `add` or `bad`, once."""

    file: str
    name: str
    cells: LabelCells
    text: list[str] = field(default_factory=list)
    labels: list[tuple[int, ...]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def bad(self, line: int, what: str) -> None:
        self.problems.append(Problem(self.file, line, what))

    def add(self, line: int, text: object, cell: object, row_id: object) -> None:
        """Take the row if it is good, else write down the first thing that is wrong with it."""
        if not isinstance(text, str):
            return self.bad(line, "empty text" if text is None else f"text of type {type(text).__name__}, not a string")
        if isinstance(row_id, int) and not isinstance(row_id, bool):
            row_id = str(row_id)
        if not isinstance(row_id, str) or not row_id.strip():
            row_id = f"{self.name}-{line}"
        if "\0" in text or "\0" in row_id:
            return self.bad(line, "holds a NUL character")
        if not text.strip():
            return self.bad(line, "empty text")
        if len(text) > LONGEST or len(row_id) > LONGEST:
            what, length = ("text", len(text)) if len(text) > LONGEST else ("id", len(row_id))
            return self.bad(line, f"{what} of {length:,} characters, at most {LONGEST:,} are read")
        try:
            labels = self.cells.read(cell)
        except BadLabel as error:
            return self.bad(line, str(error))
        self.text.append(text)
        self.labels.append(labels)
        self.ids.append(row_id)
        self.lines.append(line)
        return None

    def split(self, file: Path, sha256: str, hint: str | None) -> Split:
        """What was gathered. A `hint` explains a file without one usable row and stands for its many problems."""
        if hint and not self.text:
            self.problems = [Problem(self.file, 0, hint)]
        return Split(
            self.name, self.text, self.labels, self.ids, self.lines, tuple(self.problems), file, sha256,
            _refusal(self.file, len(self.text), self.problems), self.cells.numbered,
        )  # fmt: skip


def _refusal(file: str, good: int, problems: Sequence[Problem]) -> str | None:
    """Why a file may not be trained on, with the first five reasons, or None."""
    total = good + len(problems)
    if good and len(problems) <= MOST_BAD * total:
        return None
    if not total:
        return f"{file} is refused for training: it has no rows"
    if not good:
        start = f"{file} is refused for training: no row can be used"
    else:
        bad = f"{len(problems):,} of {total:,} rows cannot be used ({len(problems) / total:.0%}"
        start = f"{file} is refused for training: {bad}, at most {MOST_BAD:.0%} may be bad)"
    return "\n".join([start, *(f"  line {p.line}: {p.what}" if p.line else f"  {p.what}" for p in problems[:5])])


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


def _lines(data: bytes) -> list[str | None]:
    r"""The lines of a file, None where one is not UTF-8. Only "\n" ends a line; a "\r" before it is dropped.

    What follows the last line feed is no line if it is empty, and neither is one blank line at the end.
    """
    data = data.removeprefix(_BOM)
    lines: list[str | None]
    try:
        lines = list(data.decode().split("\n"))
    except UnicodeDecodeError:
        lines = [_decoded(line) for line in data.split(b"\n")]
    if lines[-1] == "":
        lines.pop()
    if b"\r" in data:
        lines = [line.removesuffix("\r") if line else line for line in lines]
    if lines and lines[-1] is not None and not lines[-1].strip(" "):
        lines.pop()
    return lines


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _read_delimited(data: bytes, delimiter: str, rows: _Rows) -> None:
    lines = _lines(data)
    columns, first = OFFICIAL_COLUMNS, 0
    header = find_columns(split_fields(lines[0], delimiter)) if lines and lines[0] else None
    if header:
        columns, first = header, 1
    for number, line in enumerate(lines[first:], start=first + 1):
        if line is None:
            rows.bad(number, "not UTF-8 text")
        elif not line.strip(" "):
            rows.bad(number, "blank line")
        else:
            _add_line(number, line, delimiter, columns, rows)


def _add_line(number: int, line: str, delimiter: str, columns: Columns, rows: _Rows) -> None:
    fields = split_fields(line, delimiter)
    if len(fields) != columns.count and delimiter == "\t":
        # Two stray quotes can look like one quoted field. Tabs hardly stand inside comments, so they decide here.
        plain = line.split(delimiter)
        fields = plain if len(plain) == columns.count else fields
    if len(fields) == columns.count:
        row_id = "" if columns.id is None else fields[columns.id]
        rows.add(number, fields[columns.text], fields[columns.labels], row_id)
    elif "\0" in line:
        rows.bad(number, "holds a NUL character")
    elif len(fields) < columns.count:
        rows.bad(number, f"missing column: {len(fields)} found, {columns.count} expected")
    else:
        rows.bad(number, f"{len(fields)} columns, {columns.count} expected")


def _read_jsonl(data: bytes, rows: _Rows) -> None:
    for number, line in enumerate(_lines(data), start=1):
        if line is None:
            rows.bad(number, "not UTF-8 text")
        elif not line.strip():
            rows.bad(number, "blank line")
        else:
            _add_object(number, line, rows)


def _add_object(number: int, line: str, rows: _Rows) -> None:
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
    if any(isinstance(part, str) and _decoded(part.encode(errors="surrogatepass")) is None for part in (text, row_id)):
        return rows.bad(number, "not UTF-8 text: half of a surrogate pair")
    return rows.add(number, text, values[columns.labels], row_id)


def _missing(names: Sequence[str]) -> str:
    has_text = any(name.strip().lower() in TEXT_NAMES for name in names)
    return "no labels" if has_text else "no text"


def _read_parquet(data: bytes, rows: _Rows) -> None:
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
