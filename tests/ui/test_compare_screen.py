"""Compare as a person opens it: how it is reached, what it shows at both sizes, and that it follows a run that lives."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from goemo_tui.screens.compare import CompareScreen
from goemo_tui.screens.train import TrainScreen
from tests.ui.train_story import HOSTILE, opened, shown, tell, toasts, until, validate
from tests.unit.test_compare import ONE, TWO, guessing, scored
from trainer.config import TrainConfig
from trainer.runs.about import NAME
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


async def test_one_run_alone_is_told_how_to_pin() -> None:
    run = scored(ONE)
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("c")
        await until(pilot, lambda: "pin one with space" in toasts(app))
        assert isinstance(app.screen, TrainScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_selected_run_is_held_against_the_pinned_one(size: tuple[int, int]) -> None:
    runs = {run.id: run for run in (scored(ONE), scored(TWO, lr=5e-4))}
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: all(run.short in shown(app) for run in runs.values()))
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "Settings that differ" in shown(app))
        text = shown(app)
        assert "macro-F1" in text and "0.0005" in text and "batch_size" not in text
        assert all(run.short in text for run in runs.values()), "names stand above the columns"
        await pilot.press("G")
        await until(pilot, lambda: "fear" in shown(app) and "300" in shown(app))
        screen = app.screen
        assert isinstance(screen, CompareScreen) and screen.comparison is not None
        assert screen.comparison.base == 0
        await pilot.press("b")
        await until(pilot, lambda: isinstance(screen, CompareScreen) and screen.comparison.base == 1)  # type: ignore[union-attr]
        await pilot.press("g", "a")
        await until(pilot, lambda: "All settings" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_the_switches_can_be_clicked() -> None:
    scored(ONE)
    scored(TWO)
    async with opened((80, 24)) as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 2)
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "another base" in shown(app))
        await pilot.click("#switches", offset=(4, 0))
        await until(pilot, lambda: "only those that differ" in shown(app))


async def test_six_runs_fit_on_a_small_screen_and_foreign_names_stay_text() -> None:
    runs = [scored(ONE) for _ in range(6)]
    (runs[0].folder / NAME).write_text('{"name": "\\u001b[2J[red]x[/]"}')
    async with opened((80, 24)) as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 6)
        for _ in runs:
            await pilot.press("space", "down")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "macro-F1" in shown(app))
        line = next(row for row in shown(app).splitlines() if "macro-F1" in row)
        assert line.count(".400") == 6 and "␛[2J" in shown(app) and "\x1b" not in shown(app)


async def test_a_run_that_goes_on_is_shown_as_it_goes_on() -> None:
    scored(ONE)
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            await until(pilot, lambda: len(app.runs.runs) == 2)
            await pilot.press("space", "down", "c")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "no validation yet" in shown(app))
            validate(log, step=6)
            await until(pilot, lambda: "no validation yet" not in shown(app) and ".502" in shown(app))
            assert HOSTILE not in shown(app)


async def test_a_run_that_was_removed_meanwhile_is_said() -> None:
    one, two = scored(ONE), scored(TWO)
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 2)
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "Settings" in shown(app))
        one.delete()
        page = app.screen.query_one("#page", Static)  # on the screen the path before it may break the line anywhere
        await until(pilot, lambda: "no run is there" in str(page.render()))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
    assert two.folder.exists()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_difference_of_macro_f1_is_told_with_its_interval_and_in_words(size: tuple[int, int]) -> None:
    guessing(0.4)
    guessing(0.8)
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 2)
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "resample" in said(app))
        first = said(app)
        assert "95% " in first and " … " in first
        await pilot.press("b")
        await until(pilot, lambda: "resample" in said(app) and ("better in" in said(app)) is not ("better in" in first))


def said(app: object) -> str:
    """The whole page, in sight or not."""
    screen = app.screen  # type: ignore[attr-defined]
    return str(screen.query_one("#page", Static).render()) if isinstance(screen, CompareScreen) else ""
