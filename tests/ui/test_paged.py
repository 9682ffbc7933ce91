"""A page's key in a list or a choice that has not been laid out yet."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import OptionList, Select
from textual.widgets.option_list import Option

from goemo_tui.widgets.paged import PagedList, PagedSelect


class Both(App[None]):
    CSS = "PagedList { display: none; }"

    def compose(self) -> ComposeResult:
        yield PagedSelect([(str(i), str(i)) for i in range(60)], value="0", allow_blank=False)
        yield PagedList(*(Option(str(i)) for i in range(60)), id="hidden")


async def test_a_page_asked_for_before_a_choice_is_laid_out_comes_once_it_is() -> None:
    app = Both()
    async with app.run_test(size=(80, 24)) as pilot:
        choice = app.query_one(Select)
        overlay = choice.query_one(OptionList)
        choice.action_show_overlay()
        await overlay.run_action("page_down")
        for _ in range(20):
            await pilot.pause()
            if overlay.highlighted:
                break
        assert overlay.highlighted is not None and overlay.highlighted > 5
        await pilot.press("enter")
        assert choice.value == str(overlay.highlighted)


async def test_a_list_that_is_not_shown_has_no_page_until_it_is() -> None:
    app = Both()
    async with app.run_test(size=(80, 24)) as pilot:
        hidden = app.query_one("#hidden", OptionList)
        hidden.highlighted = 0
        await hidden.run_action("page_down")
        await pilot.pause()
        await pilot.pause()
        assert hidden.highlighted == 0
        hidden.display = True
        await pilot.pause()
        hidden.focus()
        await pilot.press("pagedown")
        assert hidden.highlighted
