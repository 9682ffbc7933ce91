"""What the Inspect screen's tests share: the opened place with a scripted child, and waiting for what shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from goemo_tui.app import GoemoApp
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.widgets.history_list import HistoryList
from goemo_tui.widgets.prompt import Prompt
from tests.unit import scripted_child

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "so", "happy", "today", "and", "a", "bit", "scared"]

Opened = AbstractAsyncContextManager[tuple[GoemoApp, Pilot[int]]]
Open = Callable[..., Opened]


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(1500):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never came true; the screen shows\n{shown(pilot.app)}")


def shown(app: Any) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def place(app: GoemoApp) -> InspectScreen:
    """The Inspect screen, whatever lies on top of it."""
    return next(screen for screen in app.screen_stack if isinstance(screen, InspectScreen))


def answered(app: GoemoApp) -> str | None:
    """The text that the bars of the first model are of."""
    answer = place(app).readings.a.answer
    return answer.request.text if answer else None


def prompt(app: GoemoApp) -> Prompt:
    return place(app).query_one(Prompt)


def kept(app: GoemoApp) -> list[str]:
    """The history as it is shown, newest first."""
    return [entry.text for entry in place(app).query_one(HistoryList).entries]


def told(app: GoemoApp) -> list[str]:
    """The toasts so far."""
    return [n.message for n in app._notifications]


async def type_in(app: GoemoApp, pilot: Pilot[int], text: str) -> None:
    prompt(app).value = text
    await pilot.pause()


async def keep(app: GoemoApp, pilot: Pilot[int], text: str) -> None:
    """Type a sentence, wait for its answer and keep it."""
    await type_in(app, pilot, text)
    await until(pilot, lambda: answered(app) == text)
    await pilot.press("enter")
    await until(pilot, lambda: kept(app)[:1] == [text])


def paste(app: GoemoApp, text: str) -> None:
    app.post_message(events.Paste(text))


def asked(log: Path) -> list[dict[str, Any]]:
    """What the children were asked."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A function that opens the app at Inspect; the children write what they are asked into `asked.jsonl`."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (model / "config.json").write_text("{}")
    monkeypatch.setenv("CHILD_MODEL_PATH", str(model))

    @asynccontextmanager
    async def one(how: str = "works", size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[GoemoApp, Pilot[int]]]:
        command = scripted_child.command(how, tmp_path / "asked.jsonl")
        modes = {**GoemoApp.MODES, "data": Screen, "inspect": lambda: InspectScreen(command)}
        monkeypatch.setattr(GoemoApp, "MODES", modes)
        app = GoemoApp()
        app.runs._interval = app.runs._idle_interval = 0.05
        async with app.run_test(size=size) as pilot:
            app.action_place("inspect")
            await until(pilot, lambda: isinstance(app.screen, InspectScreen) and isinstance(app.focused, Prompt))
            yield app, pilot

    return one
