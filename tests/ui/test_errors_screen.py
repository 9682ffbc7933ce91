"""From a row of the scores to the comments behind it, and from one of those to Inspect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.screens.errors import ErrorsScreen, MistakeList
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.widgets.prompt import Prompt
from goemo_tui.widgets.score_table import ScoreTable
from tests.ui.train_story import ended, opened, shown, toasts, until
from tests.unit.test_errors import RIGHT, TSV, scored
from trainer.runs.events import EventLog
from trainer.runs.run import Run

SAYS = {**RIGHT, 1: {"joy": 0.1, "love": 0.7}, 3: {"joy": 0.95, "neutral": 0.6}}
WRONG = {"joy": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2, "threshold": 0.4}}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("train", "dev"):
        (folder / f"{name}.tsv").write_text(TSV + "\x1b[2J[/s] so sad\t25\tx\n")
    made = scored(folder, {**SAYS, 5: {"joy": 0.5, "sadness": 0.9}})
    labels = {name: {**WRONG["joy"], "f1": f1} for name, f1 in (("joy", 0.5), ("love", 0.4))}
    with EventLog(made.folder / "events.jsonl") as log:
        log.append("validation", step=10, epoch=2, macro_f1=0.5, per_label=labels, best=True)
    yield made


async def scores(app: GoemoApp, pilot: Pilot[int], run: Run, rows: int = 2) -> ScoreTable:
    """The table of the run's scores, with as many emotions as it has."""
    await until(pilot, lambda: run.short in shown(app))
    await pilot.press("v")
    table = app.screen.query_one(ScoreTable)
    await until(pilot, lambda: table.row_count == rows)
    return table


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_enter_on_an_emotion_lists_what_was_wrong_and_enter_on_that_inspects_it(
    run: Run, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(InspectScreen, "ask", lambda self, *what: asked.append(what))
    async with opened(size) as (app, pilot):
        (await scores(app, pilot, run)).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and "nothing to see" in shown(app))
        text = shown(app)
        assert "all 3" in text and "+ said wrongly 2" in text and "− missed 1" in text and "what a joy" in text
        assert "␛[2J[/s] so sad" in text and "\x1b" not in text
        assert "said, but not so" in text and "neutral 60%" in text and "95%" in text
        await pilot.press("v", "v")
        await until(pilot, lambda: "nothing to see" not in shown(app) and "so, but not said" in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: "comment:" in toasts(app))
        assert app.clipboard == "what a joy"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and asked)
        assert asked == [("what a joy", run.id, "joy", "mistakes")], "and the emotion in question is explained there"


async def test_the_place_of_the_list_leads_back_to_the_row_that_was_looked_at(run: Run) -> None:
    async with opened((80, 24)) as (app, pilot):
        (await scores(app, pilot, run)).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and "nothing to see" in shown(app))
        for key in ("2", "backspace"):
            await pilot.press("g", "j", "enter")
            await until(pilot, lambda: isinstance(app.screen, InspectScreen) and "Backspace Back" in shown(app))
            inspect = cast(InspectScreen, app.screen)
            await until(pilot, lambda: inspect.query_one(Prompt).value == "what a joy")  # noqa: B023 - called at once
            assert app.focused is not inspect.query_one(Prompt)
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, ErrorsScreen))
            assert inspect.query_one(Prompt).value == "what a joy", "the key was no text"
            assert app.screen.query_one(MistakeList).highlighted == 1 and app.focused is app.screen.query_one(
                MistakeList
            )


async def test_a_click_opens_the_list_and_a_click_there_only_selects(run: Run) -> None:
    async with opened() as (app, pilot):
        await scores(app, pilot, run)
        await pilot.click(ScoreTable, offset=(4, 1))
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and "nothing to see" in shown(app))
        mistakes = app.screen.query_one(MistakeList)
        await pilot.click(MistakeList, offset=(10, 1))
        await until(pilot, lambda: mistakes.highlighted == 1)
        assert isinstance(app.screen, ErrorsScreen)
        await pilot.press("right")
        await until(pilot, lambda: "love · " in shown(app) and "nothing here" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_an_older_run_says_what_would_keep_its_scores() -> None:
    run = ended()
    async with opened((80, 24)) as (app, pilot):
        (await scores(app, pilot, run, 3)).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and "goemo-tui train" in shown(app))
        await pilot.press("right", "v", "enter", "y")  # nothing is there to be opened
        assert isinstance(app.screen, ErrorsScreen)
