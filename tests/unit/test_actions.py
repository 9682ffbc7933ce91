"""The one table of actions: bindings, footer, palette, help and the methods behind them agree with it."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.screen import Screen

from goemo_tui import actions
from goemo_tui.actions import ACTIONS, Action
from goemo_tui.app import GoemoApp
from goemo_tui.screens.help import HelpScreen

SCREENS = {"data": "DataScreen", "train": "TrainScreen", "inspect": "InspectScreen"}


def screen_class(place: str) -> type[Screen[None]]:
    found = getattr(importlib.import_module(f"goemo_tui.screens.{place}"), SCREENS[place])
    assert issubclass(found, Screen)
    return found


def test_ids_are_unique_and_no_place_binds_a_key_twice() -> None:
    assert not [i for i, n in Counter(action.id for action in ACTIONS).items() if n > 1]
    for place in SCREENS:
        keys = Counter(key for a in ACTIONS if a.where in (place, "everywhere") for key in a.keys)
        assert not [key for key, n in keys.items() if n > 1], place


def test_keys_that_work_while_typing_are_never_printable() -> None:
    for action in ACTIONS:
        if action.typing:
            assert all(key.startswith("ctrl+") or key[1:].isdigit() for key in action.keys), action.id


@pytest.mark.parametrize("place", [*SCREENS, "everywhere"])
def test_bindings_are_the_table(place: str) -> None:
    owner = GoemoApp if place == "everywhere" else screen_class(place)
    bound = {b.id: b for b in owner.BINDINGS if isinstance(b, Binding) and b.id}
    wanted = {a.id: a for a in ACTIONS if a.where == place and a.id != "app.leave"}
    assert bound.keys() == wanted.keys()
    for action_id, action in wanted.items():
        binding = bound[action_id]
        assert (binding.key, binding.action, binding.description) == (",".join(action.keys), action.name, action.label)
        assert (binding.show, binding.priority, binding.tooltip) == (action.footer, action.typing, action.help)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_every_action_has_its_method(action: Action) -> None:
    name, _, _ = action.name.partition("(")
    owner: type = (
        GoemoApp if name.startswith("app.") else screen_class(action.where if action.where in SCREENS else "data")
    )
    assert callable(getattr(owner, f"action_{name.rpartition('.')[2]}"))


@pytest.mark.parametrize("place", list(SCREENS))
def test_the_help_page_names_every_key(place: str) -> None:
    page = HelpScreen(place, None).page().plain
    for action in ACTIONS:
        if action.where in (place, "everywhere"):
            line = next(line for line in page.splitlines() if actions.show_key(action.keys[0]) in line[:14].split())
            first = next(a for a in ACTIONS if a.name == action.name and a.where == action.where)
            assert first.help in line


def test_readme_holds_the_table() -> None:
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    table = readme.partition("<!-- keys: begin")[2].partition("-->\n")[2].partition("<!-- keys: end -->")[0]
    assert table == actions.readme_table(), "put what `python -m goemo_tui.actions` prints between README's markers"


def test_keys_are_shown_as_people_write_them() -> None:
    assert [actions.show_key(key) for key in ("question_mark", "f1", "ctrl+p", "escape", "x")] == [
        "?",
        "F1",
        "^p",
        "Esc",
        "x",
    ]
