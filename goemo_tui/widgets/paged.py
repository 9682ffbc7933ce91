"""Lists and choices in which a page's key may come before they are laid out: a paste or a quick hand types that fast.

Textual 8 looks up the line of an option then and there is none yet, which is an error in place of a page.
"""

from __future__ import annotations

from typing import Literal

from textual.app import ComposeResult
from textual.widgets import OptionList, Select
from textual.widgets._select import SelectCurrent, SelectOverlay


class PagedList(OptionList):
    """Textual's list; a page that is asked for before there is one comes as soon as there is, or not at all."""

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if self._lines:
            super()._move_page(direction)
        else:
            self.call_after_refresh(self._page_now, direction)

    def _page_now(self, direction: Literal[-1, 1]) -> None:
        if self._lines:
            super()._move_page(direction)


class _PagedOverlay(SelectOverlay, PagedList):
    """What a choice opens."""


class PagedSelect(Select[str]):
    """Textual's choice, whose list is a `PagedList`."""

    def compose(self) -> ComposeResult:
        """The choice that is taken, and the list of them."""
        yield SelectCurrent(self.prompt)
        yield _PagedOverlay(type_to_search=self._type_to_search).data_bind(compact=Select.compact)

    def _setup_options_renderables(self) -> None:
        # Closed before it heard that it is there it has no list. To fail here would leave it on the screen for good: a
        # widget whose mount fails never hears that it is taken away.
        if self.query(SelectOverlay):
            super()._setup_options_renderables()
