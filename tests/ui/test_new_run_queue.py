"""The form's row `start`: at once, after another run, or when a GPU is free; and what is said after a start."""

from __future__ import annotations

import threading

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens.new_run import NewRunScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.services import new_run, offers
from goemo_tui.services.new_run import WHEN_FREE, Started
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.setting_row import SettingRow
from tests.ui.train_story import HOSTILE, ended, opened, shown, tell, until
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.queue import Queue
from trainer.runs.run import Run

PROCESSOR = ("cpu", "cpu", "cpu · Processor")
CARD = ("cuda:0", "cuda:0 (busy)", "cuda:0 · Card · busy: 1 process")


def start_row(app: GoemoApp) -> SettingRow:
    return app.screen.query_one("#row-start", SettingRow)


def offered(app: GoemoApp) -> list[str]:
    return [str(label) for label, _ in start_row(app).query_one(Select)._options]


def choose(app: GoemoApp, value: str) -> None:
    start_row(app).query_one(Select).value = value


def command(app: GoemoApp) -> str:
    return str(app.screen.query_one("#command", Static).content)


async def form(app: GoemoApp, pilot: Pilot[int]) -> None:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
    await pilot.pause()


@pytest.fixture
def one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "device_choices", lambda: [("auto", "auto", "the best"), CARD, PROCESSOR])


async def test_without_runs_and_gpus_a_training_starts_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "device_choices", lambda: [("auto", "auto", "the best"), PROCESSOR])
    ended()
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        device = app.screen.query_one("#row-device", SettingRow)
        await until(pilot, lambda: device.text == "the best")
        assert offered(app) == ["now"] and start_row(app).value == "now"
        assert command(app) == "$ goemo-tui train --data sample"
        text = shown(app)
        assert "start" in text and "at once, whatever else is running" in text, "it is seen without scrolling"
        assert "max_length" in text and "advanced settings" in text, "and so is all that was there before"


@pytest.mark.usefixtures("one_card")
async def test_living_runs_can_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Run] = []
    monkeypatch.setattr("trainer.runs.process.start", lambda run: started.append(run))
    over, first, second = ended(), Run.create(TrainConfig()), Run.create(TrainConfig())
    with RunLock(first.folder), EventLog(first.folder / "events.jsonl") as log:
        tell(log, 5)
        with RunLock(second.folder):
            async with opened() as (app, pilot):
                await until(pilot, lambda: over.short in shown(app) and first.short in shown(app))
                await form(app, pilot)
                await until(pilot, lambda: len(offered(app)) == 4)
                names = [f"after {run.short}" for run in app.runs.runs if run.living]
                assert len(names) == 2 and offered(app) == ["now", "when a GPU is free", *names]
                choose(app, first.id)
                await until(pilot, lambda: f"--after {first.id}" in command(app))
                assert f"waits until {first.short} has ended" in shown(app)
                recipe = app.screen.query_one("#row-recipe", SettingRow)
                recipe.query_one(Select).value = "notebook"
                await until(pilot, lambda: "--recipe notebook" in command(app))
                assert command(app).endswith(f"--after {first.id}"), "a recipe says nothing of when"
                recipe.query_one(Select).value = "goemo"
                await until(pilot, lambda: "--recipe" not in command(app))
                await pilot.press("ctrl+s")
                await until(pilot, lambda: isinstance(app.screen, TrainScreen))
                assert Queue.of(Run.open(started[0].id)) == Queue(first.id)
                await until(pilot, lambda: app.screen.query_one(RunList).run_id == started[0].id)


async def test_a_run_that_waits_is_selected_after_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is seen in the list before the form is gone, and tells nothing new while it waits."""
    made: list[Run] = []
    seen = threading.Event()

    def start(run: Run) -> None:
        made.append(run)
        assert seen.wait(30)

    monkeypatch.setattr("trainer.runs.process.start", start)
    first = Run.create(TrainConfig())
    with RunLock(first.folder), EventLog(first.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            train = app.screen
            assert isinstance(train, TrainScreen)
            await form(app, pilot)
            await until(pilot, lambda: f"after {first.short}" in offered(app))
            choose(app, first.id)
            await until(pilot, lambda: f"--after {first.id}" in command(app))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: made)
            with RunLock(made[0].folder), EventLog(made[0].folder / "events.jsonl") as its_log:
                its_log.append("waiting", on="run calm-otter to end")
                await until(pilot, lambda: [r.state for r in train._runs.values() if r.id == made[0].id] == ["waiting"])
                seen.set()
                await until(pilot, lambda: app.screen is train)
                await until(pilot, lambda: train.selected is not None and train.selected.id == made[0].id)
                await until(pilot, lambda: "takes it out of the queue" in " ".join(shown(app).split()))


async def test_a_run_that_ends_while_the_form_is_open_is_said_to_have() -> None:
    first, second = Run.create(TrainConfig()), Run.create(TrainConfig())
    with RunLock(first.folder), EventLog(first.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            await form(app, pilot)
            await until(pilot, lambda: f"after {first.short}" in offered(app))
            with RunLock(second.folder), EventLog(second.folder / "events.jsonl") as other:
                choose(app, first.id)
                await until(pilot, lambda: f"--after {first.id}" in command(app))
                log.append("finished", step=100, epoch=2)
                await until(pilot, lambda: "has ended by now" in shown(app))
                assert start_row(app).value == first.id and f"--after {first.id}" in command(app)
                choose(app, "now")
                await until(pilot, lambda: "--after" not in command(app))
                other.append("stopped", step=1)
            await until(pilot, lambda: offered(app) == ["now"])


@pytest.mark.usefixtures("one_card")
async def test_a_training_can_wait_for_a_free_gpu_but_not_on_the_processor() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: offered(app) == ["now", "when a GPU is free"])
        choose(app, WHEN_FREE)
        await until(pilot, lambda: command(app) == "$ goemo-tui train --data sample --when-free")
        app.screen.query_one("#row-device", SettingRow).query_one(Select).value = "cpu"
        await until(pilot, lambda: "✗" in shown(app) and app.screen.query_one("#start", Button).disabled)
        assert "does not wait for a GPU" in app.screen.query_one("#row-device", SettingRow).text
        choose(app, "now")
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled)


async def test_what_there_is_to_know_about_a_start_is_said_on_the_train_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended()
    warnings = (f"the end of this login ends the run {HOSTILE}", "the disk is nearly full")
    monkeypatch.setattr(new_run, "begin", lambda draft, say: Started(run.id, warnings))
    app = GoemoApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.action_place("train")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen.is_mounted)
        await form(app, pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await until(pilot, lambda: "the disk is nearly full" in shown(app) and "the end of this login" in shown(app))
        assert "[/s]" in shown(app) and "\x1b" not in shown(app)
        assert [toast.severity for toast in app._notifications] == ["warning", "warning"]


async def test_retries_and_deterministic_are_rows_of_the_form() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        app.screen.query_one("#row-retries", SettingRow).query_one(Input).value = "3"
        app.screen.query_one("#row-deterministic", SettingRow).query_one(Select).value = "true"
        await until(pilot, lambda: command(app).endswith("--set retries=3 --set deterministic=true"))
