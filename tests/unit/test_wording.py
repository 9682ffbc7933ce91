"""Numbers in words: one rounding for every screen, and a percent that never contradicts the threshold beside it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from goemo_tui.services.prediction import Emotion
from goemo_tui.widgets.emotion_bars import bar_row, digits_of
from goemo_tui.widgets.emotion_pairs import Pair, pair_row
from goemo_tui.wording import MOST_DIGITS, against, percent


def test_percent_never_says_nothing_or_all_of_what_is_neither() -> None:
    assert [percent(x) for x in (0, 0.001, 2 / 7, 0.5, 0.997, 1)] == ["0%", "<1%", "29%", "50%", ">99%", "100%"]
    assert [percent(x, 1) for x in (0, 0.0001, 0.056, 0.9999, 1)] == ["0.0%", "<0.1%", "5.6%", ">99.9%", "100.0%"]


@pytest.mark.parametrize(
    ("probability", "threshold", "said"),
    [
        (0.87, 0.31, ("87%", ".31")),
        (0.056, 0.059, ("5.6%", ".059")),
        (0.0601, 0.0599, ("6.01%", ".0599")),
        (0.047, 0.049, ("4.7%", ".049")),
        (0.3, 0.3, ("30%", ".30")),
        (0.1, 0.5, ("10%", ".50")),
        (0.0004, 0.3, ("<1%", ".30")),
        (0.99, 1.0, ("99%", "1.0")),
        (0.996, 1.0, ("99.6%", "1.00")),
        (1.0, 1.0, ("100%", "1.0")),
        (0.2, 0.0, ("20%", ".00")),
    ],
)
def test_percent_and_threshold_show_what_tells_them_apart(
    probability: float, threshold: float, said: tuple[str, str]
) -> None:
    assert against(probability, threshold, probability >= threshold) == said


def test_where_a_row_needs_more_digits_all_write_one_and_stand_on_the_point() -> None:
    def units(row: str) -> int:
        """The column behind the whole percents."""
        found = re.search(r"(\d+)(\.\d+)?%", row)
        assert found is not None
        return found.end(1)

    assert against(0.87, 0.31, True, 2) == ("87.00%", ".3100")
    near, far = Emotion("joy", 0.056, 0.059, False), Emotion("fear", 0.87, 0.31, True)
    assert (digits_of([far]), digits_of([near]), digits_of([far, near]), digits_of([])) == (0, 2, 2, 0)
    assert " 87% " in "".join(text for text, _ in bar_row(far, 80, 0))
    for width in (40, 80, 120):
        rows = ["".join(text for text, _ in bar_row(e, width, 2)) for e in (near, far)]
        assert "5.6%" in rows[0] and "▏.059 " in rows[0] and " 87.0% " in rows[1] and "▏.310 " in rows[1]
        assert len({row.index("▏.") for row in rows}) == 1 and len({units(row) for row in rows}) == 1
        assert max(cell_len(row) for row in rows) <= width
    pair = [pair_row(Pair(e.name, e, e), 100, 2) for e in (near, far)]
    assert len({units("".join(text for text, _ in row)) for row in pair}) == 1
    slim = ["".join(text for text, _ in pair_row(Pair(e.name, e, e), 56, 2)) for e in (near, far)]
    assert "." not in slim[0], "beside no threshold whole percents tell all"


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_is_shown_stands_as_the_numbers_do(probability: float, threshold: float) -> None:
    share, limit = against(probability, threshold, probability >= threshold)
    if share[0] in "<>" or abs(probability - threshold) < 2 * 10.0 ** -(MOST_DIGITS + 2):
        return
    shown, at = float(share[:-1]), 100 * float(limit)
    if probability >= threshold:
        assert shown > at or math.isclose(shown, at)
    else:
        assert shown < at and not math.isclose(shown, at)
