"""Similar rows by shared words: figures that can be worked out by hand, odd texts, and the real corpus."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from goemo_tui.services.corpus import SplitColumns, columns_of
from goemo_tui.services.similar import Near, build, nearest
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.split import Split
from trainer.labels import OFFICIAL


def columns(*texts: str) -> SplitColumns:
    n = len(texts)
    split = Split("train", list(texts), [(17,)] * n, [str(i) for i in range(n)], list(range(1, n + 1)))
    return columns_of(Corpus("c", Path("c"), OFFICIAL, {"train": split}), "train")


def near(texts: tuple[str, ...], text: str, top: int = 10, without: int | None = None) -> tuple[Near, ...]:
    index = build(columns(*texts))
    assert index is not None
    return nearest(index, text, top, without)


def test_the_share_of_words_weighed_by_how_rare_they_are() -> None:
    found = near(("red sea", "red sky", "blue moon"), "red sea")
    assert [(n.row, n.same_text) for n in found] == [(0, True), (1, False)]
    assert found[0].similarity == pytest.approx(1)
    red, once = math.log(4 / 3) + 1, math.log(4 / 2) + 1
    assert found[1].similarity == pytest.approx(red**2 / (red**2 + once**2), abs=1e-6)


def test_a_word_that_comes_twice_weighs_more_and_one_that_is_unknown_less() -> None:
    twice = near(("red red sea", "sea sea red"), "red red red", without=None)
    assert [n.row for n in twice] == [0, 1]
    assert near(("red sea",), "red sea zebra")[0].similarity < 1


def test_case_punctuation_and_quotes_do_not_matter() -> None:
    found = near(("I’m HAPPY!!", "“sad” (very)", "well"), "i'm happy")
    assert [(n.row, n.same_text) for n in found] == [(0, False)]
    assert found[0].similarity == pytest.approx(1)
    assert [n.row for n in near(("I’m HAPPY!!", "“sad” (very)", "well"), "'sad' very")] == [1]


def test_only_character_by_character_is_the_same_text() -> None:
    found = near(("thank you", "Thank you", "thank you"), "thank you", without=0)
    assert [(n.row, n.same_text) for n in found] == [(1, False), (2, True)]


@pytest.mark.parametrize("text", ["", "   ", "...", "'", "zebra", "\x1b]52;c;eA==\x07", "é" * 5, "\ud800"])
def test_texts_that_share_nothing_find_nothing(text: str) -> None:
    assert near(("red sea", "...", "😂", ""), text) == ()


def test_other_scripts_and_emoji_are_words() -> None:
    texts = ("أنا سعيد اليوم", "so 😂", "それは 素晴らしい", "joy")
    assert [near(texts, text)[0].row for text in ("سعيد", "😂", "素晴らしい")] == [0, 1, 2]


def test_no_rows_and_few_rows() -> None:
    assert near((), "red") == ()
    assert near(("...", "!"), "red") == ()
    assert [n.row for n in near(("red", "red sea", "red sky now"), "red", top=2)] == [0, 1]


def test_it_tells_how_far_it_is_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goemo_tui.services.similar.CHUNK", 2)
    told: list[int] = []
    index = build(columns("a b", "b c", "c d", "d e", "e f"), done=told.append)
    assert told == [2, 4, 5]
    assert index is not None
    assert [n.row for n in nearest(index, "c")] == [1, 2]
    told.clear()
    assert build(columns("a", "b", "c", "d", "e"), lambda: bool(told), told.append) is None
    assert told == [2]


def test_pandas_stays_out() -> None:
    code = (
        "import sys\nfrom goemo_tui.services.corpus_loader import open_corpus\n"
        "from goemo_tui.services.similar import build, nearest\n"
        "columns = open_corpus('sample', 'minilm').splits['train']\n"
        "assert nearest(build(columns), columns.split.text[0])[0].same_text\n"
        "bad = {'pandas', 'torch', 'transformers', 'textual'} & set(sys.modules)\nassert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.corpus
def test_the_real_corpus_finds_each_row_itself(goemotions: Path) -> None:
    whole = columns_of(load_corpus(goemotions), "train")
    index = build(whole)
    assert index is not None
    for row in range(0, len(whole), 4_001):
        found = nearest(index, whole.split.text[row], 3)
        assert found and found[0].similarity > 0.999


def test_a_split_that_is_too_large_is_not_compared_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from goemo_tui.cli import main
    from goemo_tui.services.similar import too_many

    assert too_many(500_000) == "" and "500,001" in too_many(500_001)
    monkeypatch.setattr("goemo_tui.services.similar.MOST", 100)
    assert main(["data", "similar", "sample", "a happy day"]) == 2
    assert "train: words are compared in splits of up to 100 comments; this one has 1,120" in capsys.readouterr().err
