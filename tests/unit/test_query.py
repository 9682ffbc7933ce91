"""The filter language, against plain Python over the same rows; and filter lines that the program writes itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goemo_tui.services.corpus import SplitColumns, columns_of, find
from goemo_tui.services.query import QueryError, conditions, parse, words_of
from goemo_tui.services.query_edit import toggle_label, written
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.split import Split
from trainer.labels import OFFICIAL, LabelSet

ROWS = [
    ("I love how the sky looks tonight", "18", "id_a"),
    ("LOVE it, thank you!", "15,18", "id_b"),
    ("What is this even about?", "7", "id_c"),
    ("nothing to say (really)", "27", "Xid_d"),
    ("so angry, so very angry right now", "2,3", "id_e"),
    ("Ünlü bir şarkı, I love it", "18,27", "id_f"),
]


@cache
def six_rows() -> SplitColumns:
    """ROWS as columns."""
    labels = [tuple(map(int, row[1].split(","))) for row in ROWS]
    split = Split("train", [row[0] for row in ROWS], labels, [row[2] for row in ROWS], list(range(1, len(ROWS) + 1)))
    return columns_of(Corpus("own", Path("own"), OFFICIAL, {"train": split}), "train")


@pytest.fixture
def columns() -> SplitColumns:
    return six_rows()


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
        ("f(foo:bar)", []),
        ("really)", [3]),
        ("(really)", [3]),
        ("()", []),
        ("label:love or label:curiosity", [0, 1, 2, 5]),
        ("label:love OR label:curiosity", [0, 1, 2, 5]),
        ("label:love | label:curiosity", [0, 1, 2, 5]),
        ("sky or angry now", [0, 4]),
        ("(sky or angry) now", [4]),
        ("( sky or angry ) now", [4]),
        ("now (sky or angry)", [4]),
        ("-(sky or angry)", [1, 2, 3, 5]),
        ("not (sky or angry)", [1, 2, 3, 5]),
        ("-( sky or -(love) )", [1, 5]),
        ("not love", [2, 3, 4]),
        ("not -love", [0, 1, 5]),
        ("not not love", [0, 1, 5]),
        ("love and not neutral", [0, 1, 5]),
        ("love and thank", [1]),
        ("love AND (sky or thank)", [0, 1]),
        ("((sky))", [0]),
        ("(/sky|şarkı/)", [0, 5]),
        ('("i love" or id:xid)', [0, 3, 5]),
        ("(line:2..3 or labels:>1)", [1, 2, 4, 5]),
        ("(label:lov)", [0, 1, 5]),
        ("(love or", [0, 1, 5]),
        ("love or", [0, 1, 5]),
        ("love and", [0, 1, 5]),
        ("(", [0, 1, 2, 3, 4, 5]),
        ('"or"', []),
        ('"not"', [3]),
        ('-"not"', [0, 1, 2, 4, 5]),
        ("nor", []),
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
        ("(foo:bar)", "foo: is no key"),
        ("or", "or wants a condition before it"),
        ("or love", 'in quotes, "or" is the word'),
        ("a or or b", "or wants a condition before it"),
        ("(or b)", "or wants a condition before it"),
        ("and love", "and wants a condition before it"),
        ("a and or b", "and or is no filter"),
        ("( )", "nothing stands between the parentheses"),
        ("(" * 30 + "a", "more than 20 parentheses"),
        ("label:joy|label:love", "write label:a or label:b"),
        ("label:excitment", "is excitement meant?"),
        ("label:,", "label: wants a name"),
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


@settings(max_examples=300)
@given(st.text(alphabet='ab "-:/\\>.1labelstokensid,()[]|ornd', max_size=30))
@example("1 (1 1")
@example("a or (b or c) -(d or -(e or a))")
@example("a not -(b d)")
def test_no_filter_line_breaks_the_parser(text: str) -> None:
    try:
        query = parse(text, OFFICIAL)
    except QueryError as error:
        assert str(error)
    else:
        assert isinstance(words_of(query.expression), tuple)
        if query.expression is not None:  # what the program writes means what was read
            assert parse(written(query.expression), OFFICIAL).expression == query.expression


@given(st.lists(st.sampled_from(["love", "i", "so", "label:love", "-label:neutral", "labels:>1"]), max_size=4))
def test_every_term_must_hold(terms: list[str]) -> None:
    columns = six_rows()
    each = [set(found(columns, term)) for term in terms]
    assert found(columns, " ".join(terms)) == sorted(set(range(len(ROWS))).intersection(*each))


TERMS = ["love", "i", "so", "label:love", "label:neutral", "labels:>1", '"it"', "id:id_"]
expressions = st.recursive(
    st.sampled_from(TERMS),
    lambda inner: st.one_of(
        st.tuples(st.just("or"), inner, inner),
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(expressions, st.booleans())
def test_and_or_and_not_mean_what_they_mean(expression: Any, words: bool) -> None:
    columns = six_rows()
    every = set(range(len(ROWS)))

    def rows(node: Any) -> set[int]:
        if isinstance(node, str):
            return set(found(columns, node))
        parts = [rows(part) for part in node[1:]]
        return {"or": set().union, "and": every.intersection, "not": every.difference}[node[0]](*parts)

    def text(node: Any) -> str:
        if isinstance(node, str):
            return node
        parts = [text(part) for part in node[1:]]
        if node[0] == "not":
            return f"not ({parts[0]})" if words else f"-({parts[0]})"
        between = (" or " if words else " | ") if node[0] == "or" else (" and " if words else " ")
        return f"({between.join(parts)})"

    assert found(columns, text(expression)) == sorted(rows(expression))


def test_a_blank_binds_stronger_than_or() -> None:
    columns = six_rows()
    assert found(columns, "sky or love thank") == [0, 1]
    assert found(columns, "(sky or love) thank") == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("this or that", 'or: one side will do; in quotes, "or" is the word'),
        ("love | hate", ""),
        ("label:joy or label:love", ""),
        ('this "or" that', ""),
        ("not happy", "not: rows without what follows"),
        ("not label:joy", ""),
        ("bread and butter", "and: both must be there"),
        ("love or", "or waits for another condition"),
        ("love and", "and waits for another condition"),
        ("love not", "not waits for another condition"),
        ("(love", "a parenthesis is not closed"),
        ("(love)", ""),
        (":) love", ""),
        ('(love "or', "the quote is not closed"),
    ],
)
def test_what_should_be_known_about_a_line_is_said(text: str, said: str) -> None:
    note = find(six_rows(), text).note
    assert said in note if said else note == ""


def test_the_words_that_are_marked_are_those_that_found_rows_hold() -> None:
    def words(text: str) -> tuple[str, ...]:
        return words_of(parse(text, OFFICIAL).expression)

    assert words("Loved or hate or like -so") == ("loved", "hate", "like")
    assert words("-(love or -hate) not so not -very") == ("hate", "very")
    assert words('"I love" /so/ label:joy') == ("i love",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "label:joy"),
        ('so "very happy" label:love', 'so "very happy" label:love label:joy'),
        ('so "very happy" label:JOY x', 'so "very happy" x'),
        ("-label:joy", ""),
        ("label:joy,love", "label:love"),
        ("-label:joy,love x", "-label:love x"),
        ("label:love or tokens:>3", "(label:love or tokens:>3) label:joy"),
        ("(label:love or tokens:>3)", "(label:love or tokens:>3) label:joy"),
        ("(a or b) c", "(a or b) c label:joy"),
        ("label:joy or label:love", "label:love"),
        ("a or label:joy b or c", "a or b or c"),
        ("(label:joy or a) b", "a b"),
        ("-(label:joy or a) b", "-a b"),
        ("-(label:joy a or c) b", "-(a or c) b"),
        ("label:love or ", "label:love or label:joy"),
        ("label:love not", "label:love not label:joy"),
        ('"so ha', '"so ha" label:joy'),
        ("(a or b", "(a or b) label:joy"),
        ("a or (b", "(a or (b)) label:joy"),
        ("foo:bar", "foo:bar label:joy"),
        (":)", ":) label:joy"),
    ],
)
def test_a_label_is_toggled_in_the_filter_line(before: str, after: str) -> None:
    assert toggle_label(before, "joy", OFFICIAL) == after


def test_a_label_of_many_words_is_toggled() -> None:
    odd = LabelSet(("too hot", "cold", "a,b", "f(x)"))
    for i, (name, term) in enumerate(
        [("too hot", 'label:"too hot"'), ("cold", "label:cold"), ("a,b", 'label:"a,b"'), ("f(x)", 'label:"f(x)"')]
    ):
        text = toggle_label("", name, odd)
        assert text == term
        assert next(conditions(parse(text, odd).expression))[0].labels == (i,)
        assert toggle_label(text, name, odd) == ""
    assert toggle_label('label:"too hot,cold"', "cold", odd) == 'label:"too hot"'
