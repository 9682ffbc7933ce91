"""The charts of Live as a person uses them: cursor, zoom, log scale, smoothing, pinned runs, small curves, advice."""

from __future__ import annotations

import json
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.services.gpu import Gpu
from goemo_tui.services.machine import MachineWatch, Sample, Sampled
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.curve import Curve
from goemo_tui.widgets.gauges import gauges
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.run_progress import advice_for
from goemo_tui.widgets.sparks import Sparks, needed
from tests.ui.train_story import HOSTILE, opened, shown, tell, until, validate
from trainer.config import TrainConfig
from trainer.runs import about
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


@asynccontextmanager
async def living(
    size: tuple[int, int] = (120, 36), steps: int = 60, **config: Any
) -> AsyncIterator[tuple[GoemoApp, Pilot[int], Run, EventLog]]:
    run = Run.create(TrainConfig(epochs=2, **config))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, steps)
        if steps >= 50:
            validate(log)
        async with opened(size) as (app, pilot):
            await until(pilot, lambda: f"{steps}/100" in shown(app))
            yield app, pilot, run, log


def title(app: GoemoApp, chart: str = "#loss-chart") -> str:
    rows = app.screen.query_one(chart, Curve)._rows
    return "".join(text for text, _ in rows[0])


def body(app: GoemoApp, chart: str = "#loss-chart") -> str:
    return "\n".join("".join(text for text, _ in row) for row in app.screen.query_one(chart, Curve)._rows[1:])


async def test_the_heading_and_the_line_below_never_give_two_figures_one_name() -> None:
    async with living() as (app, pilot, *_):
        await until(pilot, lambda: "━ " in title(app))
        assert "◆ dev .083" in title(app) and "train" not in title(app)
        assert "epoch 1  train .080  dev .083  F1 .502" in shown(app)


async def test_a_quiet_run_is_drawn_for_the_room_that_there_is_now() -> None:
    async with living((80, 24)) as (app, pilot, *_):
        await until(pilot, lambda: "●" in title(app, "#score-chart"))
        assert "○" not in title(app, "#score-chart"), "no room for micro-F1"
        await pilot.resize_terminal(120, 36)  # and nothing new is told by the run
        await until(pilot, lambda: "○" in title(app, "#score-chart"))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "○" not in title(app, "#score-chart"))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_cursor_reads_step_epoch_raw_smoothed_and_dev(size: tuple[int, int]) -> None:
    async with living(size) as (app, pilot, *_):
        chart = app.screen.query_one("#loss-chart", Curve)
        chart.focus()
        await until(pilot, lambda: title(app).startswith("▸ ") and "60" in title(app))
        for piece in ("1.2", "⣿", ".008", "━", "◆", ".083"):  # 0.5 / 60
            assert piece in title(app), piece
        await pilot.press("home")
        await until(pilot, lambda: ".500" in title(app))
        assert chart.cursor == 1
        assert "◆" not in title(app)  # dev was not scored yet
        await pilot.press("l")
        second = chart.cursor
        assert second is not None and second > 1
        await pilot.press("w", "shift+right")
        assert chart.cursor is not None and chart.cursor > second + 5
        await pilot.press("h", "b", "left", "g")
        assert chart.cursor == 1
        await pilot.press("end")
        assert chart.cursor == 60
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.focused, RunList))
        await until(pilot, lambda: title(app).startswith("loss") and "━ " in title(app))
        assert chart.cursor is None


async def test_tab_comes_to_the_charts_and_the_scores_have_a_cursor_too() -> None:
    async with living() as (app, pilot, *_):
        for _ in range(8):
            await pilot.press("tab")
            if app.focused is app.screen.query_one("#score-chart", Curve):
                break
        await until(pilot, lambda: title(app, "#score-chart").startswith("▸ "))
        assert not title(app).startswith("▸")
        for piece in ("ep 1", "● .502", "○ .600"):
            assert piece in title(app, "#score-chart"), piece


async def test_keys_zoom_in_and_out_and_the_window_follows_the_cursor() -> None:
    async with living(steps=100) as (app, pilot, *_):
        chart = app.screen.query_one("#loss-chart", Curve)
        chart.focus()
        await pilot.press("home", "z", "z")
        await until(pilot, lambda: not chart.zoom.whole)
        low, high = chart.zoom.within(0, 100)
        assert high - low == pytest.approx(25) and low <= 1
        await pilot.press(*("w",) * 6)  # beyond the window
        assert chart.cursor is not None
        low, high = chart.zoom.within(0, 100)
        assert low > 1 and low <= chart.cursor <= high and high - low == pytest.approx(25)
        await pilot.press("escape")
        await until(pilot, lambda: "zoom" in title(app))
        await pilot.press("Z", "backspace")
        assert chart.zoom.whole
        chart.focus()
        for _ in range(12):
            await pilot.press("z")
        low, high = chart.zoom.within(0, 100)
        assert 0 < high - low <= 4  # and no closer: three points are always there
        assert body(app).strip()


async def test_the_mouse_reads_zooms_and_picks_a_part() -> None:
    async with living(steps=100) as (app, pilot, *_):
        chart = app.screen.query_one("#loss-chart", Curve)
        await pilot.hover(chart, offset=(20, 5))
        await until(pilot, lambda: chart.cursor is not None and "⣿ ." in title(app))
        assert app.focused is not chart
        await pilot._post_mouse_events([MouseScrollUp], chart, offset=(20, 5))
        await until(pilot, lambda: not chart.zoom.whole)
        await pilot._post_mouse_events([MouseScrollDown], chart, offset=(20, 5))
        await until(pilot, lambda: chart.zoom.whole)
        await pilot.mouse_down(chart, offset=(10, 5))
        await pilot.hover(chart, offset=(25, 5))
        await until(pilot, lambda: " to " in title(app))
        await pilot.mouse_up(chart, offset=(25, 5))
        await until(pilot, lambda: not chart.zoom.whole)
        assert app.focused is chart
        low, high = chart.zoom.within(0, 100)
        assert 10 < low < 30 and 50 < high < 80
        await pilot.click(chart, offset=(20, 5))
        assert chart.cursor is not None and low <= chart.cursor <= high
        before = chart.cursor
        await pilot.hover(RunList)
        assert chart.cursor == before  # the focus keeps it


async def test_the_log_scale_is_refused_in_words_and_remembered() -> None:
    async with living() as (app, pilot, _run, log):
        straight = body(app)
        await pilot.press("L")
        await until(pilot, lambda: "log" in title(app) and body(app) != straight)
        assert app.remembered.of("train")["log"] is True
        await pilot.press("L")
        await until(pilot, lambda: body(app) == straight)
        validate(log, step=100, **{})
        log.append("step", step=61, loss=0.0)
        await until(pilot, lambda: "61/100" in shown(app) or "100/100" in shown(app))
        await pilot.press("L")
        await until(pilot, lambda: any("only what is above 0" in note.message for note in app._notifications))
        assert not app.screen.query_one("#loss-chart", Curve).logarithmic


async def test_smoothing_goes_round_and_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEMO_SMOOTHING", "0")
    async with living((80, 24)) as (app, pilot, *_):
        await until(pilot, lambda: "━ smoothed .008" in title(app))  # not smoothed at all
        assert "⣿ raw" in title(app)
        both = body(app)
        await pilot.press("a")
        await until(pilot, lambda: "smoothed" in title(app) and "raw" not in title(app) and body(app) == both)
        await pilot.press("a")
        await until(pilot, lambda: "raw" in title(app) and "smoothed" not in title(app))
        assert app.remembered.of("train")["curves"] == "raw"
        await pilot.press("a")
        await until(pilot, lambda: "raw" in title(app) and "smoothed" in title(app))


def other(steps: int, name: str = "") -> Run:
    run = Run.create(TrainConfig(epochs=4))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, steps)
        validate(log, steps)
        log.append("finished", step=steps)
    if name:
        (run.folder / about.NAME).write_text(json.dumps({"name": name}))
    return run


async def test_pinned_runs_lie_over_it_with_letters_and_a_legend() -> None:
    longer, second = other(300), other(50, HOSTILE)
    async with living() as (app, pilot, run, _):
        live = app.screen.query_one(Live)
        views = {view.id: view for view in app.runs.runs}
        pins = (views[longer.id], views[second.id])

        def draw(*pinned: RunView) -> str:
            live.show(views[run.id], pinned)
            return body(app) + body(app, "#score-chart")

        alone = draw()
        assert "A" not in alone and "300" not in alone
        both = draw(*pins)
        assert "A" in both and "B" in both and "a" in body(app) and "300" in body(app)
        await until(pilot, lambda: f"A {longer.short} F1 .502" in shown(app))
        assert "B [/s] ␛[2J" in shown(app)
        last = draw(pins[1])  # a run keeps its letter when another one is unpinned
        assert "B" in last and "A" not in last
        alone = draw(views[run.id])  # nobody lies over itself
        assert "A" not in alone and "300" not in alone
        await until(pilot, lambda: longer.short + " F1" not in shown(app))
        draw(*pins)
        chart = app.screen.query_one("#loss-chart", Curve)
        chart.focus()
        await pilot.press("home")
        await until(pilot, lambda: f"A {longer.short} loss .500" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: f"A {longer.short} F1 .502" in shown(app))


async def test_the_worker_is_measured_while_somebody_looks() -> None:
    async with living() as (app, pilot, run, _):
        app.machine._interval = 0.05
        await until(pilot, lambda: "CPU" in shown(app) and "RAM" in shown(app))
        assert "lr 1.1e-4" in shown(app) and "grad 0.70" in shown(app)
        assert app.runs.runs[0].pid == os.getpid()
        await pilot.press("1")
        await until(pilot, lambda: "[3]Inspect" in shown(app))
        app.machine._wanted = ("", 0.0)
        count = len(app.machine.samples(run.id))
        app.machine.sample()
        assert len(app.machine.samples(run.id)) == count


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 60)])
async def test_small_curves_take_the_room_that_is_there_and_no_word_is_cut(size: tuple[int, int]) -> None:
    async with living(size) as (app, pilot, run, _):
        live = app.screen.query_one(Live)
        view = next(view for view in app.runs.runs if view.id == run.id)
        gpu = Gpu(87, int(9.1 * 2**30), 80 * 2**30, 63)
        samples = [Sample(187.0, 2_100_000_000, 63.0, 5 * 2**30, 16 * 2**30, gpu)] * 5
        app.runs.stop()
        app.machine.stop()
        if app.machine._thread is not None:
            app.machine._thread.join()  # no sample of the real machine comes after these
        app.machine._samples[run.id] = samples  # type: ignore[assignment]
        live.show(view)
        await pilot.pause()
        await pilot.pause()
        seen = shown(app)
        names = [f"{spark.name} {spark.value}" for spark in gauges(view, samples)]
        assert names == [
            "lr 1.1e-4", "grad 0.70", "CPU 187%", "RAM 2.1 GB", "GPU 87%", "GPU mem 9.1/80 GB", "GPU temp 63°C",
            "all CPU 63%", "all RAM 5.0/16 GB",
        ]  # fmt: skip
        shown_names = [name for name in names if name in seen]
        assert shown_names == names[: len(shown_names)]
        assert len(shown_names) >= {60: 0, 80: 4, 120: 9, 200: 9}[size[0]]


async def test_small_curves_take_no_rows_that_stay_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MachineWatch, "samples", lambda self, run_id: ())
    async with living() as (app, pilot, *_):  # what was shown first was shown before there was a width to go by
        small = app.screen.query_one(Sparks)
        await until(pilot, lambda: "lr 1.1e-4" in shown(app))
        assert len(small.sparks) == 2 and small.size.height == needed(2, small.size.width, small.most_rows) == 3


async def test_a_diagnosis_is_explained_where_there_is_room() -> None:
    async with living((120, 36)) as (app, pilot, *_):
        await until(pilot, lambda: "The loss on dev has levelled out" in shown(app))
    async with living((80, 24)) as (app, pilot, *_):
        await until(pilot, lambda: "fits well" in shown(app))
        assert "levelled out" not in shown(app)


async def test_a_run_whose_losses_are_no_numbers_says_so_and_shows_its_warning_in_one_row() -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", step=0, steps=100, epochs=2)
        log.append("step", step=1, epoch=1, loss=math.nan, grad_norm=math.inf, lr=1e-4, eta_s=100.0)
        log.append("warning", text="loss or gradient of a step was NaN: " + "very " * 60 + "long")
        async with opened() as (app, pilot):
            await until(pilot, lambda: "no loss so far was a number (NaN)" in shown(app))
            await until(pilot, lambda: "! loss or gradient of a step was NaN" in shown(app))
            note = app.screen.query_one("#note")
            assert note.size.height == 1 and "…" in shown(app).splitlines()[note.region.y]
            assert "the loss of the last steps is no number (NaN)" in shown(app)
            tell(log, 5, since=1)
            await until(pilot, lambda: "no step yet" not in shown(app) and "smoothed" in title(app))
            log.append("failed", step=5, epoch=1, error="loss is NaN, 3 steps in a row", reason="nan")
            await until(pilot, lambda: "loss is NaN, 3 steps in a row" in shown(app))
            assert not note.has_class("-warning")


async def test_a_sample_of_the_machine_is_drawn_with_the_next_news_or_soon_by_itself() -> None:
    async with living() as (app, pilot, run, _):
        app.runs.stop()
        app.machine.stop()
        live = app.screen.query_one(Live)
        drawn = []
        show = live._show_sparks
        live._show_sparks = lambda view: (drawn.append(view.id), show(view))[1]  # type: ignore[method-assign,func-returns-value]
        live.on_sampled(Sampled(run.id, None))
        assert not drawn and live._sampled is not None
        live.show(app.runs.runs[0])
        assert len(drawn) == 1 and live._sampled is None  # one frame for both
        live.on_sampled(Sampled(run.id, None))
        await until(pilot, lambda: len(drawn) == 2 and live._sampled is None)


def test_each_diagnosis_has_an_advice() -> None:
    for living in (True, False):
        assert "more epochs" in advice_for("still learning", living)
        assert "fewer epochs" in advice_for("overfitting since epoch 3", living)
        assert advice_for("fits well", living).endswith(".") and advice_for("something new", living) == ""
    assert "stop here" in advice_for("overfitting since epoch 3", True) and "go on" in advice_for(
        "still learning", True
    )
    ended = advice_for("overfitting since epoch 3", False) + advice_for("still learning", False)
    assert "stop here" not in ended and "go on" not in ended


async def test_an_update_repaints_few_cells() -> None:
    async with living() as (app, pilot, _run, log):
        app.runs.stop()
        app.machine.stop()
        assert app.runs._thread is not None
        app.runs._thread.join()
        live = app.screen.query_one(Live)
        tell(log, 61, since=60)
        told = app.runs.look()
        assert told is not None
        live.show(told.runs[0])
        await pilot.pause()
        tell(log, 62, since=61)
        told = app.runs.look()
        assert told is not None
        assert 0 < live.show(told.runs[0]) <= 8
        assert live.show(told.runs[0]) == 0
