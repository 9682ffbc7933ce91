"""What comes too late for the part of the screen it was meant for ends nothing; what is missing where it should be does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets import Static

from goemo_tui.forgiving import ForgivingApp
from goemo_tui.gone import gone
from goemo_tui.widgets.paged import PagedSelect
from goemo_tui.widgets.run_form import RunForm
from tests.ui.train_story import opened, until


class Part(Vertical):
    """Something with a child, and handlers that take it for granted."""

    def compose(self) -> ComposeResult:
        yield Static("here", id="child")

    def by_name(self) -> None:
        self.query_one("#child", Static).update("found")

    def by_first(self) -> None:
        self.query("#child").first(Static).update("found")

    def by_action(self) -> None:
        self.app.call_later(self.run_action, "look")

    def action_look(self) -> None:
        self.by_name()

    def by_worker(self) -> None:
        self.app.run_worker(self.look())

    async def look(self) -> None:
        self.by_name()

    def by_wrong_name(self) -> None:
        self.query_one("#other")


class Dialog(ModalScreen[None]):
    """A part that is closed."""

    def compose(self) -> ComposeResult:
        yield Part()


WAYS = [Part.by_name, Part.by_first, Part.by_action, Part.by_worker]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_comes_after_a_screen_has_gone_is_for_nobody(way: Callable[[Part], object]) -> None:
    app = ForgivingApp()
    async with app.run_test() as pilot:
        await app.push_screen(dialog := Dialog())
        part = dialog.query_one(Part)
        assert not gone(part) and not gone(dialog) and not gone(app)
        await dialog.dismiss()
        assert gone(part) and gone(dialog)
        app.screen.call_after_refresh(way, part)
        await pilot.pause()
        await app.workers.wait_for_complete()
        assert app.is_running and app.fatal_line is None and not app._notifications


async def test_a_message_that_fails_there_ends_the_app_because_none_would_be_obeyed_after_it() -> None:
    app = ForgivingApp()
    with pytest.raises(NoMatches):
        async with app.run_test() as pilot:
            await app.push_screen(dialog := Dialog())
            part = dialog.query_one(Part)
            await dialog.dismiss()
            app.screen.call_later(part.by_name)
            await pilot.pause()
    assert app.fatal_line is not None


async def test_a_choice_that_is_closed_before_it_hears_that_it_is_there_goes_and_ends_nothing() -> None:
    app = ForgivingApp()
    async with app.run_test() as pilot:
        await app.push_screen(dialog := Dialog())
        choice = PagedSelect([("one", "1")])
        mounting, removing = dialog.mount(choice), choice.remove()
        await mounting
        await removing
        assert gone(choice) and not dialog.query(PagedSelect) and app.fatal_line is None
        await dialog.mount(PagedSelect([("one", "1"), ("two", "2")], value="2"))
        await pilot.pause()
        assert dialog.query_one(PagedSelect).value == "2"


async def test_what_is_missing_on_a_screen_that_is_there_ends_the_app() -> None:
    app = ForgivingApp()
    with pytest.raises(NoMatches):
        async with app.run_test() as pilot:
            await app.push_screen(dialog := Dialog())
            app.screen.call_after_refresh(Part.by_wrong_name, dialog.query_one(Part))
            await pilot.pause()
    assert app.fatal_line is not None and "#other" in app.fatal_line


async def test_the_form_shows_nothing_once_it_is_closed_and_what_waits_behind_that_is_done() -> None:
    done: list[str] = []
    async with opened((80, 24)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: bool(app.screen.query(RunForm)))
        form = app.screen.query_one(RunForm)
        form.query_one("#more").focus()
        await pilot.press("escape")
        await until(pilot, lambda: gone(form) and not form.children)
        for late in (form._show_opened, form._bring, lambda: done.append("behind")):
            app.screen.call_after_refresh(late)
        await until(pilot, lambda: bool(done))
