"""The table of a split with many rows: a thread finds and sorts them, the title says so, and no older answer is shown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.app import GoemoApp
from goemo_tui.services import corpus as service
from goemo_tui.services.row_finder import Looking
from tests.ui import data_story
from tests.ui.data_story import opened, shown, title, until
from trainer.corpus.interrupt import Cancelled


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """More than three rows are many. An answer waits for the gate, and tells half of the way before."""
    gate, real = threading.Event(), service.answer

    def slow(columns: Any, text: str, sorting: Any, watch: service.Watch | None = None) -> service.Answer:
        if watch is not None:
            watch.done(1, 2)
            while not gate.wait(0.01):
                if watch.cancelled():
                    raise Cancelled("nobody waits for it")
        return real(columns, text, sorting, watch)

    monkeypatch.setattr(service, "MANY", 3)
    monkeypatch.setattr(service, "answer", slow)
    return gate


async def test_rows_are_looked_for_in_a_thread_and_the_title_says_how_far_it_is(
    corpus: Path, gate: threading.Event
) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        assert "7 of 7" in title(screen.browser), "every row needs no search"
        await pilot.press("slash", *"love")
        await until(pilot, lambda: "looking 50%" in title(screen.browser))
        assert len(shown(screen)) == 7, "the app goes on meanwhile"
        await pilot.press("backspace", "backspace", "backspace", "backspace", *"sad")
        gate.set()
        await until(pilot, lambda: "1 of 7" in title(screen.browser))
        assert shown(screen) == [5], "what was asked last"
        await pilot.press("enter")
        gate.clear()
        await pilot.press("x")
        await until(pilot, lambda: "7 of 7" in title(screen.browser))


async def test_an_order_is_made_in_a_thread_and_a_row_that_is_gone_to_does_not_wait(
    corpus: Path, gate: threading.Event
) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "sorting" in title(screen.browser) or "looking" in title(screen.browser))
        gate.set()
        await until(pilot, lambda: "7 of 7" in title(screen.browser))
        assert shown(screen)[0] == 6 and screen.browser.sorting == (1, False)
        screen.browser.filter_text = "happy"
        await until(pilot, lambda: shown(screen) == [2])
        gate.clear()
        screen.browser.look_at(4)
        assert screen.browser.table is not None and screen.browser.table.looked_at == 4
        assert (screen.browser.filter_text, screen.browser.sorting) == ("", None)


async def test_a_mistake_in_a_filter_of_many_rows_is_said_in_place(corpus: Path, gate: threading.Event) -> None:
    gate.set()
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"/[a/")
        await until(pilot, lambda: "is no regular expression" in screen.browser.line._said)
        assert "7 of 7" in title(screen.browser)


async def test_rows_are_not_written_while_they_are_looked_for(corpus: Path, gate: threading.Event) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"sad", "enter")
        await until(pilot, lambda: "looking 50%" in title(screen.browser))
        await pilot.press("w")
        await pilot.pause()
        assert pilot.app.screen is screen, "they would be those of an earlier filter"
        gate.set()
        await until(pilot, lambda: "1 of 7" in title(screen.browser))
        await pilot.press("w")
        await until(pilot, lambda: pilot.app.screen is not screen)


async def test_a_reload_keeps_the_row_and_a_word_of_progress_that_comes_late_says_nothing(
    corpus: Path, gate: threading.Event
) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        gate.set()
        await pilot.press("slash", *"love", "enter", "down")
        await until(pilot, lambda: shown(screen) == [1, 3])
        table = screen.browser.table
        assert table is not None
        await until(pilot, lambda: table.looked_at == 2)
        await pilot.press("r")
        await until(pilot, lambda: shown(screen) == [1, 3] and table.looked_at == 2 and not screen.browser.looking)
        gate.clear()
        screen.browser.filter_text = "sad"
        await until(pilot, lambda: "looking" in title(screen.browser))
        asked = screen.browser._finder.asked
        assert asked is not None
        screen.browser.filter_text = ""
        await until(pilot, lambda: "7 of 7" in title(screen.browser))
        screen.browser.post_message(Looking(asked, "looking 73%"))
        await pilot.pause()
        assert "7 of 7" in title(screen.browser)


async def test_leaving_the_app_waits_for_no_answer(corpus: Path, gate: threading.Event) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"sad", "enter")
        await until(pilot, lambda: screen.browser.looking)
        asked = screen.browser._finder.asked
    threads = [t for t in threading.enumerate() if t.name == "rows"]
    for thread in threads:
        thread.join(10)
    assert asked is not None and not any(t.is_alive() for t in threads)


async def test_an_answer_that_fails_is_said(
    corpus: Path, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)

        def fails(*_: Any) -> None:
            raise MemoryError("no room for a mask")

        monkeypatch.setattr(service, "answer", fails)
        await pilot.press("slash", *"sad")
        await until(pilot, lambda: "no room for a mask" in screen.browser.line._said and not screen.browser.looking)
