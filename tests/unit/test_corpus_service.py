"""The columns behind the table: counts, order, token counts, and what opening loads."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from goemo_tui.services import corpus as service
from goemo_tui.services import corpus_loader
from goemo_tui.services.corpus import SplitColumns, Watch, answer, columns_of, count_tokens, find
from trainer import paths
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.interrupt import Cancelled
from trainer.labels import OFFICIAL

ROWS = [
    ("I love how the sky looks tonight", "18", "id_a"),
    ("LOVE it, thank you!", "15,18", "id_b"),
    ("What is this even about?", "7", "id_c"),
    ("nothing to say (really)", "27", "Xid_d"),
    ("so angry, so very angry right now", "2,3", "id_e"),
    ("Ünlü bir şarkı, I love it", "18,27", "id_f"),
]


@pytest.fixture
def columns(tmp_path: Path) -> SplitColumns:
    tmp_path.joinpath("train.tsv").write_text("\n".join("\t".join(row) for row in ROWS) + "\n", encoding="utf-8")
    return columns_of(load_corpus(tmp_path), "train")


def found(columns: SplitColumns, text: str) -> list[int]:
    result = find(columns, text)
    assert result.rows is not None, result.error
    return result.rows.tolist()


@pytest.mark.parametrize(("encoder", "warnings"), [("minilm", 1), ("xlm-roberta-base", 0)])
def test_a_language_the_encoder_does_not_know_is_a_warning(tmp_path: Path, encoder: str, warnings: int) -> None:
    rows = "".join(f"der Hund läuft heute wieder durch den Garten\t27\tid{i}\n" for i in range(12))
    tmp_path.joinpath("train.tsv").write_text(rows, encoding="utf-8")
    said = [w for w in corpus_loader.open_corpus(str(tmp_path), encoder).corpus.warnings if "English" in w]
    assert len(said) == warnings
    assert all("only 0% of the longer comments hold a common English word, and minilm" in w for w in said)


def test_label_counts_are_those_of_the_rows(columns: SplitColumns) -> None:
    assert columns.label_counts()[18] == 3
    assert columns.label_counts().sum() == 9
    assert columns.label_counts(np.array([1, 2])).nonzero()[0].tolist() == [7, 15, 18]


def test_sorting_is_stable_and_goes_both_ways(columns: SplitColumns) -> None:
    rows = columns.all_rows()
    texts = [ROWS[i][0].lower() for i in columns.sorted_by(rows, 1, False)]
    assert texts == sorted(texts)
    columns.tokens[:] = [5, 9, 5, 1, 9, 5]
    assert columns.sorted_by(rows, 3, True).tolist() == [1, 4, 0, 2, 5, 3]
    assert columns.sorted_by(rows[2:], 3, False).tolist() == [3, 2, 5, 4]
    assert columns.sorted_by(rows, 0, True).tolist() == [5, 4, 3, 2, 1, 0]


class Words:
    """Stands for a tokenizer: a token a word."""

    class Encoding:
        def __init__(self, ids: list[int]) -> None:
            self.ids = ids
            self.special_tokens_mask = [0] * len(ids)

    def encode(self, text: str, add_special_tokens: bool = True) -> Words.Encoding:
        return self.Encoding(list(range(len(text.split()))))

    def encode_batch_fast(self, texts: list[str], add_special_tokens: bool = True) -> list[Words.Encoding]:
        return [self.encode(text) for text in texts]


def test_tokens_are_counted_chunk_by_chunk_and_can_be_filtered(
    columns: SplitColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goemo_tui.services.corpus.CHUNK", 4)
    done: list[int] = []
    assert count_tokens(columns, Words(), lambda: False, done.append)
    assert done == [4, 6]
    assert columns.tokens.tolist() == [len(row[0].split()) for row in ROWS]
    assert found(columns, "tokens:>6") == [0, 4]
    assert found(columns, "tokens:4..5") == [1, 2, 3]


def test_counting_stops_when_nobody_waits(columns: SplitColumns) -> None:
    done: list[tuple[str, int]] = []
    corpus_loader.count_all({"train": columns}, Words(), lambda: True, lambda name, n: done.append((name, n)))
    assert done == []
    assert not columns.counted


def test_a_missing_tokenizer_says_what_to_do(tmp_path: Path) -> None:
    answer = corpus_loader.find_tokenizer(str(tmp_path / "nowhere"))
    assert answer.tokenizer is None
    assert "no tokenizer" in answer.note


def test_a_lone_surrogate_out_of_json_is_searched_like_any_text(columns: SplitColumns) -> None:
    split = replace(columns.split, text=["broken \ud800 emoji", *columns.split.text[1:]])
    corpus = Corpus("own", Path("own"), OFFICIAL, {"train": split})
    assert found(columns_of(corpus, "train"), "broken emoji") == [0]


def test_opening_filtering_sorting_and_writing_load_no_pandas(tmp_path: Path) -> None:
    code = """
import sys
from goemo_tui.services.corpus import find
from goemo_tui.services.corpus_loader import open_corpus
from goemo_tui.services.export import export
import goemo_tui.widgets.comment_table
columns = open_corpus("sample", "minilm").splits["train"]
for text in ("so", "/so|very/", "so or very", "label:joy", "id:a", "labels:>1", "line:<9"):
    assert find(columns, text).rows is not None
for column in range(4):
    columns.sorted_by(columns.all_rows(), column, True)
columns.label_counts()
for ending in ("tsv", "csv", "jsonl", "parquet"):
    export(columns, columns.all_rows(), f"{sys.argv[1]}/rows.{ending}")
sys.exit(" ".join({"pandas", "torch", "transformers"} & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line",
    ["HAPPY", "day", "ß", "/h[ae]ppy/", "/Day$/", "label:joy day", "-day", "a or /b/", "id:SAM", "labels:>1", "/[/"],
)
def test_many_rows_in_blocks_are_answered_as_few_in_lists_are(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from trainer.corpus import large_lines, read

    shutil.copy(paths.shipped() / "sample" / "train.tsv", tmp_path / "train.tsv")
    few = columns_of(load_corpus(tmp_path), "train")
    monkeypatch.setattr(read, "LARGE", 0)
    monkeypatch.setattr(large_lines, "BLOCK", 9_000)
    many = columns_of(load_corpus(tmp_path), "train")
    assert len(many.split.text.chunks) > 5  # type: ignore[attr-defined]
    for sorting in (None, (0, True), (1, False), (2, True)):
        monkeypatch.setattr(service, "MANY", 10_000)
        one = answer(few, line, sorting)
        monkeypatch.setattr(service, "MANY", 1)
        monkeypatch.setattr(service, "START", 10_000)
        two = answer(many, line, sorting)
        assert one.found.error == two.found.error and one.rows.tolist() == two.rows.tolist()
    assert few.label_counts().tolist() == many.label_counts().tolist()


def test_who_waits_is_told_and_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from trainer.corpus import large_lines, read

    shutil.copy(paths.shipped() / "sample" / "train.tsv", tmp_path / "train.tsv")
    monkeypatch.setattr(read, "LARGE", 0)
    monkeypatch.setattr(large_lines, "BLOCK", 9_000)
    many, told = columns_of(load_corpus(tmp_path), "train"), list[tuple[int, int]]()
    answer(many, "day", None, Watch(lambda part, of: told.append((part, of))))
    chunks = len(many.split.text.chunks)  # type: ignore[attr-defined]
    assert told == [(n + 1, chunks) for n in range(chunks)]
    with pytest.raises(Cancelled):
        answer(many, "night", None, Watch(cancelled=lambda: True))
    assert len(answer(many, "night", None).rows), "a search that was left is no answer"


@pytest.mark.parametrize(
    "line", ["line:2 or line:5", "line:5 or line:1 or sky", "-(line:2 or line:3)", "line:2 line:3"]
)
def test_lines_that_are_named_one_by_one(line: str, columns: SplitColumns) -> None:
    rows = {"line:2 or line:5": [1, 4], "line:5 or line:1 or sky": [0, 4], "line:2 line:3": []}
    assert found(columns, line) == rows.get(line, [0, 3, 4, 5])


def test_a_filter_of_a_thousand_lines_takes_the_room_of_one(columns: SplitColumns) -> None:
    many = replace(
        columns,
        split=replace(columns.split, text=["x"] * 200_000),
        lines=np.arange(1, 200_001),
        label_numbers=np.ones(200_000, dtype=np.int64),
    )
    tracemalloc.start()
    assert len(found(many, " or ".join(f"line:{n}" for n in range(1, 2_000, 2)))) == 1_000
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_letters_that_only_some_ways_of_folding_take_for_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = ["\u017fo long", "final \u03c2", "\u00b5 micro", "\u0130stanbul", "STRASSE", "stra\u00dfe"]
    (tmp_path / "train.tsv").write_text("".join(f"{row}\t3\tid\n" for row in rows), encoding="utf-8")
    split = columns_of(load_corpus(tmp_path), "train")
    for word in ("s", "\u03c3", "\u03bc", "i", "ss", "\u00df"):
        monkeypatch.setattr(service, "MANY", 10)
        few = found(split, word)
        split._searches.clear()
        monkeypatch.setattr(service, "MANY", 1)
        assert found(split, word) == few, word
        split._searches.clear()
