"""`?` in dialogs: the help tells what can be done there, and only keys that work there; in a text field it is a letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.screen import ModalScreen
from textual.widgets import Input

from goemo_tui import actions
from goemo_tui.app import GoemoApp
from goemo_tui.language import set_language
from goemo_tui.screens.ask_path import AskPath
from goemo_tui.screens.compare import CompareScreen
from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.dialog import Dialog
from goemo_tui.screens.help import HelpScreen
from goemo_tui.screens.open_corpus import OpenCorpus
from goemo_tui.screens.pick_model import PickModel
from goemo_tui.screens.settings import SettingsScreen
from goemo_tui.services.runs import RunWatch


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


DIALOGS: dict[str, tuple[Callable[[], Dialog[Any]], str]] = {
    "settings": (SettingsScreen, "Next value"),
    "confirm": (lambda: Confirm("Really?", "Do it"), "Yes"),
    "path": (lambda: AskPath("Save", "where to", lambda path: ""), "Close"),
    "corpus": (lambda: OpenCorpus(()), "Into the folder"),
    "model": (PickModel, "Close"),
}


@pytest.mark.parametrize("which", DIALOGS)
async def test_the_question_mark_helps_in_a_dialog_and_is_text_in_its_field(which: str) -> None:
    make, told = DIALOGS[which]
    app = GoemoApp("sample")
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = make()
        await app.push_screen(dialog)
        await pilot.pause()
        if isinstance(field := dialog.focused, Input):
            before = field.value
            await pilot.press("question_mark")
            assert app.screen is dialog and field.value.count("?") == before.count("?") + 1
            await pilot.press("ctrl+g")
        else:
            await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        page = app.screen.page(92).plain
        assert told in page.partition("Everywhere")[0]
        assert "Leave, also while typing" in page and "^q" in page
        assert not re.search(r"^  q ", page.partition("Everywhere")[2], re.M), "no key of the app's that a dialog keeps"
        await pilot.press("question_mark")
        assert app.screen is dialog


async def test_settings_tell_of_themselves_and_not_while_a_value_is_typed(goemo_home: Path) -> None:
    app = GoemoApp("sample")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("escape", "comma", "question_mark")
        assert isinstance(app.screen, HelpScreen) and SettingsScreen.ABOUT in app.screen.page(92).plain
        await pilot.press("escape")
        settings = app.screen
        assert isinstance(settings, SettingsScreen)
        settings._type("data")
        await pilot.press("question_mark")
        assert app.screen is settings and settings.query_one("#typed", Input).value.endswith("?")


async def test_another_key_for_the_help_is_taken_in_dialogs_too(goemo_home: Path) -> None:
    goemo_home.mkdir(parents=True)
    (goemo_home / "settings.toml").write_text('[keys]\n"app.help" = "!"\n')
    app = GoemoApp("sample")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("escape", "comma", "question_mark")
        assert isinstance(app.screen, SettingsScreen)
        await pilot.press("exclamation_mark")
        assert isinstance(app.screen, HelpScreen)


def test_a_key_without_words_of_its_own_is_told_with_the_one_that_does_the_same() -> None:
    page = HelpScreen("train", None, CompareScreen((), RunWatch(1.0))).page(92).plain
    assert re.search(r"q c Esc +Close", page)


def test_the_help_of_a_dialog_speaks_arabic() -> None:
    set_language("ar")
    page = HelpScreen("data", None, SettingsScreen()).page(92).plain
    assert "القيمة التالية" in page and not re.search("[a-z]{3} [a-z]{3}", page)


def test_what_a_key_of_any_dialog_does_is_said_in_arabic() -> None:
    from textual.binding import Binding

    from goemo_tui.arabic_help import KEYS
    from tests.unit.test_screen_language import parts

    dialogs = [part for part in parts() if issubclass(part, ModalScreen) and issubclass(part, Dialog)]
    told = {
        b.tooltip or b.description for part in dialogs for b in Binding.make_bindings(vars(part).get("BINDINGS", []))
    }
    assert len(dialogs) > 8 and told - {""} <= KEYS.keys()


def test_what_works_beneath_a_dialog_is_the_table_and_nothing_else() -> None:
    told = {action.name for action, _ in actions.beneath_dialogs()}
    assert {"app.help", "app.quit", "app.command_palette", "app.place('data')"} <= told
    assert not told & {"app.settings", "leave_field", "screen.one_pane"}
