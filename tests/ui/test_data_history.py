"""Earlier filters: Up and Down walk through them, they are kept between starts, and half-typed ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from tests.ui import data_story
from tests.ui.data_story import opened, shown, until


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def enter(pilot: Pilot[Any], screen: DataScreen, text: str) -> None:
    """Type a filter over what stands there, and go on to the rows."""
    await pilot.press("slash")
    screen.browser.field.value = ""
    await pilot.press(*text, "enter")
    await until(pilot, lambda: screen.browser.field.history[:1] == (text,))


async def test_up_and_down_walk_through_earlier_filters_and_back_to_what_was_typed(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await enter(pilot, screen, "love")
        await enter(pilot, screen, "sad")
        assert pilot.app.focused is not None and pilot.app.focused.id == "table"
        await pilot.press("slash")
        screen.browser.field.value = "so"
        await pilot.press("up")
        assert (screen.browser.filter_text, shown(screen)) == ("sad", [5])
        await pilot.press("up")
        assert (screen.browser.filter_text, shown(screen)) == ("love", [1, 3])
        await pilot.press("up")
        assert screen.browser.filter_text == "love"
        await pilot.press("down", "down")
        assert screen.browser.filter_text == "so"
        assert pilot.app.focused is not None and pilot.app.focused.id == "filter"
        await pilot.press("down")
        assert pilot.app.focused.id == "table"


async def test_a_filter_that_cannot_be_used_is_not_kept(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"label", "colon", *"nope", "enter")
        await pilot.pause()
        assert screen.browser.field.history == ()


async def test_what_was_half_typed_at_a_pause_gives_way_to_the_whole(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goemo_tui.widgets.filter_line.PAUSE", 0.05)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"lov")
        await until(pilot, lambda: screen.browser.field.history == ("lov",))
        await pilot.press("e")
        await until(pilot, lambda: screen.browser.field.history == ("love",))
        await pilot.press("enter")
        await pilot.pause()
        assert screen.browser.field.history == ("love",)


async def test_the_history_is_there_at_the_next_start(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await enter(pilot, screen, "love")
        await enter(pilot, screen, "sad")
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.browser.filter_text == "sad"
        await pilot.press("slash", "up")
        assert screen.browser.filter_text == "love"


async def test_what_is_chosen_from_the_list_or_a_figure_is_in_the_history_at_once(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goemo_tui.widgets.filter_line.PAUSE", 1_000.0)  # nothing is kept for a pause
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        screen.query_one("#emotions").focus()
        await pilot.press("enter")
        await until(pilot, lambda: len(screen.browser.field.history) == 1)
        assert screen.browser.field.history[0].startswith("label:")
        await pilot.press("x", "v")
        await until(pilot, lambda: screen.browser.view == "counts")
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(screen.browser.field.history) == 2)
