"""Right-to-left text: joined and ordered as the terminal needs it, in the same cells, and never by a trick of the text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from goemo_tui import right_to_left
from goemo_tui.right_to_left import APART, RightToLeft, display, mode_for
from goemo_tui.safe_text import clean
from trainer.labels import ARABIC

BLACK = Color(0, 0, 0)


def painted(*segments: Segment) -> list[Segment]:
    return RightToLeft().apply(list(segments), BLACK)


@pytest.mark.parametrize("name", ARABIC)
def test_the_arabic_names_are_joined_and_turned_round_in_their_cells(name: str) -> None:
    import arabic_reshaper

    logical = ARABIC[name]
    seen = display(logical)
    assert seen == get_display(arabic_reshaper.reshape(logical))
    assert cell_len(seen) == cell_len(logical)


def test_numbers_brackets_and_latin_words_keep_their_direction() -> None:
    assert display("שלום 123") == "123 םולש"
    assert display("שלום (joy) טוב") == "בוט (joy) םולש"
    assert display("I say שלום to you") == "I say םולש to you"


def test_a_lam_and_an_alef_become_one_sign_and_the_blank_goes_to_the_end() -> None:
    assert display("لا") == " \ufefb"
    assert display("I say لا now") == "I say \ufefb now "
    assert display("كلا") == " \ufefc\ufedb"


def test_marks_stay_behind_their_letter() -> None:
    seen = display("بً")
    assert seen[1:] == "\u064b" and cell_len(seen) == 1


def test_nothing_moves_across_columns_frames_and_bars() -> None:
    assert display("א  ב") == "א  ב"
    assert display("א │ב") == "א │ב"
    assert display("אב ███ 87%") == "בא ███ 87%"
    assert display(f"?{APART}אב") == "?בא"


def test_a_cursor_or_a_sign_before_a_name_stays_where_it_is_and_parts_keep_their_order() -> None:
    assert display("▸ אב  12") == "▸ בא  12" and display("  אב  12") == "  בא  12"
    assert display("▸● אב") == "▸● בא" and display("· אב") == "· בא"
    assert display("אב · in train: 14 of 40, 32.8%") == "בא · in train: 14 of 40, 32.8%"
    assert display("אב●גד") == "דג●בא", "within a word it is no sign of ours"


def test_flags_and_families_are_never_torn_apart() -> None:
    assert "\U0001f1ea\U0001f1ec" in display("שלום \U0001f1ea\U0001f1ec טוב")
    family = "👨\u200d👩\u200d👧"
    assert family in display(f"שלום {family} טוב")


def test_styles_go_with_their_characters() -> None:
    right_to_left.set_mode("app")
    red, blue = Style(color="red"), Style(color="blue")
    first, second = painted(Segment("א", red), Segment("ב", blue))
    assert (first.text, first.style) == ("ב", blue) and (second.text, second.style) == ("א", red)


def test_where_the_terminal_orders_nothing_is_touched() -> None:
    right_to_left.set_mode("terminal")
    line = [Segment("שלום")]
    assert painted(*line) == line
    right_to_left.set_mode("app")
    assert painted(*line) != line


def test_a_line_without_such_letters_is_handed_back_as_it_is() -> None:
    right_to_left.set_mode("app")
    line = [Segment("naïve │ 日本語")]
    assert RightToLeft().apply(line, BLACK) is line


@given(st.text(st.sampled_from("ابلا שםa1() .,،%😀é\u064b\u0301日"), max_size=40))
def test_whatever_the_text_its_cells_and_letters_stay(text: str) -> None:
    cleaned = clean(text)
    seen = display(cleaned)
    assert cell_len(seen) == cell_len(cleaned)
    assert seen.count("a") == cleaned.count("a") and seen.count("ש") == cleaned.count("ש")


def test_a_text_cannot_order_itself() -> None:
    hostile = clean("user\u202egnp.exe\u2066\u200fx\u200e שלום")
    assert hostile == "user⟪RLO⟫gnp.exe⟪LRI⟫x שלום"
    assert display(hostile).startswith("user⟪RLO⟫gnp.exe⟪LRI⟫x ")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-256color"}, "app"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "app"),
        ({"TERM": "tmux-256color", "TMUX": "x", "VTE_VERSION": "7600"}, "terminal"),
        ({"TERM": "screen", "VTE_VERSION": "5600"}, "app"),
        ({"TERM": "tmux-256color", "TMUX": "x"}, "app"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "terminal"),
        ({"TERM_PROGRAM": "mintty"}, "app"),
        ({"KONSOLE_VERSION": "230800"}, "terminal"),
        ({"TERM": "xterm-kitty"}, "terminal"),
        ({}, "app"),
    ],
)
def test_who_orders_is_found_out_and_a_setting_wins(environment: dict[str, str], wanted: str) -> None:
    assert mode_for("auto", environment) == wanted
    assert mode_for("app", environment) == "app"
    assert mode_for("terminal", environment) == "terminal"


def test_it_costs_nothing_without_such_text() -> None:
    code = (
        "import sys; from goemo_tui import right_to_left as r; r.set_mode('app'); r.display('é'); "
        "sys.exit(any(m.split('.')[0] in ('bidi', 'arabic_reshaper') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
