"""Generated files against an independent oracle: the generator knows which rows it made good and which bad.

The oracle never parses; it compares what was written down while the bytes were made with what the reader found.
GOEMO_FUZZ_EXAMPLES=3000 looks further, with other examples each time.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer.corpus.read import read_split
from trainer.corpus.split import Split
from trainer.errors import GoemoError
from trainer.labels import EMOTIONS, from_names

LABELS = from_names(EMOTIONS, "test")
fuzz = settings(
    max_examples=int(os.environ.get("GOEMO_FUZZ_EXAMPLES", "100")),
    derandomize="GOEMO_FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Line:
    """One generated line and what must become of it: a row, or a problem (`row` is None)."""

    data: bytes
    row: tuple[str, tuple[int, ...], str] | None


# Everything but what ends a line, divides columns, or makes a row bad; quotes are added on purpose elsewhere.
characters = st.characters(exclude_categories=["Cs"], exclude_characters='\n\0\t,"')
odd = st.sampled_from(
    [
        "\u2028",
        "\x85",
        "\x0b",
        "\x1c",
        "[/s]",
        "[NAME]",
        "\x1b[2J",
        "😀",
        "\r",
        "\u202e",
        "'",
        " ",
        "\ufeff",
        "e\u0301",
        "text",
        "中文",
    ]
)
plain = st.lists(st.one_of(characters, odd), min_size=1, max_size=12).map("".join)
plain_text = plain.filter(lambda text: bool(text.strip()))
label_ids = st.lists(st.integers(0, 27), min_size=1, max_size=5)


@st.composite
def label_cells(draw: st.DrawFn, delimiter: str) -> tuple[str, tuple[int, ...]]:
    """A way to write some labels that needs no CSV quotes, and their ids."""
    ids = draw(label_ids)
    words = [EMOTIONS[i] if draw(st.booleans()) else str(i).zfill(draw(st.integers(1, 3))) for i in ids]
    mark = draw(st.sampled_from(["", "'"]))
    separator = draw(st.sampled_from([s for s in (",", ", ", ";", "|", " ", " ; ") if delimiter not in s]))
    cell = separator.join(f"{mark}{word}{mark}" for word in words)
    return (f"[{cell}]" if draw(st.booleans()) else cell), tuple(sorted(set(ids)))


def quote(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


@st.composite
def good_lines(draw: st.DrawFn, delimiter: str, number: int) -> Line:
    """A usable row: plain, CSV-quoted (then anything may stand inside), or with a stray quote that closes nowhere."""
    text, row_id = draw(plain_text), draw(plain)
    row_id = row_id.replace("\r", "") or "x"
    cell, ids = draw(label_cells(delimiter))
    written = text
    match draw(st.sampled_from(["plain", "quoted", "stray", "inner"])):
        case "quoted":
            text = (
                draw(st.sampled_from(['"', "", '""']))
                + text
                + draw(st.sampled_from([delimiter, '"', '"' + delimiter, "x"]))
            )
            written = quote(text)
        case "stray":
            written = text = '"' + text
        case "inner":
            written = text = "a" + '"' + text + '"'
    if draw(st.booleans()):
        cell = quote(cell)
    if not draw(st.integers(0, 3)):
        written_id, row_id = draw(st.sampled_from(["", " ", '""'])), f"train-{number}"
    else:
        written_id = quote(row_id) if draw(st.booleans()) else row_id
        row_id = row_id if row_id.strip() else f"train-{number}"
    if written.startswith('"') and written == text:
        # a lone quote at the start stays text only while nothing after it can close it
        cell, written_id = cell.replace('"', ""), written_id.replace('"', "")
    return Line(delimiter.join([written, cell, written_id]).encode(), (text, ids, row_id))


@st.composite
def bad_lines(draw: st.DrawFn, delimiter: str) -> Line:
    """A row with exactly one thing wrong with it."""
    d = delimiter.encode()
    text = draw(plain_text).encode()
    choices = [
        text + b"\xff" + d + b"1" + d + b"x",
        b"\xed\xa0\x80" + d + b"1" + d + b"x",
        text.replace(b"\r", b"x"),
        text + d + b"1",
        text + d + b"1" + d + b"x" + d + b"y",
        d + b"1" + d + b"x",
        b" \xc2\xa0" + d + b"1" + d + b"x",
        b'""' + d + b"1" + d + b"x",
        text + d + d + b"x",
        text + d + b"nosuchemotion" + d + b"x",
        text + d + b"28" + d + b"x",
        text + d + b"-1" + d + b"x",
        text + d + b"1 99" + d + b"x",
        text + b"\0" + d + b"1" + d + b"x",
        text + d + b"1" + d + b"\0",
        b"y" * 10_001 + d + b"1" + d + b"x",
        b"",
        b"  ",
        text + d + b"1.5" + d + b"x",
        text + d + b"9" * 5000 + d + b"x",
    ]
    return Line(draw(st.sampled_from(choices)), None)


def bytes_of(draw: st.DrawFn, lines: list[Line], header: bytes) -> tuple[bytes, bool]:
    """A whole file of these lines with random line ends, mark and tail; whether its last, blank line is free."""
    ends = [draw(st.sampled_from([b"\n", b"\r\n"])) for _ in lines]
    body = b"".join(line.data + end for line, end in zip(lines, ends, strict=True))
    tail = draw(st.sampled_from(["none", "blank", "cut"]))
    if tail == "blank":
        body += draw(st.sampled_from([b"\n", b"\r\n", b" ", b"  \n"]))
    elif tail == "cut" and lines and lines[-1].data.strip(b" "):
        body = body[: -len(ends[-1])]
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    if (header + body).startswith(b"\xef\xbb\xbf"):
        mark = b"\xef\xbb\xbf"  # a comment that starts with U+FEFF must not stand where it would be taken for the mark
    return mark + header + body, tail == "blank"


def read(data: bytes, extension: str) -> Split:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"train{extension}"
        path.write_bytes(data)
        return read_split(path, "train", LABELS)


def compare(split: Split, lines: list[Line], first: int, free_last: bool) -> None:
    expected_bad = [first + i for i, line in enumerate(lines) if line.row is None]
    if lines and not free_last and not lines[-1].data.strip(b" "):
        expected_bad.pop()  # the generated blank line is the file's last, and so no problem
    good = [(first + i, line.row) for i, line in enumerate(lines) if line.row is not None]
    assert list(zip(split.text, split.labels, split.ids, strict=True)) == [row for _, row in good]
    assert split.lines == [number for number, _ in good]
    whole_file = [p for p in split.problems if p.line == 0]
    if whole_file:
        # one sentence about the file in place of its many bad rows: only ever without a single good one
        assert not good and len(split.problems) == 1
    else:
        assert [p.line for p in split.problems] == expected_bad
    total = len(good) + len(expected_bad)
    assert (split.refused is not None) == (not good or len(expected_bad) * 5 > total)
    if split.refused:
        split.refused.encode()
    for problem in split.problems:
        assert problem.what and len(problem.what) < 300


@st.composite
def delimited_files(draw: st.DrawFn, delimiter: str) -> tuple[bytes, list[Line], int, bool]:
    header = draw(st.sampled_from([b"", b"", delimiter.join(["Text", "LABELS", "id"]).encode() + b"\n"]))
    first = 2 if header else 1
    count = draw(st.integers(0, 12))
    share = draw(st.sampled_from([0, 1, 5]))  # of ten lines, how many are bad
    lines = [
        draw(bad_lines(delimiter)) if draw(st.integers(1, 10)) <= share else draw(good_lines(delimiter, first + i))
        for i in range(count)
    ]
    data, free_last = bytes_of(draw, lines, header)
    return data, lines, first, free_last


@fuzz
@given(delimited_files("\t"))
def test_tsv(made: tuple[bytes, list[Line], int, bool]) -> None:
    data, lines, first, free_last = made
    compare(read(data, ".tsv"), lines, first, free_last)


@fuzz
@given(delimited_files(","))
def test_csv(made: tuple[bytes, list[Line], int, bool]) -> None:
    data, lines, first, free_last = made
    compare(read(data, ".csv"), lines, first, free_last)


any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


NO_OBJECTS = (b"{", b"null", b"[]", b"{}", b'"text"', b"\xff", b"  ", b"{" * 5000, b'{"text":' * 3000, b"[" * 200_000)
SPOILT_OBJECTS: tuple[dict[str, Any], ...] = (
    {"Text": ""}, {"Text": None}, {"Text": 5}, {"Text": "a\0"}, {"Text": "\ud800"}, {"Text": "z" * 10_001},
    {"labels": []}, {"labels": [28]}, {"labels": [True]}, {"labels": {}}, {"labels": None}, {"labels": 1.5},
    {"labels": [[1]]}, {"labels": "nosuchemotion"}, {"id": "\udfff"}, {"id": "a\0"},
)  # fmt: skip


@st.composite
def json_lines(draw: st.DrawFn, number: int) -> Line:
    text = draw(any_text.filter(lambda t: bool(t.strip())))
    ids = draw(label_ids)
    as_string = ",".join(map(str, ids))
    cell: Any = draw(
        st.sampled_from([ids, [EMOTIONS[i] for i in ids], [str(i) for i in ids], as_string, f"[{as_string}]"])
    )
    row_id: Any = draw(st.one_of(any_text, st.none(), st.integers(), st.just("")))
    ascii_only = draw(st.booleans())
    whole = {"id": row_id, "Text": text, "extra": {"a": [1]}, "labels": cell}
    if draw(st.integers(0, 3)):
        expected = str(row_id) if isinstance(row_id, int) else row_id
        expected = expected if expected and expected.strip() else f"train-{number}"
        return Line(json.dumps(whole, ensure_ascii=ascii_only).encode(), (text, tuple(sorted(set(ids))), expected))
    changed = [json.dumps({**whole, **change}).encode() for change in SPOILT_OBJECTS]
    return Line(draw(st.sampled_from([*changed, *NO_OBJECTS])), None)


@st.composite
def json_files(draw: st.DrawFn) -> tuple[bytes, list[Line], bool]:
    lines = [draw(json_lines(i)) for i in range(1, draw(st.integers(0, 10)) + 1)]
    data, free_last = bytes_of(draw, lines, b"")
    return data, lines, free_last


@fuzz
@given(json_files())
def test_jsonl(made: tuple[bytes, list[Line], bool]) -> None:
    data, lines, free_last = made
    compare(read(data, ".jsonl"), lines, 1, free_last)


@fuzz
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), any_text),
            st.one_of(st.none(), st.lists(st.integers(-1, 28), max_size=3)),
            st.one_of(st.none(), any_text),
        ),
        max_size=8,
    )
)
def test_parquet(rows: list[tuple[str | None, list[int] | None, str | None]]) -> None:
    file = io.BytesIO()
    kinds = (pa.string(), pa.list_(pa.int8()), pa.string())
    columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    pq.write_table(pa.table(dict(zip(("text", "labels", "id"), columns, strict=True))), file)
    split = read(file.getvalue(), ".parquet")
    expected = [
        (text, tuple(sorted(set(ids))), row_id if row_id and row_id.strip() else f"train-{number}")
        for number, (text, ids, row_id) in enumerate(rows, start=1)
        if text and text.strip() and ids and min(ids) >= 0 and max(ids) < 28
    ]
    assert list(zip(split.text, split.labels, split.ids, strict=True)) == expected
    assert len(split) + len(split.problems) == len(rows)


words = b"\r\n,27,joy,text,labels,PAR1,\xff\xfe,\xef\xbb\xbf,\xe2\x80\xa8,\xc2\x85".split(b",")
pieces = st.sampled_from([*words, b'""', *(bytes([code]) for code in b'\t,\n\r"\0\xff1{}:[] ')])
noise = st.lists(st.one_of(pieces, st.binary(max_size=4)), max_size=60).map(b"".join)


def lines_of(data: bytes, header: Callable[[bytes], bool]) -> int:
    """How many rows a file must account for, counted on its bytes."""
    body = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    lines = body.split(b"\n") if not body.endswith(b"\n") else body[:-1].split(b"\n")
    lines = [] if body == b"" else [line[:-1] if line.endswith(b"\r") else line for line in lines]
    if lines and not lines[-1].strip(b" "):
        lines = lines[:-1]
    return len(lines) - (1 if lines and header(lines[0]) else 0)


def names_columns(line: bytes) -> bool:
    return b"text" in line and b"labels" in line


@fuzz
@given(noise, st.sampled_from([".tsv", ".csv", ".jsonl", ".parquet"]))
def test_noise(data: bytes, extension: str) -> None:
    split = read(data, extension)
    assert len(split.text) == len(split.labels) == len(split.ids) == len(split.lines)
    assert all(row and row == tuple(sorted(set(row))) and row[0] >= 0 and row[-1] < 28 for row in split.labels)
    if extension != ".parquet" and not any(p.line == 0 for p in split.problems):
        found = len(split) + len(split.problems)
        without_header, with_header = lines_of(data, lambda _: False), lines_of(data, names_columns)
        assert found in ((without_header,) if extension == ".jsonl" else (without_header, with_header))


@fuzz
@given(noise)
def test_noise_as_a_label_file(data: bytes) -> None:
    from trainer.labels import read_label_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.txt"
        path.write_bytes(data)
        try:
            found = read_label_file(path)
        except GoemoError as error:
            assert "labels.txt" in str(error)
        else:
            assert len(found.ids_to) == len(found.labels) and len(found.labels) > 0
