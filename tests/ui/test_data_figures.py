"""Figures in the place of the table: each view by `v`, the rows behind a bar, and what stands beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.widgets.comment_browser import VIEWS
from tests.ui import data_story
from tests.ui.data_story import opened, shown, title, until


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def test_every_view_comes_round_and_has_the_room_of_the_detail(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        low = screen.browser.outer_size.height
        for name, words in VIEWS[1:]:
            await pilot.press("v")
            assert screen.browser.view == name
            assert words in title(screen.browser)
            assert pilot.app.focused is screen.browser.figures
            assert not screen.detail.display
            assert screen.browser.outer_size.height > low
        await pilot.press("v")
        assert screen.browser.view == "table"
        assert screen.detail.display
        assert pilot.app.focused is screen.browser.table
        assert "comment 1" in title(screen.detail)


async def test_enter_on_a_bar_shows_its_rows_in_the_table(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("c")
        await until(pilot, lambda: bool(screen.browser.figures.figure.stops))
        stops = screen.browser.figures.figure.stops
        at = next(i for i, stop in enumerate(stops) if stop.said.startswith("love in train"))
        await pilot.press(*["down"] * (at // screen.browser.figures.figure.columns), "enter")
        await pilot.pause()
        assert (screen.browser.view, screen.browser.filter_text) == ("table", "label:love")
        assert shown(screen) == [1, 3]
        assert screen.detail.display


async def test_c_groups_the_counts_by_ekman_then_by_sentiment(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("c")
        assert "by label" in screen.browser.figures.title
        await pilot.press("c")
        assert "Ekman" in screen.browser.figures.title
        await pilot.press("c")
        assert "sentiment" in screen.browser.figures.title


async def test_the_keys_of_the_detail_lead_back_to_the_table(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("v", "e")
        assert (screen.browser.view, screen.detail.display) == ("table", True)
        await pilot.press("e", "v")
        assert not screen.detail.display
        await pilot.press("i")
        assert (screen.browser.view, screen.detail.display, screen.detail.similar) == ("table", True, True)
        await until(pilot, lambda: "love" in screen.detail.text and "%" in screen.detail.text)
        assert "like comment 1" in title(screen.detail)


async def test_the_footer_begins_with_the_keys_of_the_view(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)

        def footer() -> str:
            return [strip.text for strip in screen._compositor.render_strips()][-1]

        begins = {"counts": "c Group ", "suspects": "f Fine  b Wrong  u Model's "}
        for name in [*(name for name, _ in VIEWS[1:]), "table"]:
            await pilot.press("v")
            assert screen.browser.view == name
            begin = begins.get(name, "/ Filter ")
            await until(pilot, lambda: footer().startswith(begin))  # noqa: B023 - called at once
            assert "? Help" in footer() and "q Quit" in footer()
