"""Keys that come in one breath, as they do over a slow line: each for the field that has the focus when its turn comes."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot
from textual.widgets import Select

from goemo_tui.screens.new_run import NewRunScreen
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.setting_row import OTHER, SettingRow
from tests.ui.train_story import opened, until


def burst(pilot: Pilot[int], *keys: str) -> None:
    """Give the app these keys at once."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_what_is_typed_behind_a_tab_is_for_the_next_field() -> None:
    async with opened((80, 24)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.focused)
        screen = app.screen
        assert isinstance(screen, NewRunScreen)
        screen.query_one("#row-epochs", SettingRow).take_focus()
        await pilot.pause()
        burst(pilot, "5", "tab", "1", "6", "tab", "1", "e", "-", "4", "shift+tab", "8")
        await until(pilot, lambda: screen.draft.texts["batch_size"] == "8")
        assert (screen.draft.texts["epochs"], screen.draft.texts["lr"]) == ("5", "1e-4")


async def test_letters_and_keys_that_edit_keep_their_order() -> None:
    async with opened((80, 24)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.focused)
        screen = app.screen
        assert isinstance(screen, NewRunScreen)
        screen.query_one("#row-epochs", SettingRow).take_focus()
        await pilot.pause()
        burst(pilot, "9", "backspace", "1", "3", "left", "2", "delete", "4", "home", "5")
        await until(pilot, lambda: screen.draft.texts["epochs"] == "5124")


async def test_a_path_in_one_breath_with_the_tab_behind_it_is_kept() -> None:
    async with opened((80, 24)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.focused)
        screen = app.screen
        assert isinstance(screen, NewRunScreen)
        row = screen.query_one("#row-encoder", SettingRow)
        row.query_one(Select).value = OTHER
        await until(pilot, lambda: isinstance(screen.focused, Field))
        burst(pilot, *"models/tiny", "tab")
        await until(pilot, lambda: not isinstance(screen.focused, Field))
        await until(pilot, lambda: screen.draft.texts["encoder"] == "models/tiny")
        assert not row.query_one(Field).has_class("-hidden") and row.query_one(Field).value == "models/tiny"
