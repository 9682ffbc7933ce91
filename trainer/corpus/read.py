"""One file of comments -> a Split: its good rows in file order, and every bad row with its line and reason.

TSV, CSV, JSONL and Parquet. No content makes it raise or loses a good row: good rows, bad rows, the header and a blank
last line add up to the file's lines. May not know folders or how a corpus is divided.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from trainer.corpus.delimited import decoded, lines_of, read_delimited
from trainer.corpus.fields import find_columns
from trainer.corpus.gathered import Gathered
from trainer.corpus.label_cells import LabelCells
from trainer.corpus.parquet_rows import missing, read_parquet
from trainer.corpus.split import Split
from trainer.errors import NotFoundError
from trainer.labels import LabelFile

LARGE = 8 << 20
"""Bytes from which a TSV file is read in columns: loading Arrow takes as long as reading a smaller one line by line."""

LARGE_PARQUET = 4 << 20
"""The same of a Parquet file, which is packed."""

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
        if file.suffix.lower() == ".parquet" and file.stat().st_size >= LARGE_PARQUET:
            from trainer.corpus.large_parquet import read_large_parquet

            split = read_large_parquet(file, str(path), name, label_file)
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
            read_parquet(data, rows)
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
        return rows.bad(number, f"missing column: {missing(list(found))}")
    values = list(found.values())
    text, row_id = values[columns.text], None if columns.id is None else values[columns.id]
    # An escape such as \ud800 is legal JSON but no character: it could be neither written nor tokenized.
    if any(isinstance(part, str) and decoded(part.encode(errors="surrogatepass")) is None for part in (text, row_id)):
        return rows.bad(number, "not UTF-8 text: half of a surrogate pair")
    return rows.add(number, text, values[columns.labels], row_id)
