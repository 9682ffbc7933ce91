"""A large Parquet file in columns gives what the same file gives row by row: rows, ids, labels, problems, refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_large_lines import same
from trainer.corpus import large_parquet, read
from trainer.corpus.label_rows import LabelRows
from trainer.corpus.read import read_split
from trainer.corpus.split import Split
from trainer.corpus.texts import Texts
from trainer.labels import EMOTIONS, LabelFile, from_names

LABELS = from_names(EMOTIONS, "the official list")
TURNED = from_names(tuple(reversed(EMOTIONS)), "another order")

TEXTS = [
    "plain",
    "plain",
    "more words",
    None,
    "",
    "  ",
    "\u3000",
    "\u00a0x",
    "nul\0",
    '"quoted"',
    "w" * 10_001,
    "é" * 6_000,
    "مرحبا",
]
NUMBERS = st.integers(-2, 30)
CELLS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.list_(pa.int64()), st.none() | st.lists(NUMBERS | st.integers(0, 27), max_size=4)),
    (pa.list_(pa.int32()), st.lists(st.none() | st.integers(0, 27), max_size=3)),
    (pa.large_list(pa.int8()), st.lists(st.integers(0, 27), min_size=1, max_size=3)),
    (pa.int64(), st.none() | NUMBERS),
    (pa.string(), st.sampled_from(["3", "3,17", "joy", " 3", '"3"', "nothing", "", "28", None])),
    (pa.large_string(), st.sampled_from(["3", "17,3"])),
    (pa.list_(pa.string()), st.lists(st.sampled_from(["joy", "love", "x"]), max_size=2)),
    (pa.float64(), st.sampled_from([3.0, 3.5, None])),
]
IDS: list[tuple[pa.DataType, st.SearchStrategy[Any]] | None] = [
    None,
    (pa.string(), st.sampled_from(["a", "b", "", "  ", None, "nul\0", "i" * 10_001])),
    (pa.int64(), st.none() | st.integers(-3, 99)),
    (pa.large_string(), st.just("id")),
]


def both(
    file: Path, monkeypatch: pytest.MonkeyPatch, labels: LabelFile = LABELS, batch: int = 3
) -> tuple[Split, Split]:
    """The split read row by row, and in columns."""
    with monkeypatch.context() as patch:
        slow = read_split(file, "train", labels)
        patch.setattr(read, "LARGE_PARQUET", 0)
        patch.setattr(large_parquet, "BATCH", batch)
        return slow, read_split(file, "train", labels)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_file(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 12))

    def column(kind: pa.DataType, values: st.SearchStrategy[Any]) -> pa.Array:
        return pa.array(data.draw(st.lists(values, min_size=rows, max_size=rows)), kind)

    columns = {
        "text": column(data.draw(st.sampled_from([pa.string(), pa.large_string()])), st.sampled_from(TEXTS)),
        "labels": column(*data.draw(st.sampled_from(CELLS))),
    }
    ids = data.draw(st.sampled_from(IDS))
    if ids is not None:
        columns["id"] = column(*ids)
    file = tmp_path_factory.mktemp("odd") / "train.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=data.draw(st.sampled_from([2, 5, 100])))
    with pytest.MonkeyPatch.context() as patch:
        same(*both(file, patch, data.draw(st.sampled_from([LABELS, TURNED])), data.draw(st.sampled_from([1, 3, 50]))))


def test_a_plain_file_is_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [[i % 28] if i % 3 else sorted({i % 28, (i * 7) % 28}) for i in range(1_000)]
    texts = pa.array([f"comment {i}" for i in range(1_000)])
    pq.write_table(pa.table({"id": range(1_000), "text": texts, "labels": labels}), tmp_path / "train.parquet")
    slow, fast = both(tmp_path / "train.parquet", monkeypatch, TURNED, 300)
    same(slow, fast)
    assert isinstance(fast.text, Texts) and isinstance(fast.labels, LabelRows) and fast.lines == range(1, 1_001)
    assert isinstance(slow.text, list)


def test_text_that_is_not_utf_8_costs_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = pa.array([b"caf\xe9", b"fine", b"also fine"], pa.binary())
    texts = pa.StringArray.from_buffers(3, broken.buffers()[1], broken.buffers()[2])
    pq.write_table(pa.table({"text": texts, "labels": [3, 4, 5]}), tmp_path / "train.parquet")
    slow, fast = both(tmp_path / "train.parquet", monkeypatch)
    same(slow, fast)
    assert fast.problems[0].what == "not UTF-8 text" and len(fast) == 2


def test_what_is_no_parquet_file_or_has_two_columns_of_a_name_says_so_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "train.parquet"
    file.write_bytes(b"PAR1 no")
    same(*both(file, monkeypatch))
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array([3])], names=["text", "text", "labels"])
    pq.write_table(twice, file)
    same(*both(file, monkeypatch))
    pq.write_table(pa.table({"text": ["a"]}), file)
    same(*both(file, monkeypatch))
    pq.write_table(pa.table({"text": [f"row {i}" for i in range(500)], "labels": [3] * 500}), file)
    whole = bytearray(file.read_bytes())
    for place in (10, 60, 300, 900):
        file.write_bytes(bytes(whole[:place] + b"\0\xff" * 20 + whole[place + 40 :]))
        same(*both(file, monkeypatch))
