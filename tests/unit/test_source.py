"""Files of any kind as portions of rows: every row comes out once, in order, whatever is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import ConfigError, CorpusError, NotFoundError
from trainer.tables.kind import Kind, kind_of
from trainer.tables.records import FIELD
from trainer.tables.source import Source


def rows(source: Source, size: int = 3, skip: int = 0) -> list[tuple[str, str]]:
    portions = list(source.portions(size, skip))
    assert [p.first for p in portions] == [skip + sum(map(len, portions[:i])) for i in range(len(portions))]
    assert all(0 < len(p) <= size for p in portions)
    return [pair for p in portions for pair in zip(p.texts, p.errors, strict=True)]


def source(tmp_path: Path, name: str, data: bytes | str, column: str | None = None) -> Source:
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Source(str(file), kind_of(name, None, "--format"), column)


def test_what_a_file_is_called_says_what_it_is() -> None:
    assert kind_of("a/b.TSV", None, "--format") == Kind("tsv")
    assert kind_of("b.csv.gz", None, "--format") == Kind("csv", "gzip")
    assert kind_of("-", "jsonl", "--format") == Kind("jsonl")
    assert kind_of("x.zst", "tsv", "--format") == Kind("tsv", "zstd")
    for name, given_, words in (("x", None, "--format"), ("-", "xls", "stdin|pipe"), ("b.parquet.gz", None, "inside")):
        with pytest.raises(ConfigError, match=words):
            kind_of(name, given_, "--format")
    with pytest.raises(ConfigError):
        kind_of("o.txt", None, "--out-format", writes=True)


def test_a_header_names_the_text(tmp_path: Path) -> None:
    found = source(tmp_path, "a.csv", 'n,Comment\r\n1,"so, ""happy"""\r\n2,"two\r\nlines"\r\n')
    assert (found.names, found.column, found.has_header) == (("n", "Comment"), "Comment", True)
    assert rows(found) == [('so, "happy"', ""), ("two\r\nlines", "")]


def test_official_rows_have_no_header(tmp_path: Path) -> None:
    found = source(tmp_path, "a.tsv", "it's \"a day\t3,27\tid1\nbad\t1\n\tnone\t4\tx\n")
    assert (found.names, found.column, found.has_header) == (("text", "labels", "id"), "text", False)
    assert rows(found) == [("it's \"a day", ""), ("", "2 columns, 3 expected"), ("", "4 columns, 3 expected")]


def test_line_breaks_inside_quotes_in_tsv(tmp_path: Path) -> None:
    lines = [
        "text\tn",
        '"two\nlines\there"\t1',
        '"open\t2',
        'say "hi"\t3',
        '"never closed',
        "plain\t4",
        '"a\n\n\nb"\t5',
        "",
    ]
    assert rows(source(tmp_path, "a.tsv", "\n".join(lines))) == [
        ("two\nlines\there", ""), ('"open', ""), ('say "hi"', ""), ("", "1 columns, 2 expected"), ("plain", ""),
        ("a\n\n\nb", ""),
    ]  # fmt: skip
    assert rows(source(tmp_path, "b.tsv", 'text\tn\r\n"two\r\nlines"\t1\r\nplain\t2\r\n')) == [
        ("two\r\nlines", ""), ("plain", "")
    ]  # fmt: skip


def test_a_number_says_which_column_where_none_has_a_name(tmp_path: Path) -> None:
    found = source(tmp_path, "a.csv", "1,hello,x\n2,world,y\n", "2")
    assert found.column == "column_2" and rows(found) == [("hello", ""), ("world", "")]


@pytest.mark.parametrize(
    ("name", "data", "column", "words"),
    [
        ("a.csv", "a,b\n1,2\n", None, "which column has the text.*a, b"),
        ("a.csv", "a,b\n1,2\n", "c", "no column 'c'.*a, b"),
        ("a.csv", "a,b\n1,2\n", "3", "no column '3'"),
        ("a.jsonl", '{"a": 1}\n', None, "which column has the text"),
        ("a.jsonl", '{"a": 1}\n', "b", "no column 'b'"),
    ],
)
def test_a_column_that_is_not_there_is_named(
    tmp_path: Path, name: str, data: str, column: str | None, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        source(tmp_path, name, data, column)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not there"):
        Source(str(tmp_path / "gone.csv"), Kind("csv"))
    with pytest.raises(NotFoundError, match="folder"):
        Source(str(tmp_path), Kind("csv"))
    with pytest.raises(CorpusError, match="no rows"):
        source(tmp_path, "a.csv", "")
    with pytest.raises(CorpusError, match="no readable Parquet"):
        source(tmp_path, "a.parquet", "text\n")
    with pytest.raises(CorpusError, match="unpacked"):
        source(tmp_path, "a.csv.gz", b"text\nhello\n")
    with pytest.raises(CorpusError, match="UTF-16"):
        source(tmp_path, "a.csv", "text\nhello\n".encode("utf-16"))


def test_bad_rows_stay_in_their_place(tmp_path: Path) -> None:
    data = b'text,n\ngood,1\n\xff,2\n,3\n  ,4\nfour\n\nx,y,z\n"two\n\xff",5\nlast,6\n\n'
    found = rows(source(tmp_path, "a.csv", data))
    assert found == [
        ("good", ""), ("", "not UTF-8 text"), ("", "empty text"), ("", "empty text"), ("", "1 columns, 2 expected"),
        ("", "blank line"), ("", "3 columns, 2 expected"), ("", "not UTF-8 text"), ("last", ""),
    ]  # fmt: skip


def test_nothing_of_a_row_with_too_many_fields_is_lost(tmp_path: Path) -> None:
    (portion,) = source(tmp_path, "a.csv", "text,n\nx,y,z\n").portions(9)
    assert portion.fields == [{"text": "x", "n": "y,z"}]


@pytest.mark.parametrize("lines", [3, 2 * FIELD // 100])
def test_a_quote_that_is_never_closed_costs_no_other_row(lines: int, tmp_path: Path) -> None:
    more = "".join(f"{n},{'x' * 99}\n" for n in range(lines))
    found = rows(
        source(tmp_path, "a.csv", f'n,text\n0,"open\n{more}9,"two\nlines"\n8,"so" it goes\n7,good\n'), size=10_000
    )
    assert found[0] == ('"open', "") and len(found) == lines + 4
    assert found[-3:] == [("two\nlines", ""), ('"so" it goes', ""), ("good", "")]


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "text": "a"}',
        "[1]",
        "nonsense",
        '{"id": 2}',
        '{"text": 5}',
        '{"text": "\\ud800b", "more": [1]}',
        "",
    ]
    found = source(tmp_path, "a.jsonl", "\n".join(lines) + "\n")
    assert found.names == ("id", "text", "line", "more") and found.column == "text"
    said = rows(found)
    assert said[0] == ("a", "") and said[5] == ("\ufffdb", "") and len(said) == 6
    assert [error for _, error in said[1:5]] == [
        "not a JSON object", "not JSON: Expecting value", "no text", "text of type int, not a string"
    ]  # fmt: skip


@pytest.mark.parametrize("skip", [0, 1, 4, 5, 7])
def test_parquet_keeps_its_types_and_may_be_entered_anywhere(tmp_path: Path, skip: int) -> None:
    file = tmp_path / "a.parquet"
    table = pa.table({"text": ["a", None, "c", " ", "e", "f", "g"], "n": pa.array(range(7), pa.int16())})
    pq.write_table(table, file, row_group_size=2)
    found = Source(str(file), Kind("parquet"))
    whole = [("a", ""), ("", "no text"), ("c", ""), ("", "empty text"), ("e", ""), ("f", ""), ("g", "")]
    assert rows(found, 3, skip) == whole[skip:]
    batches = [p.batch for p in Source(str(file), Kind("parquet")).portions(3, skip)]
    assert [n for b in batches for n in b.column("n").to_pylist()] == list(range(skip, 7))
    assert all(b.schema.field("n").type == pa.int16() for b in batches)


def test_a_text_of_parquet_that_is_not_utf8_costs_its_own_row(tmp_path: Path) -> None:
    offsets, data = (
        pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 4, 5, 11))),
        pa.py_buffer(b"good\xffbetter"),
    )
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, data])
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    found = rows(Source(str(tmp_path / "a.parquet"), Kind("parquet")))
    assert found == [("good", ""), ("", "not UTF-8 text"), ("better", "")]


def test_a_column_of_numbers_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match="int64, not text"):
        Source(str(tmp_path / "a.parquet"), Kind("parquet"))


def test_packed_files_are_unpacked_as_they_are_read(tmp_path: Path) -> None:
    data = b"text\n" + b"".join(b"row %d\n" % n for n in range(5000))
    for name, packed in (
        ("a.csv.gz", gzip.compress(data[:5000]) + gzip.compress(data[5000:])),
        ("a.csv.zst", pa.compress(data, "zstd", asbytes=True)),
    ):
        found = source(tmp_path, name, packed)
        said = rows(found, 1000)
        assert len(said) == 5000 and said[-1] == ("row 4999", "") and found.position == found.size
    with pytest.raises(CorpusError, match="unpacked"):
        rows(source(tmp_path, "cut.csv.gz", gzip.compress(data)[:-40]))


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\n\ntwo\n")))
    found = Source("-", Kind("txt"))
    assert rows(found) == [("one", ""), ("", "empty text"), ("two", "")] and found.size == 0


def test_no_text_is_cut(tmp_path: Path) -> None:
    """What a model reads is counted in tokens, and a word of ten thousand characters may be one."""
    text = "x" * 20_000 + " I love you"
    (portion,) = source(tmp_path, "a.txt", text).portions(9)
    assert portion.texts == [text] == [portion.fields[0]["text"]]


def test_long_rows_make_small_portions(tmp_path: Path) -> None:
    found = source(tmp_path, "a.txt", "\n".join(["x" * 1000] * 10))
    assert [len(p) for p in found.portions(100, characters=3000)] == [3, 3, 3, 1]


def test_columns_without_a_name_or_with_the_same(tmp_path: Path) -> None:
    assert source(tmp_path, "a.csv", "text,,a,a\n1,2,3,4\n").names == ("text", "column_2", "a", "a_2")


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=9), max_size=3), max_size=9), st.integers(0, 9)
)
def test_rows_written_as_json_come_back(tmp_path_factory: pytest.TempPathFactory, made: list[Any], skip: int) -> None:
    lines = [json.dumps({"text": "t", **one}) for one in made] + ['{"text": "last"}']
    file = tmp_path_factory.mktemp("json") / "a.jsonl"
    file.write_text("\n".join(lines))
    portions = list(Source(str(file), Kind("jsonl")).portions(2, min(skip, len(made))))
    assert [f for p in portions for f in p.fields] == [json.loads(line) for line in lines][min(skip, len(made)) :]
