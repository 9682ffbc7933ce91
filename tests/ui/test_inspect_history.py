"""Inspect's history: kept on the disk, walked through like a shell's, copied and cleared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.services.history import append, history_file, read_history
from goemo_tui.widgets.history_list import HistoryList
from tests.ui.inspect_story import Open, answered, keep, kept, opening, place, prompt, shown, told, type_in, until
from tests.unit.test_history import entry
from trainer.config import TrainConfig
from trainer.runs.about import write_about
from trainer.runs.run import Run


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return opening(tmp_path, monkeypatch)


async def test_sentences_stay_between_starts_and_come_back_by_keys_and_mouse(opened: Open) -> None:
    async with opened() as (app, pilot):
        for text in ("happy", "so scared", "so scared"):
            await keep(app, pilot, text)
        assert kept(app) == ["so scared", "happy"], "the same one twice is one"
        assert "joy 80% fear 25%" in shown(app) and "starter" in shown(app).partition("history")[2]
        await until(pilot, lambda: len(read_history()) == 2)
    async with opened() as (app, pilot):
        await until(pilot, lambda: kept(app) == ["so scared", "happy"])
        place(app).query_one(HistoryList).focus()
        await pilot.press("G", "enter")
        await until(pilot, lambda: prompt(app).value == "happy" and answered(app) == "happy")
        await pilot.click("#history", offset=(5, 1))
        await until(pilot, lambda: prompt(app).value == "so scared")


async def test_a_run_is_called_by_the_name_that_it_was_given_as_soon_as_it_has_it(opened: Open) -> None:
    run = Run.create(TrainConfig())
    append(replace(entry("one"), model=run.id))
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app).partition("history")[2])
        place(app).readings.a.load(run.id)
        await until(pilot, lambda: shown(app).count(run.short) >= 2)
        write_about(run, name="my best")
        await until(pilot, lambda: shown(app).count("my best") >= 2 and run.short not in shown(app))


async def test_up_and_down_walk_through_it_like_a_shell(opened: Open) -> None:
    for text in ("one", "two", "three"):
        append(entry(text))
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(kept(app)) == 3)
        for key, text in (
            ("up", "three"), ("up", "two"), ("up", "one"), ("up", "one"), ("down", "two"), ("down", "three"),
            ("down", ""), ("up", "three"),
        ):  # fmt: skip
            await pilot.press(key)
            await until(pilot, lambda text=text: prompt(app).value == text)
        await pilot.press("x", "up")
        await pilot.pause()
        assert prompt(app).value == "threex", "a sentence of one's own is not lost"


async def test_a_line_is_copied(opened: Open) -> None:
    append(entry("so happy"))
    async with opened() as (app, pilot):
        await until(pilot, lambda: kept(app) == ["so happy"])
        place(app).query_one(HistoryList).focus()
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard)
        assert json.loads(app.clipboard) == entry("so happy").document()


async def test_what_is_copied_is_kept_too_and_that_is_said_once(opened: Open) -> None:
    async with opened() as (app, pilot):
        for text in ("so happy", "today"):
            await type_in(app, pilot, text)
            await until(pilot, lambda: answered(app) == text)  # noqa: B023 - called at once
            await pilot.press("escape", "y", "y")
            await until(pilot, lambda: kept(app)[:1] == [text])  # noqa: B023
        assert kept(app) == ["today", "so happy"]
        assert [text.partition(":")[0] for text in told(app)] == [
            "The result as JSON (kept in the history)", *["The result as JSON"] * 3
        ]  # fmt: skip


async def test_it_is_cleared_only_after_asking(opened: Open) -> None:
    append(entry("so happy"))
    async with opened() as (app, pilot):
        await until(pilot, lambda: kept(app) == ["so happy"])
        await pilot.press("escape", "x")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "on the disk too" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen))
        assert kept(app) == ["so happy"] and history_file().exists()
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: not history_file().exists() and kept(app) == [])
        assert not place(app).query_one(HistoryList).display
        await pilot.press("x")
        await until(pilot, lambda: "The history is empty." in told(app))


async def test_a_history_that_cannot_be_kept_is_told_and_costs_nothing_else(opened: Open, goemo_home: Path) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: answered(app) == "happy")
        history_file().parent.mkdir(parents=True, exist_ok=True)
        history_file().mkdir()
        await pilot.press("enter")
        await until(pilot, lambda: any("the history cannot be kept" in text for text in told(app)))
        assert kept(app) == ["happy"]


async def test_hostile_lines_of_the_file_are_text(opened: Open) -> None:
    append(entry("[/s] \x1b]52;c;eA==\x07 \u202e [@click=app.quit]x[/]"))
    append(entry("e" + "\u0301" * 3000))
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(kept(app)) == 2 and "␛]52" in shown(app))
        assert not {"\x1b", "\x07", "\u202e"} & set(shown(app))
        place(app).query_one(HistoryList).focus()
        await pilot.press("end", "enter")
        await until(pilot, lambda: "␛]52" in prompt(app).value)
