"""`a` in Data: what augmentation makes of the comment at the cursor, worked out beside the screen."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.services import made
from goemo_tui.services.made import made_of
from goemo_tui.widgets.comment_detail import CommentDetail
from tests.ui import data_story
from tests.ui.alone import Alone, columns, drawn
from tests.ui.alone import until as until_alone
from tests.ui.data_story import opened, title, until

ROWS = [
    ("I don't know, what an amazing story it is", (0, 13)), ("ok", (27,)),
    ("so \x1b]52;c;eA==\x07 [bold]really long \u202e and wonderful thing", (2,)),
]  # fmt: skip


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


def test_new_words_and_lost_words_are_told_apart() -> None:
    versions = made_of("what an amazing day it is")
    assert {version.method for version in versions} == {"synonyms", "deletion"}
    for version in versions:
        new = [piece for piece, fresh in version.pieces if fresh]
        if version.method == "synonyms":
            assert (new, version.gone) == (["astonishing"], ("amazing",))
            assert version.text == "what an astonishing day it is"
        else:
            assert len(version.gone) == 1 and not new
    assert made_of("what an amazing day it is") == versions
    assert made_of("") == ()


async def test_the_pane_of_one_comment() -> None:
    split = columns(train=ROWS)["train"]
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        detail.show(split, 0, None, "")
        detail.toggle_made()
        await until_alone(pilot, lambda: "synonyms" in detail.text)
        assert "I don't know, what an astonishing" in detail.text and "✂" in detail.text
        assert "labels: admiration, excitement" in " ".join(detail.text.split())
        assert str(detail.border_title) == "made of comment 1" and "negations stay" in detail.ABOUT
        detail.show(split, 1, None, "")
        await until_alone(pilot, lambda: "too short" in detail.text)
        assert "no synonym" in detail.text
        detail.show(split, 2, None, "")
        await until_alone(pilot, lambda: "marvelous" in detail.text)
        assert not {"\x1b", "\x07", "\u202e"} & set("".join(drawn(detail)))
        detail.toggle_similar()
        assert detail.similar and not detail.made
        detail.toggle_made()
        detail.toggle_made()
        assert "multi-hot" in detail.text


async def test_the_screen_never_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    real = made.made_of

    def slow(*given: Any) -> Any:
        assert go_on.wait(20)
        return real(*given)

    monkeypatch.setattr(made, "made_of", slow)
    split = columns(train=ROWS)["train"]
    app = Alone(CommentDetail())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        detail = app.query_one(CommentDetail)
        detail.show(split, 0, None, "")
        detail.toggle_made()
        assert "amazing story" in detail.text and "synonyms" not in detail.text
        detail.show(split, 2, None, "")  # gone on to while the first was still being made
        go_on.set()
        await until_alone(pilot, lambda: "marvelous" in detail.text)
        assert "astonishing" not in detail.text


async def test_the_key_shows_it_and_follows_the_cursor(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("v", "e", "e", "a")
        assert (screen.browser.view, screen.detail.display, screen.detail.made) == ("table", True, True)
        await until(pilot, lambda: "deletion" in screen.detail.text)
        assert "made of comment 1" in title(screen.detail)
        await pilot.press("down")
        await until(pilot, lambda: "made of comment 2" in title(screen.detail) and "deletion" in screen.detail.text)
        await pilot.press("a")
        assert "multi-hot" in screen.detail.text
