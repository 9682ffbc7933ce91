"""Train as a person uses it: runs that move, tabs, stop and delete."""

from __future__ import annotations

import pytest
from textual.widgets import TabbedContent, Tabs

from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.help import HelpScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.widgets.curve import Curve
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.progress_line import ProgressLine
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.score_table import ScoreTable
from tests.ui.train_story import HOSTILE, ended, kept, opened, shown, tell, until, validate
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.run import Run


async def test_without_a_run_it_says_which_key_makes_one() -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "n opens a form" in shown(app))
        assert not app.screen.query_one(TabbedContent).display


@pytest.mark.parametrize(("size", "beside"), [((80, 24), False), ((120, 36), True)])
async def test_a_running_run_is_drawn_and_moves(size: tuple[int, int], beside: bool) -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 60)
        validate(log)
        async with opened(size) as (app, pilot):
            await until(pilot, lambda: "60/100" in shown(app))
            text = shown(app)
            for piece in (
                run.short,
                "running",
                "goemo recipe",
                "epoch 2/2",
                "60%",
                "1m40s left",
                "103 ex/s",
                "2.1k tok/s",
            ):
                assert piece in text, piece
            for piece in ("lr 1.1e-4", "grad 0.70", "train .080", "dev .083", "F1 .502", "fits well", "step", "epoch"):
                assert piece in text, piece
            assert any(0x2800 < ord(char) < 0x2900 for char in text), "a curve in braille"
            loss, score = app.screen.query_one("#loss-chart", Curve), app.screen.query_one("#score-chart", Curve)
            assert (loss.region.y == score.region.y) is beside
            tell(log, 61, since=60)
            await until(pilot, lambda: "61/100" in shown(app))
            assert "61%" in app.run_line and run.short in app.run_line and app.run_id == run.id


async def test_nothing_is_painted_when_nothing_changed_and_few_rows_for_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 60)
        async with opened() as (app, pilot):
            await until(pilot, lambda: "60/100" in shown(app))
            screen = app.screen
            assert isinstance(screen, TrainScreen) and screen.selected is not None
            monkeypatch.setattr(app.machine, "samples", lambda run_id: ())  # the machine tells something every second
            screen.query_one(Live).show(screen.selected)
            assert screen.query_one(Live).show(screen.selected) == 0
            assert screen.query_one(RunList).show(app.runs.runs) == 0
            view = screen.selected
            app.runs.stop()
            tell(log, 61, since=60)
            told = app.runs.look()  # None where a last look in its thread came before
            now = (told.runs if told is not None else app.runs.runs)[0]
            assert now != view
            assert 0 < screen.query_one(Live).show(now) <= 12


async def test_the_scores_can_be_sorted_by_any_column_and_hostile_names_stay_text() -> None:
    ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: "F1 .502" in shown(app))
        await pilot.press("v")
        table = app.screen.query_one(ScoreTable)
        await until(pilot, lambda: table.row_count == 3)

        def names() -> list[str]:
            return [str(table.get_row_at(i)[0]) for i in range(3)]

        assert names()[0] == "joy"
        await until(
            pilot, lambda: "no intervals" in shown(app) and not any(key == "interval" for key, _ in table.columns_shown)
        )
        await pilot.press("o")  # support
        assert names()[0] == "fear"
        await pilot.press("O")
        assert "[/s]" in names()[0] and "\x1b" not in names()[0]
        text = shown(app)
        assert "macro-F1 .502" in text and "1,200" in text and ".643" in text and "support" in text


async def test_from_the_tabs_down_or_enter_goes_into_what_is_open_and_the_help_says_so() -> None:
    ended()
    async with opened((80, 24)) as (app, pilot):
        tabs = app.screen.query_one(Tabs)
        app.screen.query_one(TabbedContent).active = "evaluation"
        await until(pilot, lambda: app.screen.query_one(ScoreTable).row_count == 3)
        for key in ("down", "enter", "j"):
            tabs.focus()
            await until(pilot, lambda: app.focused is tabs)
            await pilot.press(key)
            await until(pilot, lambda: app.focused is app.screen.query_one(ScoreTable))
        tabs.focus()
        await until(pilot, lambda: app.focused is tabs)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "Here" in shown(app) and "The views of the selected run" in shown(app))


async def test_config_and_log_tell_what_was_asked_and_what_happened() -> None:
    run = ended(seconds=100.0)
    (run.folder / "worker.log").write_text(f"loading minilm\n{HOSTILE}\n")
    async with opened((120, 60)) as (app, pilot):
        await until(pilot, lambda: "F1 .502" in shown(app))
        await pilot.press("v", "v")
        await until(pilot, lambda: "weight_decay" in shown(app))
        assert "5k (5,000)" in shown(app) and "1,120 train" in shown(app)
        await pilot.press("v")
        await until(pilot, lambda: "loading minilm" in shown(app))
        text = shown(app)
        assert "finished after 1m40s" in text and "dev macro-F1 .502" in text and "␛[2J" in text


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"kind": "failed", "error": HOSTILE, "reason": "nan"}, "NaN loss"),
        ({"kind": "stopped"}, "r resumes"),
    ],
)
async def test_runs_that_ended_say_how_and_what_to_do(how: dict[str, str], said: str) -> None:
    kept(ended(**how))
    async with opened() as (app, pilot):
        await until(pilot, lambda: said in shown(app))


async def test_stop_asks_the_worker_and_shows_it() -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            await until(pilot, lambda: "5/100" in shown(app))
            stops: list[str] = []

            def stop(asked: Run, timeout: float) -> None:
                stops.append(asked.id)
                from trainer.runs.lock import request_stop

                request_stop(asked.folder)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("trainer.runs.process.stop", stop)  # the real one would send this process a signal
                await pilot.press("s")
                await until(pilot, lambda: "stopping" in shown(app))
            assert stops == [run.id] and stop_requested(run.folder)
            log.append("stopped", step=5)
    assert run.state == "stopped"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_resumed_run_says_from_where_and_what_it_waits_for(size: tuple[int, int]) -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 28)
        log.append("checkpoint", step=20)
        log.append("stopped", step=28)
    kept(run, step=20)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        async with opened(size) as (app, pilot):
            await until(pilot, lambda: "resumes from step 20/100" in shown(app))
            assert "the worker is loading the corpus and the encoder" in shown(app)
            assert "ex/s" not in shown(app) and "left" not in shown(app)
            log.append("resumed", step=20, epoch=0, steps=100, epochs=2)
            await until(pilot, lambda: "resumed, the next step is under way" in shown(app))
            assert "ex/s" not in shown(app) and "– left" not in shown(app)
            tell(log, 21, since=20)
            await until(pilot, lambda: "21/100  1m40s left" in shown(app) and "103 ex/s" in shown(app))


async def test_a_run_resumed_without_a_checkpoint_says_that_it_begins_anew() -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 3)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        async with opened() as (app, pilot):
            await until(pilot, lambda: "resumes from step 0/100" in shown(app))
            assert "no checkpoint: from the start" in shown(app) and "the worker is loading" in shown(app)
            log.append("started", step=0, steps=100, epochs=2)
            await until(pilot, lambda: "the first step is under way" in shown(app))


async def test_delete_asks_first_and_never_offers_a_living_run() -> None:
    run = ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert run.short in shown(app)
        await pilot.press("enter")  # the safe answer has the focus
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        assert run.folder.exists()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "n opens a form" in shown(app))
        assert not run.folder.exists()
    living = Run.create(TrainConfig())
    with RunLock(living.folder), EventLog(living.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            await until(pilot, lambda: "5/100" in shown(app))
            await pilot.press("d")
            assert isinstance(app.screen, TrainScreen)


async def test_the_arrows_choose_which_run_is_shown() -> None:
    first, second = ended(), ended(kind="stopped")
    async with opened() as (app, pilot):
        await until(pilot, lambda: first.short in shown(app) and second.short in shown(app))
        runs = app.screen.query_one(RunList)
        runs.focus()
        start = runs.run_id
        await pilot.press("down")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen._chosen not in (None, start))
        assert isinstance(app.screen, TrainScreen) and app.screen.selected is not None
        assert f"{app.screen.selected.short} · {app.screen.selected.state}" in shown(app)
        assert app.screen.query_one(ProgressLine).progress.tail.startswith("60/100")
