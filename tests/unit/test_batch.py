"""Many lines judged by one model: how a text becomes lines, what is asked next, how rows are judged and sorted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from goemo_tui.services import batch as module
from goemo_tui.services.batch import CHUNK, LONGEST, MOST_LINES, Batch, BatchError, Lines, read_file, read_lines
from goemo_tui.services.prediction import Model

MODEL = Model("m", "", ("joy", "fear"), {"joy": 0.5, "fear": 0.2}, "cpu", 1, 1, 1, 1, 8, (), 0.0)


def filled(*rows: tuple[float, float], texts: tuple[str, ...] | None = None) -> Batch:
    batch = Batch(texts or tuple(f"line {i}" for i in range(len(rows))), MODEL, "tuned")
    assert batch.take(batch.next_texts(), rows)
    return batch


# Lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb\r\nc\rd", ("a", "b", "c", "d")),
        ("\n\n  \n\t\n", ()),
        ("  a  \n", ("a",)),
        ("one\u2028line\x0bwith\x85odd\x1cbreaks", ("one\u2028line\x0bwith\x85odd\x1cbreaks",)),
        ("", ()),
        ("half \ud800 a\nsmile \ud83d\ude42", ("half \ufffd a", "smile 🙂")),
    ],
)
def test_only_line_breaks_part_lines_and_empty_ones_are_left_out(text: str, lines: tuple[str, ...]) -> None:
    assert read_lines(text) == Lines(lines)


def test_what_is_too_much_is_left_out_and_said() -> None:
    found = read_lines("\n".join(["x" * (LONGEST + 1), "y" * LONGEST, *("z" * MOST_LINES)]))
    assert len(found.texts) == MOST_LINES and len(found.texts[0]) == len(found.texts[1]) == LONGEST
    assert found.note == "only the first 10,000 of 10,002 lines were taken; 1 line was cut at 4,000 characters"
    assert read_lines("x" * 5000 + "\n" + "y" * 5000).note == "2 lines were cut at 4,000 characters"


def test_a_file_is_read_as_utf_8_with_replacements_and_without_its_mark(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes(b"\xef\xbb\xbfso happy\r\nbad \xff\r\n")
    assert read_file(f"  {file} ") == Lines(("so happy", "bad \ufffd"))


def test_of_a_huge_file_only_the_beginning_is_read_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1_000_000)
    file = tmp_path / "huge.txt"
    file.write_bytes(b"abcdefghi\n" * 200_000)
    found = read_file(str(file))
    assert len(found.texts) == MOST_LINES
    assert found.note.startswith("only the first 1 MB of the file were read; only the first 10,000 of 100,000")


@pytest.mark.parametrize("kind", ["empty", "blank", "binary", "folder", "none", "nothing", "nul", "closed"])
def test_a_file_that_is_no_text_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    content = {"empty": b"", "blank": b" \n \n", "binary": b"a\0b", "closed": b"a"}.get(kind)
    if content is not None:
        file.write_bytes(content)
    if kind == "closed":
        file.chmod(0)
        if os.access(file, os.R_OK):
            pytest.skip("this user may read everything")
    answer = {"folder": str(tmp_path), "none": str(tmp_path / "no"), "nothing": " ", "nul": "a\0b"}.get(kind, str(file))
    wrong = {
        "empty": "holds no lines", "blank": "holds no lines", "binary": "no text file", "folder": "is a folder",
        "none": "no such file", "nothing": "type the path", "nul": "type the path", "closed": "cannot be read",
    }[kind]  # fmt: skip
    with pytest.raises(BatchError, match=wrong):
        read_file(answer)


# Answers


def test_lines_are_asked_in_portions_and_only_their_own_answer_is_taken() -> None:
    batch = Batch([f"{i}" for i in range(CHUNK + 2)], MODEL, "tuned")
    first = batch.next_texts()
    assert first == tuple(f"{i}" for i in range(CHUNK)) and batch.done == 0 and not batch.finished
    good = [(0.9, 0.1)] * CHUNK
    assert not batch.take(first[:-1], good[:-1]), "another question"
    assert not batch.take(first, good[:-1]), "an answer too few"
    assert not batch.take(first, [*good[:-1], (0.9,)]), "a label too few"
    assert batch.done == 0
    assert batch.take(first, good) and batch.done == CHUNK
    assert batch.next_texts() == (f"{CHUNK}", f"{CHUNK + 1}")
    batch.pass_over(batch.next_texts())
    assert batch.finished and batch.next_texts() == ()
    assert batch.emotions(0)[0].name == "joy" and batch.emotions(CHUNK) == ()
    assert batch.result(CHUNK)["scores"] == {} and len(batch.document()["results"]) == CHUNK + 2


def test_a_row_is_judged_by_each_labels_own_threshold_and_by_another_at_once() -> None:
    batch = filled((0.4, 0.25))
    assert [(e.name, e.above, e.threshold) for e in batch.emotions(0)] == [("joy", False, 0.5), ("fear", True, 0.2)]
    batch.judge(0.3)
    assert [(e.name, e.above, e.threshold) for e in batch.emotions(0)] == [("joy", True, 0.3), ("fear", False, 0.3)]
    batch.judge(0.25)
    assert batch.emotions(0)[1].above, "what lies at its threshold has reached it"
    assert batch.result(0) == {
        "text": "line 0",
        "emotions": [
            {"emotion": "joy", "probability": 0.4, "threshold": 0.25},
            {"emotion": "fear", "probability": 0.25, "threshold": 0.25},
        ],
        "scores": {"joy": 0.4, "fear": 0.25},
    }


def test_rows_sort_by_every_column_and_those_without_an_answer_stand_last() -> None:
    batch = Batch(("b", "A", "c", "d"), MODEL, "tuned")
    assert batch.take(batch.next_texts(), [(0.1, 0.1), (0.6, 0.3), (0.9, 0.1), (0.2, 0.1)])
    assert batch.order(0, False) == [0, 1, 2, 3] and batch.order(0, True) == [3, 2, 1, 0]
    assert batch.order(1, False) == [1, 0, 2, 3], "whatever the case"
    assert batch.order(2, True) == [1, 2, 3, 0], "the most emotions, then the strongest"
    assert batch.order(3, True) == [2, 1, 3, 0]
    waiting = Batch(("x", "y"), MODEL, "tuned")
    waiting.pass_over(("x",))
    assert waiting.order(3, True) == [0, 1] == waiting.order(2, False)


def test_a_model_without_labels_ends_nothing() -> None:
    batch = Batch(("a",), Model("m", "", (), None, "cpu", 0, 0, 0, 0, 0, (), 0.0), "tuned")
    assert batch.done == 0 and not batch.finished and batch.emotions(0) == ()
