"""JSONL and Parquet, well and badly formed, read into rows and problems."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainer.corpus.read import read_split
from trainer.corpus.split import Split
from trainer.labels import EMOTIONS, from_names

OFFICIAL_FILE = from_names(EMOTIONS, "test")


def read_jsonl(folder: Path, content: str) -> Split:
    path = folder / "train.jsonl"
    path.write_text(content, "utf-8")
    return read_split(path, "train", OFFICIAL_FILE)


def wrong(split: Split) -> list[tuple[int, str]]:
    return [(p.line, p.what) for p in split.problems]


def test_jsonl(tmp_path: Path) -> None:
    rows = [
        {"text": "one", "labels": [3, 25], "id": "a"}, {"Comment": "two\ttabs\nand lines", "emotion": "joy"},
        {"sentence": "three", "label": 5, "comment_id": 12345}, {"text": "four", "labels": ["joy", 3], "id": None},
        {"text": "five \u2028", "labels": "[8, 20]", "id": ""},
    ]  # fmt: skip
    split = read_jsonl(tmp_path, "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    assert split.problems == ()
    assert split.text == ["one", "two\ttabs\nand lines", "three", "four", "five \u2028"]
    assert split.labels == [(3, 25), (17,), (5,), (3, 17), (8, 20)]
    assert split.ids == ["a", "train-2", "12345", "train-4", "train-5"]


def test_bad_jsonl(tmp_path: Path) -> None:
    bad = [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ("17", "not a JSON object"),
        ('{"labels": [1]}', "missing column: no text"),
        ('{"text": "x"}', "missing column: no labels"),
        ('{"text": 5, "labels": [1]}', "text of type int"),
        ('{"text": null, "labels": [1]}', "empty text"),
        ('{"text": "a\\u0000b", "labels": [1]}', "holds a NUL character"),
        ('{"text": "\\ud83d", "labels": [1]}', "not UTF-8 text"),
        ('{"text": "x", "labels": [1], "id": "\\udc00"}', "not UTF-8 text"),
        ("[" * 100_000, "JSON nested too deeply"),
        ('{"text": "x", "labels": ' + "9" * 5000 + "}", "not usable JSON"),
        ("", "blank line"),
        ('{"text": "x", "labels": {"joy": 1}}', "a label of type dict"),
        ('{"text": "x", "labels": [true]}', "bool"),
        ('{"text": "x", "labels": NaN}', "a label of type float"),
        ("\ufeff{}", "not JSON"),
    ]
    good = '{"text": "x", "labels": [1]}\n'
    split = read_jsonl(tmp_path, "".join(good + line + "\n" for line, _ in bad) + good)
    assert len(split) == len(bad) + 1
    assert [line for line, _ in wrong(split)] == list(range(2, 2 * len(bad) + 1, 2))
    for (_, what), (_, expected) in zip(wrong(split), bad, strict=True):
        assert expected in what


def parquet(folder: Path, table: pa.Table) -> Path:
    path = folder / "train.parquet"
    pq.write_table(table, path)
    return path


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a", None, "", "d", "e"],
            "extra": [1.5] * 5,
            "text": ["one", "two", None, "four", "five\nlines"],
            "labels": [[3, 25], [27], [1], [], [17, 17]],
        }
    )
    split = read_split(parquet(tmp_path, table), "train", OFFICIAL_FILE)
    assert split.text == ["one", "two", "five\nlines"] and split.labels == [(3, 25), (27,), (17,)]
    assert split.ids == ["a", "train-2", "e"] and split.lines == [1, 2, 5]
    assert wrong(split) == [(3, "empty text"), (4, "no label")]


@pytest.mark.parametrize(
    "labels",
    [
        pa.array(["joy", "3"]),
        pa.array([17, 3], pa.int16()),
        pa.array([["joy"], ["3"]]),
        pa.array([[17], [3]], pa.large_list(pa.uint8())),
        pa.array(["joy", "3"]).dictionary_encode(),
        pa.array(["[17]", "anger, 3"], pa.large_string()),
    ],
)
def test_parquet_types_of_labels(tmp_path: Path, labels: pa.Array) -> None:
    split = read_split(
        parquet(tmp_path, pa.table({"comment": ["a b", "c d"], "emotions": labels})), "dev", OFFICIAL_FILE
    )
    assert split.labels[0] == (17,) and 3 in split.labels[1] and split.ids == ["dev-1", "dev-2"]


def test_parquet_rows_that_are_not_utf8(tmp_path: Path) -> None:
    broken = pa.StringArray.from_buffers(
        3, pa.py_buffer(b"\0\0\0\0\4\0\0\0\10\0\0\0\13\0\0\0"), pa.py_buffer(b"finecaf\xe9too")
    )
    split = read_split(parquet(tmp_path, pa.table({"text": broken, "labels": [1, 2, 3]})), "train", OFFICIAL_FILE)
    assert split.text == ["fine", "too"] and wrong(split) == [(2, "not UTF-8 text")]


def test_unusable_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    tables = [
        (b"PAR1 no parquet PAR1", "not a readable Parquet file"),
        (b"", "not a readable Parquet file"),
        (pa.table({"a": [1], "b": [2]}), "missing column: no text among a, b"),
        (pa.table({"text": ["x"]}), "missing column: no labels"),
        (pa.table({"text": pa.array([1], pa.timestamp("ns")), "labels": [1]}), "timestamp"),
        (pa.table({"text": [{"a": 1}], "labels": [1]}), "struct"),
    ]
    for content, expected in tables:
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pq.write_table(content, path)
        split = read_split(path, "train", OFFICIAL_FILE)
        assert len(split) == 0 and [p.line for p in split.problems] == [0]
        assert expected in split.problems[0].what and split.refused and expected in split.refused
