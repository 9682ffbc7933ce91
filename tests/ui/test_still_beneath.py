"""What changes beneath a dialog is not sent while nobody looks at it, and stands there when the dialog has gone."""

from __future__ import annotations

from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens import still_beneath
from goemo_tui.screens.settings import SettingsScreen
from tests.ui.alone import until
from tests.ui.test_app import app as app  # a fixture


def lines(app: GoemoApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_a_screen_beneath_a_dialog_is_still(app: GoemoApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(still_beneath, "SECONDS", 3600.0)
    painted: list[object] = []
    own = GoemoApp._display

    def display(self: GoemoApp, screen: Screen[Any], renderable: Any) -> None:
        painted.append(renderable)
        own(self, screen, renderable)

    async with app.run_test(size=(100, 30)) as pilot:
        home = app.screen.query_one("#home", Static)
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        home.update("once")
        await pilot.pause()
        await pilot.pause()
        monkeypatch.setattr(GoemoApp, "_display", display)
        for number in range(5):
            home.update(f"change {number}")
            await pilot.pause()
            home.screen.post_message(news())
            await pilot.pause()
        assert not painted
        await pilot.press("escape")
        await until(pilot, lambda: "change 4" in lines(app))


def news() -> Any:
    from textual.message import Message

    class Told(Message):
        """Any news: Textual painted at each, once something had changed beneath."""

    return Told()
