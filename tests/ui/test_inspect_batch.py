"""Many lines at once: pasted or opened, filled while the model reads, sorted, saved, copied, opened in Inspect."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.screens.ask_path import AskPath
from goemo_tui.screens.batch import BatchScreen
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.screens.pick_threshold import PickThreshold
from goemo_tui.services.batch import MOST_LINES, Batch
from goemo_tui.services.prediction import Model
from goemo_tui.widgets.batch_table import BatchTable
from goemo_tui.widgets.field import Field
from tests.ui.inspect_story import Open, answered, asked, opening, paste, place, prompt, shown, told, until


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return opening(tmp_path, monkeypatch)


def table(app: GoemoApp) -> BatchTable:
    return app.screen.query_one(BatchTable)


def read(app: GoemoApp) -> bool:
    """Whether every line is answered."""
    if not isinstance(app.screen, BatchScreen):
        return False
    filled = table(app).filled
    return filled is not None and filled.finished


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
async def test_pasted_lines_become_a_table(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, pilot):
        paste(app, "so happy\r\n\n  today\nand a [bit] scared\n")
        await until(pilot, lambda: read(app))
        await until(pilot, lambda: shown(app).count("joy 80%") == 3 and "3 lines" in shown(app))
        assert "and a [bit]" in shown(app) and "sentence" in shown(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and answered(app) == "today")


async def test_the_footer_shows_whole_keys_only(opened: Open) -> None:
    async with opened(size=(80, 24)) as (app, pilot):
        paste(app, "so happy\ntoday")
        await until(pilot, lambda: read(app))
        await until(pilot, lambda: "Palette" in shown(app).splitlines()[-1] and "Quit" in shown(app).splitlines()[-1])


async def test_one_pasted_line_goes_where_the_cursor_is(opened: Open) -> None:
    async with opened() as (app, pilot):
        prompt(app).value = "old"
        prompt(app).select_all()
        paste(app, "so happy today\n")
        await until(pilot, lambda: answered(app) == "so happy today")


async def test_lines_that_are_one_text_after_all_become_one(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "so happy\ntoday")
        await until(pilot, lambda: read(app))
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and answered(app) == "so happy today")


async def test_thousands_are_asked_in_portions_and_what_is_over_the_limit_is_said(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        paste(app, "\n".join(f"line {i}" for i in range(MOST_LINES + 7)))
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and ("lines/s" in shown(app) or read(app)))
        assert "only the first 10,000 of 10,007 lines" in shown(app)
        await pilot.press("G")
        await until(pilot, lambda: "line 9999" in shown(app))
        await pilot.press("g", "j", "ctrl+d")
        await until(pilot, lambda: read(app))
        sizes = [len(r["texts"]) for r in asked(tmp_path / "asked.jsonl")]
        assert max(sizes) == 32 and sum(sizes) == MOST_LINES
        await pilot.press("s", "s", "s")
        await until(pilot, lambda: "top ▼" in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: any("too much for a terminal's clipboard" in text for text in told(app)))


async def test_leaving_in_the_middle_asks_no_more(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "asked.jsonl"
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        paste(app, "hold\n" + "\n".join(f"line {i}" for i in range(100)))
        await until(pilot, lambda: len(asked(log)) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen))
        log.with_suffix(".go").touch()
        prompt(app).value = "happy"
        await until(pilot, lambda: answered(app) == "happy")
        assert [r["op"] for r in asked(log)] == ["batch", "predict"]


async def test_a_look_at_one_line_lets_the_table_be_come_back_to(opened: Open, tmp_path: Path) -> None:
    async with opened(size=(80, 24)) as (app, pilot):
        paste(app, "\n".join(f"line {i:02d}" for i in range(39)))
        await until(pilot, lambda: read(app))
        asks = [r["op"] for r in asked(tmp_path / "asked.jsonl")].count("batch")
        await pilot.press("s", "S", "g", *("j" * 30))
        await until(pilot, lambda: "line 08" in shown(app))
        for key in ("i", "backspace"):
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, InspectScreen) and answered(app) == "line 08")
            await pilot.press(key)  # at the bars, where keys are no text
            await until(pilot, lambda: read(app) and "39 lines" in shown(app) and "line 08" in shown(app))
            assert table(app).row == 8 and table(app).sorting == (1, True)
        assert [r["op"] for r in asked(tmp_path / "asked.jsonl")].count("batch") == asks, "nothing is asked twice"
        await pilot.press("escape", "i")
        await until(pilot, lambda: read(app) and table(app).row == 8)
        await pilot.press("n")
        await until(pilot, lambda: "No lines yet" in shown(app))
        await pilot.press("escape", "i")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "No lines yet" in shown(app))


async def test_another_model_reads_the_lines_that_were_left(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "so happy\ntoday")
        await until(pilot, lambda: read(app))
        await pilot.press("escape")
        place(app).readings.a.load("calm-otter")
        await until(pilot, lambda: "model  calm-otter" in shown(app))
        place(app).open_batch(None)
        await until(pilot, lambda: read(app) and "calm-otter" in shown(app))
        filled = table(app).filled
        assert filled is not None and filled.model.name == "calm-otter" and filled.texts == ("so happy", "today")


async def test_it_sorts_by_keys_and_by_a_click_on_a_head(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "b\na\nc")
        await until(pilot, lambda: read(app))

        def order() -> list[str]:
            filled = table(app).filled
            assert filled is not None
            return [filled.texts[row] for row in table(app).order]

        await pilot.press("s")
        await until(pilot, lambda: order() == ["a", "b", "c"] and "sentence ▲" in shown(app))
        await pilot.press("S")
        await until(pilot, lambda: order() == ["c", "b", "a"])
        await pilot.click(BatchTable, offset=(1, 0))
        await until(pilot, lambda: order() == ["b", "a", "c"])
        await pilot.click(BatchTable, offset=(1, 0))
        await until(pilot, lambda: order() == ["c", "a", "b"])
        await pilot.click(BatchTable, offset=(10, 2), times=2)
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and answered(app) == "a")


@pytest.mark.parametrize("name", ["out.tsv", "out.csv", "out.jsonl"])
async def test_it_is_saved_in_the_format_that_the_name_says(opened: Open, tmp_path: Path, name: str) -> None:
    texts = ['so "happy"', "tab\there, comma", "é🙂"]
    async with opened() as (app, pilot):
        paste(app, "\n".join(texts))
        await until(pilot, lambda: read(app))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, AskPath))
        for answer, wrong in (("x.xls", "the name says the format"), (f"/no/such/{name}", "there is no folder")):
            app.screen.query_one(Field).value = answer
            await pilot.press("enter")
            await until(pilot, lambda wrong=wrong: f"✗ {wrong}" in shown(app))
        out = tmp_path / name
        out.write_text("old")
        app.screen.query_one(Field).value = str(out)
        await pilot.press("enter")
        await until(pilot, lambda: "Enter again replaces it" in shown(app))
        assert out.read_text() == "old"
        await pilot.press("enter")
        await until(pilot, lambda: any("3 rows written to" in text for text in told(app)))
    if name.endswith("jsonl"):
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert [r["text"] for r in rows] == texts
        assert rows[0]["scores"] == {"joy": 0.8, "fear": 0.25, "neutral": 0.1}
        assert rows[0]["emotions"][0] == {"emotion": "joy", "probability": 0.8, "threshold": 0.4}
    else:
        with out.open(newline="") as file:
            table_rows = list(csv.reader(file, delimiter="\t" if name.endswith("tsv") else ","))
        assert table_rows[0] == ["text", "emotions", "joy", "fear", "neutral"]
        assert [r[0] for r in table_rows[1:]] == texts and table_rows[1][1:] == ["joy,fear", "0.8", "0.25", "0.1"]


async def test_a_file_of_lines_is_opened_and_what_is_none_is_said_in_place(opened: Open, tmp_path: Path) -> None:
    good, binary, empty = tmp_path / "lines.txt", tmp_path / "b.bin", tmp_path / "empty.txt"
    good.write_bytes("\ufeffso happy\r\nbad \xff\r\n".encode("utf-8").replace("\xff".encode(), b"\xff"))
    binary.write_bytes(b"a\0b")
    empty.write_text("\n \n")
    async with opened() as (app, pilot):
        await pilot.press("escape", "i")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "No lines yet" in shown(app))
        await pilot.press("w", "y")
        await until(pilot, lambda: "Nothing to save yet." in told(app) and "Nothing to copy yet." in told(app))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, AskPath))
        for path, wrong in (
            (binary, "is no text file"), (empty, "holds no lines"), (tmp_path, "is a folder"),
            (tmp_path / "none", "no such file"),
        ):  # fmt: skip
            app.screen.query_one(Field).value = str(path)
            await pilot.press("enter")
            await until(pilot, lambda wrong=wrong: wrong in " ".join(shown(app).replace("│", " ").split()))
        app.screen.query_one(Field).value = str(good)
        await pilot.press("enter")
        await until(pilot, lambda: read(app) and "bad \ufffd" in shown(app))
        filled = table(app).filled
        assert filled is not None and filled.texts == ("so happy", "bad \ufffd")


async def test_all_lines_are_copied_as_predict_prints_them(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "a\nb")
        await until(pilot, lambda: read(app))
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard)
        document = json.loads(app.clipboard)
        assert document["model"] == "starter" and [r["text"] for r in document["results"]] == ["a", "b"]


async def test_lines_that_cannot_be_read_are_marked_and_the_rest_goes_on(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "odd\n" + "\n".join(f"line {i}" for i in range(40)))
        await until(pilot, lambda: read(app))
        await until(pilot, lambda: "could not be read" in shown(app) and "41 lines" in shown(app))
        filled = table(app).filled
        assert filled is not None and filled.emotions(0) == () and filled.emotions(40)[0].name == "joy"
        await pilot.press("s", "s", "s")
        assert table(app).order[0] >= 32, "lines without an answer stand last"


async def test_a_child_that_dies_is_told_and_r_goes_on(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        paste(app, "\n".join(f"line {i}" for i in range(32)) + "\ndie\nlast")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "r goes on from here" in shown(app))
        filled = table(app).filled
        assert filled is not None and filled.done == 32, "what was answered stays"
        before = len(asked(tmp_path / "asked.jsonl"))
        await pilot.press("r")
        await until(pilot, lambda: len(asked(tmp_path / "asked.jsonl")) > before)


async def test_without_a_model_the_table_says_so_and_reads_as_soon_as_there_is_one(opened: Open) -> None:
    async with opened("empty") as (app, pilot):
        await until(pilot, lambda: "press F2, then n" in shown(app))
        paste(app, "a\nb")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen) and "No model yet" in shown(app))
        screen = app.screen
        assert isinstance(screen, BatchScreen)
        screen.reading.load("calm-otter")
        await until(pilot, lambda: read(app))


async def test_hostile_lines_are_text(opened: Open) -> None:
    async with opened() as (app, pilot):
        paste(app, "[/s] \x1b[2J \x9b6n\n" + "e" + "\u0301" * 50_000 + "\n[@click=app.quit]x[/] \u202e")
        await until(pilot, lambda: read(app) and "␛[2J" in shown(app) and "[@click=app.quit]x[/]" in shown(app))
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown(app))


async def test_thresholds_move_for_all_lines_at_once_without_asking_the_model(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        paste(app, "a\nb")
        await until(pilot, lambda: read(app) and shown(app).count("joy 80% fear 25%") == 2)
        before = len(asked(tmp_path / "asked.jsonl"))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "fear 25%" not in shown(app) and "threshold 0.35 for all" in shown(app))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "threshold 0.34 for all" in shown(app))
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, PickThreshold))
        app.screen.query_one(Field).value = "0.9"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: shown(app).count("below: joy") == 2)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard)
        assert [r["emotions"] for r in json.loads(app.clipboard)["results"]] == [[], []]
        await pilot.press("T")
        await until(pilot, lambda: shown(app).count("joy 80% fear 25%") == 2 and "threshold tuned" in shown(app))
        assert len(asked(tmp_path / "asked.jsonl")) == before, "the probabilities were there"
        await pilot.press("right_square_bracket", "escape")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and place(app).readings.a.threshold == 0.35)


async def test_a_table_sorted_by_emotions_is_sorted_anew_by_another_threshold(opened: Open) -> None:
    model = Model("m", "", ("joy", "fear"), {"joy": 0.5, "fear": 0.5}, "cpu", 1, 1, 1, 1, 8, (), 0.0)
    batch = Batch(("one strong", "two weak"), model, "tuned")
    assert batch.take(batch.texts, [(0.9, 0.1), (0.4, 0.4)])
    async with opened() as (app, pilot):
        await pilot.press("escape", "i")
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        table(app).show(batch)
        table(app).sort_by(2)
        assert table(app).order == [0, 1]
        batch.judge(0.3)
        table(app).judged()
        assert table(app).order == [1, 0] and table(app).cursor == 1, "the cursor stays on its line"
