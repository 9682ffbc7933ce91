"""A pane or a chart alone on the screen, and back again with nothing lost: sizes, focus, what the keys say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from goemo_tui.widgets.curve import Curve
from goemo_tui.widgets.key_line import KeyLine
from tests.ui import data_story, inspect_story, train_story


async def data_screen(pilot: Pilot[Any]) -> DataScreen:
    screen = await data_story.opened(pilot)
    screen.go_home()
    await pilot.pause()
    return screen


def footer(app: GoemoApp) -> dict[str, str]:
    line = app.screen.query_one(KeyLine)
    return {key.key_display: key.description for key in line.query("FooterKey")}  # type: ignore[attr-defined]


def regions(screen: Widget) -> list[tuple[str | None, object]]:
    return [(pane.id, pane.region) for pane in screen.query(".pane")]


async def test_the_pane_with_the_focus_takes_the_screen_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = GoemoApp(str(data_story.corpus(tmp_path, monkeypatch)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await data_screen(pilot)
        screen.browser.styles.min_height = 9  # a size of its own, set from outside the sheet
        before = regions(screen)
        await pilot.press("M")
        await pilot.pause()
        assert screen.query_one("#browse").region == (0, 1, 80, 22)
        assert screen.query_one("GoemoHeader").region.height == screen.query_one(KeyLine).region.height == 1
        assert footer(app)["Esc"] == "Back"
        await pilot.press("slash", "s", "e", "a", "escape")
        assert screen.maximized is not None, "the first Esc leaves the field"
        await pilot.press("escape")
        await pilot.pause()
        assert screen.maximized is None
        assert regions(screen) == before
        assert str(screen.browser.styles.min_height) == "9"
        assert screen.focused is not None
        assert "Esc" not in footer(app)


async def test_a_pane_keeps_the_size_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = GoemoApp(str(data_story.corpus(tmp_path, monkeypatch)))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await data_screen(pilot)
        await pilot.press("plus", "plus")
        await pilot.pause()
        chosen = screen.detail.outer_size
        screen.detail.focus()
        await pilot.press("f10")
        await pilot.pause()
        assert screen.detail.outer_size == (120, 34)
        await pilot.press("plus", "minus", "minus")
        await pilot.press("f10")
        await pilot.pause()
        assert screen.detail.outer_size == chosen


async def test_another_focus_brings_the_others_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = GoemoApp(str(data_story.corpus(tmp_path, monkeypatch)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await data_screen(pilot)
        screen.query_one("#emotions").focus()
        await pilot.press("M", "tab")
        assert screen.maximized is not None, "Tab stays within the pane"
        await pilot.press("slash")
        await pilot.pause()
        assert screen.maximized is None
        assert screen.focused is screen.browser.field


async def test_a_chart_alone_and_out_of_it_by_another_tab() -> None:
    train_story.ended()
    async with train_story.opened(size=(80, 24)) as (app, pilot):
        screen = app.screen
        await train_story.until(pilot, lambda: screen.query_one(Curve).region.height)
        screen.query_one("#loss-chart").focus()
        await pilot.press("M")
        await pilot.pause()
        assert screen.query_one("#loss-chart").region == (0, 1, 80, 22)
        await pilot.press("v")
        await pilot.pause()
        assert screen.maximized is None
        assert screen.query_one("#tabs").active == "evaluation"  # type: ignore[attr-defined]
        screen.query_one("#score-table").focus()
        await pilot.press("M")
        await pilot.pause()
        assert screen.query_one("#run").region == (0, 1, 80, 22)
        await pilot.press("v")
        await train_story.until(pilot, lambda: screen.focused is not None)
        assert screen.maximized is screen.query_one("#run"), "the pane stays alone, and the focus in it"


async def test_the_list_of_runs_comes_back_in_its_width_on_a_smaller_screen() -> None:
    train_story.ended()
    async with train_story.opened(size=(120, 36)) as (app, pilot):
        screen = app.screen
        runs = screen.query_one("#runs")
        runs.focus()
        await pilot.press(*["plus"] * 11, "M")
        await pilot.resize_terminal(70, 24)
        await pilot.pause()
        assert runs.outer_size.width == 70
        await pilot.press("M")
        await pilot.pause()
        assert runs.outer_size.width == 35, "half of the screen at most"


async def test_from_the_prompt_it_is_the_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with inspect_story.opening(tmp_path, monkeypatch)() as (app, pilot):
        screen = inspect_story.place(app)
        assert screen.focused is inspect_story.prompt(app)
        await pilot.press("f10")
        await pilot.pause()
        assert screen.maximized is screen.query_one("#feels")
        await pilot.press("slash")
        await pilot.pause()
        assert screen.maximized is None
        assert screen.focused is inspect_story.prompt(app)
