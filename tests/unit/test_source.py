"""Files of any kind as portions of rows: every row comes out once, in order, whatever is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import ConfigError, CorpusError, NotFoundError
from trainer.tables.arrow_rows import _weights
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
    assert kind_of("a.ndjson.gz", None, "--format") == Kind("jsonl", "gzip")
    assert kind_of("-", "NDJSON", "--format") == Kind("jsonl")
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


@pytest.mark.parametrize(
    ("data", "column", "names", "text", "first", "instead"),
    [
        ("text,user,day\nhi,a,b\n", "1", ("text", "user", "day"), "text", "hi", ""),
        ("said,user\nhi,a\n", "1", ("said", "user"), "said", "hi", ""),
        ("said,who\nhi,a\n", "1", ("column_1", "column_2"), "column_1", "said", "said"),
        ("1,text\n2,hi\n", "2", ("column_1", "column_2"), "column_2", "text", "text"),
        ("review\nhello there\n", None, ("review",), "review", "hello there", ""),
        ("hello\nbye\n", None, ("text",), "text", "hello", "hello"),
        ('n;text\n1;"a, b;c"\n', None, ("n", "text"), "text", "a, b;c", ""),
        ("n\ttext\n1\ta, b\n", None, ("n", "text"), "text", "a, b", ""),
        ("n;review\n1;hi\n", "review", ("n", "review"), "review", "hi", ""),
        ("1;hi there\n2;bye\n", "2", ("column_1", "column_2"), "column_2", "hi there", "hi there"),
        ("I love it; really\nso sad\n", None, ("text",), "text", "I love it; really", ""),
        ("hi\t3\tid1\n", None, ("text",), "text", "hi\t3\tid1", ""),
    ],
)
def test_what_the_first_line_of_a_csv_is(
    data: str, column: str | None, names: tuple[str, ...], text: str, first: str, instead: str, tmp_path: Path
) -> None:
    found = source(tmp_path, "a.csv", data, column)
    assert (found.names, found.column, found.instead) == (names, text, instead)
    assert rows(found)[0] == (first, "")


def test_columns_that_a_semicolon_parts_are_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"which column has the text.*has: n, body"):
        source(tmp_path, "a.csv", "n;body\n1;hi\n")
    broken = 'n;text\n1;"open\n2;"a""b"\n3;x"y\n'
    assert rows(source(tmp_path, "b.csv", broken)) == [('"open', ""), ('a"b', ""), ('x"y', "")]


def test_official_rows_have_no_header(tmp_path: Path) -> None:
    found = source(tmp_path, "a.tsv", "it's \"a day\t3,27\tid1\nbad\t1\n\tnone\t4\tx\n")
    assert (found.names, found.column, found.has_header) == (("text", "labels", "id"), "text", False)
    assert source(tmp_path, "b.tsv", "hello\t3\tid1\n").instead == ""
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


def test_line_breaks_inside_quotes_in_the_last_column_of_tsv(tmp_path: Path) -> None:
    data = 'id\ttext\n1\t"multi\nline"\n2\tplain\n3\t"open\n4\t"so" it goes\n5\t"a\n\n""b"" c"\n6\t"never\nclosed\n7\tend"\n'
    assert rows(source(tmp_path, "a.tsv", data)) == [
        ("multi\nline", ""), ("plain", ""), ('"open', ""), ('"so" it goes', ""), ('a\n\n"b" c', ""), ('"never', ""),
        ("", "1 columns, 2 expected"), ('end"', ""),
    ]  # fmt: skip
    assert rows(source(tmp_path, "b.tsv", 'n\ttext\r\n1\t"a\r\nb"\r\n2\tc\r\n')) == [("a\r\nb", ""), ("c", "")]


def test_a_long_cell_of_many_lines_is_one_row(tmp_path: Path) -> None:
    text = "a line of a long story\n" * 20_000
    assert len(text) > 1 << 17
    assert rows(source(tmp_path, "a.csv", f'n,text\n1,"{text}"\n2,b\n')) == [(text, ""), ("b", "")]


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
        ("a.ndjson", '{"a": 1}\n', "b", "no column 'b'"),
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


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("\n\n \n\n", "no rows: its lines are blank"),
        ('[\n  {"text": "a"}\n]\n', "is a JSON array, not JSONL.*jq"),
        ('\n[{"text": "a"}, {"text": "b"}]\n', "is a JSON array"),
        ('{\n  "text": "a"\n}\n', "go over several lines.*jq"),
        ("text\nhello\n", "no JSONL.*its first line is not JSON"),
    ],
)
def test_what_is_no_json_lines_is_said(data: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=words):
        source(tmp_path, "a.jsonl", data)


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


@pytest.mark.parametrize(("packing", "cut"), [("gzip", 4), ("gzip", 400), ("zstd", 40), ("gzip", -1)])
def test_what_comes_before_a_tear_is_read_and_the_tear_is_told(packing: str, cut: int, tmp_path: Path) -> None:
    rng = random.Random(0)
    lines = [f"row {n} {rng.random()}" for n in range(50_000)]
    data = "\n".join(["text", *lines, ""]).encode()
    packed = gzip.compress(data) if packing == "gzip" else pa.compress(data, "zstd", asbytes=True)
    if cut < 0:  # a bit that is turned in the middle
        torn = bytearray(packed)
        torn[len(packed) // 2] ^= 16
    found = source(tmp_path, f"a.csv.{'gz' if packing == 'gzip' else 'zst'}", bytes(torn) if cut < 0 else packed[:-cut])
    said = rows(found, 1000)
    assert "a.csv" in found.torn and "cannot be unpacked" in found.torn
    good = [text for text, error in said if not error]
    if cut >= 0:
        assert good == lines[: len(good)]
    assert len(good) > {4: 49_999, 400: 49_000, 40: 30_000, -1: 10_000}[cut]
    assert [error for _, error in said if error] in ([], ["the file breaks off within this row"])
    assert source(tmp_path, "whole.csv.gz", gzip.compress(data)).torn == ""
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        source(tmp_path, "b.csv.gz", packed[:3] if packing == "gzip" else b"text\n")


@pytest.mark.parametrize("pipe", [True, False])
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_packed_bytes_are_known_by_their_beginning(
    packing: str, pipe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"text,n\n" + b"row,1\n" * 9_000
    packed = gzip.compress(data) if packing == "gzip" else pa.compress(data, "zstd", asbytes=True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    found = Source("-", Kind("csv")) if pipe else source(tmp_path, "a.csv", packed)
    assert rows(found, 5000) == [("row", "")] * 9_000 and not found.torn


def test_what_is_no_text_at_all_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    for data, words in (((tmp_path / "a.parquet").read_bytes(), "Parquet"), (b"PK\x03\x04....", "zip archive")):
        with pytest.raises(ConfigError, match=words):
            source(tmp_path, "b.csv", data)


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


def test_what_is_in_other_columns_counts_as_well(tmp_path: Path) -> None:
    line = json.dumps({"text": "a", "vector": [0.5] * 1000}) + "\n"
    assert [len(p) for p in source(tmp_path, "a.jsonl", line * 10).portions(100, characters=15_000)] == [3, 3, 3, 1]
    vectors = pa.array([[0.5] * 1000] * 10, pa.list_(pa.float32()))
    for column in (
        pa.array([b"x" * 4000] * 10),
        vectors,
        pa.array([{"a": "x" * 4000}] * 10),
        pa.array(["x" * 4000] * 10),
    ):
        pq.write_table(pa.table({"text": ["a"] * 10, "more": column}), tmp_path / "a.parquet", row_group_size=7)
        for skip in (0, 3, 6):
            found = Source(str(tmp_path / "a.parquet"), Kind("parquet")).portions(100, skip, characters=12_000)
            assert [(p.first, len(p)) for p in found] == [(n, min(3, 10 - n)) for n in range(skip, 10, 3)]
        until = Source(str(tmp_path / "a.parquet"), Kind("parquet")).portions(100, 3, characters=12_000, until=8)
        assert [(p.first, len(p)) for p in until] == [(3, 3), (6, 2)]


def test_what_many_values_share_is_counted_for_none(tmp_path: Path) -> None:
    shared = pa.array(["x" * 4000, "y" * 4000, None] * 10).dictionary_encode()
    columns = {
        "text": ["a"] * 30, "same": shared, "lists": pa.array([["x" * 4000], [], None] * 10), "none": pa.nulls(30),
        "inside": pa.StructArray.from_arrays([shared], ["one"]), "map": pa.array([[("k", 1)]] * 30, pa.map_("string", "int8")),
        "three": pa.array([[1.0, 2.0, 3.0], None, [0.0] * 3] * 10, pa.list_(pa.float64(), 3)), "money": [Decimal("1.5")] * 30,
    }  # fmt: skip
    sizes = _weights(
        pa.RecordBatch.from_arrays([pa.array(c) if isinstance(c, list) else c for c in columns.values()], [*columns])
    )
    assert sizes.tolist() == sizes[:3].tolist() * 10
    assert [int(size) // 4000 for size in sizes[:3]] == [3, 2, 0]
    pq.write_table(pa.table({"text": ["a"] * 30, "same": shared}), tmp_path / "a.parquet")
    found = Source(str(tmp_path / "a.parquet"), Kind("parquet")).portions(100, characters=24_000)
    assert [len(p) for p in found] == [8, 9, 9, 4]


def test_columns_of_parquet_that_are_called_alike(tmp_path: Path) -> None:
    names = ["text", "n", "n", "n_2", "text"]
    table = pa.Table.from_arrays(
        [pa.array(["a", "b"]), *[pa.array([k, k]) for k in range(3)], pa.array(["c", "d"])], names
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = Source(str(tmp_path / "a.parquet"), Kind("parquet"))
    assert (
        found.names == tuple(found.schema.names) == ("text", "n", "n_2_2", "n_2", "text_2") and found.column == "text"
    )
    (portion,) = found.portions(9)
    assert portion.texts == ["a", "b"] and portion.batch.column("n_2_2").to_pylist() == [1, 1]
    (portion,) = Source(str(tmp_path / "a.parquet"), Kind("parquet"), "text_2").portions(9)
    assert portion.texts == ["c", "d"]


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


def test_of_large_objects_few_are_read_to_learn_the_columns(tmp_path: Path) -> None:
    file = tmp_path / "large.jsonl"
    file.write_text((json.dumps({"text": "so happy", "picture": "x" * 1_000_000}) + "\n") * 30)
    source = Source(str(file), kind_of(str(file), None, "--format"))
    assert source.names == ("text", "picture") and source.position < 12_000_000
    assert sum(len(portion) for portion in source.portions(1_000)) == 30
    source.close()
