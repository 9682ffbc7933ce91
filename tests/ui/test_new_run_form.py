"""The form that sets a training up: defaults, checks beside the field, and the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens.data import DataScreen
from goemo_tui.screens.new_run import NewRunScreen
from goemo_tui.screens.train import TrainScreen
from goemo_tui.services import new_run, offers
from goemo_tui.widgets.form_rows import ADVANCED
from goemo_tui.widgets.run_list import RunList
from goemo_tui.widgets.setting_row import OTHER, SettingRow
from tests.ui.train_story import HOSTILE, ended, opened, shown, toasts, until
from trainer.config import SETTINGS, TrainConfig, recipe
from trainer.errors import CorpusError
from trainer.runs.run import Run


def row(app: GoemoApp, key: str) -> SettingRow:
    return app.screen.query_one(f"#row-{key}", SettingRow)


def command(app: GoemoApp) -> str:
    return str(app.screen.query_one("#command", Static).content)


async def form(app: GoemoApp, pilot: Pilot[int]) -> None:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
    await pilot.pause()
    if app.screen.query_one("#advanced").display:
        await until(pilot, lambda: len(app.screen.query("#advanced SettingRow > .row--note")) == len(ADVANCED))
        await pilot.pause()


async def advanced(app: GoemoApp, pilot: Pilot[int]) -> None:
    """Open the advanced settings, which have no rows before."""
    if not app.screen.query_one("#advanced").display:
        app.screen.query_one("#more", Button).press()
    await until(pilot, lambda: len(app.screen.query("#advanced SettingRow > .row--note")) == len(ADVANCED))
    await pilot.pause()


async def test_the_form_shows_every_setting_with_its_default_range_and_meaning() -> None:
    async with opened((110, 36)) as (app, pilot):
        await form(app, pilot)
        assert "1 to 1000 · how often" in shown(app) and row(app, "epochs").value == "3"
        assert "weight_decay" not in shown(app)
        await advanced(app, pilot)
        assert {r.key for r in app.screen.query(SettingRow)} == {*SETTINGS, "start", "like", "track"}
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
    monkeypatch.setattr(offers, "device_choices", lambda: found)
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


async def test_no_name_is_cut_in_the_narrowest_usual_terminal() -> None:
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        await advanced(app, pilot)
        for key in [*SETTINGS, "like", "start", "track"]:
            row(app, key).scroll_visible(animate=False)
            await until(pilot, lambda key=key: f"  {key} " in shown(app))  # type: ignore[misc]
        row(app, "clip").query_one(Input).focus()
        await until(pilot, lambda: "clip: 0 to 1e6 · largest gradient norm; 0 does not clip" in shown(app))
        row(app, "data").query_one(Select).focus()
        await until(pilot, lambda: "^p Palette  q Quit" in shown(app))


async def test_what_differs_is_marked_and_put_back_by_key_and_by_mouse() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        assert not [r.key for r in app.screen.query(SettingRow) if r.usual is not None] and "* " not in shown(app)
        field = row(app, "clip").query_one(Input)
        field.value = "5"
        await until(pilot, lambda: "advanced settings (1 changed)" in shown(app))
        row(app, "epochs").query_one(Input).value = "7"
        await until(pilot, lambda: "* epochs" in shown(app))
        row(app, "epochs").query_one(Input).focus()
        await until(pilot, lambda: "usually 3: ^r puts it back" in shown(app))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: row(app, "epochs").value == "3" and "* epochs" not in shown(app))
        row(app, "encoder").query_one(Select).value = "distilbert"
        await until(pilot, lambda: "* encoder" in shown(app))
        await pilot.click("#row-encoder .row--sign")
        await until(pilot, lambda: row(app, "encoder").value == "minilm" and "* encoder" not in shown(app))
        await until(pilot, lambda: command(app) == "$ goemo-tui train --data sample --set clip=5")
        await pilot.press("f5")
        await until(pilot, lambda: row(app, "clip").value == "1" and "changed)" not in shown(app))


async def test_a_wrong_value_among_the_advanced_ones_is_found_by_the_start() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "warmup").query_one(Input).value = "2"
        await until(pilot, lambda: "✗ to be put right first: warmup" in shown(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen.focused is row(app, "warmup").query_one(Input))
        assert "✗ warmup = 2.0 is out of range: 0 to 1" in shown(app)


async def test_the_command_wraps_and_is_copied_whole_by_key_click_and_button(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(GoemoApp, "copy", lambda self, text, what: copied.append((text, what)))
    folder = tmp_path / "two words"
    folder.mkdir()
    async with opened((80, 24), data=str(folder)) as (app, pilot):
        await form(app, pilot)
        await advanced(app, pilot)
        for key, text in (("clip", "0.5"), ("warmup", "0.25"), ("patience", "3"), ("checkpoint_steps", "1000")):
            row(app, key).query_one(Input).value = text
        wanted = f"goemo-tui train --data '{folder}' --set warmup=0.25 --set clip=0.5 --set patience=3"
        wanted += " --set checkpoint_steps=1000"
        await until(pilot, lambda: command(app) == f"$ {wanted}")
        await until(pilot, lambda: "checkpoint_steps=1000" in shown(app))
        assert not copied
        await pilot.press("ctrl+y")
        await pilot.click("#command")
        await pilot.click("#copy")
        assert copied == [(wanted, "Command")] * 3
        row(app, "clip").query_one(Input).value = "x"
        await until(pilot, lambda: "goemo-tui train" not in command(app))
        await pilot.press("ctrl+y")
        assert len(copied) == 3 and "no command yet" in toasts(app)


async def test_a_run_can_be_taken_as_model_and_what_differs_from_it_is_marked() -> None:
    config = recipe("notebook", "minilm").with_settings({"epochs": 9, "seed": 4, "clip": 0.5})
    first = Run.create(config)
    async with opened() as (app, pilot):
        await until(pilot, lambda: first.short in shown(app))
        await form(app, pilot)
        like = row(app, "like").query_one(Select)
        await until(pilot, lambda: first.id in {value for _, value in like._options})
        like.value = first.id
        await until(pilot, lambda: command(app) == f"$ goemo-tui train --like {first.id}")
        for key, value in new_run.texts_of(config).items():
            assert row(app, key).value == value
        assert row(app, "recipe").value == "notebook"
        assert not [r.key for r in app.screen.query(SettingRow) if r.usual is not None]
        row(app, "epochs").query_one(Input).value = "2"
        await until(pilot, lambda: command(app).endswith(f"--like {first.id} --set epochs=2"))
        assert row(app, "epochs").usual == "9" and "* epochs" in shown(app)
        # a recipe fills the form anew: it is like that run no more
        row(app, "recipe").query_one(Select).value = "goemo"
        await until(pilot, lambda: row(app, "like").value == "none" and row(app, "epochs").value == "3")
        assert command(app) == "$ goemo-tui train --data sample --set seed=4"


async def test_the_form_can_be_opened_with_a_run_as_model() -> None:
    first = Run.create(TrainConfig(epochs=9))
    async with opened() as (app, pilot):
        app.push_screen(NewRunScreen("sample", (), first.id))
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
        await until(pilot, lambda: row(app, "epochs").value == "9" and row(app, "like").value == first.id)


async def test_a_key_opens_the_form_with_the_settings_of_the_selected_run() -> None:
    first = Run.create(TrainConfig(epochs=9))
    async with opened() as (app, pilot):
        await until(pilot, lambda: first.short in shown(app))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
        await until(pilot, lambda: row(app, "epochs").value == "9" and row(app, "like").value == first.id)


async def test_without_a_run_nothing_can_be_like_it() -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "n opens a form" in shown(app))
        await pilot.press("l", "n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen.query("#start"))
        assert row(app, "like").value == "none"


async def test_the_advanced_settings_are_open_where_there_is_room_unless_they_were_folded() -> None:
    async with opened((120, 36)) as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: app.screen.query_one("#advanced").display)
        app.screen.query_one("#more", Button).press()
        await until(pilot, lambda: not app.screen.query_one("#advanced").display)
        await pilot.resize_terminal(130, 40)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, NewRunScreen))
        await form(app, pilot)
        assert not app.screen.query_one("#advanced").display


async def test_they_open_when_the_terminal_grows() -> None:
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        assert not app.screen.query_one("#advanced").display
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: app.screen.query_one("#advanced").display)


async def test_what_is_typed_and_what_is_chosen_begin_in_the_same_column() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        await until(pilot, lambda: "epochs" in shown(app))
        lines = shown(app).splitlines()
        recipe, epochs = (next(x for x in lines if f"  {key} " in x) for key in ("recipe", "epochs"))
        assert recipe.index("goemo") == epochs.index(" 3 ") + 1


async def test_a_run_whose_settings_cannot_be_read_says_so() -> None:
    first = Run.create(TrainConfig(epochs=9))
    (first.folder / "config.toml").write_text("no TOML")
    async with opened() as (app, pilot):
        await until(pilot, lambda: first.short in shown(app))
        await form(app, pilot)
        like = row(app, "like").query_one(Select)
        await until(pilot, lambda: first.id in {value for _, value in like._options})
        like.value = first.id
        await until(pilot, lambda: "nothing was taken over" in row(app, "like").text)
        assert "cannot be read" in row(app, "like").text and row(app, "epochs").value == "3"
        row(app, "epochs").query_one(Input).value = "2"
        await until(pilot, lambda: command(app) == "$ goemo-tui train --data sample --set epochs=2")
        assert "✗ nothing was taken over" in shown(app)


async def test_what_was_set_up_is_there_again_after_leaving_and_can_be_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.runs.process.start", lambda run: None)
    async with opened() as (app, pilot):
        await form(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        assert "is kept" not in toasts(app), "nothing was changed"
        await form(app, pilot)
        row(app, "epochs").query_one(Input).value = "7"
        row(app, "clip").query_one(Input).value = "0.5"
        await until(pilot, lambda: "clip=0.5" in command(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        assert "n shows it again" in toasts(app)
        await form(app, pilot)
        await until(pilot, lambda: "as you left it · F5 puts everything back" in shown(app))
        assert command(app) == "$ goemo-tui train --data sample --set epochs=7 --set clip=0.5"
        await pilot.click("#anew")
        await until(pilot, lambda: command(app) == "$ goemo-tui train --data sample")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await form(app, pilot)
        assert row(app, "epochs").value == "3" and "as you left it" not in shown(app)
        row(app, "epochs").query_one(Input).value = "7"
        await until(pilot, lambda: "epochs=7" in command(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await form(app, pilot)
        assert row(app, "epochs").value == "3", "what was started is no draft any more"


async def test_tab_goes_through_the_rows_in_their_order() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        simple = [key for key, setting in SETTINGS.items() if setting.group == "simple"]
        seen = []
        while (focused := app.screen.focused) is not None and not isinstance(focused, Button):
            seen.append(str(focused.id).partition("-")[2])
            assert app.screen.query_one(f"#row-{seen[-1]}").has_pseudo_class("focus-within")
            await pilot.press("tab")
        assert seen == ["data", "encoder", "recipe", *simple, "start", "track"]
        assert str(focused and focused.id) == "more"
        await pilot.click("#row-seed .row--name")
        assert app.screen.focused is row(app, "seed").query_one(Input)


async def test_trackers_are_chosen_in_the_form_one_or_several() -> None:
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        track = row(app, "track")
        await until(pilot, lambda: len(track.choices) == 5)
        await until(pilot, lambda: "nowhere  " in shown(app))
        assert "track " in shown(app) and "TensorBoard, tra" in shown(app), "it is seen without scrolling"
        assert "advanced settings" in shown(app), "and so is all that was there before"
        track.query_one(Select).value = "tensorboard"
        await until(pilot, lambda: command(app).endswith("--track tensorboard"))
        track.query_one(Select).value = OTHER
        await until(pilot, lambda: app.screen.focused is track.query_one(Input))
        await pilot.press(*"mlflow,x")
        await until(pilot, lambda: "no tracker is called 'x'" in shown(app))
        assert app.screen.query_one("#start", Button).disabled
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: command(app).endswith("--track mlflow"))
        await pilot.press("f5")
        await until(pilot, lambda: "--track" not in command(app))


async def test_what_is_opened_is_seen_in_a_small_terminal_too() -> None:
    async with opened((80, 24)) as (app, pilot):
        await form(app, pilot)
        first = next(key for key, setting in SETTINGS.items() if setting.group == "advanced")
        assert f"  {first} " not in shown(app)
        app.screen.query_one("#more", Button).focus()
        await pilot.press("enter")
        await until(pilot, lambda: f"  {first} " in shown(app) and "▼ advanced settings" in shown(app))


async def test_a_wrong_value_among_settings_that_have_no_row_yet_is_found_by_the_start() -> None:
    async with opened() as (app, pilot):
        await form(app, pilot)
        row(app, "warmup").query_one(Input).value = "2"
        await until(pilot, lambda: app.screen.query_one("#start", Button).disabled)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await pilot.resize_terminal(80, 24)
        await form(app, pilot)
        await until(pilot, lambda: "warmup" in command(app))
        assert not app.screen.query("#row-warmup"), "nobody opened the advanced settings"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen.query("#row-warmup Input:focus"))
        await until(pilot, lambda: row(app, "warmup").has_class("-wrong") and "warmup: ✗" in shown(app))
