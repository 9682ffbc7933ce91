"""One row of the table: exactly as wide as its columns, numbers at the right, found words marked, hostile text visible."""

from __future__ import annotations

import re

from rich.style import Style

from goemo_tui.widgets.table_line import row_strip

WIDTHS = (5, 20, 8, 3)
MARK = Style(underline=True)


def test_cells_stand_in_their_columns() -> None:
    strip = row_strip(("18", "I love the sea", "joy love", "7"), WIDTHS, 3, Style())
    assert strip.text == "    18  I love the sea        joy love    7 "
    assert strip.cell_length == sum(WIDTHS) + 8


def test_what_does_not_fit_ends_in_an_ellipsis_and_wide_letters_count_double() -> None:
    strip = row_strip(("1", "漢字" * 20, "x", "…"), WIDTHS, 0, Style())
    assert strip.cell_length == sum(WIDTHS) + 8
    assert "漢…" in strip.text or "字…" in strip.text


def test_every_word_that_was_found_is_marked_and_nothing_else() -> None:
    found = re.compile("love", re.IGNORECASE)
    strip = row_strip(("1", "Love me, love", "love", "3"), WIDTHS, 0, Style(), found, MARK)
    assert [s.text for s in strip if s.style and s.style.underline] == ["Love", "love"]
    assert strip.text == row_strip(("1", "Love me, love", "love", "3"), WIDTHS, 0, Style()).text


def test_the_mouse_is_told_row_and_column() -> None:
    strip = row_strip(("1", "a", "b", "3"), WIDTHS, 7, Style())
    assert [(s.style.meta["row"], s.style.meta["column"]) for s in strip if s.style] == [(7, 0), (7, 1), (7, 2), (7, 3)]


def test_control_codes_are_pictures() -> None:
    assert "\x1b" not in row_strip(("1", "\x1b]52;c;eA==\x07", "\x1b[2J", "3"), WIDTHS, 0, Style()).text
