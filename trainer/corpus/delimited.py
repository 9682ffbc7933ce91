"""The lines of a TSV or CSV file, one by one: bytes -> lines -> rows.

May not know what makes a row good. `large_lines` reads the same in columns; what it is not sure of comes here.
"""

from __future__ import annotations

from collections.abc import Iterable

from trainer.corpus.fields import OFFICIAL_COLUMNS, Columns, find_columns, split_fields
from trainer.corpus.gathered import Gathered

BOM = b"\xef\xbb\xbf"


def lines_of(data: bytes) -> list[str | None]:
    r"""The lines of a file, None where one is not UTF-8. Only "\n" ends a line; a "\r" before it is dropped.

    What follows the last line feed is no line if it is empty, and neither is one blank line at the end.
    """
    data = data.removeprefix(BOM)
    lines: list[str | None]
    try:
        lines = list(data.decode().split("\n"))
    except UnicodeDecodeError:
        lines = [decoded(line) for line in data.split(b"\n")]
    if lines[-1] == "":
        lines.pop()
    if b"\r" in data:
        lines = [line.removesuffix("\r") if line else line for line in lines]
    if lines and lines[-1] is not None and not lines[-1].strip(" "):
        lines.pop()
    return lines


def decoded(line: bytes) -> str | None:
    """As text; None where it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def layout(first: str | None, delimiter: str) -> Columns | None:
    """The columns that a file's first line names, or None: it is a row, and the columns are the official ones."""
    return find_columns(split_fields(first, delimiter)) if first else None


def read_delimited(data: bytes, delimiter: str, rows: Gathered) -> None:
    """Gather the rows of a whole file."""
    lines = lines_of(data)
    header = layout(lines[0], delimiter) if lines else None
    first = 1 if header else 0
    add_lines(enumerate(lines[first:], start=first + 1), delimiter, header or OFFICIAL_COLUMNS, rows)


def add_lines(lines: Iterable[tuple[int, str | None]], delimiter: str, columns: Columns, rows: Gathered) -> None:
    """Gather these lines (number, text; None: not UTF-8)."""
    for number, line in lines:
        if line is None:
            rows.bad(number, "not UTF-8 text")
        elif not line.strip(" "):
            rows.bad(number, "blank line")
        else:
            _add_line(number, line, delimiter, columns, rows)


def _add_line(number: int, line: str, delimiter: str, columns: Columns, rows: Gathered) -> None:
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
