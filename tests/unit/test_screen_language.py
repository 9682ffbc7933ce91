"""The language of the screen: every action has its words in Arabic, nothing is left over, English stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from goemo_tui import actions, arabic
from goemo_tui.language import arabic as arabic_name
from goemo_tui.language import label, set_language, word
from goemo_tui.screens.help import HelpScreen
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

    code = "".join(
        p.read_text(encoding="utf-8") for p in Path(goemo_tui.__path__[0]).rglob("*.py") if p.name != "arabic.py"
    )
    for text, translation in arabic.WORDS.items():
        assert f'word("{text}")' in code or f"word('{text}')" in code, text
        assert ARABIC_LETTER.search(translation), text


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
