"""The language of the screen: every action has its words in Arabic, nothing is left over, English stays as it is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.widget import Widget

from goemo_tui import actions, arabic, arabic_help
from goemo_tui.language import arabic as arabic_name
from goemo_tui.language import label, set_language, word
from goemo_tui.screens.help import HelpScreen
from goemo_tui.widgets.comment_rows import both_names
from trainer.labels import ARABIC, EMOTIONS

ARABIC_LETTER = re.compile("[\u0621-\u064a]")


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    set_language("en")


def test_every_action_has_a_label_and_a_help_and_nothing_is_left_over() -> None:
    assert arabic.ACTIONS.keys() == {action.id for action in actions.ACTIONS}
    for id, (name, help) in arabic.ACTIONS.items():
        assert ARABIC_LETTER.search(name) and ARABIC_LETTER.search(help), id
    assert arabic.PLACES.keys() == {name for name, _, _ in actions.PLACES}


def test_every_word_that_is_translated_is_said_somewhere() -> None:
    from pathlib import Path

    import goemo_tui
    import trainer

    folders = (Path(goemo_tui.__path__[0]), Path(trainer.__path__[0]))  # the child that predicts has its say, too
    code = "".join(
        p.read_text(encoding="utf-8") for folder in folders for p in folder.rglob("*.py") if p.name != "arabic.py"
    )
    for text, translation in arabic.WORDS.items():
        assert f'"{text}"' in code or f"'{text}'" in code, text
        assert ARABIC_LETTER.search(translation), text
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", translation)), "filled in alike"


def parts() -> list[type[Widget]]:
    """Every class of ours that stands on a screen."""
    import goemo_tui.screens
    import goemo_tui.widgets

    for package in (goemo_tui.screens, goemo_tui.widgets):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    found: list[type[Widget]] = [Widget]
    for each in found:
        found += [sub for sub in each.__subclasses__() if sub not in found]
    return [each for each in found if each.__module__.startswith("goemo_tui.")]


def test_every_part_that_tells_of_itself_does_so_in_arabic() -> None:
    told = {part.__name__ for part in parts() if "ABOUT" in vars(part)}
    assert told <= {name for name in arabic_help.ABOUT if not name.startswith("#")}
    for text in (*arabic_help.ABOUT.values(), *arabic_help.KEYS.values()):
        assert ARABIC_LETTER.search(text), text


def test_every_key_of_a_part_that_is_translated_is_one() -> None:
    bindings = [b for part in parts() for b in Binding.make_bindings(vars(part).get("BINDINGS", []))]
    assert set(arabic_help.KEYS) <= {binding.tooltip or binding.description for binding in bindings}
    assert set(arabic_help.LABELS) <= {binding.description for binding in bindings if binding.show}
    assert all(ARABIC_LETTER.search(text) for text in arabic_help.LABELS.values())


def test_help_for_a_part_speaks_arabic() -> None:
    from goemo_tui.widgets.comment_table import CommentTable
    from goemo_tui.widgets.filter_field import FilterField

    set_language("ar")
    for part, key in ((CommentTable(id="table"), "Enter"), (FilterField(id="filter"), "↓")):
        page = HelpScreen("data", part).page(100).plain
        here = page[: page.index(arabic.PLACES["data"][0])]
        assert not re.search("[a-z]{3} [a-z]{3}", here), here
        assert key in here
    assert arabic_help.ABOUT["CommentTable"].split()[0] in HelpScreen("data", CommentTable()).page(100).plain


def test_labels_are_called_as_the_language_says() -> None:
    assert label("joy") == "joy"
    assert arabic_name("joy") == ARABIC["joy"] and arabic_name("my own") == ""
    set_language("ar")
    assert [label(name) for name in EMOTIONS] == [ARABIC[name] for name in EMOTIONS]
    assert label("my\x1b own") == "my␛ own"


def test_the_help_page_speaks_arabic() -> None:
    english = HelpScreen("data", None).page(100).plain
    assert "Everywhere" in english and not ARABIC_LETTER.search(english)
    set_language("ar")
    page = HelpScreen("data", None).page(100).plain
    for action in actions.ACTIONS:
        first = next(a for a in actions.ACTIONS if a.name == action.name and a.where == action.where)
        if action.where in ("data", "everywhere"):
            assert arabic.ACTIONS[first.id][1].split()[0] in page
    assert word("Everywhere") in page and "Everywhere" not in page
    assert [title for _, title, _ in actions.places()] == [title for title, _ in arabic.PLACES.values()]


def test_lines_of_help_end_at_the_right_with_their_key() -> None:
    set_language("ar")
    lines = [line for line in HelpScreen("data", None).page(100).plain.splitlines() if ARABIC_LETTER.search(line)]
    assert lines and all(line.startswith(" ") for line in lines)
    keyed = next(line for line in lines if arabic.ACTIONS["app.theme"][1] in line)
    assert keyed.rstrip().endswith("^t")


def test_a_screen_in_ascii_has_no_arabic_names() -> None:
    set_language("en", in_ascii=True)
    assert arabic_name("joy") == "" and both_names("joy") == ("joy", "")
    set_language("en")
    assert both_names("joy") == ("joy", ARABIC["joy"])
