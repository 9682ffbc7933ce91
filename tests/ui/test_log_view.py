"""The log tab as a person uses it: the end is followed until somebody scrolls up, what is searched for is found."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.services.log_book import LogLine
from goemo_tui.widgets.log_lines import LogLines, _height, _parts
from goemo_tui.widgets.log_view import LogView, SearchField, zone
from tests.ui.train_story import opened, shown, tell, until
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


def printed(folder: Path, *lines: str) -> None:
    with (folder / "worker.log").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


@asynccontextmanager
async def log_of(
    *lines: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[GoemoApp, Pilot[int], Run, EventLog, LogLines]]:
    run = Run.create(TrainConfig(epochs=2))
    printed(run.folder, *lines)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 3)
        async with opened(size) as (app, pilot):
            await until(pilot, lambda: "3/100" in shown(app))
            await pilot.press("f")
            widget = app.screen.query_one(LogLines)
            await until(pilot, lambda: widget.count == len(lines) + 1)
            await pilot.press("tab", "tab")
            widget.focus()
            await pilot.pause()
            yield app, pilot, run, log, widget


async def test_it_follows_its_end_until_somebody_scrolls_up() -> None:
    async with log_of(*(f"line {n}" for n in range(300))) as (app, pilot, run, log, _widget):
        await until(pilot, lambda: "line 299" in shown(app))
        assert "following" in shown(app) and "line 100" not in shown(app)
        printed(run.folder, "line 300")
        log.append("warning", text="the disk is almost full")
        await until(pilot, lambda: "line 300" in shown(app) and "the disk is almost full" in shown(app))
        await pilot.press("g")
        await until(pilot, lambda: "line 0" in shown(app))
        assert "paused" in shown(app) and "following" not in shown(app)
        printed(run.folder, "line 301", "line 302")
        log.append("step", step=4)
        await until(pilot, lambda: "paused, 2 new lines" in shown(app))
        assert "line 0" in shown(app) and "line 302" not in shown(app)
        await pilot.press("f")
        await until(pilot, lambda: "following" in shown(app) and "line 302" in shown(app))
        await pilot.press("k")
        await until(pilot, lambda: "paused" in shown(app))
        await pilot.press("G")
        await until(pilot, lambda: "following" in shown(app))
        await pilot.press("f")
        await until(pilot, lambda: "paused" in shown(app))
        await pilot.click("LogHeading")
        await until(pilot, lambda: "following" in shown(app))


async def test_the_wheel_and_the_scroll_bar_move_it() -> None:
    async with log_of(*(f"line {n}" for n in range(300))) as (app, pilot, _, _, widget):
        await until(pilot, lambda: "line 299" in shown(app))
        await pilot._post_mouse_events([_scroll_up()], LogLines)
        await until(pilot, lambda: "paused" in shown(app))
        await pilot.mouse_down(LogLines, offset=(widget.size.width - 1, 0))
        await pilot.mouse_up(LogLines, offset=(widget.size.width - 1, 0))
        await until(pilot, lambda: "line 0" in shown(app))


def _scroll_up() -> type:
    from textual.events import MouseScrollUp

    return MouseScrollUp


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_search_counts_marks_and_goes_round(size: tuple[int, int]) -> None:
    lines = [f"needle {n}" if n % 100 == 50 else f"hay {n}" for n in range(300)]
    async with log_of(*lines, size=size) as (app, pilot, run, log, widget):
        await pilot.press("g", "slash")
        await until(pilot, lambda: isinstance(app.focused, SearchField))
        await pilot.press(*"Needle")
        await until(pilot, lambda: "1/3" in shown(app) and "needle 50" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is widget)
        await pilot.press("n")
        await until(pilot, lambda: "2/3" in shown(app) and "needle 150" in shown(app))
        await pilot.press("N", "N")
        await until(pilot, lambda: "3/3" in shown(app) and "needle 250" in shown(app))
        styles = {style for row in widget._rows for text, style in row if text == "needle"}
        assert "log--current" in styles
        printed(run.folder, "one more needle")
        log.append("step", step=4)
        await until(pilot, lambda: "3/4" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "/4" not in shown(app))
        assert widget.needle == "" and not app.screen.query_one(LogView).has_class("-searching")
        await pilot.press("slash", *"absent")
        await until(pilot, lambda: "no match" in shown(app))


async def test_n_starts_a_run_where_nothing_is_searched() -> None:
    from goemo_tui.screens.new_run import NewRunScreen

    async with log_of("x") as (app, pilot, *_):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))


@pytest.mark.parametrize(("name", "said"), [("UTC", "UTC"), ("Asia/Kolkata", "IST (UTC+05:30)")])
async def test_all_times_are_in_the_zone_that_the_heading_names(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        assert zone() == said
        stamp = "2026-11-25 04:00:00+00:00"
        async with log_of(f"{stamp} its worker died") as (app, pilot, *_):
            hour = "04:00:00" if said == "UTC" else "09:30:00"
            await until(
                pilot, lambda: f"{hour}│ its worker died" in shown(app) or f"{hour} │ its worker died" in shown(app)
            )
            assert f"times are {said}" in shown(app) and stamp not in shown(app)
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_long_line_is_wrapped_and_none_of_it_is_lost() -> None:
    words = " ".join(f"w{n}" for n in range(60))
    async with log_of(words, "日本語" * 40, size=(80, 24)) as (app, pilot, _, _, widget):
        await until(pilot, lambda: "w59" in shown(app))
        rows = ["".join(text for text, _ in row) for row in widget._rows]
        told = [row[widget._gutter :].rstrip(" │┃") for row in rows]
        assert words in " ".join(told) and "".join(told).count("語") == 40
        assert sum(row.startswith("w") for row in told) > 1


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("dev rows loss .134", ["dev rows ", "loss .134"]),
        ("dev rows12 x", ["dev rows12 ", "x"]),
        ("averylongword and", ["averylongw", "ord and"]),
        ("          in", ["          ", "in"]),
        ("語語 語語語語", ["語語 ", "語語語語"]),
        ("語語語語語語語", ["語語語語語", "語語"]),
    ],
)
def test_lines_are_cut_at_blanks(text: str, rows: list[str]) -> None:
    assert _parts(text, 10) == rows and _height(text, 10) == len(rows)


@given(st.text("ab 語é", max_size=80), st.integers(8, 20))
def test_no_row_is_wider_than_its_room_and_nothing_is_lost(text: str, room: int) -> None:
    parts = _parts(text, room)
    assert "".join(parts) == text and all(cell_len(part.rstrip(" ")) <= room for part in parts)


async def test_a_hundred_thousand_lines_cost_a_screenful_and_one_more_costs_a_row() -> None:
    async with log_of("x") as (app, pilot, _run, _log, widget):
        asked = []
        rows_of = widget._rows_of
        widget._rows_of = lambda index: (asked.append(index), rows_of(index))[1]  # type: ignore[method-assign,func-returns-value]
        widget.fill([LogLine(None, f"line {n}", False) for n in range(100_000)])
        assert len(asked) <= widget.size.height + 1
        for n in range(3):
            widget.add([LogLine(None, f"more {n}", False)], 200_000)
        before = widget._top
        assert widget.add([LogLine(None, "one more", False)], 200_000) <= 2  # its row, and the scroll bar's at most
        assert widget._top == before
        await until(pilot, lambda: "one more" in shown(app))
        widget.add([LogLine(None, f"last {n}", False) for n in range(50)], 1000)
        assert widget.count == 1000
        await until(pilot, lambda: "last 49" in shown(app))
