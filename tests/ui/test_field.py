"""A text field's cursor blinks while somebody types, and rests in sight afterwards."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen

from goemo_tui.app import GoemoApp
from goemo_tui.widgets.field import TOGGLES, Field


class OneField(Screen[None]):
    def compose(self) -> ComposeResult:
        yield Field(id="alone")


async def test_the_cursor_stops_to_blink_and_blinks_again_after_a_key() -> None:
    app = GoemoApp("sample")
    async with app.run_test() as pilot:
        await app.push_screen(OneField())
        field = app.screen.query_one(Field)
        field.focus()
        await pilot.pause()
        seen = []
        for _ in range(3 * TOGGLES):
            field._toggle_cursor()
            seen.append(field._cursor_visible)
        assert not all(seen[:TOGGLES])
        assert all(seen[TOGGLES:])
        await pilot.press("a")
        assert field.value == "a"
        field._toggle_cursor()
        assert not field._cursor_visible
