"""The palette goes to a run by its name, from any place, whatever was selected before."""

from __future__ import annotations

from textual.widgets import OptionList

from goemo_tui.widgets.run_list import RunList
from tests.ui.train_story import ended, opened, until


async def test_a_run_is_found_by_name_and_selected() -> None:
    old, new = ended(), ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 2)
        wanted = next(run for run in app.runs.runs if run.id == old.id)
        runs = app.screen.query_one(RunList)
        await until(pilot, lambda: runs.run_id == new.id)
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "data")
        await pilot.press("ctrl+p", *[{"-": "minus"}.get(char, char) for char in wanted.short])
        await until(pilot, lambda: any(wanted.title in str(o.prompt) for o in app.screen.query_one(OptionList).options))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "train" and runs.run_id == old.id)
