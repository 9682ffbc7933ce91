"""The filter line as a person types it: live rows and counts, mistakes in place, emotions as a filter, history."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Static

from goemo_tui.app import GoemoApp
from goemo_tui.widgets.bar_list import BarList
from goemo_tui.widgets.comment_detail import CommentDetail
from goemo_tui.widgets.filter_line import HINTS
from tests.ui import data_story
from tests.ui.data_story import counts, opened, shown, title, typed, until


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return data_story.corpus(tmp_path, monkeypatch)


async def test_filtering_while_typing_and_the_count_never_lies(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        for key, rows in [("l", 4), ("o", 2), ("v", 2), ("e", 2)]:
            await pilot.press(key)
            await pilot.pause()
            assert f"{rows} of 7" in title(screen.browser)
        assert shown(screen) == [1, 3]
        assert counts(screen)["joy"] == 1
        assert "emotions in 2" in title(screen.query_one("#emotions"))
        await pilot.press("enter", "down")
        assert screen.browser.table is not None
        assert screen.browser.table.looked_at == 2
        await pilot.press("x")
        await pilot.pause()
        assert screen.browser.filter_text == ""
        assert "7 of 7" in title(screen.browser)


@pytest.mark.parametrize(("width", "last"), [(200, "a or (b c)"), (120, "labels:>1"), (60, None)])
async def test_hints_in_the_empty_field_are_whole(corpus: Path, width: int, last: str | None) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(width, 36)) as pilot:
        screen = await opened(pilot)
        field = screen.browser.field
        await until(pilot, lambda: len(field.placeholder) < field.size.width)
        assert " ".join(HINTS).startswith(field.placeholder) and field.placeholder.startswith("words")
        rest = " ".join(HINTS)[len(field.placeholder) :]
        assert not rest or (
            rest[0] == " " and len(field.placeholder) + len(rest.split()[0]) + 1 >= field.size.width - 8
        )
        assert last is None or last in field.placeholder


async def test_a_mistake_in_the_filter_is_said_in_place_and_every_row_is_shown(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "label:love")
        await typed(pilot, screen, "label:love label:none")
        complaint = screen.query_one("#complaint", Static)
        assert complaint.display
        assert "no label is called 'none'" in str(complaint.render())
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        assert "7 of 7" in title(screen.browser)
        assert counts(screen)["sadness"] == 1
        await typed(pilot, screen, "label:love -label:joy")
        assert not complaint.display
        assert shown(screen) == [1]


async def test_a_mistake_never_leaves_the_rows_of_its_first_letters(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", *"label", "colon", *"nope")
        await pilot.pause()
        assert "no label is called 'nope'" in str(screen.query_one("#complaint", Static).render())
        assert "7 of 7" in title(screen.browser)
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        screen.browser.sorting = (0, True)
        screen.browser.apply()
        assert shown(screen) == [7, 6, 5, 4, 3, 2, 1]


async def test_an_open_quote_is_said_and_searched(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        complaint = screen.query_one("#complaint", Static)
        await typed(pilot, screen, '"love the')
        assert complaint.display
        assert complaint.has_class("-note")
        assert "the quote is not closed" in str(complaint.render())
        assert shown(screen) == [1, 3]
        await typed(pilot, screen, '"love the"')
        assert not complaint.display
        await typed(pilot, screen, "foo:bar")
        assert not complaint.has_class("-note")
        assert "✗ foo: is no key" in str(complaint.render())


async def test_a_filter_without_rows_says_how_to_go_on(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "zebra")
        assert "0 of 7" in title(screen.browser)
        assert "No comment fits this filter. Esc, then x clears it." in screen.query_one(CommentDetail).text


async def test_an_emotion_is_a_filter_by_key_and_by_mouse(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        emotions = screen.query_one("#emotions", BarList)
        names = [entry.name for entry in emotions.entries]
        emotions.focus()
        await pilot.pause()
        emotions.cursor = names.index("joy")
        await pilot.press("enter")
        assert screen.browser.filter_text == "label:joy"
        assert shown(screen) == [2, 3]
        assert emotions.entries[names.index("joy")].sign == "✓"
        await pilot.click("#emotions", offset=(6, names.index("love") + 1))
        assert screen.browser.filter_text == "label:joy label:love"
        assert shown(screen) == [3]
        await pilot.press("space")
        assert screen.browser.filter_text == "label:joy"


async def test_tokens_are_a_filter_once_they_are_counted(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await typed(pilot, screen, "tokens:>64")
        assert shown(screen) == [7]


async def test_a_key_in_the_same_breath_as_esc_is_no_text_of_the_field_that_is_left(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        for key in ("slash", "l", "o", "escape", "t"):  # t sorts
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await data_story.until(pilot, lambda: "2 of 7" in title(screen.browser) and screen.browser.sorting is not None)
        assert screen.browser.filter_text == "lo"


async def test_letters_in_the_same_breath_as_tab_are_text_of_the_field_that_is_left(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        for key in ("slash", "l", "o", "tab"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await data_story.until(pilot, lambda: "2 of 7" in title(screen.browser))
        assert screen.browser.filter_text == "lo"
        assert screen.focused is not screen.query_one("#filter")


async def test_esc_and_a_key_that_arrive_as_one_are_two(corpus: Path) -> None:
    async with GoemoApp(str(corpus)).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        await pilot.press("slash", "l", "o")
        pilot.app.post_message(events.Key("alt+shift+t", "T"))
        await data_story.until(pilot, lambda: screen.browser.sorting is not None)
        assert screen.browser.filter_text == "lo"
        assert screen.focused is not screen.query_one("#filter")
