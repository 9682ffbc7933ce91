"""Inspect's models: thresholds moved with effect at once, the picker, and two models side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import Remembered, read_state, write_state
from goemo_tui.screens import pick_model
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.screens.pick_model import PickModel
from goemo_tui.screens.pick_threshold import PickThreshold, read_threshold
from goemo_tui.services.models import Choice, complaint_about, list_choices, used
from goemo_tui.widgets.emotion_bars import EmotionBars
from goemo_tui.widgets.emotion_pairs import EmotionPairs
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.model_line import ModelLine, track
from tests.ui.inspect_story import Open, answered, asked, opening, place, prompt, shown, told, type_in, until
from tests.ui.train_story import ended

CHOICES = (
    Choice("starter", "starter", "ships with the program"),
    Choice("20261124-0412-calm-otter", "calm-otter", "finished · F1 .531 · 2h05m ago"),
    Choice("broken", "broken", "finished"),
)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return opening(tmp_path, monkeypatch)


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (CHOICES[0], Choice("calm-otter", "calm-otter", CHOICES[1].about), CHOICES[2])
    monkeypatch.setattr(pick_model, "list_choices", lambda recent: found)


# Thresholds


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
        assert "▏.30" in shown(app) and "threshold   .30 " in shown(app)


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


async def test_brackets_move_the_threshold_without_asking_the_model(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "● fear" in shown(app))
        before = len(asked(tmp_path / "asked.jsonl"))
        await pilot.press("escape", "]")
        await until(pilot, lambda: "· fear" in shown(app) and "▏.35" in shown(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "▏.30" in shown(app) and " .30 ──────●──" in shown(app))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "▏.29" in shown(app))
        await pilot.press("right_curly_bracket", "right_curly_bracket")
        await until(pilot, lambda: "▏.31" in shown(app))
        await pilot.press("T")
        await until(pilot, lambda: "threshold tuned" in shown(app) and "▏.40" in shown(app) and "● fear" in shown(app))
        assert len(asked(tmp_path / "asked.jsonl")) == before, "the probabilities were there"


async def test_what_lies_at_its_threshold_is_judged_by_the_model(opened: Open, tmp_path: Path) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "● fear" in shown(app))
        await pilot.press("escape", "left_square_bracket")
        await until(pilot, lambda: [r["threshold"] for r in asked(tmp_path / "asked.jsonl")] == ["tuned", 0.25])
        await until(pilot, lambda: "● fear" in shown(app) and "▏.25" in shown(app))


async def test_the_mouse_moves_the_slider_and_its_value_brings_tuned_back(opened: Open) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "● fear" in shown(app))
        line = place(app).query_one("#model-a", ModelLine)
        first, long = track(line.size.width)
        at = line.content_region.x - line.region.x + first
        reading = place(app).readings.a
        await pilot.mouse_down(line, offset=(at + 6, 0))
        await until(pilot, lambda: reading.threshold == 0.3 and "· fear" in shown(app))
        await pilot.hover(line, offset=(at + 2, 0))
        await until(pilot, lambda: reading.threshold == 0.1)
        await pilot.hover(line, offset=(2, 0))
        await until(pilot, lambda: reading.threshold == 0.0)
        await pilot.mouse_up(line, offset=(at + long - 1, 0))
        await until(pilot, lambda: reading.threshold == 1.0)
        await pilot.hover(line, offset=(at + 9, 0))
        await pilot.pause()
        assert reading.threshold == 1.0, "it was let go"
        await pilot.click(line, offset=(at - 3, 0))
        await until(pilot, lambda: reading.threshold == "tuned" and "threshold tuned" in shown(app))
        line.focus()
        await pilot.press("right")
        await until(pilot, lambda: reading.threshold == 0.35)
        await pilot.press("h", "h")
        await until(pilot, lambda: reading.threshold == 0.25)


async def test_a_click_on_the_name_opens_the_picker(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        await pilot.click("#model-a", offset=(10, 0))
        await until(pilot, lambda: isinstance(app.screen, PickModel))


# The picker


async def open_picker(app: GoemoApp, pilot: Pilot[int], key: str = "ctrl+o") -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, PickModel) and "F1 .531" in shown(app))


async def test_another_model_answers_and_a_broken_one_leaves_the_old(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "80%" in shown(app))
        await open_picker(app, pilot)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: any("holds no weights" in text for text in told(app)))
        assert "starter" in shown(app) and "80%" in shown(app)
        await open_picker(app, pilot)
        assert "✗ broken: broken holds no weights" in shown(app), "what was refused is said again"
        await pilot.press(*"531 otter")
        await until(pilot, lambda: "broken" not in shown(app).partition("Pick a model")[2].partition("load")[0][200:])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and "model  calm-otter" in shown(app))
        await until(pilot, lambda: "pride" in shown(app))


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("/no/such/folder", "no such folder"),
        ("owner/has blank", "a Hub name is written owner/model"),
        ("a/b/c", "a Hub name is written owner/model"),
        ("nothing-like-it", "A model is a run, an imported model, a folder, a Hub name or starter"),
    ],
)
async def test_what_cannot_be_a_model_is_said_in_place(opened: Open, choices: None, typed: str, wrong: str) -> None:
    async with opened() as (app, pilot):
        await open_picker(app, pilot)
        app.screen.query_one(Field).value = typed
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: wrong in str(app.screen.query_one("#complaint", Static).content))
        assert isinstance(app.screen, PickModel)


async def test_a_choice_of_a_list_that_is_another_one_by_now_picks_nothing(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await open_picker(app, pilot)
        picker, models = app.screen, app.screen.query_one("#models", OptionList)
        late = [models.get_option_at_index(i) for i in range(3)]
        await pilot.press(*"otter")
        await until(pilot, lambda: "starter" not in shown(app) or models.option_count == 2)
        for i, option in enumerate(late):  # clicked before the list changed, told of afterwards
            picker.post_message(OptionList.OptionSelected(models, option, i))
        await pilot.pause()
        assert app.screen is picker
        await pilot.press("enter")
        await until(pilot, lambda: app.remembered.of("inspect").get("model") == "calm-otter")


async def test_a_picked_model_is_there_again_at_the_next_start(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "6 layers" in shown(app))
        assert "model" not in app.remembered.of("inspect"), "the default is nobody's choice"
        await open_picker(app, pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.remembered.of("inspect").get("model") == "calm-otter")
        write_state(app.remembered)
    assert read_state().of("inspect")["model"] == "calm-otter"
    async with opened() as (app, pilot):
        await until(pilot, lambda: "model  calm-otter" in shown(app))


async def test_the_setting_goes_before_what_was_remembered(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(Remembered().keeping("inspect", model="calm-otter"))
    monkeypatch.setenv("GOEMO_MODEL", "brave-finch")
    async with opened() as (app, pilot):
        await until(pilot, lambda: "model  brave-finch" in shown(app))


@pytest.mark.parametrize("model", ["gone", "/no/such/folder", 7, ""])
async def test_where_the_remembered_model_is_gone_the_default_answers(opened: Open, model: object) -> None:
    write_state(Remembered().keeping("inspect", model=model, recent=[1, "x"]))
    async with opened() as (app, pilot):
        await until(pilot, lambda: "model  starter" in shown(app))
        assert any("not there any more" in text for text in told(app)) is (model == "gone")


def test_the_list_tells_state_score_and_age_and_recent_folders(tmp_path: Path, goemo_home: Path) -> None:
    run = ended()
    (run.folder / "model").mkdir()
    (run.folder / "model" / "config.json").write_text("{}")
    (run.folder / "model" / "model.safetensors").write_bytes(b"")
    used_before = tmp_path / "mine"
    used_before.mkdir()
    (used_before / "config.json").write_text("{}")
    wall = run.look().snapshot.wall
    assert wall is not None
    found = list_choices([str(used_before), "/no/such", "owner/model"], wall + 7500)
    assert [(c.name, c.about) for c in found] == [
        (run.id, "finished · F1 .502 · 2h05m ago"),
        (str(used_before), "used before"),
        ("owner/model", "used before"),
    ]
    assert found[0].fits("FINISHED .502") and not found[0].fits("running")
    assert complaint_about("owner/model") == "" and "type a model" in complaint_about(" ")
    assert used(["a/b", "c/d"], "c/d") == ["c/d", "a/b"] and used(["a/b"], run.id) == ["a/b"]


# Two


async def put_beside(app: GoemoApp, pilot: Pilot[int]) -> None:
    await pilot.press("escape", "b")
    await until(pilot, lambda: isinstance(app.screen, PickModel) and "F1 .531" in shown(app))
    await pilot.press("down", "enter")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_two_models_stand_side_by_side_emotion_by_emotion(
    opened: Open, choices: None, size: tuple[int, int]
) -> None:
    async with opened(size=size) as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "80%" in shown(app))
        await put_beside(app, pilot)
        await until(pilot, lambda: "▼  22" in shown(app))
        rows = [line.split() for line in shown(app).splitlines()]
        of = {row[1]: row for row in rows if len(row) > 3 and row[1] in ("joy", "pride", "fear", "neutral")}
        assert list(of) == ["joy", "pride", "fear", "neutral"], "sorted by the higher of both"
        assert "80%" in of["joy"] and "58%" in of["joy"]
        assert "–" in of["pride"] and "–" in of["fear"], "a model without such a label has a dash"
        assert "=" in of["neutral"]
        assert "A starter" in shown(app) and "B calm-otter" in shown(app) and "B−A" in shown(app)
        await type_in(app, pilot, "happy today")
        second = place(app).readings.b
        assert second is not None
        await until(pilot, lambda: second.fits("happy today") and answered(app) == "happy today")


async def test_the_second_models_threshold_is_its_own_and_closing_ends_its_child(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await put_beside(app, pilot)
        await until(pilot, lambda: "▼  22" in shown(app))
        readings = place(app).readings
        second = readings.b
        assert second is not None and second.service._child is not None
        child = second.service._child.process
        await pilot.press("escape", "right_square_bracket")
        await until(pilot, lambda: (readings.a.threshold, second.threshold) == ("tuned", 0.35))
        await pilot.press("o", "left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: (readings.a.threshold, second.threshold) == (0.2, 0.35))
        assert "▏.20" in shown(app) and "▏.35" in shown(app)
        await pilot.press("b")
        await until(pilot, lambda: not place(app).query_one(EmotionPairs).display)
        await until(pilot, lambda: child.poll() is not None)
        assert place(app).query_one(EmotionBars).display and readings.b is None
        assert readings.a.service.running, "the first goes on"


async def test_a_mistake_is_explained_by_the_model_that_made_it_and_not_by_the_one_beside_it(
    opened: Open, choices: None
) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await put_beside(app, pilot)
        await until(pilot, lambda: "▼  22" in shown(app))
        readings = place(app).readings
        assert readings.b is not None and readings.active is readings.b
        place(app).ask("happy today", "starter", "joy", origin="mistakes")
        await until(pilot, lambda: readings.a.fits("happy today"))
        assert readings.active is readings.a and place(app).explained == "joy"


async def test_both_are_copied_as_predict_against_prints_them(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await put_beside(app, pilot)
        await until(pilot, lambda: "▼  22" in shown(app))
        await pilot.press("escape", "y")
        document = json.loads(app.clipboard)
        assert (document["model"], document["against"]) == ("starter", "calm-otter")
        (result,) = document["results"]
        assert result["scores"]["joy"] == 0.8 and result["against"]["scores"]["joy"] == 0.58
        assert list(result["against"]) == ["emotions", "scores"]


async def test_a_second_model_that_is_broken_is_told_beside_the_first_that_answers(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await until(pilot, lambda: "80%" in shown(app))
        await pilot.press("escape", "b")
        await until(pilot, lambda: isinstance(app.screen, PickModel) and "F1 .531" in shown(app))
        await pilot.press("down", "down", "enter")
        state = place(app).query_one("#state-b", Static)
        await until(pilot, lambda: "B ✗ broken holds no weights" in str(state.content))
        assert "m picks another model" in str(state.content)
        prompt(app).value = "so happy"
        await until(pilot, lambda: answered(app) == "so happy")


async def test_leaving_the_app_ends_both_children(opened: Open, choices: None) -> None:
    async with opened() as (app, pilot):
        await type_in(app, pilot, "happy")
        await put_beside(app, pilot)
        await until(pilot, lambda: "▼  22" in shown(app))
        children: list[Callable[[], int | None]] = []
        for reading in place(app).readings.all:
            assert reading.service._child is not None
            children.append(reading.service._child.process.poll)
        assert len(children) == 2
    assert all(poll() is not None for poll in children)
