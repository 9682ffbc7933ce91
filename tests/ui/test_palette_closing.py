"""A palette that closes while it searches: what was found, or that nothing was, comes too late and hurts nobody."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import ComposeResult
from textual.command import CommandList
from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.palette import Palette
from tests.ui.train_story import opened, shown, until


async def without_its_list(app: GoemoApp, pilot: Pilot[int]) -> tuple[Palette, CommandList]:
    """A palette in the middle of its closing."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.query(CommandList))
    palette = app.screen
    assert isinstance(palette, Palette)
    await until(pilot, lambda: palette._list_visible)
    found = palette.query_one(CommandList)
    await found.remove()
    return palette, found


async def test_what_is_found_too_late_is_not_shown() -> None:
    async with opened() as (app, pilot):
        palette, gone = await without_its_list(app, pilot)
        palette._refresh_command_list(gone, [], True)
        await pilot.pause()


async def test_that_nothing_was_found_is_said_of_an_open_palette_alone() -> None:
    async with opened() as (app, pilot):
        await pilot.press("ctrl+p", *"qqzzxx")
        await until(pilot, lambda: "No matches found" in shown(app))
        await pilot.press("escape")
        palette, _ = await without_its_list(app, pilot)
        palette._start_no_matches_countdown("qqzzxx")
        await asyncio.sleep(palette._NO_MATCHES_COUNTDOWN + 0.2)
        await pilot.pause()
        assert app.is_running and app.fatal_line is None


async def test_a_place_that_is_gone_to_in_the_same_breath_is_not_looked_beneath(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The switch falls between the palette's composing and its mounting."""
    usual = Palette.compose

    async with opened() as (app, pilot):
        for mode in ("inspect", "train"):  # there already, so that a switch waits for nothing
            await app.switch_mode(mode)

        def compose(palette: Palette) -> ComposeResult:
            yield from usual(palette)
            app._current_mode = "inspect"

        monkeypatch.setattr(Palette, "compose", compose)
        app.push_screen(Palette())
        await until(pilot, lambda: app.current_mode == "inspect")
        await pilot.pause(0.2)
        assert app.is_running and app.fatal_line is None
        monkeypatch.undo()
        await app.switch_mode("train")
        await until(pilot, lambda: not isinstance(app.screen, Palette))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.query(CommandList))
