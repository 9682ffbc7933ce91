"""Inspect as a person uses it: bars while typing, tokens, what is pasted, and a child that fails."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Static

from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.services.batch import Batch
from goemo_tui.services.history import Entry
from goemo_tui.services.prediction import Emotion, Model
from goemo_tui.widgets.batch_table import _cells
from goemo_tui.widgets.emotion_bars import EmotionBars, bar_row
from goemo_tui.widgets.feelings import BarsScroll
from goemo_tui.widgets.history_list import entry_parts
from goemo_tui.widgets.lines import row_width
from tests.ui.inspect_story import (
    Open,
    answered,
    asked,
    kept,
    opening,
    paste,
    place,
    prompt,
    shown,
    told,
    type_in,
    until,
)
from tests.unit import scripted_child
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return opening(tmp_path, monkeypatch)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_bars_come_while_typing_sorted_with_marks_and_words(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, pilot):
        await until(pilot, lambda: "6 layers × 384" in shown(app))
        assert size[0] < 120 or ("22.7M parameters" in shown(app) and "91 MB" in shown(app))
        await pilot.press(*"happy")
        await until(pilot, lambda: "80%" in shown(app))
        assert "●▸joy" in shown(app), "the first is the one that is explained"
        lines = [line.replace("▸", " ") for line in shown(app).splitlines() if "%  ▏" in line]
        assert [line.split()[2] for line in lines] == ["joy", "fear", "neutral"]
        assert [line.split()[1] for line in lines] == ["●", "●", "·"]
        assert "▏.40" in lines[0] and "below" in lines[2] and "below" not in lines[1]
        assert "2 ms" in shown(app)
        prompt(app).value = ""
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
        paste(app, "[/s] \x1b[2J [@click=app.quit]x[/]")
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(kept(app)) == 1)
        await until(pilot, lambda: "␛[2J [@click=app.quit]x[/]" in shown(app).partition("history")[2])
        assert "\x1b" not in shown(app)


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
        assert re.search(r"5\.6% +▏\.059 ", rows[0])
        word = "(below its threshold)" if size[0] == 120 else "below"
        assert rows[0].startswith("·▸") and all(line.startswith("· ") for line in rows[1:])
        assert all(line.rstrip().endswith(word) for line in rows), rows
        assert len({line.index(word) for line in rows}) == 1 and max(map(len, rows)) <= bars.size.width


async def test_y_copies_the_same_document_as_the_command_line(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, 'say "happy"')
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("escape", "y")
        # whether a terminal takes what it is sent, nobody can know
        assert [text.partition(":")[0] for text in told(app)] == ["The result as JSON (kept in the history)"]
        document = json.loads(app.clipboard)
        for key in ("because", "like"):
            document["results"][0].pop(key, None)  # where they have come by then
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
        assert prompt(app).value == "mtyq1" and isinstance(app.screen, InspectScreen)


async def test_the_header_names_the_keys_that_work_now(opened: Open) -> None:
    async with opened(size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: "F1 Data  F2 Train  F3 Inspect" in shown(app).splitlines()[0])
        await pilot.press(*"so happy")
        await until(pilot, lambda: answered(app) == "so happy")
        await pilot.press("escape")
        await until(pilot, lambda: "[1]Data  [2]Train  [3]Inspect" in shown(app).splitlines()[0])
        await pilot.press("slash")
        await until(pilot, lambda: "F1 Data  F2 Train  F3 Inspect" in shown(app).splitlines()[0])


async def test_without_a_model_it_says_how_to_make_one_and_takes_the_first_that_a_run_makes(opened: Open) -> None:
    async with opened("empty") as (app, pilot):
        await until(pilot, lambda: "press F2, then n" in shown(app))
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
        child = app.screen.readings.a.service._child
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


async def test_a_burst_of_keys_asks_only_a_few_times_and_ends_with_the_last_text(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "asked.jsonl"
    async with opened() as (app, pilot):
        await type_in(app, pilot, "hold")
        await until(pilot, lambda: len(asked(log)) == 1)
        keys = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
        await pilot.press("ctrl+a", *keys)
        assert prompt(app).value == keys + "hold" and answered(app) is None
        log.with_suffix(".go").touch()
        await until(pilot, lambda: answered(app) == keys + "hold")
        assert [r["texts"][0] for r in asked(log)] == ["hold", keys + "hold"]


async def test_keys_typed_right_after_the_slash_land_in_the_prompt(opened: Open) -> None:
    async with opened() as (app, pilot):
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.focused, BarsScroll) or app.focused is None)
        for character in "/time to tell me, 1 by 1?":
            app.post_message(_key(character))
        await until(pilot, lambda: prompt(app).value == "time to tell me, 1 by 1?")
        assert isinstance(app.screen, InspectScreen)


async def test_what_is_typed_in_one_breath_after_the_key_of_the_place_is_text(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = InspectScreen._compose

    async def slow(screen: InspectScreen) -> None:
        await asyncio.sleep(0.2)
        await made(screen)

    monkeypatch.setattr(InspectScreen, "_compose", slow)
    async with opened() as (app, pilot):
        await pilot.press("f1")
        app._screen_stacks.pop("inspect")  # as at the first time
        typed = "I'm so excited, maybe tomorrow"
        for key in (_key("3"), *(_key(char) for char in typed)):
            app.post_message(key)
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and prompt(app).value == typed)
        assert app.focused is prompt(app)


def _key(character: str) -> events.Key:
    return events.Key(_character_to_key(character), character)


async def test_enter_pressed_before_the_answer_keeps_the_sentence_once_it_is_there(
    opened: Open, tmp_path: Path
) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "hold")
        await pilot.press("enter")
        assert kept(app) == []
        (tmp_path / "asked.go").touch()
        await until(pilot, lambda: kept(app) == ["hold"])


@pytest.mark.parametrize(
    ("pasted", "stays"),
    [
        ("x" * 1_000_000, 4_000),
        ("a" + "\u0301" * 100_000, 9),
        ("".join(map(chr, range(1, 32))).replace("\n", "").replace("\r", "") * 100, 1),
        ("\u202e\ud800\x9b\x00 " * 1_000, 1),
    ],
    ids=["a megabyte", "combining marks", "control characters", "overrides and halves"],
)
async def test_whatever_is_pasted_the_screen_goes_on(opened: Open, pasted: str, stays: int) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        paste(app, pasted)
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and len(prompt(app).value) >= stays)
        assert len(prompt(app).value) <= 4_000 * 4
        if len(pasted) > 4_000 and pasted[0] == "x":
            await until(pilot, lambda: any("996,000 more were left out" in text for text in told(app)))
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: answered(app) == "happy" and "80%" in shown(app))


async def test_a_sentence_for_inspect_comes_from_elsewhere_also_before_it_is_opened(
    opened: Open, tmp_path: Path
) -> None:
    async with opened() as (app, pilot):
        place(app).ask("so [scared]", "calm-otter")
        await until(pilot, lambda: "model  calm-otter" in shown(app) and answered(app) == "so [scared]")
        place(app).ask("so happy", "calm-otter")
        await until(pilot, lambda: answered(app) == "so happy")
        assert [r["op"] for r in asked(tmp_path / "asked.jsonl")].count("load") == 1, "it is there already"
    fresh = InspectScreen(scripted_child.command("works", tmp_path / "asked.jsonl"))
    fresh.ask("early", "calm-otter")
    async with opened() as (app, pilot):
        await app.push_screen(fresh)
        await until(pilot, lambda: fresh.readings.a.answer and fresh.readings.a.answer.request.text == "early")
        assert fresh.readings.a.model is not None and fresh.readings.a.model.name == "calm-otter"


async def test_a_child_that_never_comes_up_is_told_with_the_next_step(opened: Open) -> None:
    async with opened("crash") as (app, pilot):
        service = place(app).readings.a.service
        for number in range(20):
            await until(pilot, lambda: not service.running)
            if not service.exhausted:
                await type_in(app, pilot, f"try {number}")
        await until(pilot, lambda: "starts it again" in shown(app))
        assert "no torch" in shown(app)


async def test_what_is_loading_is_said_while_one_types_already(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened("slow") as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "… importing torch" in str(place(app).query_one("#state", Static).content))


async def test_emotions_are_called_by_their_arabic_names_and_stay_aligned(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEMO_LANGUAGE", "ar")
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        bars = place(app).query_one(EmotionBars)
        await until(pilot, lambda: len(bars.emotions) == 3 and bars.size.width)
        rows = bars.rows(bars.size.width, 3)
        assert [row[1][0].strip() for row in rows] == ["فرح", "خوف", "محايد"]
        assert len({row_width(row[:2]) for row in rows}) == 1
        document = place(app).readings.document()
        assert document is not None and "joy" in json.dumps(document), "JSON keeps the English names"


async def test_a_child_that_is_killed_while_it_answers_is_told_and_comes_back(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "asked.jsonl"
    async with opened() as (app, pilot):
        await type_in(app, pilot, "hold")
        await until(pilot, lambda: len(asked(log)) == 1)
        service = place(app).readings.a.service
        assert service._child is not None
        first = service._child.process
        os.kill(first.pid, signal.SIGKILL)
        state = place(app).query_one("#state", Static)
        await until(pilot, lambda: "ended (signal 9)" in str(state.content))
        await pilot.press("ctrl+a", *"on ")
        await until(pilot, lambda: answered(app) == "on hold" and str(state.content) == "")
        assert service._child is not None and service._child.process.pid != first.pid


async def test_blanks_are_no_sentence(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        for blanks in ("   ", "\u3000 \u00a0"):
            await type_in(app, pilot, blanks)
            await pilot.press("enter")
            await until(pilot, lambda: "Type a sentence above" in shown(app))
        assert kept(app) == [] and asked(tmp_path / "asked.jsonl") == []
        await type_in(app, pilot, "  happy ")
        await until(pilot, lambda: answered(app) == "  happy ")


async def test_leaving_the_place_while_the_model_loads_loses_nothing(opened: Open) -> None:
    async with opened("slow") as (app, pilot):
        await type_in(app, pilot, "happy")
        screen, child = place(app), place(app).readings.a.service._child
        await until(pilot, lambda: "importing torch" in shown(app))
        for key in ("f2", "f1", "f3", "f2", "f3"):
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: app.screen is screen and prompt(app).value == "happy")
        assert "importing torch" in shown(app) and screen.readings.a.service._child is child


WILD = [
    "so happy 🙂👩‍👩‍👧 today",
    "مرحبا يا صديقي العزيز",
    "e\u0301" * 200,
    "感情的な文章" * 30,
    "\u202ex\u200b",
    "a\x1b[2J",
    "🙂" * 90,
]


@pytest.mark.parametrize("width", [60, 100, 200])
@pytest.mark.parametrize("text", WILD)
def test_rows_of_the_history_and_of_a_batch_fit_whatever_stands_in_them(text: str, width: int) -> None:
    felt = tuple(Emotion(name, 0.5, 0.3, True) for name in ("joy", "x" * 90, "فرح"))
    parts = entry_parts(Entry(text, "20261124-0412-calm-otter", "tuned", felt), width)
    assert sum(map(cell_len, parts)) + 4 <= width
    model = Model("m", "", tuple(e.name for e in felt), None, "cpu", 1, 1, 1, 1, 8, (), 0.0)
    batch = Batch((text, text), model, 0.3)
    batch.take(batch.texts, [(0.5, 0.4, 0.31), (0.1, 0.1, 0.1)])
    for row in (0, 1):
        assert [cell_len(cell) for cell in _cells(batch, row, (3, width - 40, 20, 6))] == [3, width - 40, 20, 6]
