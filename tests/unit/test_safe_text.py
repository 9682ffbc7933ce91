"""Foreign text: nothing that a terminal could obey, reorder or stack gets through; what people write stays readable."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goemo_tui.safe_text import LIMIT, MARKS, cells, clean, content

HOSTILE = [
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[6n",
    "\x1bPq#0\x1b\\",
    "\x9b2J\x9d52;c;x\x9c",
    "a\x00b\x7fc\rd",
    "user\u202egnp.exe\u2066x\u2069",
    "z\u200bw\u200ds\ufeff\u2060j",
    "x\ud800y",
    "\U000e0041\U000e007f tag",
    "line\u2028sep\u2029par\x85nel",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("newlines", [False, True])
def test_nothing_but_visible_text_is_left(text: str, newlines: bool) -> None:
    cleaned = clean(text, newlines)
    for char in cleaned.replace("\n", "") if newlines else cleaned:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"), ascii(char)
    cleaned.encode("utf-8")


@given(st.text(max_size=200), st.booleans())
def test_whatever_comes_only_printable_text_and_emoji_joiners_are_left(text: str, newlines: bool) -> None:
    cleaned = clean(text, newlines)
    if newlines:
        cleaned = cleaned.replace("\n", "")
    assert all(char.isprintable() or char == "\u200d" or unicodedata.category(char) == "Cn" for char in cleaned)
    assert clean(cleaned) == cleaned or "\ufe0f" in cleaned or unicodedata.category(max(cleaned)) == "Cn"


def test_what_was_hidden_can_be_seen() -> None:
    assert clean("\x1b[31m") == "␛[31m"
    assert clean("a\x00b\x7f") == "a␀b␡"
    assert clean("\x9b2J") == "⟪9B⟫2J"
    assert clean("x\u202ey") == "x⟪RLO⟫y"
    assert clean("a\tb\nc") == "a b␊c"
    assert clean("a\r\nb", newlines=True) == "a\nb"


def test_plain_text_markup_and_arabic_stay_as_they_are() -> None:
    for text in ("[NAME] is [/s] [@click=app.quit]great[/]", "حزن شديد جِدًّا", "नमस्ते", "naïve café 😂", "日本語"):
        assert clean(text) == text


def test_an_emoji_keeps_its_joiner_and_a_word_does_not() -> None:
    family = "👨\u200d👩\u200d👧"
    assert clean(family) == family
    assert clean("🤷🏽\u200d♀\ufe0f") == "🤷🏽\u200d♀\ufe0f"
    assert clean("a\u200db") == "ab"


def test_combining_marks_do_not_pile_up() -> None:
    assert clean("e" + "\u0301" * 100_000 + "x").count("\u0301") == MARKS
    assert clean("e" + "\u0301" * MARKS) == "e" + "\u0301" * MARKS


def test_a_line_of_a_megabyte_is_cut() -> None:
    cleaned = clean("a" * 1_000_000)
    assert len(cleaned) == LIMIT + 1
    assert cleaned.endswith("…")


def test_content_reads_no_markup() -> None:
    assert content("[bold]x[/bold]\x1b").plain == "[bold]x[/bold]␛"
    assert content("[bold]x").spans == []


@pytest.mark.parametrize(
    "text", ["short", "a rather long sentence", "日本語日本語", "👨\u200d👩\u200d👧" * 5, "\x1b" * 50]
)
@pytest.mark.parametrize("width", [0, 1, 5, 11])
def test_cells_never_exceed_their_width(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(cells(text, width)) <= width
    assert cells("short", 5) == "short"


def test_the_command_line_can_clean_without_textual() -> None:
    code = "import sys, goemo_tui.safe_text as s; s.clean('x\\x1b'); sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cell_of_a_row_holds_no_emoji_whose_width_terminals_quarrel_about() -> None:
    assert cells("🤷🏼\u200d♀\ufe0f I wonder", 20) == "🤷♀ I wonder"
    assert cells("👨\u200d👩\u200d👧", 20) == "👨👩👧"
