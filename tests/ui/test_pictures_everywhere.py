"""Pictures of what belongs to no place, and of terminals that show less, held against those in tests/pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ui.gallery import Studio, at, opened
from tests.ui.gallery import studio as studio
from tests.ui.picture_runs import created, finished, tell
from tests.ui.test_pictures_data import ready
from trainer.runs.lock import RunLock


@pytest.fixture
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio that is too small."""
    yield from at(request, monkeypatch, (40, 10))


async def test_dialogs_of_every_place(studio: Studio) -> None:
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.until(pilot, ready(app))
        await pilot.press("question_mark")
        await studio.take(pilot, "help", "ilter")
        await pilot.press("escape", "comma")
        await studio.take(pilot, "settings", "theme")
        await pilot.press("escape", "ctrl+p", *"fil")
        await studio.take(pilot, "palette", "ilter")
        await pilot.press("escape", "escape", "M")
        await studio.take(pilot, "one-pane", "1,120")


async def test_a_screen_that_is_too_small(tiny: Studio) -> None:
    async with opened(tiny, "data", "sample") as (_, pilot):
        await tiny.take(pilot, "too-small", "40")


async def test_arabic(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEMO_LANGUAGE", "ar")
    monkeypatch.setenv("GOEMO_BIDI", "app")
    async with opened(studio, "data", "sample") as (app, pilot):
        await studio.take(pilot, "arabic-data", "1,120", when=ready(app))
        await pilot.press("question_mark")
        await studio.take(pilot, "arabic-help")


@pytest.mark.parametrize(
    ("name", "variable", "value"), [("ascii", "GOEMO_SIGNS", "ascii"), ("no-color", "NO_COLOR", "1")]
)
async def test_terminals_that_show_less(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, name: str, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    finished("brave-finch", 5 * 3600, 0.531, 1, epochs=6)
    run = created("calm-otter", 62.0, 0, epochs=6)
    with RunLock(run.folder):
        tell(run, 62.0, 128, 0.5, None)
        async with opened(studio, "data", "sample") as (app, pilot):
            await studio.take(pilot, f"{name}-data", "1,120", "calm-otter", when=ready(app))
            await pilot.press("f2")
            await studio.take(pilot, f"{name}-train", "128/210", "CPU")
