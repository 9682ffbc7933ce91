"""ASCII where a terminal shows nothing else: what is drawn stays readable and keeps its cells."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from goemo_tui.glyphs import Ascii, ascii_only, transliterated
from goemo_tui.safe_text import clean
from goemo_tui.wording import MARKS


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"LANG": "C"}, True),
        ({"LANG": "POSIX"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python leaves it
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, True),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, True),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C.utf8"}, False),
        ({"LC_CTYPE": "ar_EG.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_the_environment_says_whether(environment: dict[str, str], wanted: bool) -> None:
    coerced = environment.get("LC_CTYPE") == "C.UTF-8"
    assert ascii_only("auto", environment, coerced) is wanted
    assert ascii_only("ascii", environment, coerced) and not ascii_only("unicode", environment, coerced)


def test_what_we_write_to_may_say_so_as_well() -> None:
    assert ascii_only("auto", {"LANG": "en_US.UTF-8"}, encoding="latin-1")
    assert not ascii_only("auto", {"LANG": "en_US.UTF-8"}, encoding="UTF-8")


def test_frames_bars_and_words_stay_readable() -> None:
    assert transliterated("╭─ runs ──╮│ ▏") == "+- runs --+| |"
    assert transliterated("███▌ 87%  naïve café … “x”") == '###| 87%  naive cafe ~ "x"'
    assert transliterated("日本 😀") == "???? ??"


def test_states_of_runs_stay_apart() -> None:
    signs = [transliterated(sign) for sign in MARKS.values()]
    assert len(set(signs)) == len(signs) and all(len(sign) == 1 for sign in signs)


def test_curves_rise_and_fall() -> None:
    assert transliterated("⠀⢀⠤⠒⠉") == " .--'"


@given(st.text(max_size=60))
def test_any_text_becomes_ascii_in_the_same_cells(text: str) -> None:
    text = "".join(char for char in clean(text) if unicodedata.category(char) != "Cn")
    plain = transliterated(text)
    assert plain.isascii() and plain.isprintable() and len(plain) == cell_len(text)


def test_styles_and_plain_text_stay() -> None:
    line = [Segment("abc"), Segment("│é")]
    assert [s.text for s in Ascii().apply(line, Color(0, 0, 0))] == ["abc", "|e"]
