"""What a partial repaint draws is what Textual's own draws, and it asks fewer widgets for it."""

from __future__ import annotations

import random

import pyte
import pytest
from textual._compositor import Compositor, LayoutUpdate
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.repainting import SparingCompositor
from tests.ui.data_story import until

WIDTH, HEIGHT = 120, 36


def drawn(app: GoemoApp, kind: type[Compositor], changed: set[Region]) -> list[str]:
    """What a terminal shows once these regions were drawn on an empty screen."""
    compositor = app.screen._compositor
    compositor._dirty_regions = set(changed)
    update = kind.render_partial_update(compositor)
    assert update is not None
    terminal = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(terminal)
    stream.feed(update.render_segments(app.console).replace("\n", ""))
    return [
        "".join(f"{cell.data}{cell.fg}{cell.bg}" for cell in (terminal.buffer[y][x] for x in range(WIDTH)))
        for y in range(HEIGHT)
    ]


def somewhere(chance: random.Random) -> Region:
    x, y = chance.randrange(WIDTH - 1), chance.randrange(HEIGHT - 1)
    return Region(x, y, chance.randint(1, WIDTH - x), chance.randint(1, min(4, HEIGHT - y)))


@pytest.mark.parametrize("place", ["f1", "f2", "f3"])
async def test_it_draws_what_textual_draws(place: str) -> None:
    chance = random.Random(place)
    app = GoemoApp("sample")
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press(place)
        await pilot.pause()
        assert isinstance(app.screen._compositor, SparingCompositor)
        for _ in range(25):
            changed = {somewhere(chance) for _ in range(chance.randint(1, 5))}
            assert drawn(app, SparingCompositor, changed) == drawn(app, Compositor, changed)


async def test_only_what_changed_is_asked_for_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    app = GoemoApp("sample")
    asked: list[Widget] = []
    render_lines = Widget.render_lines

    def counted(widget: Widget, crop: Region) -> list[object]:
        asked.append(widget)
        return render_lines(widget, crop)  # type: ignore[return-value]

    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.press("f2")
        await until(pilot, lambda: app.current_mode == "train")
        await pilot.pause()
        monkeypatch.setattr(Widget, "render_lines", counted)
        run = app.screen.query_one(".header--run", Static)
        drawn(app, SparingCompositor, {run.region, app.screen.query_one("#none", Static).region})
    assert len(set(asked)) == 2


async def test_an_app_that_was_stopped_is_drawn_whole_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: list[Compositor] = []
    full = Compositor.render_full_update

    def counted(compositor: Compositor, simplify: bool = False) -> LayoutUpdate:
        whole.append(compositor)
        return full(compositor, simplify)

    app = GoemoApp("sample")
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await until(pilot, lambda: app.ready and not app.screen._dirty_widgets)
        await pilot.pause()
        monkeypatch.setattr(Compositor, "render_full_update", counted)
        app.app_resume_signal.publish(app)
        await until(pilot, lambda: bool(whole))
        assert whole == [app.screen._compositor]
