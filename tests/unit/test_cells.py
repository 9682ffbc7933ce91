"""One line into fields, and one field into labels."""

from __future__ import annotations

import pytest

from trainer.corpus.fields import split_fields
from trainer.corpus.label_cells import BadLabel, LabelCells
from trainer.labels import EMOTIONS, from_names

OFFICIAL_FILE = from_names(EMOTIONS, "test")


@pytest.mark.parametrize(
    "line, fields",
    [
        ('a\tb', ["a", "b"]),
        ('"a\tb"\tc', ["a\tb", "c"]),
        ('"a ""b"" c"\td', ['a "b" c', "d"]),
        ('"a\tb', ['"a', "b"]),
        ('"a" b\tc', ['"a" b', "c"]),
        ('"a"" b"c"\td', ['"a"" b"c"', "d"]),
        ('a "b"\t"c"', ['a "b"', "c"]),
        ('"a""\tb', ['"a""', "b"]),
        ('"a"""\tb', ['a"', "b"]),
        ('""\t""', ["", ""]),
        ('""""\t"', ['"', '"']),
        ('"', ['"']),
        ('"a"\t', ["a", ""]),
        ("", [""]),
        ("\t", ["", ""]),
    ],
)  # fmt: skip
def test_quotes(line: str, fields: list[str]) -> None:
    assert split_fields(line, "\t") == fields
    assert split_fields(line.replace("\t", ","), ",") == [field.replace("\t", ",") for field in fields]


def test_a_line_of_quotes_costs_linear_time() -> None:
    for line in (
        '"' * 200_001,
        '"a' + '""' * 100_000,
        '""\t' * 60_000,
        '"\t' * 60_000,
        ('"' + '""' * 100 + "\t") * 600,
    ):
        assert "".join(split_fields(line, "\t")).count("\t") <= line.count("\t")


@pytest.mark.parametrize(
    "cell, ids",
    [
        ("3", (3,)),
        ("25,3", (3, 25)),
        ("3;25", (3, 25)),
        ("3|25", (3, 25)),
        ("3 25", (3, 25)),
        (" 3 , 25 ", (3, 25)),
        ("[8, 20]", (8, 20)),
        ("[8 20]", (8, 20)),
        ("['joy', 'love']", (17, 18)),
        ('["joy","love"]', (17, 18)),
        ("joy,3", (3, 17)),
        ("Joy LOVE", (17, 18)),
        ("007", (7,)),
        ("3,3,joy,17", (3, 17)),
        ("'joy'", (17,)),
        ("3,,5,", (3, 5)),
        ([8, "20", "joy"], (8, 17, 20)),
        ((5,), (5,)),
        (5, (5,)),
        ("neutral", (27,)),
        ("0", (0,)),
    ],
)
def test_ways_of_writing_labels(cell: object, ids: tuple[int, ...]) -> None:
    assert LabelCells(OFFICIAL_FILE).read(cell) == ids


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        "[]",
        "[",
        ",",
        "''",
        "28",
        "-3",
        "1.0",
        "1e1",
        "٣",
        "joy & love",
        [],
        [[1]],
        [None],
        None,
        True,
        [True],
        1.5,
        {},
        {"a": 1},
        28,
        -1,
        10**400,
    ],
)
def test_cells_without_a_usable_label(cell: object) -> None:
    cells = LabelCells(OFFICIAL_FILE)
    for _ in range(2):  # also where the cell was seen before
        with pytest.raises(BadLabel):
            cells.read(cell)


def test_a_message_about_a_label_stays_short_and_printable() -> None:
    with pytest.raises(BadLabel) as error:
        LabelCells(OFFICIAL_FILE).read("\x1b[31m" + "x" * 5000)
    assert len(str(error.value)) < 120 and str(error.value).isprintable()


def test_labels_of_ones_own() -> None:
    own = from_names(["Very Happy", "[x]", "a, b", "sad", "SAD"], "test")
    cells = LabelCells(own)
    assert cells.read("Very Happy") == (0,) and cells.read("very happy") == (0,)
    assert cells.read("Very Happy;sad") == (0, 3)
    assert cells.read("[x]") == (1,) and cells.read("a, b") == (2,) and cells.read(["a, b", "[x]"]) == (1, 2)
    assert cells.read("SAD") == (4,)
    with pytest.raises(BadLabel):
        cells.read("Sad")  # two names differ by case alone: neither is meant
    numbers = LabelCells(from_names(["1", "2", "3"], "test"))
    assert numbers.read("1") == (1,)
    with pytest.raises(BadLabel, match="0 to 2"):
        numbers.read("3")


def test_whole_numbers_may_be_written_as_real_ones() -> None:
    """What a column of ids becomes in pandas once one of them is missing."""
    assert LabelCells(from_names(EMOTIONS, "here")).read([0.0, 5.0]) == (0, 5)
