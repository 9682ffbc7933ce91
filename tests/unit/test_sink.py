"""Scored rows in every format: nothing of the old columns is changed, and what was written reads again."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainer.errors import ConfigError, CorpusError
from trainer.tables.kind import Kind
from trainer.tables.portion import Portion
from trainer.tables.sink import Layout, followed, join

LABELS = ("joy", "fear")
NAN = float("nan")
P = np.array([[0.25, 0.75], [0.9, 0.6], [NAN, NAN]], dtype=np.float32)
FELT = np.array([[False, True], [True, True], [False, False]])
FIELDS: list[dict[str, Any]] = [{"text": 'a\n"b"', "n": "007"}, {"text": "=1+1", "n": "-5"}, {"text": ""}]
PORTION = Portion(0, ["a", "b", ""], ["", "", "empty text"], FIELDS)


def written(tmp_path: Path, name: str, layout: Layout, *portions: tuple[Portion, Any, Any]) -> Path:
    parts = []
    for number, portion in enumerate(portions):
        parts.append(tmp_path / f"part{number}")
        parts[-1].write_bytes(layout.body(*portion))
    join(layout, parts, tmp_path / name, tmp_path / ".joined")
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".")]
    return tmp_path / name


def table(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(("kind", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_tables(tmp_path: Path, kind: str, delimiter: str) -> None:
    layout = Layout(Kind(kind), ("text", "n"), LABELS)
    file = written(tmp_path, "out", layout, (PORTION, P, FELT), (PORTION, P, FELT))
    rows = table(file.read_text(), delimiter)
    assert rows[0] == ["text", "n", "emotions", "joy", "fear", "error"]
    assert rows[1:4] == rows[4:] == [
        ['a\n"b"', "007", "fear", "0.25", "0.75", ""],
        ["=1+1", "-5", "joy,fear", "0.9", "0.6", ""],
        ["", "", "", "", "", "empty text"],
    ]  # fmt: skip


def test_what_a_spreadsheet_would_calculate_is_marked_when_asked(tmp_path: Path) -> None:
    layout = Layout(Kind("csv"), ("text", "n"), LABELS, safe_cells=True)
    rows = table(written(tmp_path, "out", layout, (PORTION, P, FELT)).read_text(), ",")
    assert rows[2] == ["'=1+1", "-5", "joy,fear", "0.9", "0.6", ""], "a number is no formula"


def test_a_spreadsheet_that_splits_at_semicolons_finds_no_formula_either(tmp_path: Path) -> None:
    portion = Portion(0, ["t"], [""], [{"text": "a;=1+1", "n": "-5-1"}])
    layout = Layout(Kind("csv"), ("text", "n"), LABELS, safe_cells=True)
    (line,) = layout.body(portion, P[:1], FELT[:1]).decode().splitlines()
    assert line.startswith('"a;=1+1","\'-5-1","fear","0.25"')


def test_what_blanks_hide_and_what_columns_are_called_is_marked_too() -> None:
    cells = [" =1", "\n\t@x", "\uff1dcmd", "\tx", "a=1", "=é"]
    portion = Portion(0, ["t"] * 6, [""] * 6, [{"=HYPERLINK()": cell, "text": "t"} for cell in cells])
    layout = Layout(Kind("csv"), ("=HYPERLINK()", "text"), ("+joy", "fear"), safe_cells=True)
    assert table(layout.head().decode(), ",")[0] == ["'=HYPERLINK()", "text", "emotions", "'+joy", "fear", "error"]
    rows = table(layout.body(portion, np.tile(P[:1], (6, 1)), np.tile([[True, False]], (6, 1))).decode(), ",")
    assert [row[0] for row in rows] == ["' =1", "'\n\t@x", "'\uff1dcmd", "'\tx", "a=1", "'=é"]
    assert {row[2] for row in rows} == {"'+joy"} and {row[3] for row in rows} == {"0.25"}
    plain = Layout(Kind("csv"), ("=HYPERLINK()", "text"), ("+joy", "fear"))
    assert plain.head().decode().startswith("=HYPERLINK()")


def test_numbers_that_json_does_not_have_are_null() -> None:
    infinite = float("inf")
    batch = pa.record_batch({"text": ["a"], "n": [NAN], "list": [[1.0, -infinite, None]], "object": [{"a": infinite}]})
    portion = Portion(0, ["a"], [""], [], batch)
    body = Layout(Kind("jsonl"), tuple(batch.schema.names), LABELS).body(portion, P[:1], FELT[:1]).decode()

    def refused(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(body, parse_constant=refused)
    assert (found["n"], found["list"], found["object"]) == (None, [1.0, None, None], {"a": None})
    cell = Layout(Kind("csv"), tuple(batch.schema.names), LABELS).body(portion, P[:1], FELT[:1]).decode()
    assert table(cell, ",")[0][2:4] == ["[1.0, null, null]", '{"a": null}']


def test_json_lines_keep_the_object(tmp_path: Path) -> None:
    fields: list[dict[str, Any]] = [{"text": "a", "n": {"x": [1]}}, {"text": "\ud800", "other": None}, {}]
    portion = Portion(0, ["a", "b", ""], ["", "", "no text"], fields)
    file = written(tmp_path, "out", Layout(Kind("jsonl"), ("text",), LABELS), (portion, P, FELT))
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"text": "a", "n": {"x": [1]}, "emotions": ["fear"], "scores": {"joy": 0.25, "fear": 0.75}},
        {"text": "\ud800", "other": None, "emotions": ["joy", "fear"], "scores": {"joy": 0.9, "fear": 0.6}},
        {"emotions": [], "scores": {}, "error": "no text"},
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_fields_that_are_no_columns_are_kept(kind: str, tmp_path: Path) -> None:
    fields: list[dict[str, Any]] = [{"text": "a"}, {"late": [1], "text": "b", "n": None}, {"line": "no JSON"}]
    portion = Portion(0, ["a", "b", ""], ["", "", "not JSON"], fields)
    layout = Layout(Kind(kind), ("text",), LABELS, open_ended=True)
    file = written(tmp_path, "out", layout, (portion, P, FELT))
    if kind == "csv":
        rows = table(file.read_text(), ",")
        assert rows[0][:3] == ["text", "other_fields", "emotions"]
        found = [row[1] for row in rows[1:]]
    else:
        found = [value or "" for value in pq.read_table(file).column("other_fields").to_pylist()]
    assert found == ["", '{"late": [1], "n": null}', '{"line": "no JSON"}']


def test_parquet_keeps_types(tmp_path: Path) -> None:
    when = pa.array([datetime.datetime(2024, 1, 2), None, None], pa.timestamp("ns"))
    batch = pa.record_batch({"text": ["a", "b", None], "n": pa.array([1, 2, 3], pa.int8()), "when": when})
    portion = Portion(0, ["a", "b", ""], ["", "", "no text"], [], batch)
    layout = Layout(Kind("parquet"), ("text", "n", "when"), LABELS, schema=batch.schema)
    found = pq.read_table(written(tmp_path, "out", layout, (portion, P, FELT), (portion, P, FELT)))
    assert found.schema.field("n").type == pa.int8() and found.schema.field("when").type == pa.timestamp("ns")
    assert found.column("emotions").to_pylist() == [["fear"], ["joy", "fear"], []] * 2
    assert found.column("joy").to_pylist() == pytest.approx([0.25, 0.9, None] * 2)
    assert found.column("error").to_pylist() == [None, None, "no text"] * 2
    text = layout.__class__(Kind("csv"), layout.names, LABELS).body(portion, P, FELT).decode()
    assert table(text, ",")[0] == ["a", "1", "2024-01-02T00:00:00", "fear", "0.25", "0.75", ""]


def test_parquet_keeps_what_its_schema_says(tmp_path: Path) -> None:
    field = pa.field("n", pa.int8(), nullable=False, metadata={"unit": "stars"})
    schema = pa.schema([pa.field("text", pa.string()), field], {"pandas": "{}", "huggingface": "{}", "mine": "yes"})
    batch = pa.RecordBatch.from_arrays([pa.array(["a", "b", None]), pa.array([1, 2, 3], pa.int8())], schema=schema)
    portion = Portion(0, ["a", "b", ""], ["", "", "no text"], [], batch)
    layout = Layout(Kind("parquet"), ("text", "n"), LABELS, schema=schema)
    for given in ((portion, P, FELT),), ():
        found = pq.read_schema(written(tmp_path, "out", layout, *given))
        assert found.metadata == {b"pandas": b"{}", b"mine": b"yes"}
        assert not found.field("n").nullable and found.field("n").metadata[b"unit"] == b"stars"


def test_values_of_every_kind_have_a_text(tmp_path: Path) -> None:
    far = pa.array([-(2**62)], pa.int64()).cast(pa.timestamp("s"))
    values: dict[str, Any] = {
        "time": pa.array([datetime.time(1, 2)]), "money": pa.array([decimal.Decimal("12.50")]), "yes": [True],
        "bytes": [b"\xffa"], "list": [["a", None]], "object": [{"b": datetime.date(2024, 1, 2)}], "far": far,
        "none": pa.nulls(1),
    }  # fmt: skip
    batch = pa.record_batch({name: pa.array(v) if isinstance(v, list) else v for name, v in values.items()})
    portion = Portion(0, ["a"], [""], [], batch)
    body = Layout(Kind("csv"), tuple(values), LABELS, schema=batch.schema).body(portion, P[:1], FELT[:1])
    cells = dict(zip(values, table(body.decode(), ",")[0], strict=False))
    assert cells["time"] == "01:02:00" and cells["money"] == "12.50" and cells["yes"] == "true" and cells["none"] == ""
    assert cells["bytes"] == "\ufffda" and cells["list"] == '["a", null]' and cells["object"] == '{"b": "2024-01-02"}'
    assert cells["far"]
    (line,) = Layout(Kind("jsonl"), tuple(values), LABELS).body(portion, P[:1], FELT[:1]).decode().splitlines()
    assert json.loads(line)["money"] == "12.50" and json.loads(line)["list"] == ["a", None]


def test_rows_without_types_are_text_in_parquet(tmp_path: Path) -> None:
    found = pq.read_table(written(tmp_path, "o", Layout(Kind("parquet"), ("text", "n"), LABELS), (PORTION, P, FELT)))
    assert found.column("n").to_pylist() == ["007", "-5", None]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_no_row_at_all(tmp_path: Path, kind: str) -> None:
    file = written(tmp_path, "out", Layout(Kind(kind), ("text",), LABELS))
    if kind == "parquet":
        assert pq.read_table(file).num_rows == 0 and "joy" in pq.read_schema(file).names
    else:
        assert file.read_text() == ("text,emotions,joy,fear,error\n" if kind == "csv" else "")
    schema = pa.schema([("text", pa.string()), ("n", pa.int8())])
    if kind == "parquet":
        file = written(tmp_path, "typed", Layout(Kind(kind), ("text", "n"), LABELS, schema=schema))
        assert pq.read_schema(file).field("n").type == pa.int8()


def test_packed(tmp_path: Path) -> None:
    for packing, unpack in (("gzip", gzip.decompress), ("zstd", None)):
        layout = Layout(Kind("jsonl", packing), ("text",), LABELS)
        file = written(tmp_path, packing, layout, (PORTION, P, FELT))
        raw = unpack(file.read_bytes()) if unpack else pa.input_stream(str(file), compression="zstd").read()
        assert raw == layout.body(PORTION, P, FELT)


def test_a_column_that_is_called_like_a_new_one_stays(tmp_path: Path) -> None:
    portion = Portion(0, ["a"], [""], [{"text": "a", "joy": "mine", "predicted_fear": "x"}])
    layout = Layout(Kind("jsonl"), ("text", "joy", "predicted_fear"), LABELS)
    (line,) = written(tmp_path, "out", layout, (portion, P[:1], FELT[:1])).read_text().splitlines()
    assert json.loads(line)["joy"] == "mine" and json.loads(line)["predicted_predicted_scores"]["fear"] == 0.75
    head = Layout(Kind("csv"), ("text", "joy"), LABELS).head().decode()
    assert head == "text,joy,predicted_emotions,predicted_joy,predicted_fear,predicted_error\n"


def test_a_new_file_is_read_by_whom_the_umask_lets_and_an_old_one_by_whom_it_was(tmp_path: Path) -> None:
    layout = Layout(Kind("csv"), ("text", "n"), LABELS)
    before = os.umask(0o027)
    try:
        file = written(tmp_path, "out", layout, (PORTION, P, FELT))
        assert file.stat().st_mode & 0o777 == 0o640
        file.chmod(0o604)
        assert written(tmp_path, "out", layout, (PORTION, P, FELT)).stat().st_mode & 0o777 == 0o604
    finally:
        os.umask(before)


def test_a_link_is_followed_and_a_device_or_pipe_is_no_place_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert followed(tmp_path / "link") == followed(tmp_path / "file") == tmp_path / "file"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "far").symlink_to(tmp_path / "pipe")
    for other in (tmp_path / "pipe", tmp_path / "far", Path("/dev/null")):
        with pytest.raises(ConfigError, match="leave --out out"):
            followed(other)


def test_a_place_that_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"cannot be written.*kept in .*nowhere: the same command goes on"):
        join(Layout(Kind("csv"), ("text",), LABELS), [], tmp_path / "nowhere" / "out", tmp_path / "nowhere" / "joined")
