"""What a training will take, as its form says it: disk at once, time when it is asked for, and no process that stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select

from goemo_tui.app import GoemoApp
from goemo_tui.screens.new_run import NewRunScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.services import offers
from goemo_tui.widgets.command_line import CommandLine
from goemo_tui.widgets.estimate_line import EstimateLine
from goemo_tui.widgets.setting_row import SettingRow
from tests.ui.train_story import opened, shown, tell, until
from tests.unit import scripted_estimate
from trainer.config import TrainConfig
from trainer.runs import forecast
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the form measure with a child that follows this script."""

    def use(how: str) -> None:
        monkeypatch.setattr(EstimateLine.__init__, "__defaults__", (scripted_estimate.command(how), "estimate"))

    return use


def row(app: GoemoApp, key: str) -> SettingRow:
    return app.screen.query_one(f"#row-{key}", SettingRow)


def line(app: GoemoApp) -> EstimateLine:
    return app.screen.query_one(EstimateLine)


def said(app: GoemoApp) -> str:
    return str(line(app).content)


async def form(app: GoemoApp, pilot: Pilot[int]) -> None:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
    await until(pilot, lambda: "of disk" in said(app) and "free" in said(app))


def gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_disk_is_told_at_once_and_time_when_it_was_measured(
    child: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    child("measures")
    monkeypatch.setattr("os.getloadavg", lambda: (9999.5, 1.0, 1.0))
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        assert said(app).startswith("up to 575 MB of disk (") and "^e measures the time" in said(app)
        app.screen.query_one("#more", Button).press()
        await until(pilot, lambda: app.screen.query("#row-deterministic .row--note"))
        row(app, "lora_rank").query_one(Input).value = "0"  # all is learned, and each checkpoint three times as large
        await until(pilot, lambda: said(app).startswith("up to 1.3 GB of disk ("))
        row(app, "lora_rank").query_one(Input).value = "16"
        row(app, "checkpoint_minutes").query_one(Input).value = "0"
        await until(pilot, lambda: said(app).startswith("up to 182 MB of disk ("))
        row(app, "checkpoint_minutes").query_one(Input).value = "2"
        await pilot.press("ctrl+e")
        await until(pilot, lambda: "steps/s on cpu (8 timed)" in said(app))
        assert said(app).startswith("≈ 30 s · 56 MB of disk (") and "1.7 steps/s" in shown(app)
        assert "busy (load 9999.5 on" in said(app)
        # epochs alone are reckoned, what bears on the speed has to be measured anew, and what was measured is kept
        row(app, "epochs").query_one(Input).value = "300"
        await until(pilot, lambda: said(app).startswith("≈ 40 min"))
        row(app, "batch_size").query_one(Input).value = "8"
        await until(pilot, lambda: "measures the time anew (batch_size changed)" in said(app))
        row(app, "batch_size").query_one(Input).value = "32"
        await until(pilot, lambda: said(app).startswith("≈ 40 min"))
        row(app, "epochs").query_one(Input).value = "0"
        await until(pilot, lambda: "once the settings are right" in said(app))
        await pilot.press("ctrl+e")
        assert line(app).measuring is None


async def test_a_measurement_can_be_stopped_by_key_and_by_mouse(child: Callable[[str], None]) -> None:
    child("hangs")
    async with opened() as (app, pilot):
        await form(app, pilot)
        button = app.screen.query_one("#measure", Button)
        for begin, end in (("ctrl+e", "#measure"), ("#estimate", "ctrl+e"), ("#measure", "#estimate")):
            await (pilot.click(begin) if begin.startswith("#") else pilot.press(begin))
            await until(pilot, lambda: "measuring: warming up · ^e stops" in said(app))
            assert str(button.label) == "Stop it"
            measurement = line(app).measuring
            assert measurement is not None and not gone(measurement.pid)
            await (pilot.click(end) if end.startswith("#") else pilot.press(end))
            await until(pilot, lambda: "^e measures the time" in said(app) and str(button.label) == "Estimate")
            assert gone(measurement.pid)


@pytest.mark.parametrize("how", ["form", "app"])
async def test_no_child_stays_when_the_form_or_the_app_is_left(how: str, child: Callable[[str], None]) -> None:
    child("hangs")
    async with opened() as (app, pilot):
        await form(app, pilot)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: "warming up" in said(app))
        measurement = line(app).measuring
        assert measurement is not None
        if how == "form":
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, TrainScreen) and gone(measurement.pid))
    assert gone(measurement.pid)


async def test_why_nothing_was_measured_is_said_and_it_can_be_tried_again(child: Callable[[str], None]) -> None:
    child("crashes")
    async with opened() as (app, pilot):
        await form(app, pilot)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: "✗ not measured" in said(app))
        assert "Killed for good" in said(app) and "^e tries again" in said(app)
        assert not app.screen.query_one("#start", Button).disabled
        child("measures")
        line(app)._command = scripted_estimate.command("measures")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: "≈ 30 s" in said(app))


async def test_a_disk_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goemo_tui.widgets.estimate_line.free_now", lambda: 10**8)
    assert forecast.free_now() != 10**8
    async with opened() as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: "(100 MB free)" in said(app) and "✗ not enough room" in said(app))


async def test_another_run_on_the_same_device_is_told(
    child: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    child("measures")
    found = [("auto", "auto", "best"), ("cuda:0", "cuda:0", "card"), ("cpu", "cpu", "Processor")]
    monkeypatch.setattr(offers, "device_choices", lambda: found)
    other = Run.create(TrainConfig(device="cpu"))
    with RunLock(other.folder), EventLog(other.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            await form(app, pilot)
            await until(pilot, lambda: row(app, "device").text == "best")
            row(app, "device").query_one(Select).value = "cpu"
            await until(pilot, lambda: app.screen.query_one(CommandLine).text.endswith("device=cpu"))
            await pilot.press("ctrl+e")
            await until(pilot, lambda: f"slower while {other.short} runs" in said(app))
            row(app, "device").query_one(Select).value = "cuda:0"
            await until(pilot, lambda: "(device changed)" in said(app))
            await pilot.press("ctrl+e")
            await until(pilot, lambda: "≈" in said(app))
            assert "slower" not in said(app)


async def test_where_nothing_can_be_kept_it_is_said_once_and_no_room_is_reckoned(
    child: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child("measures")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GOEMO_HOME", str(tmp_path / "file" / "goemo"))
    async with GoemoApp("sample").run_test(size=(120, 36)) as pilot:
        app = cast(GoemoApp, pilot.app)
        await pilot.press("2")
        told = [n.message for n in app._notifications if "nothing can be kept in" in n.message]
        assert len(told) == 1 and str(tmp_path) in told[0] and "GOEMO_HOME" in told[0]
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
        await until(pilot, lambda: "nothing can be kept in" in said(app))
        assert "of disk" not in said(app) and "enough room" not in said(app)


async def test_the_rows_are_those_that_the_limit_takes() -> None:
    async with opened((120, 36)) as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: "1,120 train" in shown(app))
        row(app, "limit").query_one(Input).value = "200"
        await until(pilot, lambda: "200 of 1,120 train" in shown(app))
        row(app, "limit").query_one(Input).value = "5000"
        await until(pilot, lambda: "of 1,120 train" not in shown(app) and "1,120 train" in shown(app))
