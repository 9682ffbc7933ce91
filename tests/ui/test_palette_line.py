"""The palette's line holds what was typed and shows what a terminal can bear."""

from __future__ import annotations

from textual.command import CommandInput

from goemo_tui.palette import Palette
from goemo_tui.safe_text import MARKS
from tests.ui.train_story import opened, until

MARK = "\u0301"


async def test_marks_without_end_are_not_drawn() -> None:
    async with opened() as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.query(CommandInput))
        line = app.screen.query_one(CommandInput)
        line.insert_text_at_cursor("e" + MARK * 30)
        await until(pilot, lambda: len(line.value) == 31)
        drawn = "".join(segment.text for y in range(line.size.height) for segment in line.render_line(y))
        assert "e" in drawn and drawn.count(MARK) <= MARKS
