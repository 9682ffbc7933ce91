"""The filter language and the columns behind the table, against plain Python over the same rows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goemo_tui.services import corpus_loader
from goemo_tui.services.corpus import SplitColumns, columns_of, count_tokens, find
from goemo_tui.services.query import QueryError, parse, toggle_label, words_of
from trainer.corpus import Corpus, load_corpus
from trainer.labels import OFFICIAL, LabelSet

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


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("love", [0, 1, 5]),
        ("LOVE it", [1, 5]),
        ('"i love"', [0, 5]),
        ('"i love', [0, 5]),
        ("-love", [2, 3, 4]),
        ("label:love", [0, 1, 5]),
        ("label:LOV", [0, 1, 5]),
        ("label:حب", [0, 1, 5]),
        ("label:love -label:neutral", [0, 1]),
        ("label:gratitude,curiosity", [1, 2]),
        ("labels:>1", [1, 4, 5]),
        ("labels:1", [0, 2, 3]),
        ("-labels:>1", [0, 2, 3]),
        ("line:2..3", [1, 2]),
        ("line:<=2", [0, 1]),
        ("id:id_", [0, 1, 2, 4, 5]),
        ("id:xid", [3]),
        ("/so .*angry/", [4]),
        ("/^what|now$/", [2, 4]),
        ("-/love/", [2, 3, 4]),
        ("ünlü", [5]),
        ("(really)", [3]),
        ("http://nowhere", []),
        ("x:y", []),
        ("3:1", []),
        ("note:", []),
        ("(foo:bar)", []),
        ("foo:)", []),
        ('"foo:bar"', []),
        ('label:"lov', [0, 1, 5]),
        ("line:<=99999999999999999999", [0, 1, 2, 3, 4, 5]),
        ("line:>=99999999999999999999 9", []),
        ("line:2..99999999999999999999", [1, 2, 3, 4, 5]),
        ("line:0000000000002", [1]),
    ],
)
def test_a_filter_finds_its_rows(columns: SplitColumns, text: str, rows: list[int]) -> None:
    assert found(columns, text) == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label:happyness", "no label is called 'happyness'"),
        ("label:", "label: wants a name"),
        ("tokens:many", "tokens:many is no number"),
        ("labels:>1..2", "is no number"),
        ("/(/", "is no regular expression"),
        ("tokens:>3", "still being counted (0 of 6)"),
        ("foo:bar", "foo: is no key (there are label, labels, tokens, line, id)"),
        ("-foo:bar", 'quotes search for it: "foo:bar"'),
        ("token:>3", "token: is no key, tokens: is"),
        ("LABLE:joy", "LABLE: is no key, label: is"),
        ('foo:"bar', "foo: is no key"),
    ],
)
def test_a_filter_that_cannot_be_used_says_why(columns: SplitColumns, text: str, said: str) -> None:
    result = find(columns, text)
    assert result.rows is None
    assert said in result.error


def test_words_with_a_colon_are_found_as_they_stand(tmp_path: Path) -> None:
    texts = ["they won 3:1 at home", "see http://x.example for more", "note: it rains", "he wrote foo:bar there"]
    lines = "".join(f"{text}\t27\tid{i}\n" for i, text in enumerate(texts))
    tmp_path.joinpath("train.tsv").write_text(lines, encoding="utf-8")
    columns = columns_of(load_corpus(tmp_path), "train")
    for i, text in enumerate(["3:1", "http://x", "note:", '"foo:bar"']):
        assert found(columns, text) == [i]


@pytest.mark.parametrize("text", ['"', '"unclosed', 'so "very happy', '-"so', 'label:"lov'])
def test_a_quote_that_is_not_closed_is_said(columns: SplitColumns, text: str) -> None:
    assert "the quote is not closed" in find(columns, text).note
    assert find(columns, f'{text}"').note == ""


@pytest.mark.parametrize("text", ["", "so", 'say"so', '"so" very', 'label:"love" "so"', '/"/'])
def test_closed_quotes_and_others_are_no_matter(columns: SplitColumns, text: str) -> None:
    assert find(columns, text).note == ""


@pytest.mark.parametrize(("encoder", "warnings"), [("minilm", 1), ("xlm-roberta-base", 0)])
def test_a_language_the_encoder_does_not_know_is_a_warning(tmp_path: Path, encoder: str, warnings: int) -> None:
    rows = "".join(f"der Hund läuft heute wieder durch den Garten\t27\tid{i}\n" for i in range(12))
    tmp_path.joinpath("train.tsv").write_text(rows, encoding="utf-8")
    said = [w for w in corpus_loader.open_corpus(str(tmp_path), encoder).corpus.warnings if "English" in w]
    assert len(said) == warnings
    assert all("only 0% of the longer comments hold a common English word, and minilm" in w for w in said)


@settings(max_examples=300)
@given(st.text(alphabet='ab "-:/\\>.1labelstokensid,()[]', max_size=30))
def test_no_filter_line_breaks_the_parser(text: str) -> None:
    try:
        terms = parse(text, OFFICIAL)
    except QueryError as error:
        assert str(error)
    else:
        assert isinstance(words_of(terms), tuple)


@given(st.lists(st.sampled_from(["love", "i", "so", "label:love", "-label:neutral", "labels:>1"]), max_size=4))
def test_every_term_must_hold(tmp_path_factory: pytest.TempPathFactory, terms: list[str]) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    folder.joinpath("train.tsv").write_text("\n".join("\t".join(row) for row in ROWS) + "\n", encoding="utf-8")
    columns = columns_of(load_corpus(folder), "train")
    each = [set(found(columns, term)) for term in terms]
    assert found(columns, " ".join(terms)) == sorted(set(range(len(ROWS))).intersection(*each))


def test_a_label_is_toggled_in_the_filter_line() -> None:
    assert toggle_label("", "joy") == "label:joy"
    assert toggle_label('so "very happy" label:love', "joy") == 'so "very happy" label:love label:joy'
    assert toggle_label('so "very happy" label:JOY x', "joy") == 'so "very happy" x'
    assert toggle_label("-label:joy", "joy") == ""
    odd = LabelSet(("too hot", "cold"))
    assert toggle_label("", "too hot") == 'label:"too hot"'
    assert parse(toggle_label("", "too hot"), odd)[0].labels == (0,)
    assert toggle_label(toggle_label("", "too hot"), "too hot") == ""


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


def test_opening_filtering_and_sorting_load_no_pandas() -> None:
    code = """
import sys
from goemo_tui.services.corpus import find
from goemo_tui.services.corpus_loader import open_corpus
import goemo_tui.widgets.comment_table, goemo_tui.widgets.corpus_views as views
columns = open_corpus("sample", "minilm").splits["train"]
for text in ("so", "/so|very/", "label:joy", "id:a", "labels:>1", "line:<9"):
    assert find(columns, text).rows is not None
for column in range(4):
    columns.sorted_by(columns.all_rows(), column, True)
columns.label_counts()
views.counts({"train": columns}, 80), views.together(columns, 80), views.lengths(columns, 80, 64), views.duplicates(columns, 80)
sys.exit(" ".join({"pandas", "torch", "transformers"} & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
