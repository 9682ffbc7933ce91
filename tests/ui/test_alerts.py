"""A run that ends is told on whichever screen is open, and to the terminal in the way that was asked for."""

from __future__ import annotations

import pytest

from goemo_tui import alerting
from goemo_tui.remembered import read_state, write_state
from goemo_tui.services.alerts import Alert
from tests.ui.train_story import ended, opened, shown, tell, toasts, until, validate
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


@pytest.mark.parametrize("place", ["inspect", "train"])
async def test_an_end_is_told_on_every_screen(place: str) -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened() as (app, pilot):
            app.action_place(place)
            await until(pilot, lambda: app.current_mode == place and run.short in app.run_line)
            assert "has finished" not in toasts(app)
            log.append("warning", text="loss or gradient of a step up to step 5 was NaN or infinite: left out")
            await until(pilot, lambda: "NaN or infinite" in toasts(app))
            validate(log)
            log.append("finished", step=60)
            await until(pilot, lambda: f"{run.short} has finished, macro-F1 .502 on dev" in toasts(app))


async def test_a_stop_of_ones_own_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 5)
        monkeypatch.setattr("trainer.runs.process.stop", lambda run, timeout: log.append("stopped", step=5))
        async with opened() as (app, pilot):
            await until(pilot, lambda: "5/100" in shown(app))
            await pilot.press("s")
            await until(pilot, lambda: app.runs.runs[0].state == "stopped" and "stopped · r" in shown(app))
            assert "was stopped" not in toasts(app)


async def test_what_ended_while_nobody_looked_is_told_at_the_next_start() -> None:
    ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: app.alerts.greeted)
        assert "since you left" not in toasts(app), "it was seen to its end, or nobody has left yet"
    seen = read_state().of("train")["seen"]
    run = ended()
    write_state(read_state().keeping("train", seen={**seen, "at": seen["at"] - 5}))
    async with opened() as (app, pilot):
        await until(pilot, lambda: "since you left" in toasts(app))
        assert f"{run.short} ✓ .502" in toasts(app)


class Written:
    """What a driver is given."""

    def __init__(self) -> None:
        self.text = ""
        self.is_headless = True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(("how", "codes"), [("toast", ""), ("bell", "\a"), ("desktop", "\x1b]9;goemo: it has ended\a")])
async def test_bell_and_notification_go_to_the_terminal(how: str, codes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEMO_ALERTS", how)
    monkeypatch.delenv("TMUX", raising=False)
    alert = Alert("id", "Training", "it has ended", "information")
    async with opened() as (app, pilot):
        driver, written = app._driver, Written()
        with monkeypatch.context() as patch:
            patch.setattr(app, "_driver", written)
            alerting.tell(app, alert)
            assert written.text == "", "without a terminal nothing is written"
            written.is_headless = False
            alerting.tell(app, alert)
        assert written.text == codes and app._driver is driver
        await until(pilot, lambda: "it has ended" in toasts(app))
