"""Other keys for actions: what can be used is used everywhere, what cannot is said with both sides named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from goemo_tui import actions
from goemo_tui.keymap import key_name, read_keys, types_text
from goemo_tui.screens.help import HelpScreen


@pytest.fixture(autouse=True)
def own_keys_again() -> Iterator[None]:
    yield
    actions.use_keys({})


def test_keys_are_taken_as_people_write_them() -> None:
    taken, warnings = read_keys({"data.clear": "^k, F5", "app.help": "!"})
    assert taken == {"data.clear": ("ctrl+k", "f5"), "app.help": ("exclamation_mark",)} and not warnings
    assert [key_name(k) for k in ("?", "Esc", "pgup", "shift+tab", "ctrl+?")] == [
        "question_mark", "escape", "pageup", "shift+tab", "ctrl+question_mark",
    ]  # fmt: skip


def test_what_is_not_there_is_said_with_the_nearest_name() -> None:
    taken, (warning,) = read_keys({"data.fliter": "f5"})
    assert not taken and "'data.fliter'" in warning and "'data.filter'" in warning


@pytest.mark.parametrize("key", ["nokey", "ctrl+nokey", "hypo+x", "", " , "])
def test_what_is_no_key_is_said(key: str) -> None:
    taken, (warning,) = read_keys({"data.filter": key})
    assert not taken and warning.startswith("[keys] data.filter") and "it keeps /" in warning


@pytest.mark.parametrize("id", ["app.theme", "data.filter_typing", "app.leave"])
def test_what_works_while_typing_gets_no_key_that_types(id: str) -> None:
    assert not read_keys({id: "x"})[0] and "typed into text fields" in read_keys({id: "slash"})[1][0]
    assert read_keys({id: "f9"})[0] == {id: ("f9",)}


def test_a_clash_within_a_place_names_both_and_keeps_the_table() -> None:
    taken, (warning,) = read_keys({"data.sort": "x"})
    assert not taken and "data.sort" in warning and "data.clear" in warning
    taken, (warning,) = read_keys({"train.new": "q"})
    assert not taken and "app.quit" in warning and "another key" in warning
    assert read_keys({"app.quit": "n"})[1]  # New run in Train


def test_swapped_keys_and_keys_of_other_places_are_no_clash() -> None:
    swapped = {"data.split": "v", "data.view": "s"}
    assert read_keys(swapped) == ({"data.split": ("v",), "data.view": ("s",)}, ())


def test_help_and_table_show_the_present_keys_and_readme_the_tables_own() -> None:
    before = actions.readme_table()
    actions.use_keys(read_keys({"app.theme": "f7"})[0])
    action = next(a for a in actions.ACTIONS if a.id == "app.theme")
    line = next(line for line in HelpScreen("data", None).page().plain.splitlines() if action.help in line)
    assert line.split()[0] == action.shown_key == "F7"
    assert actions.readme_table() == before


def test_which_keys_type() -> None:
    assert all(types_text(key) for key in ("x", "slash", "question_mark", "space", "é"))
    assert not any(types_text(key) for key in ("f1", "ctrl+x", "escape", "tab", "enter", "up"))
