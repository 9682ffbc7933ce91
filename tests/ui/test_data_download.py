"""The full corpus downloaded from the Data screen: progress, cancelled, failed and tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.screens.download import Download
from tests.ui import data_story
from tests.ui.data_story import TRAIN, opened, title, until, write
from tests.unit.test_download import Mirror, mirror  # noqa: F401  # a server on this machine, as a fixture
from trainer.corpus.interrupt import Cancelled
from trainer.errors import CorpusError, DownloadError


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


def said(dialog: Download) -> str:
    """What the dialog tells; nothing before it is drawn."""
    return "".join(str(static.render()) for static in dialog.query("#said").results(Static))


async def test_downloading_shows_progress_and_opens_the_corpus(
    corpus: Path, goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def download(url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Path:
        progress("train.tsv", 1_000_000, 4_000_000)
        go_on.wait(20)
        return write(goemo_home / "corpora" / "goemotions", TRAIN)

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: said(dialog).startswith("train.tsv · 1.0 of 4.4 MB"))
        await until(pilot, lambda: str(dialog.query_one("#bar", Static).render()).endswith(" 23%"))
        assert str(dialog.query_one("#files", Static).render()).split()[:4] == ["○", "emotions.txt", "●", "train.tsv"]
        go_on.set()
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.name == "goemotions")
        assert pilot.app.screen is screen


async def test_a_download_can_be_cancelled(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def download(url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Path:
        seen.append("started")
        for _ in range(2_000):
            if cancelled():
                seen.append("cancelled")
                raise Cancelled("cancelled")
            threading.Event().wait(0.01)
        raise AssertionError("nobody cancelled")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        await until(pilot, lambda: bool(seen))
        await pilot.press("escape")
        await until(pilot, lambda: seen == ["started", "cancelled"])
        assert pilot.app.screen is screen


async def test_a_download_that_fails_can_be_tried_again(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def download(*_: Any) -> Path:
        tries.append(1)
        raise CorpusError("no network: check the connection")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: "no network" in said(dialog))
        assert "Enter tries again" in said(dialog)
        await pilot.press("enter")
        await until(pilot, lambda: len(tries) == 2)


async def test_an_error_says_what_to_do_here_and_not_on_the_command_line(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: Any) -> Path:
        raise DownloadError("no network.", "Run the same again (--url)")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: "no network.\n\nEnter tries again" in said(dialog))
        assert "the same again" not in said(dialog)


async def test_a_download_that_broke_goes_on_where_it_stopped(
    corpus: Path,
    mirror: Mirror,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.corpus.download.OFFICIAL", mirror.url)
    mirror.break_after = [
        10**9,
        50_000,
        0,
        0,
    ]  # emotions.txt whole; train.tsv cut off at the first try and at each other
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: "goes on where it stopped" in said(dialog))
        assert "50,000 of" in said(dialog)
        asked = len(mirror.asked)
        await pilot.press("enter")
        await until(pilot, lambda: screen.opened is not None and screen.opened.corpus.name == "goemotions")
        assert (mirror.names()[asked], mirror.asked[asked][1]) == ("train.tsv", "bytes=50000-")
        assert "9,000 of 9,000" in title(screen.browser)


async def test_space_stops_and_goes_on(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def download(url: Any, into: Any, progress: Callable[[str, int, int], None], cancelled: Callable[[], bool]) -> Path:
        progress("train.tsv", 1_000_000, 4_000_000)
        told.append("started")
        for _ in range(2_000):
            if cancelled():
                raise Cancelled("cancelled")
            threading.Event().wait(0.01)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr("trainer.corpus.download.download", download)
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("d")
        dialog = pilot.app.screen
        assert isinstance(dialog, Download)
        await until(pilot, lambda: told == ["started"])
        await pilot.press("space")
        await until(pilot, lambda: "stopped at 1.0 of 4.4 MB; what has come is kept" in said(dialog))
        await pilot.press("space")
        await until(pilot, lambda: told == ["started", "started"])
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
