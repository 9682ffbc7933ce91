"""`because` and `like` in Inspect: after the bars, about the selected emotion, never about another text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.services.explaining import Explaining
from goemo_tui.services.prediction import Request
from goemo_tui.services.talk import Explained
from goemo_tui.services.why import Because, Like, Neighbour, Word, marked
from goemo_tui.widgets.emotion_bars import EmotionBars
from goemo_tui.widgets.feelings import Feelings
from goemo_tui.widgets.lines import row_width
from goemo_tui.widgets.why_lines import like_rows, word_rows
from tests.ui.inspect_story import Open, answered, opening, place, prompt, shown, type_in, until


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return opening(tmp_path, monkeypatch)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "asked.jsonl"


def whys(log: Path, op: str = "because") -> list[dict[str, Any]]:
    file = log.with_suffix(".why")
    lines = file.read_text().splitlines() if file.exists() else []
    return [found for line in lines if (found := json.loads(line))["op"] == op]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_words_and_comments_stand_under_the_bars_and_follow_the_selected_one(
    opened: Open, size: tuple[int, int], log: Path
) -> None:
    async with opened(size=size) as (app, pilot):
        await type_in(app, pilot, "so excited but scared today")
        await until(pilot, lambda: "because   so +EXCITED --but +SCARED today" in shown(app))
        await until(pilot, lambda: 'like      .91   "So excited and so scared"  excitement fear' in shown(app))
        assert "●▸joy" in shown(app) and "80%" in shown(app) and "25%" in shown(app)
        await pilot.press("escape", "down")
        await until(pilot, lambda: "●▸fear" in shown(app) and "because   fear: so" in shown(app))
        assert [r["emotion"] for r in whys(log)] == ["joy", "fear"] and len(whys(log, "like")) == 1
        await pilot.press("E")
        await until(pilot, lambda: "●▸joy" in shown(app) and len(whys(log)) == 3)
        await pilot.press("slash", "ctrl+down")
        await until(pilot, lambda: "●▸fear" in shown(app))
        assert "[/s] day ␛[2J" in shown(app) and "\x1b" not in shown(app)


async def test_a_click_on_a_bar_explains_it(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "+EXCITED" in shown(app))
        await pilot.click(EmotionBars, offset=(8, 2))
        await until(pilot, lambda: "·▸neutral" in shown(app))


async def test_what_is_said_of_an_older_text_is_dropped_and_only_a_pause_asks(opened: Open, log: Path) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "+EXCITED" in shown(app))
        await type_in(app, pilot, "hold")
        assert "+EXCITED" not in shown(app), "it was about other words"
        before = len(whys(log))
        await pilot.press(*"abcdefgh")
        log.with_suffix(".go").touch()
        text = prompt(app).value
        await until(pilot, lambda: answered(app) == text and len(whys(log)) > before)
        assert [r["text"] for r in whys(log)[before:]] == [text]


def test_an_answer_to_another_text_or_emotion_is_none() -> None:
    explaining = Explaining()
    words = Because("old", "joy", (Word("old", 1.0),))
    assert not explaining.take(Explained(Request("old", aside="because", emotion="joy"), words), "new", "joy")
    assert not explaining.take(Explained(Request("old", aside="because", emotion="joy"), words), "old", "fear")
    assert explaining.because is None
    assert explaining.take(Explained(Request("old", aside="because", emotion="joy"), words), "old", "joy")
    assert explaining.because is words


async def test_while_the_index_is_built_it_says_how_far_and_fills_in_by_itself(opened: Open, log: Path) -> None:
    log.with_suffix(".index").touch()
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "indexing 12,000 of 43,410 training comments" in shown(app))
        await type_in(app, pilot, "so excited again")
        await until(pilot, lambda: answered(app) == "so excited again" and "+EXCITED" in shown(app))
        log.with_suffix(".index").unlink()
        await until(pilot, lambda: "So excited and so scared" in shown(app))


async def test_w_hides_them_for_good_and_the_bars_get_the_room(opened: Open, log: Path) -> None:
    async with opened(size=(80, 24)) as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "So excited and" in shown(app))
        await pilot.press("escape", "w")
        await until(pilot, lambda: "because" not in shown(app) and whys(log, "leave"))
        assert app.remembered.of("inspect")["why"] is False
        many = len(whys(log))
        await type_in(app, pilot, "so happily")
        await until(pilot, lambda: answered(app) == "so happily")
        await pilot.press("w")
        await until(pilot, lambda: "+HAPPILY" in shown(app))
        assert len(whys(log)) == many + 1


async def test_y_copies_what_is_shown_of_both(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "+EXCITED" in shown(app) and "So excited and" in shown(app))
        await pilot.press("escape", "y")
        (result,) = json.loads(app.clipboard)["results"]
        assert result["because"] == {"joy": [{"word": "so", "weight": 0.01}, {"word": "excited", "weight": 1.75}]}
        assert result["like"][0] == {
            "text": "So excited and so scared", "labels": ["excitement", "fear"], "similarity": 0.91, "id": "n1"
        }  # fmt: skip
        await pilot.press("w", "y")
        await until(pilot, lambda: "because" not in app.clipboard)


async def test_a_comment_from_elsewhere_is_explained_by_its_own_emotion(opened: Open) -> None:
    async with opened() as (app, pilot):
        place(app).ask("what a joyless morning", "calm-otter", "pride")
        await until(pilot, lambda: answered(app) == "what a joyless morning" and "▸pride" in shown(app))
        await until(pilot, lambda: "+JOYLESS" in shown(app) and place(app).explaining.because is not None)
        assert place(app).explaining.because.emotion == "pride"  # type: ignore[union-attr]


async def test_an_emotion_that_was_chosen_elsewhere_is_scrolled_to_and_named(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[str] = []
    monkeypatch.setattr(Feelings, "keep_in_sight", lambda self, name: sought.append(name))
    async with opened(size=(80, 24)) as (app, pilot):
        await type_in(app, pilot, "what a day")
        await until(pilot, lambda: answered(app) == "what a day")
        assert not sought, "what is on top is seen"
        place(app).ask("what a joyless morning", "calm-otter", "neutral")
        await until(pilot, lambda: answered(app) == "what a joyless morning" and any(sought))
        assert sought[-1] == "neutral" and "joy" not in sought
        await until(pilot, lambda: "because   neutral: " in shown(app))


async def test_of_two_models_the_one_that_is_meant_explains(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "so excited")
        await until(pilot, lambda: "+EXCITED" in shown(app))
        place(app)._second("calm-otter")
        await until(pilot, lambda: "because B so +EXCITED" in shown(app) and "▼" in shown(app))


async def test_what_cannot_be_explained_is_said_and_the_bars_stay(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "odd why")
        await until(pilot, lambda: "✗ no words for that" in shown(app) and "80%" in shown(app))
        assert isinstance(app.screen, InspectScreen)


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_the_bars_keep_their_rows(opened: Open, size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, pilot):
        await type_in(app, pilot, "so excited but " + "so " * 60 + "scared")
        await until(pilot, lambda: answered(app) is not None and "80%" in shown(app))
        bars = place(app).query_one("#bars-scroll")
        assert bars.size.height >= min(3, place(app).query_one("#feelings").size.height)


def test_signs_tell_how_strongly_a_word_speaks_without_colour() -> None:
    words = (Word("glad", 4.0), Word("day", 1.5), Word("the", 0.1), Word("no", -1.5), Word("BAD", -3.0), Word("!", 3.0))
    pieces = [text for text, _ in marked(Because("", "joy", words))]
    assert pieces == ["+GLAD", "+day", "the", "-no", "--BAD", "++!"]
    assert [text for text, _ in marked(Because("", "joy", (Word("a", 0.01), Word("b", None))))] == ["a"]


@pytest.mark.parametrize("width", [46, 60, 100])
def test_rows_fit_and_keep_the_strongest_word_in_sight(width: int) -> None:
    words = tuple(Word(f"word{i}", 5.0 if i == 70 else 0.0) for i in range(100)) + (Word("rest", None),) * 9
    rows = word_rows(Because("", "joy", words), width, 2)
    text = "\n".join("".join(part for part, _ in row) for row in rows)
    assert len(rows) == 2 and "+WORD70" in text and all(row_width(row) <= width + 2 for row in rows)
    assert "… " in text
    like = Like("", tuple(Neighbour("感情" * 40, ("joy", "fear"), s, "i") for s in (1.0, 0.5, 0.4)), "only the sample")
    for most in (1, 2, 4):
        found = like_rows(like, width, most)
        assert len(found) <= most and all(row_width(row) <= width + 8 for row in found)
        assert "sample" in "".join(part for row in found for part, _ in row)
