"""Where pictures are taken: a folder whose name always has the same width, a clock that stands still, a machine that does
nothing, and a studio that holds what the app shows against the picture that was accepted.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import read_state, write_state
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.services.machine import MachineWatch, Sample
from tests.ui.picture import Picture, Shot, difference, svg
from tests.ui.picture_runs import NOW, chance
from trainer import paths

FOLDER = Path(__file__).parent.parent / "pictures"
REFUSED = FOLDER / "new"
"""Where pictures go that are not as accepted: SVGs to look at."""

THEMES = ("goemo-dark", "goemo-light")
SIZES = ((80, 24), (120, 36))
STILL = 30
"""Looks in a row, 50 ms apart, that find the same screen, which is not the accepted one: no other is coming."""
SETTLED = 8
"""As many where no picture was accepted yet."""

CHILD = Path(__file__).with_name("picture_child.py")
HOW = "works"
"""The script of the prediction child."""


def text(app: GoemoApp) -> str:
    """The screen as text, with what lies behind a dialog."""
    return "\n".join(Shot.of(app).rows)


class Machine(MachineWatch):
    """A machine whose worker has been at it for two minutes; no thread looks at the real one."""

    def follow(self, runs: object) -> None:
        """Nothing."""

    def look_at(self, run_id: str) -> None:
        """Nothing."""

    def samples(self, run_id: str) -> tuple[Sample, ...]:
        """Two minutes."""
        return tuple(
            Sample(180 + 18 * chance("cpu", i), int((0.9 + 0.2 * min(i, 40) / 40) * 2**30), 60 + 30 * chance("all", i),
                   int((3.1 + 0.1 * chance("used", i)) * 2**30), 16 * 2**30)
            for i in range(120)
        )  # fmt: skip


@dataclass
class Studio:
    """Takes the pictures of one story. `finish` says which of them are not as accepted."""

    folder: Path
    accept: bool
    size: tuple[int, int]
    refused: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The GOEMO_HOME of the story."""
        return self.folder / "home"

    async def take(
        self, pilot: Pilot[Any], name: str, *words: str, when: Callable[[], object] = lambda: True,
        themes: tuple[str, ...] = THEMES,
    ) -> None:  # fmt: skip
        """The picture `name`, once all `words` are shown and `when` holds, in all themes."""
        app = pilot.app
        assert isinstance(app, GoemoApp)
        await self.until(pilot, lambda: all(word in text(app) for word in words) and when(), name)
        file = FOLDER / f"{name}.{self.size[0]}x{self.size[1]}.txt"
        accepted = Picture.read(file.read_text(encoding="utf-8")) if file.is_file() else None
        own, shots = app.theme, {}
        for theme in themes:
            app.theme = theme
            want = accepted.shots.get(theme) if accepted is not None and not self.accept else None
            looks = STILL if want is not None else SETTLED
            shots[theme] = await self._still(pilot, want, looks)
        app.theme = own
        picture = Picture(name, shots)
        if self.accept:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(picture.text(accepted), encoding="utf-8")
            for left in REFUSED.glob(f"{file.stem}.*"):
                left.unlink()
        else:
            self._judge(file, accepted, picture)

    def _judge(self, file: Path, accepted: Picture | None, drawn: Picture) -> None:
        for theme, shot in drawn.shots.items():
            before = accepted.shots.get(theme) if accepted is not None else None
            said = "no picture was accepted yet" if before is None else difference(before, shot)
            if not said:
                continue
            REFUSED.mkdir(parents=True, exist_ok=True)
            new = REFUSED / f"{file.stem}.{theme}.svg"
            new.write_text(svg(shot, f"{file.stem} {theme}"), encoding="utf-8")
            if before is not None:
                old = svg(before, f"{file.stem} {theme}, as accepted")
                new.with_name(f"{new.stem}.accepted.svg").write_text(old, encoding="utf-8")
            self.refused.append(f"{file.name} in {theme}: {said}\n  drawn: {new}")

    def finish(self) -> None:
        """Raise AssertionError if a picture is not as accepted."""
        if self.refused:
            self.refused.append("If that is meant, `make pictures` accepts it: look at the diff before you commit it.")
        assert not self.refused, "\n\n".join(["", *self.refused])

    async def until(self, pilot: Pilot[Any], true: Callable[[], object], what: str = "") -> None:
        """Wait for something that a thread or a child brings about."""
        for _ in range(600):
            await pilot.pause()
            if true():
                return
            await asyncio.sleep(0.025)
        raise AssertionError(f"{what}: it never came true; the screen shows\n{text(pilot.app)}")

    async def _still(self, pilot: Pilot[Any], want: Shot | None, looks: int) -> Shot:
        """What is shown as soon as it is `want`, else once it no longer changes."""
        app = pilot.app
        await pilot.pause()
        shot, same = self._shot(app), 0
        while same < looks and shot != want:
            await pilot.pause()
            await asyncio.sleep(0.05)
            new = self._shot(app)
            shot, same = new, same + 1 if new == shot else 0
        return shot

    def _shot(self, app: Any) -> Shot:
        for widget in app.screen.query("Input, TextArea"):
            if isinstance(widget, Input | TextArea):
                widget.cursor_blink = False
        shot = Shot.of(app)
        shot = shot.replaced(str(Path(sys.prefix)), "/opt/goemo/.venv")
        own = self.folder.name
        for length in range(len(own), len("goemo-"), -1):  # also where the screen cuts it
            cut = "" if length == len(own) else "…"
            shot = shot.replaced(own[:length] + cut, "goemo-pictures"[:length] + cut)
        return shot


@asynccontextmanager
async def opened(
    studio: Studio, place: str, data: str | None = None, monkeypatch: pytest.MonkeyPatch | None = None
) -> AsyncIterator[tuple[GoemoApp, Pilot[int]]]:
    """The app at a place. Without `data` the Data screen stays empty, and Inspect asks the child for pictures."""
    if data is None and monkeypatch is not None:
        command = (sys.executable, str(CHILD), HOW, str(studio.folder / "asked.jsonl"))
        modes = {**GoemoApp.MODES, "data": Screen, "inspect": lambda: InspectScreen(command)}
        monkeypatch.setattr(GoemoApp, "MODES", modes)
        write_state(replace(read_state(), place=place))
    app = GoemoApp(data)
    app.machine = Machine()
    app.animation_level = "none"
    app.runs._interval = app.runs._idle_interval = 0.05
    async with app.run_test(size=studio.size) as pilot:
        if app.current_mode != place:
            app.action_place(place)
        await studio.until(pilot, lambda: app.current_mode == place and app.screen.is_mounted)
        yield app, pilot


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def studio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio of one size; at the end it says what is not as accepted."""
    yield from at(request, monkeypatch, request.param)


def at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> Iterator[Studio]:
    """A studio in a world that is the same on every machine and on every day."""
    folder = Path(tempfile.mkdtemp(prefix="goemo-", dir="/tmp"))
    assert re.fullmatch(r"goemo-.{8}", folder.name), "paths on the screen must have the same width each time"
    (folder / "desk").mkdir()
    monkeypatch.chdir(folder / "desk")
    for name, value in (("HOME", str(folder)), ("GOEMO_HOME", str(folder / "home")), ("TZ", "UTC")):
        monkeypatch.setenv(name, value)
    time.tzset()
    shipped = shutil.copytree(paths.shipped(), folder / "shipped")  # a checkout has another path on each machine
    monkeypatch.setattr(paths, "shipped", lambda: shipped)
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    monkeypatch.setattr("goemo_tui.screens.still_beneath.SECONDS", 0.0)  # what lies beneath a dialog is as it is
    monkeypatch.setattr("goemo_tui.screens.batch.time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr("trainer.runs.forecast.free_bytes", lambda folder: 48 * 10**9)
    monkeypatch.setattr("goemo_tui.services.offers.device_choices", _devices)
    made = Studio(folder, bool(request.config.getoption("--accept-pictures")), size)
    try:
        yield made
    finally:
        monkeypatch.undo()
        time.tzset()
        os.chdir(Path(__file__).parent)
        shutil.rmtree(folder, ignore_errors=True)
    made.finish()


def _devices() -> list[tuple[str, str, str]]:
    best = "cpu · a processor of 8 cores"
    return [("auto", "auto", f"the best that is there: {best}"), ("cpu", "cpu", best)]
