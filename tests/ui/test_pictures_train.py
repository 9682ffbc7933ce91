"""Pictures of Train and its dialogs, held against the accepted ones in tests/pictures."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Static, TabbedContent

from goemo_tui.screens.train import TrainScreen
from goemo_tui.widgets.estimate_line import EstimateLine
from goemo_tui.widgets.score_table import ScoreTable
from tests.ui.gallery import Studio, opened
from tests.ui.gallery import studio as studio
from tests.ui.picture_runs import created, failed, finished, tell
from tests.unit import scripted_estimate
from trainer.runs.lock import RunLock

DAY = 86_400.0


def past() -> None:
    """Three runs that have ended."""
    finished("brave-finch", 5 * 3600, 0.531, 1, epochs=6)
    finished("gentle-moth", 2 * DAY, 0.412, 2, epochs=3, lr=1e-4)
    failed("odd-lynx", 3 * DAY)


async def test_no_run(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(studio, "train", None, monkeypatch) as (_, pilot):
        await studio.take(pilot, "train-empty", "No run yet")


async def test_a_run_that_goes_on(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    past()
    run = created("calm-otter", 62.0, 0, epochs=6)
    with RunLock(run.folder):
        tell(run, 62.0, 128, 0.5, None)
        async with opened(studio, "train", None, monkeypatch) as (_, pilot):
            await studio.take(pilot, "train-running", "calm-otter", "128/210", "CPU")
            await pilot.press("down", "space", "up")
            await studio.take(pilot, "train-pinned", "1 pinned", "128/210")
            await pilot.press("tab", "left", "left")
            await studio.take(pilot, "train-cursor")


async def test_runs_that_have_ended(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    past()
    async with opened(studio, "train", None, monkeypatch) as (app, pilot):
        await studio.take(pilot, "train-finished", "brave-finch", "gentle-moth", "odd-lynx", "210/210")
        place = app.screen
        assert isinstance(place, TrainScreen)
        await pilot.press("v")
        await studio.take(pilot, "train-evaluation", "approval", "− missed")
        for name, says in (("levels", "Sentiment"), ("calibration", "◆ approval"), ("confusions", "wrongly said")):
            await pilot.press("m")
            await studio.take(pilot, f"train-{name}", says)
        await pilot.press("m")
        await pilot.press("v")
        await studio.take(pilot, "train-config", "22,723,996")
        await pilot.press("v")
        await studio.take(pilot, "train-log", "finished")
        await pilot.press("v", "down", "down")
        await studio.take(pilot, "train-failed", "not a number")
        assert place.query_one(TabbedContent).active == "live"


async def test_the_dialogs(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    past()
    async with opened(studio, "train", None, monkeypatch) as (app, pilot):
        await studio.until(pilot, lambda: len(app.runs.runs) == 3 and isinstance(app.screen, TrainScreen))
        place = app.screen
        await pilot.press("space", "down", "c")
        await studio.until(pilot, lambda: "resample" in str(app.screen.query_one("#page", Static).render()))
        await studio.take(pilot, "train-compare", "Settings that differ", "gentle-moth")
        await pilot.press("G")
        await studio.take(pilot, "train-compare-emotions")
        await pilot.press("escape", "up", "e")
        await studio.take(pilot, "train-about", "ame")
        await pilot.press("escape", "escape", "d")
        await studio.take(pilot, "train-delete", "elete")
        await pilot.press("escape", "x", "v")
        table = place.query_one(ScoreTable)
        await studio.until(pilot, lambda: table.row_count == 28)
        table.focus()
        await pilot.press("enter")
        await studio.take(pilot, "train-errors", "said wrongly", "%")


async def test_the_form(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    past()
    monkeypatch.setattr(EstimateLine.__init__, "__defaults__", (scripted_estimate.command("measures"), "estimate"))
    async with opened(studio, "train", None, monkeypatch) as (app, pilot):
        await studio.until(pilot, lambda: len(app.runs.runs) == 3)
        await pilot.press("n")
        await studio.take(pilot, "train-form", "epochs", "of disk", "free", "1,120 train")
        await pilot.press("ctrl+e")
        await studio.take(pilot, "train-form-estimate", "steps/s")
        if not app.screen.query_one("#advanced").display:  # open from the start where there is room
            app.screen.query_one("#more", Button).press()
        await studio.until(pilot, lambda: app.screen.query_one("#advanced").display)
        app.screen.query_one("#row-epochs Input").focus()
        await pilot.press("home", "shift+end", *"5000")
        await studio.take(pilot, "train-form-wrong", "1000")
        await pilot.press("home", "shift+end", *"5")
        app.screen.query_one("#row-warmup Input").focus()
        await studio.take(pilot, "train-form-advanced", "warmup")
