"""Files that change, go or come while their corpus is open: what is said, and `r` that reads them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from tests.ui import data_story
from tests.ui.data_story import TRAIN, opened, shown, title, typed, until, write


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("goemo_tui.screens.data.LOOKS", 0.05)
    return data_story.corpus(tmp_path, monkeypatch)


def subtitle(screen: DataScreen) -> str:
    return str(screen.browser._border_subtitle)


async def test_a_changed_file_is_said_and_read_again_with_everything_as_it_was(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert subtitle(screen) == "mine"
        await typed(pilot, screen, "love")
        await pilot.press("t", "down")
        before = shown(screen)
        assert screen.browser.table is not None
        line = screen.browser.table.looked_at
        write(corpus, [*TRAIN, ("love it all", "18", "aa8")])
        await until(pilot, lambda: subtitle(screen) == "train.tsv was changed (r) · mine")
        (toast,) = pilot.app._notifications
        assert "r reads it again" in toast.message
        assert shown(screen) == before
        await pilot.press("r")
        await until(pilot, lambda: "3 of 8" in title(screen.browser))
        assert sorted(shown(screen)) == [1, 3, 8]
        assert screen.browser.sorting == (1, False)
        assert screen.browser.filter_text == "love"
        assert screen.browser.table.looked_at == line
        assert subtitle(screen) == "mine"


async def test_a_file_that_is_gone_stays_in_sight_until_it_is_back(corpus: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside.tsv"
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        corpus.joinpath("train.tsv").rename(aside)
        await until(pilot, lambda: "train.tsv is gone (r)" in subtitle(screen))
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        aside.rename(corpus / "train.tsv")
        await until(pilot, lambda: subtitle(screen) == "mine")


async def test_where_nothing_was_there_r_tries_again(corpus: Path, tmp_path: Path) -> None:
    async with GoemoApp(str(tmp_path / "later")).run_test(size=(120, 36)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DataScreen)
        waiting = screen.query_one("#waiting", Static)
        await until(pilot, lambda: "r tries again" in str(waiting.render()))
        write(tmp_path / "later", TRAIN[:2])
        await pilot.press("r")
        await until(pilot, lambda: screen.opened is not None and shown(screen) == [1, 2])
