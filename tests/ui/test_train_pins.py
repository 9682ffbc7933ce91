"""The list of runs: pins, width, names, what is kept between starts, and that many runs cost little."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import TabbedContent

from goemo_tui.remembered import read_state
from goemo_tui.screens.about_run import AboutRun
from goemo_tui.screens.train import NARROWEST, TrainScreen
from goemo_tui.services.compare import MOST
from goemo_tui.services.runs import RunWatch
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.live import Live
from goemo_tui.widgets.run_list import PINNED, RunList
from tests.ui.train_story import ended, opened, shown, toasts, until
from trainer import paths
from trainer.runs.about import NAME, write_about
from trainer.runs.run import Run


def train(app: object) -> TrainScreen:
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, TrainScreen)
    return screen


async def test_space_pins_and_the_charts_are_given_the_pinned_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    real = Live.show

    def show(self: Live, view: object, pinned: object = ()) -> int:
        given.append([run.id for run in pinned])  # type: ignore[attr-defined]
        return real(self, view, pinned)  # type: ignore[arg-type]

    monkeypatch.setattr(Live, "show", show)
    runs = [ended() for _ in range(3)]
    async with opened() as (app, pilot):
        await until(pilot, lambda: all(run.short in shown(app) for run in runs))
        top = train(app).selected
        assert top is not None
        await pilot.press("space")
        await until(pilot, lambda: shown(app).count(PINNED) == 1 and "1 pinned" in shown(app))
        app.screen.query_one(RunList).action_cursor_down()
        train(app).action_pin_run()  # before the screen has heard of the move: the one under the cursor is meant
        await pilot.press("j")
        await until(pilot, lambda: shown(app).count(PINNED) == 2)
        screen = train(app)
        assert screen.pinned[0].id == top.id and len({run.id for run in screen.pinned}) == 2
        await until(pilot, lambda: given[-1] == [run.id for run in screen.pinned])
        await pilot.press("k")
        await until(pilot, lambda: given[-1] == [top.id])  # the selected one is drawn as itself
        await pilot.press("x")
        await until(pilot, lambda: PINNED not in shown(app) and given[-1] == [])


async def test_a_click_on_the_sign_pins_and_one_on_the_name_only_selects() -> None:
    first, second = ended(), ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: first.short in shown(app) and second.short in shown(app))
        await pilot.click(RunList, offset=(8, 2))
        await pilot.pause()
        assert train(app).pinned == ()
        await pilot.click(RunList, offset=(3, 2))
        await until(pilot, lambda: len(train(app).pinned) == 1 and train(app).pinned[0] == train(app).selected)
        await pilot.click(RunList, offset=(3, 2))
        await until(pilot, lambda: train(app).pinned == ())


async def test_no_more_runs_are_pinned_than_can_be_told_apart() -> None:
    for _ in range(MOST + 1):
        ended()
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == MOST + 1 and train(app).selected)
        for _ in range(MOST + 1):
            await pilot.press("space", "down")
        await until(pilot, lambda: "as many as can be told apart" in toasts(app))
        assert len(train(app).pinned) == MOST


async def test_pins_run_tab_and_width_are_as_they_were_left() -> None:
    runs = [ended() for _ in range(3)]
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 3 and train(app).selected)
        await pilot.press("down", "space", "v", "plus", "plus")
        await until(pilot, lambda: len(train(app).pinned) == 1)
        chosen = train(app).selected
        width = app.screen.query_one(RunList).outer_size.width
        await pilot.pause()
    assert chosen is not None
    kept = read_state().of("train")
    assert kept["pinned"] == [chosen.id] and kept["run"] == chosen.id and kept["tab"] == "evaluation"
    async with opened() as (app, pilot):
        await until(pilot, lambda: train(app).selected is not None and train(app).selected.id == chosen.id)  # type: ignore[union-attr]
        await until(pilot, lambda: app.screen.query_one(RunList).outer_size.width == width)
        assert [run.id for run in train(app).pinned] == [chosen.id]
        assert app.screen.query_one(TabbedContent).active == "evaluation"
    assert len(runs) == 3


@pytest.mark.parametrize(
    "broken", [{"pinned": "x", "run": 7, "tab": "moon", "width": "wide"}, {"pinned": [1, None], "width": True}]
)
async def test_what_is_kept_may_be_broken(broken: dict[str, object]) -> None:
    from goemo_tui.remembered import write_state

    run = ended()
    write_state(read_state().keeping("train", **broken))
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        assert train(app).pinned == () and app.screen.query_one(TabbedContent).active == "live"


async def test_the_list_is_dragged_wider_and_keeps_within_bounds() -> None:
    ended()
    async with opened((100, 30)) as (app, pilot):
        runs = app.screen.query_one(RunList)
        await until(pilot, lambda: runs.outer_size.width > 0 and app.runs.runs)
        start = runs.outer_size.width
        await pilot.mouse_down(RunList, offset=(start - 1, 5))
        await pilot.hover(offset=(start + 5, 8))
        await until(pilot, lambda: runs.outer_size.width == start + 6)
        await pilot.mouse_up(offset=(start + 5, 8))
        await pilot.hover(offset=(start + 20, 8))
        await pilot.pause()
        assert runs.outer_size.width == start + 6, "the button is up"
        for _ in range(30):
            await pilot.press("minus")
        await until(pilot, lambda: runs.outer_size.width == NARROWEST)
        for _ in range(40):
            await pilot.press("plus")
        await until(pilot, lambda: runs.outer_size.width == 50)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_name_stands_in_list_title_and_header(size: tuple[int, int]) -> None:
    run = ended()
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, AboutRun))
        app.screen.query_one("#name", Field).value = "../outside"
        await pilot.press("enter")
        await until(pilot, lambda: "looks like a path" in shown(app))
        app.screen.query_one("#name", Field).value = "best [red]"
        app.screen.query_one("#note", Field).value = "two epochs"
        await pilot.click("#save")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and shown(app).count("best [red]") == 2)
        assert (run.about.name, run.about.note) == ("best [red]", "two epochs")
        await pilot.press("v", "v")
        await until(pilot, lambda: "two epochs" in shown(app) and run.id in shown(app))


async def test_a_hostile_name_from_a_file_stays_text() -> None:
    run = ended()
    (run.folder / NAME).write_text('{"name": "\\u001b[2J[/s][@click=app.quit]x", "note": "\\u009b2J"}')
    async with opened() as (app, pilot):
        await until(pilot, lambda: "␛[2J[/s]" in shown(app))
        assert "\x1b" not in shown(app)


async def test_y_copies_the_command_that_makes_the_same_run() -> None:
    from trainer.config import TrainConfig

    run = Run.create(TrainConfig(epochs=7, lr=5e-4, data="/data/my corpus"))
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("y")
        await until(pilot, lambda: "the command that makes" in toasts(app))
        assert app.clipboard == "goemo-tui train --data '/data/my corpus' --set epochs=7 --set lr=0.0005"


def many(number: int) -> list[Path]:
    """So many finished runs, by copies of one."""
    run = ended()
    made = [run.folder]
    for n in range(number - 1):
        folder = paths.runs_folder() / f"20260101-{n // 60:02d}{n % 60:02d}-run-{n}"
        shutil.copytree(run.folder, folder)
        made.append(folder)
    return made


async def test_500_runs_are_listed_and_nothing_is_written_while_nothing_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many(500)
    async with opened() as (app, pilot):
        await until(pilot, lambda: len(app.runs.runs) == 500 and "run-498" in shown(app))
        runs = app.screen.query_one(RunList)
        assert runs.option_count == 500
        await until(pilot, lambda: runs.show(app.runs.runs) == 0)
        drawn: list[int] = []
        monkeypatch.setattr(RunList, "refresh", lambda self, *a, **k: drawn.append(1) or self)
        for _ in range(3):
            assert app.runs.look() is None
        assert runs.show(app.runs.runs) == 0 and not drawn


def test_a_settled_run_costs_no_read_among_500(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = many(500)
    watch = RunWatch()
    watch.look()
    assert len(watch.runs) == 500
    read: list[str] = []
    real = Run.look

    def look(self: Run) -> object:
        read.append(self.id)
        return real(self)

    monkeypatch.setattr(Run, "look", look)
    assert watch.look() is None and read == []
    write_about(Run(folders[7]), name="this one")
    told = watch.look()
    assert told is not None and told.changed == {folders[7].name} and read == [folders[7].name]
    assert next(run for run in watch.runs if run.id == folders[7].name).title == "this one"
