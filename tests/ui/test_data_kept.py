"""What the Data screen keeps between starts, and the widths a person gives its columns by key and by mouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import read_state
from goemo_tui.screens.data import DataScreen
from tests.ui import data_story
from tests.ui.data_story import opened, shown, title, typed, until, write


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


def widths(screen: DataScreen) -> list[int]:
    assert screen.browser.table is not None
    return [column.width for column in screen.browser.table.ordered_columns]


def edge(screen: DataScreen, column: int) -> int:
    """The cell in the table's head where a column ends."""
    assert screen.browser.table is not None
    return sum(c.render_width for c in screen.browser.table.ordered_columns[: column + 1]) - 1


async def test_columns_are_resized_by_key(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        before = widths(screen)
        await pilot.press("greater_than_sign")
        assert widths(screen) == [before[0], before[1] + 2, before[2] - 2, before[3]]
        await pilot.press("less_than_sign", "less_than_sign")
        assert widths(screen) == [before[0], before[1] - 2, before[2] + 2, before[3]]


@pytest.mark.parametrize("column, moved", [(0, (3, -3, 0, 0)), (1, (0, 3, -3, 0)), (2, (0, 0, -3, 3))])
async def test_an_edge_of_the_head_is_dragged(corpus: Path, column: int, moved: tuple[int, ...]) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        before, order = widths(screen), shown(screen)
        at = edge(screen, column)
        by = -max(moved) if column == 2 else max(moved)
        await pilot.mouse_down("#table", offset=(at, 0))
        await pilot.hover("#table", offset=(at + by // 3, 0))
        await pilot.hover("#table", offset=(at + by, 0))
        await pilot.mouse_up("#table", offset=(at + by, 0))
        assert widths(screen) == [a + b for a, b in zip(before, moved, strict=True)]
        assert shown(screen) == order


async def test_an_edge_that_can_go_no_further_stays_where_it_is(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        before = widths(screen)
        at = edge(screen, 2)
        await pilot.mouse_down("#table", offset=(at, 0))
        for x in (1, 2, 3, 4):
            await pilot.hover("#table", offset=(at + x, 0))
        await pilot.mouse_up("#table", offset=(at + 4, 0))
        assert widths(screen) == before
        assert screen.browser.widths == (None, None, None)


async def test_the_next_start_is_where_this_one_ended(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        await pilot.press("t", "T", "greater_than_sign", "plus", "plus", "s")
        kept, order, height = widths(screen), screen.browser.sorting, screen.detail.outer_size.height
        assert "dev · 1 of 2" in title(screen.browser)
    async with GoemoApp().run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.opened is not None and screen.opened.corpus.path == corpus
        assert "dev · 1 of 2" in title(screen.browser)
        assert screen.browser.filter_text == "love"
        assert screen.browser.sorting == order == (1, True)
        assert widths(screen) == kept
        assert screen.detail.outer_size.height == height


async def test_a_figure_and_a_hidden_detail_come_back_too(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("e", "v", "v", "v")
        assert screen.browser.view == "lengths"
    async with GoemoApp().run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.browser.view == "lengths"
        await until(pilot, lambda: pilot.app.focused is screen.browser.figures)
        assert not screen.detail.display
        assert screen.browser.table is not None and not screen.browser.table.display
        await pilot.press("v", "v", "v")
        assert screen.browser.view == "table" and screen.browser.table.display
        assert not screen.detail.display


async def test_a_corpus_of_the_last_time_that_is_gone_gives_way_to_the_default(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
    for file in corpus.iterdir():
        file.unlink()
    async with GoemoApp().run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.opened is not None and screen.opened.corpus.name == "sample"
        assert "The corpus of the last time was not opened" in [n.title for n in pilot.app._notifications]


async def test_another_corpus_begins_without_the_filter_of_the_one_before(corpus: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", [("so happy", "17", "c1")] * 3)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "love")
        screen.open(str(other))
        await until(pilot, lambda: "3 of 3" in title(screen.browser))
    assert read_state().of("data")["filter"] == ""
