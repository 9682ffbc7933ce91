"""The table's widths: always all of the room, never a comment that cannot be read, wishes kept within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goemo_tui.services.column_widths import LEAST_COMMENT, PADDING, Widths, dragged, kept, laid_out

NONE: Widths = (None, None, None)
width = st.one_of(st.none(), st.integers(-5, 200))


@pytest.mark.parametrize(
    "total, digits, expected", [(54, 5, (5, 26, 12, 3)), (84, 5, (5, 50, 18, 3)), (148, 5, (5, 104, 28, 3))]
)
def test_without_a_wish_by_the_room(total: int, digits: int, expected: tuple[int, ...]) -> None:
    assert laid_out(total, digits, NONE) == expected


def test_the_arrow_of_a_sorted_head_finds_its_place() -> None:
    assert laid_out(84, 5, NONE, sorted_by=3)[3] == 5
    assert laid_out(84, 5, NONE, sorted_by=1)[3] == 3


def test_the_comment_takes_what_a_wish_leaves() -> None:
    assert laid_out(84, 5, (7, 30, 4)) == (7, 84 - PADDING - 41, 30, 4)
    assert laid_out(84, 5, (1, 1, 1)) == (3, 84 - PADDING - 12, 6, 3)


def test_a_wish_of_a_wider_terminal_yields_to_the_comment() -> None:
    number, comment, emotions, tok = laid_out(60, 5, (None, 60, None))
    assert comment == LEAST_COMMENT
    assert number + comment + emotions + tok == 60 - PADDING


@settings(deadline=None)
@given(total=st.integers(20, 300), digits=st.integers(1, 9), wanted=st.tuples(width, width, width))
def test_the_columns_fill_the_room_exactly(total: int, digits: int, wanted: Widths) -> None:
    found = laid_out(total, digits, wanted)
    assert all(cells >= 3 for cells in found)
    if total >= 46:
        assert sum(found) == total - PADDING
        assert found[1] >= LEAST_COMMENT


@pytest.mark.parametrize(
    "value", [None, "3", [1, 2], [3, 6, 3, 3], {"a": 1}, [True, True, True], ["5", 2.5, None], [2, 81, 99]]
)
def test_rubbish_in_a_file_is_no_wish(value: object) -> None:
    assert kept(value) == NONE


def test_wishes_come_back() -> None:
    assert kept([7, 30, None]) == (7, 30, None)
    assert kept([7, 5, 12]) == (7, None, 12)


@pytest.mark.parametrize(
    "edge, cells, wanted",
    [
        (0, 2, (7, None, None)), (0, -9, (3, None, None)), (1, 4, (None, 14, None)), (1, 99, (None, 6, None)),
        (2, -3, (None, 15, 6)), (2, 1, (None, 18, 3)), (2, -30, (None, 9, 12)),
    ],
)  # fmt: skip
def test_an_edge_moves_as_far_as_both_its_sides_allow(edge: int, cells: int, wanted: Widths) -> None:
    assert dragged((5, 50, 18, 3), NONE, edge, cells) == wanted
