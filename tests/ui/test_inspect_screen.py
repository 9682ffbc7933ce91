"""Inspect as a person uses it: bars while typing, tokens, thresholds, history, models, and a child that fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import OptionList

from goemo_tui.app import GoemoApp
from goemo_tui.screens import pick_model
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.screens.pick_model import PickModel
from goemo_tui.screens.pick_threshold import PickThreshold, read_threshold
from goemo_tui.services.predictor import Emotion
from goemo_tui.widgets.emotion_bars import EmotionBars, bar_row
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.lines import row_width
from tests.unit import scripted_child
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "so", "happy", "today", "and", "a", "bit", "scared"]


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(1000):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def shown(app: GoemoApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def answered(app: GoemoApp) -> str | None:
    """The text that the bars are of."""
    assert isinstance(app.screen, InspectScreen)
    return app.screen._answer.request.text if app.screen._answer else None


Open = Callable[..., Any]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    model = tmp_path / "model"
    model.mkdir()
    (model / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    monkeypatch.setenv("CHILD_MODEL_PATH", str(model))

    @asynccontextmanager
    async def one(how: str = "works", size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[GoemoApp, Pilot[int]]]:
        command = scripted_child.command(how, tmp_path / "asked.jsonl")
        modes = {**GoemoApp.MODES, "inspect": lambda: InspectScreen(command)}
        monkeypatch.setattr(GoemoApp, "MODES", modes)
        app = GoemoApp()
        app.runs._interval = app.runs._idle_interval = 0.05
        async with app.run_test(size=size) as pilot:
            app.action_place("inspect")
            await until(pilot, lambda: isinstance(app.screen, InspectScreen) and isinstance(app.focused, Field))
            yield app, pilot

    return one


async def type_in(app: GoemoApp, pilot: Pilot[int], text: str) -> None:
    app.screen.query_one("#prompt", Field).value = text
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_bars_come_while_typing_sorted_with_marks_and_words(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, pilot):
        await until(pilot, lambda: "6 layers × 384" in shown(app))
        assert "22.7M parameters" in shown(app) and "91 MB" in shown(app)
        await pilot.press(*"happy")
        await until(pilot, lambda: "80%" in shown(app))
        lines = [line for line in shown(app).splitlines() if "%  ▏" in line]
        assert [line.split()[2] for line in lines] == ["joy", "fear", "neutral"]
        assert [line.split()[1] for line in lines] == ["●", "●", "·"]
        assert "▏.40" in lines[0] and "below" in lines[2] and "below" not in lines[1]
        assert "2 ms" in shown(app)
        app.screen.query_one("#prompt", Field).value = ""
        await until(pilot, lambda: "80%" not in shown(app))
        assert "Type a sentence" in shown(app)


async def test_the_sentences_tokens_stand_with_their_ids_and_the_cut_is_said(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so happy zzz")
        await until(pilot, lambda: "[CLS]" in shown(app) and "[SEP]" in shown(app))
        text = shown(app)
        assert "[UNK]?" in text and "not in the vocabulary" in text and "5 of at most 8" in text
        await type_in(app, pilot, "so happy today and a bit scared so so so")
        await until(pilot, lambda: "4 more tokens are not read" in shown(app))


async def test_hostile_text_is_text_everywhere(opened: Open) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        app.post_message(events.Paste("[/s] \x1b[2J [@click=app.quit]x[/]"))
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one("#history", OptionList).option_count == 1)
        await until(pilot, lambda: "␛[2J [@click=app.quit]x[/]" in shown(app).partition("history")[2])
        assert "\x1b" not in shown(app)


async def test_one_threshold_for_all_takes_effect_at_once(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "● fear" in shown(app))
        await pilot.press("escape", "t")
        await until(pilot, lambda: isinstance(app.screen, PickThreshold))
        app.screen.query_one(Field).value = "7"
        await until(pilot, lambda: "from 0 to 1" in shown(app))
        await pilot.press("enter")
        assert isinstance(app.screen, PickThreshold), "a wrong value is not taken"
        app.screen.query_one(Field).value = "30%"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "· fear" in shown(app))
        assert "▏.30" in shown(app) and "threshold 0.3 for all" in shown(app)


def test_what_counts_as_a_threshold() -> None:
    assert [read_threshold(t) for t in ("tuned", "", " 0.3 ", "30%", "0", "1")] == [
        "tuned",
        "tuned",
        0.3,
        0.3,
        0.0,
        1.0,
    ]
    assert [read_threshold(t) for t in ("1.1", "-1", "high", "nan", "inf")] == [None] * 5


async def test_the_history_keeps_sentences_and_gives_them_back(opened: Open) -> None:
    async with opened() as (app, pilot):
        for text in ("happy", "so scared"):
            await type_in(app, pilot, text)
            await until(pilot, lambda text=text: answered(app) == text)
            await pilot.press("enter", "enter")
        history = app.screen.query_one("#history", OptionList)
        assert history.option_count == 2
        assert "joy 80% fear 25%" in shown(app)
        history.focus()
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.screen.query_one("#prompt", Field).value == "happy")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
async def test_every_emotion_below_its_threshold_is_marked_the_same(
    opened: Open, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {f"label{i}": (0.056, 0.02, 0.001, 0.0)[i % 4] for i in range(4)}
    emotions = tuple(Emotion(name, p, 0.059, False) for name, p in scores.items())
    monkeypatch.setattr("goemo_tui.services.predictor.read_result", lambda *_: emotions)
    async with opened(size=size) as (app, pilot):
        await type_in(app, pilot, "happy")
        bars = app.screen.query_one(EmotionBars)
        await until(pilot, lambda: len(bars.emotions) == 4 and bars.size.width)
        rows = ["".join(part for part, _ in line) for line in bars.rows(bars.size.width, 4)]
        assert "5.6%  ▏.059" in rows[0]
        word = "(below its threshold)" if size[0] == 120 else "below"
        assert all(line.startswith("· ") and line.rstrip().endswith(word) for line in rows), rows
        assert len({line.index(word) for line in rows}) == 1 and max(map(len, rows)) <= bars.size.width


async def test_many_pasted_lines_become_one_text_and_replace_what_is_selected(opened: Open) -> None:
    async with opened() as (app, pilot):
        field = app.screen.query_one("#prompt", Field)
        field.value = "old"
        field.select_all()
        app.post_message(events.Paste("so happy\r\n\n  today\nand a bit scared\n"))
        await until(pilot, lambda: answered(app) == "so happy today and a bit scared")
        assert field.value == "so happy today and a bit scared"
        field.value = ""
        app.post_message(events.Paste("x" * 3_999 + "\n" + "y" * 10))
        await until(pilot, lambda: any("10 more were left out" in n.message for n in app._notifications))
        assert field.value == "x" * 3_999 + " "


async def test_y_copies_the_same_document_as_the_command_line(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, 'say "happy"')
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("escape", "y")
        # whether a terminal takes what it is sent, nobody can know
        assert [n.message for n in app._notifications] == ["Sent to the terminal's clipboard as JSON"]
        document = json.loads(app.clipboard)
        assert document["model"] == "starter"
        assert document["results"] == [
            {
                "text": 'say "happy"',
                "emotions": [
                    {"emotion": "joy", "probability": 0.8, "threshold": 0.4},
                    {"emotion": "fear", "probability": 0.25, "threshold": 0.2},
                ],
                "scores": scripted_child.SCORES,
            }
        ]


async def test_keys_in_the_prompt_are_text(opened: Open) -> None:
    async with opened() as (app, pilot):
        await pilot.press("m", "t", "y", "q", "1")
        assert app.screen.query_one("#prompt", Field).value == "mtyq1" and isinstance(app.screen, InspectScreen)


async def test_another_model_answers_and_a_broken_one_leaves_the_old(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pick_model, "_models", lambda: [("calm-otter", "finished · F1 .531"), ("broken", "finished")])
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, PickModel) and "F1 .531" in shown(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: any("holds no weights" in n.message for n in app._notifications))
        assert "starter" in shown(app)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, PickModel) and "F1 .531" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and "model  calm-otter" in shown(app))


async def test_without_a_model_it_says_how_to_make_one_and_takes_the_first_that_a_run_makes(opened: Open) -> None:
    async with opened("empty") as (app, pilot):
        await until(pilot, lambda: "press 2, then n" in shown(app))
        await type_in(app, pilot, "happy")
        run = Run.create(TrainConfig())
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            log.append("started", step=0, steps=10, epochs=1)
            (run.folder / "model").mkdir()
            (run.folder / "model" / "config.json").write_text("{}")
            log.append("finished", step=10, epoch=1)
        await until(pilot, lambda: f"model  {run.short} " in shown(app))
        await until(pilot, lambda: "80%" in shown(app))


async def test_a_dead_child_is_told_and_comes_back_with_the_next_key(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "die")
        await until(pilot, lambda: "exit code 9" in shown(app) and "Killed" in shown(app))
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "80%" in shown(app))
        assert "exit code" not in shown(app)


async def test_leaving_the_app_ends_the_child(opened: Open) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        assert isinstance(app.screen, InspectScreen)
        child = app.screen._service._child
        assert child is not None
    assert child.process.returncode is not None


@pytest.mark.parametrize("width", [20, 50, 80, 120])
def test_a_bar_fits_and_marks_its_threshold(width: int) -> None:
    for emotion in (Emotion("joy", 0.87, 0.31, True), Emotion("x" * 40, 0.2, 0.9, False), Emotion("a", 0, 0, True)):
        row = bar_row(emotion, width)
        assert row_width(row) <= max(width, 36)
        text = "".join(part for part, _ in row)
        assert ("●" in text) is emotion.above
        assert sum(name.startswith("bars--tick") for _, name in row) + (not emotion.above) >= 1
