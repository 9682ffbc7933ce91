"""Widgets whose content grows and shrinks: their scroll bars follow, and the screen is not laid out for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip

from goemo_tui.app import GoemoApp
from goemo_tui.widgets.measured import Measured
from tests.ui import data_story
from tests.ui.alone import Alone
from tests.ui.data_story import opened, title


class Tall(Measured, can_focus=True):
    """As many lines as it is told."""

    def render_line(self, y: int) -> Strip:
        return Strip.blank(self.size.width, self.base)


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that a screen was laid out."""
    found: list[object] = []
    whole = Screen._refresh_layout

    def counted(self: Screen[Any], *args: Any, **options: Any) -> None:
        found.append(self)
        whole(self, *args, **options)

    monkeypatch.setattr(Screen, "_refresh_layout", counted)
    return found


async def test_the_bar_follows_without_a_layout_and_comes_with_one(layouts: list[object]) -> None:
    app = Alone(Tall())
    async with app.run_test(size=(40, 10)) as pilot:
        tall = app.query_one(Tall)
        tall.virtual_size = Size(1, 5)
        await pilot.pause()
        assert not tall.show_vertical_scrollbar
        layouts.clear()
        tall.virtual_size = Size(1, 100)
        await pilot.pause()
        assert tall.show_vertical_scrollbar and layouts
        layouts.clear()
        tall.virtual_size = Size(1, 400)
        await pilot.pause()
        assert tall.vertical_scrollbar.window_virtual_size == 400
        assert tall.max_scroll_y == 390
        tall.scroll_to(y=390, animate=False)
        tall.virtual_size = Size(1, 50)
        await pilot.pause()
        assert tall.scroll_offset.y == 40
        assert not layouts


async def test_a_keystroke_in_the_filter_lays_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layouts: list[object]
) -> None:
    corpus = data_story.corpus(tmp_path, monkeypatch)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        await pilot.pause()
        layouts.clear()
        for key, found in (("l", 4), ("o", 2), ("v", 2), ("e", 2)):
            await pilot.press(key)
            await pilot.pause()
            assert f"{found} of 7" in title(screen.browser)
        assert not layouts
