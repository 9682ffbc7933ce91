"""Every text that is drawn can be read in every theme: 4.5 to its ground, 7 in the theme of high contrast. Frames, bars and
curves are no text; what lies dimmed beneath a dialog is not looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from goemo_tui import themes
from goemo_tui.app import GoemoApp
from tests.ui import data_story, inspect_story, train_story
from tests.unit.test_themes import contrast


def faint(app: GoemoApp, within: Region, least: float) -> list[tuple[str, str, str, float]]:
    """(text, its colour, its ground, contrast) of what stands in a part of the screen with less than `least`."""
    found = []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        if not within.y <= y < within.bottom:
            continue
        for segment in strip.crop(within.x, within.right):
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, segment.text)):
                continue
            text, ground = ("#{:02x}{:02x}{:02x}".format(*c.get_truecolor()) for c in (style.color, style.bgcolor))
            ratio = contrast(text, ground)
            if ratio < least - 0.005:
                found.append((segment.text.strip(), text, ground, round(ratio, 2)))
    return found


async def readable(app: GoemoApp, pilot: Pilot[Any], box: str = "") -> None:
    """Look at the screen, or at the box of a dialog, in one theme after the other."""
    for theme in themes.THEMES:
        app.theme = theme.name
        await pilot.pause()
        within = app.screen.query_one(box).region if box else app.screen.region
        assert not faint(app, within, 7.0 if theme.name == "goemo-contrast" else 4.5), theme.name


async def test_data_help_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = GoemoApp(str(data_story.corpus(tmp_path, monkeypatch)))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await data_story.opened(pilot)
        await readable(app, pilot)
        for _ in range(4):
            await pilot.press("v")
            await pilot.pause()
            await readable(app, pilot)
        screen.query_one("#emotions").focus()
        await pilot.pause()
        await readable(app, pilot)
        for key, box in (("question_mark", "#help"), ("comma", "#box")):
            await pilot.press(key)
            await pilot.pause()
            await readable(app, pilot, box)
            await pilot.press("escape")
            await pilot.pause()


async def test_train(monkeypatch: pytest.MonkeyPatch) -> None:
    train_story.ended()
    train_story.ended(kind="failed", error="OutOfMemory", message="no room")
    async with train_story.opened() as (app, pilot):
        await train_story.until(pilot, lambda: len(app.runs.runs) == 2)
        for tab in ("live", "evaluation", "config", "log"):
            app.screen.query_one("#tabs").active = tab  # type: ignore[attr-defined]
            await pilot.pause()
            await pilot.pause()
            await readable(app, pilot)


async def test_inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with inspect_story.opening(tmp_path, monkeypatch)() as (app, pilot):
        await readable(app, pilot)
        await inspect_story.keep(app, pilot, "so happy today")
        await readable(app, pilot)
