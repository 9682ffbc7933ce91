"""Train as a person uses it: runs that move, tabs, the form with its checks, stop and delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, Static, TabbedContent

from goemo_tui.app import GoemoApp
from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.data import DataScreen
from goemo_tui.screens.new_run import NewRunScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.services import new_run
from goemo_tui.widgets.curve import Curve
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.progress_line import ProgressLine
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.score_table import ScoreTable
from goemo_tui.widgets.setting_row import OTHER, SettingRow
from trainer.config import SETTINGS, TrainConfig
from trainer.errors import CorpusError
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.run import Run

HOSTILE = "[/s] \x1b[2J [@click=app.quit]x[/]"
PER_LABEL = {
    "joy": {"precision": 0.9, "recall": 0.5, "f1": 0.643, "support": 30, "threshold": 0.4},
    "fear": {"precision": 0.3, "recall": 0.8, "f1": 0.436, "support": 1200, "threshold": 0.2},
    HOSTILE: {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1, "threshold": 0.9},
}


def tell(log: EventLog, until_step: int, since: int = 0) -> None:
    if not since:
        log.append(
            "started", step=0, steps=100, epochs=2, rows={"train": 1120, "dev": 280}, device="cpu", parameters=5000
        )
    for step in range(since + 1, until_step + 1):
        log.append(
            "step", step=step, epoch=step / 50, loss=0.5 / step, lr=1.1e-4, grad_norm=0.7,
            examples_per_s=103.0, tokens_per_s=2100.0, eta_s=100.0,
        )  # fmt: skip


def validate(log: EventLog, step: int = 50, **more: Any) -> None:
    log.append(
        "validation", step=step, epoch=step // 50, loss=0.083, train_loss=0.08, macro_f1=0.502, micro_f1=0.6,
        weighted_f1=0.59, per_label=PER_LABEL, diagnosis="fits well", best=True, **more,
    )  # fmt: skip


def ended(**how: Any) -> Run:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 60)
        validate(log)
        log.append(how.pop("kind", "finished"), step=60, **how)
    return run


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (120, 36), data: str | None = None
) -> AsyncIterator[tuple[GoemoApp, Pilot[int]]]:
    app = GoemoApp(data)
    app.runs._interval = app.runs._idle_interval = 0.05
    async with app.run_test(size=size) as pilot:
        app.action_place("train")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen.is_mounted)
        yield app, pilot


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(1000):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def shown(app: GoemoApp) -> str:
    """The screen as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_without_a_run_it_says_which_key_makes_one() -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "press n" in shown(app))
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


async def test_nothing_is_painted_when_nothing_changed_and_few_rows_for_a_step() -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 60)
        async with opened() as (app, pilot):
            await until(pilot, lambda: "60/100" in shown(app))
            screen = app.screen
            assert isinstance(screen, TrainScreen) and screen.selected is not None
            assert screen.query_one(Live).show(screen.selected) == 0
            assert screen.query_one(RunList).show(app.runs.runs) == 0
            view = screen.selected
            app.runs.stop()
            tell(log, 61, since=60)
            told = app.runs.look()
            assert told is not None
            assert told.runs[0] != view
            assert 0 < screen.query_one(Live).show(told.runs[0]) <= 12


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
        await pilot.press("o")  # support
        assert names()[0] == "fear"
        await pilot.press("O")
        assert "[/s]" in names()[0] and "\x1b" not in names()[0]
        text = shown(app)
        assert "macro-F1 .502" in text and "1,200" in text and ".643" in text and "support" in text


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
    ended(**how)
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
            assert "no checkpoint yet" in shown(app) and "the worker is loading" in shown(app)
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
        await until(pilot, lambda: "press n" in shown(app))
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


# The form


def row(app: GoemoApp, key: str) -> SettingRow:
    return app.screen.query_one(f"#row-{key}", SettingRow)


def command(app: GoemoApp) -> str:
    return str(app.screen.query_one("#command", Static).content)


async def form(app: GoemoApp, pilot: Pilot[int]) -> None:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
    await pilot.pause()


async def test_the_form_shows_every_setting_with_its_default_range_and_meaning() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        assert {r.key for r in app.screen.query(SettingRow)} == set(SETTINGS)
        assert "1 to 1000 · how often" in shown(app) and row(app, "epochs").value == "3"
        assert "weight_decay" not in shown(app)
        app.screen.query_one("#more", Button).press()
        await until(pilot, lambda: app.screen.query_one("#advanced").display)
        app.screen.query_one("#row-clip").scroll_visible(animate=False)
        await until(pilot, lambda: "largest gradient norm" in shown(app))


async def test_a_wrong_value_is_named_beside_its_field_and_nothing_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_run, "begin", lambda *_: pytest.fail("it started"))
    async with opened() as (app, pilot):
        await form(app, pilot)
        field = row(app, "epochs").query_one(Input)
        field.focus()
        await pilot.pause()
        field.value = "0"
        await until(pilot, lambda: "✗ 0 is out of range: 1 to 1000" in shown(app))
        assert app.screen.query_one("#start", Button).disabled
        assert "epochs" in command(app) and "goemo-tui" not in command(app)
        await pilot.press("ctrl+s")
        assert isinstance(app.screen, NewRunScreen)
        field.value = "2"
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled)
        assert command(app) == "$ goemo-tui train --data sample --set epochs=2"


async def test_the_form_takes_the_corpus_that_is_open_in_data(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for split in ("train", "dev"):
        (mine / f"{split}.tsv").write_text("so good\t17\tid1\nso bad\t2\tid2\n")
    async with opened() as (app, pilot):
        app.action_place("data")
        await until(pilot, lambda: isinstance(app.screen, DataScreen) and app.screen.opened is not None)
        assert isinstance(app.screen, DataScreen)
        app.screen.open(str(mine))
        await until(pilot, lambda: app.data == str(mine))
        app.screen.open("sample")
        await until(pilot, lambda: app.data == "sample")
        app.screen.open(str(mine))
        await until(pilot, lambda: app.data == str(mine))
        app.action_place("train")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await form(app, pilot)
        assert row(app, "data").value == str(mine)
        assert command(app) == f"$ goemo-tui train --data {mine}"
        await until(pilot, lambda: row(app, "data").text == "2 train · 2 dev")
        select = row(app, "data").query_one(Select)
        assert {"sample", str(mine)} <= {value for _, value in select._options}
        select.value = "sample"
        await until(pilot, lambda: command(app) == "$ goemo-tui train --data sample")


async def test_the_form_offers_what_was_opened_before(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with opened() as (app, pilot):
        app.remembered = app.remembered.opened(str(tmp_path / "other"))
        await form(app, pilot)
        assert row(app, "data").value == "sample"
        select = row(app, "data").query_one(Select)
        await until(pilot, lambda: str(tmp_path / "other") in {value for _, value in select._options})


async def test_a_corpus_that_cannot_be_opened_is_preset_with_what_is_wrong(tmp_path: Path) -> None:
    async with opened(data=str(tmp_path / "gone")) as (app, pilot):
        await form(app, pilot)
        assert row(app, "data").value == str(tmp_path / "gone")
        await until(pilot, lambda: "no corpus at" in row(app, "data").text and row(app, "data").has_class("-wrong"))
        row(app, "epochs").query_one(Input).value = "2"
        await until(pilot, lambda: "epochs=2" in command(app))
        assert row(app, "data").has_class("-wrong"), "it stays said while another field changes"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "no corpus at" in str(app.screen.query_one("#status", Static).content))
        assert isinstance(app.screen, NewRunScreen) and not app.runs.runs
        row(app, "data").query_one(Select).value = "sample"
        await until(pilot, lambda: "train ·" in row(app, "data").text and not row(app, "data").has_class("-wrong"))


async def test_keys_in_a_field_are_text_and_enter_goes_on() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "device").query_one(Select).focus()
        row(app, "limit").query_one(Input).focus()
        await pilot.press("q", "1")
        assert row(app, "limit").value == "q1" and isinstance(app.screen, NewRunScreen)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.focused is row(app, "seed").query_one(Input))
        await pilot.press("escape")
        assert isinstance(app.screen, NewRunScreen) and not isinstance(app.screen.focused, Input)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_a_recipe_refills_the_form_and_keeps_what_is_no_part_of_it() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "seed").query_one(Input).value = "7"
        row(app, "recipe").query_one(Select).value = "notebook"
        await until(pilot, lambda: row(app, "max_length").value == "128")
        assert row(app, "lr").value == "2e-05" and row(app, "seed").value == "7"
        assert row(app, "encoder").value == "distilbert"
        await until(pilot, lambda: "seed=7" in command(app))
        assert command(app) == "$ goemo-tui train --data sample --recipe notebook --set seed=7"


async def test_what_the_encoder_is_made_of_is_shown_and_its_rate_follows(tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "encoder").query_one(Select).value = OTHER
        await until(pilot, lambda: isinstance(app.screen.focused, Input))
        row(app, "encoder").query_one(Input).value = str(tmp_path / "nowhere")
        await until(pilot, lambda: "no such folder" in row(app, "encoder").text)


async def test_a_busy_device_is_offered_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [("auto", "auto", "best"), ("cuda:0", "cuda:0 (busy)", "cuda:0 · H100 · busy: 1 process")]
    monkeypatch.setattr(new_run, "device_choices", lambda: found)
    async with opened() as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: row(app, "device").text == "best")
        row(app, "device").query_one(Select).value = "cuda:0"
        await until(pilot, lambda: "busy: 1 process" in row(app, "device").text)
        assert "--set device=cuda:0" in command(app)


async def test_an_error_at_the_start_is_shown_in_the_form_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(draft: new_run.Draft, say: Callable[[str], None]) -> str:
        raise CorpusError(f"train.tsv is refused: {HOSTILE}")

    monkeypatch.setattr(new_run, "begin", begin)
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "epochs").query_one(Input).value = "5"
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "train.tsv is refused" in shown(app))
        assert row(app, "epochs").value == "5" and not app.screen.query_one("#start", Button).disabled


async def test_a_start_makes_the_run_that_was_asked_for_and_selects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Run] = []
    monkeypatch.setattr("trainer.runs.process.start", lambda run: started.append(run))
    older = ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: older.short in shown(app))
        await form(app, pilot)
        row(app, "epochs").query_one(Input).value = "2"
        row(app, "clip").query_one(Input).value = "0.5"
        await until(pilot, lambda: "clip=0.5" in command(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        assert len(started) == 1
        config = Run.open(started[0].id).config
        assert (config.epochs, config.clip, config.data, config.recipe) == (2, 0.5, "sample", "goemo")
        assert Run.open(started[0].id).record["corpus"]["sha256"]
        await until(pilot, lambda: app.screen.query_one(RunList).run_id == started[0].id)
