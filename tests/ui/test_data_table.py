"""The table of comments: order, columns, hostile comments, and what fits on which terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.strip import Strip

from goemo_tui.app import GoemoApp
from goemo_tui.services.column_widths import PADDING
from goemo_tui.widgets.bar_list import BarList
from goemo_tui.widgets.comment_detail import CommentDetail
from goemo_tui.widgets.comment_table import CommentTable
from tests.ui import data_story
from tests.ui.data_story import TRAIN, opened, shown, typed, until


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def test_sorting_by_key_and_by_the_columns_head(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("t")
        by_text = [TRAIN[line - 1][0].lower() for line in shown(screen)]
        assert by_text == sorted(by_text)
        await pilot.press("t", "t")
        assert shown(screen)[0] == 7
        assert "▼" in screen.browser.table.ordered_columns[3].label.plain  # type: ignore[union-attr]
        await pilot.press("t")
        assert shown(screen)[-1] == 7
        await pilot.press("t")
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        await pilot.press("t", "T", "t")  # from an order that was turned round to the one behind it
        assert screen.browser.sorting == (2, False)
        await pilot.press("t", "t", "t")
        await pilot.click("#table", offset=(3, 0))
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        await pilot.click("#table", offset=(3, 0))
        assert shown(screen) == [7, 6, 5, 4, 3, 2, 1]


async def test_hostile_comments_are_visible_text(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert screen.browser.table is not None
        assert screen.browser.table.get_row_at(5)[1].plain == "␛]52;c;eA==␇[bold]x⟪RLO⟫y"
        assert screen.browser.table.get_row_at(4)[1].plain == TRAIN[4][0]
        await pilot.press(*["down"] * 5)
        assert "␛]52;c;eA==␇[bold]x⟪RLO⟫y" in screen.query_one(CommentDetail).text
        await typed(pilot, screen, "[/s]")
        assert shown(screen) == [5]
        await pilot.hover("#table", offset=(20, 1))
        svg = pilot.app.export_screenshot()
        assert "\x1b" not in svg
        assert "\u202e" not in svg


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (60, 16)])
async def test_nothing_that_matters_is_cut_off(corpus: Path, size: tuple[int, int]) -> None:
    async with GoemoApp(str(corpus)).run_test(size=size) as pilot:
        screen = await opened(pilot)
        emotions = screen.query_one("#emotions", BarList)
        first = [emotions.render_line(y).text for y in range(emotions.height_of_entry)]
        assert first[0].rstrip().endswith(f" {emotions.entries[0].count}")
        assert "█" in "".join(first)
        table = screen.browser.table
        assert table is not None
        assert sum(column.render_width for column in table.ordered_columns) <= table.size.width
        assert table.size.height >= 4
        for widget in (table, emotions, screen.query_one(CommentDetail)):
            assert screen.region.contains_region(widget.region)


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (40, 10)])
async def test_columns_are_as_wide_as_the_table_wherever_it_is_drawn(
    corpus: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is drawn before the columns know the room they have, and an event that is lost does not leave them so."""
    drawn: set[tuple[int, tuple[int, ...]]] = set()
    line = CommentTable.render_line

    def seen(table: CommentTable, y: int) -> Strip:
        if table.shown.columns_of_split is not None:
            drawn.add(room_and_columns(table))
        return line(table, y)

    monkeypatch.setattr(CommentTable, "render_line", seen)
    monkeypatch.setattr(CommentTable, "_on_resize", lambda table, event: None)
    async with GoemoApp(str(corpus)).run_test(size=size) as pilot:
        for wanted in ((80, 24), (160, 40), (50, 12), (120, 36)):
            await pilot.resize_terminal(*wanted)
            await pilot.pause()
        screen = await opened(pilot)
        table = screen.browser.table
        assert table is not None
        await until(pilot, lambda: room_and_columns(table) in drawn)
    assert drawn
    for total, cells in drawn:
        assert min(cells) >= 3, (total, cells)
        assert total < 40 or sum(cells) + PADDING == total, (total, cells)


def room_and_columns(table: CommentTable) -> tuple[int, tuple[int, ...]]:
    """The cells that there are, and those that the columns take without their blanks."""
    return table.scrollable_content_region.width, tuple(column.width for column in table.ordered_columns)
