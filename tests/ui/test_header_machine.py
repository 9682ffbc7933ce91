"""The header's right side: the run first, and of the GPU what it leaves room for."""

from __future__ import annotations

import pytest

from goemo_tui.widgets.header import GoemoHeader, RunLine, shortened
from goemo_tui.widgets.run_list import RunList
from tests.ui.train_story import opened, shown, tell, until
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

RUN, GPU = "● calm-otter 2/3 61% 1m40s left", "GPU 87% 9.1/80 GB"


def test_the_gpu_is_shown_whole_or_short_or_not_at_all() -> None:
    assert shortened(GPU, 17) == GPU
    assert shortened(GPU, 16) == "GPU 87%" == shortened(GPU, 7)
    assert shortened(GPU, 6) == "" == shortened("", 6)


def finish(run: Run) -> None:
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 100)
        log.append("finished", step=100)


@pytest.mark.parametrize(("size", "gpu"), [((80, 24), "GPU 87%"), ((120, 36), GPU)])
async def test_both_can_be_read(size: tuple[int, int], gpu: str) -> None:
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: "[3]Inspect" in shown(app))
        app.run_line, app.machine_line = RUN, GPU
        await until(pilot, lambda: gpu in shown(app).splitlines()[0])
        line = shown(app).splitlines()[0]
        assert RUN in line and line.rstrip().endswith(gpu)
        app.run_line = ""
        await until(pilot, lambda: GPU in shown(app).splitlines()[0])  # nothing runs: there is room for all
        app.machine_line = ""
        await until(pilot, lambda: "GPU" not in shown(app))


async def test_a_click_on_the_running_run_goes_to_it() -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 10)
        newer = [Run.create(TrainConfig()) for _ in range(2)]
        for other in newer:
            finish(other)
        async with opened() as (app, pilot):
            await until(pilot, lambda: run.short in shown(app).splitlines()[0])
            runs = app.screen.query_one(RunList)
            runs.choose(newer[0].id)
            await until(pilot, lambda: runs.run_id == newer[0].id)
            await pilot.press("1")
            await until(pilot, lambda: app.current_mode == "data" and run.short in shown(app).splitlines()[0])
            await pilot.click(app.screen.query_one(RunLine), offset=(app.screen.query_one(RunLine).size.width - 2, 0))
            await until(pilot, lambda: app.current_mode == "train" and runs.run_id == run.id)


async def test_a_digit_more_or_less_lays_nothing_out() -> None:
    async with opened() as (app, pilot):
        app.machine_line = GPU
        await until(pilot, lambda: GPU in shown(app))
        place = app.screen.query_one(GoemoHeader).query_one(".header--machine")
        width = place.size.width
        app.machine_line = "GPU 7% 9.1/80 GB"
        await until(pilot, lambda: "GPU 7%" in shown(app))
        assert place.size.width == width
