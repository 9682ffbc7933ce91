"""The chart: what is thinned keeps its spikes, what is drawn stands where it belongs, and only changed rows differ."""

from __future__ import annotations

import math

import pytest

from goemo_tui.widgets import plot
from goemo_tui.widgets.curve import step_end
from goemo_tui.widgets.lines import Row, fit, row_width
from goemo_tui.widgets.trace import Trace


def text(row: Row) -> str:
    return "".join(part for part, _ in row)


def dots(rows: list[Row], style: str) -> set[tuple[int, int]]:
    """(column, row) of the cells that carry `style`."""
    found = set()
    for y, row in enumerate(rows):
        x = 0
        for part, name in row:
            found |= {(x + i, y) for i, char in enumerate(part) if name == style and char != " "}
            x += len(part)
    return found


def test_a_trace_takes_only_what_is_new_and_starts_afresh_when_the_story_turns_back() -> None:
    trace = Trace()
    assert trace.feed([1, 2, 3], [0.3, 0.2, 0.1])
    assert not trace.feed([1, 2, 3], [0.3, 0.2, 0.1])
    assert trace.feed([1, 2, 3, 4], [0.3, 0.2, 0.1, 0.05])
    assert trace.x == [1, 2, 3, 4] and trace.last == 0.05
    assert trace.feed([1, 2, 5], [0.3, 0.2, 0.4])  # resumed from step 2
    assert trace.x == [1, 2, 5] and trace.high == [0.3, 0.2, 0.4]


def test_a_trace_leaves_out_what_is_no_number_and_goes_on_after_it() -> None:
    trace = Trace()
    trace.feed([1, 2, 3], [0.3, math.nan, None])
    assert trace.x == [1]
    trace.feed([1, 2, 3, 4], [0.3, math.nan, None, 0.2])
    assert trace.x == [1, 4] and trace.last == 0.2


def test_thinning_keeps_every_spike_and_stays_small() -> None:
    trace = Trace(limit=64)
    xs = list(range(5000))
    ys = [1.0] * 5000
    ys[1234], ys[4321] = 9.0, -3.0
    trace.feed(xs, ys)
    assert len(trace) <= 64
    assert max(trace.high) == 9.0 and min(trace.low) == -3.0
    assert trace.x == sorted(trace.x) and trace.x[-1] == 4999


def test_fed_piece_by_piece_or_at_once_a_trace_is_the_same() -> None:
    xs, ys = list(range(1000)), [math.sin(i / 50) for i in range(1000)]
    whole, pieces = Trace(0.9, limit=100), Trace(0.9, limit=100)
    whole.feed(xs, ys)
    for end in (1, 2, 150, 151, 600, 1000):
        pieces.feed(xs[:end], ys[:end])
    assert (pieces.x, pieces.low, pieces.high) == (whole.x, whole.low, whole.high)
    assert pieces.smooth == pytest.approx(whole.smooth)


def test_smoothing_is_not_pulled_towards_zero_at_the_start() -> None:
    trace = Trace(0.9)
    trace.feed([1, 2, 3], [0.5, 0.5, 0.5])
    assert trace.smooth == pytest.approx([0.5, 0.5, 0.5])


def test_numbers_on_axes_are_short() -> None:
    assert [plot.number(v, 0.05) for v in (0.0, 0.05, 0.1, 1.0)] == [".00", ".05", ".10", "1.00"]
    assert plot.number(812, 100) == "812"
    assert plot.number(54_000, 1000) == "54k"
    assert plot.number(-0.5, 0.5) == "-.5"


def test_nice_ranges_stay_put_while_values_move_a_little() -> None:
    assert plot.nice_range(0.071, 0.193) == plot.nice_range(0.073, 0.191)
    low, high = plot.nice_range(0.5, 0.5)
    assert low < 0.5 < high


def test_a_falling_line_is_drawn_from_the_upper_left_to_the_lower_right_with_numbered_axes() -> None:
    trace = Trace()
    trace.feed([0, 50, 100], [1.0, 0.5, 0.0])
    rows = plot.draw([plot.Layer(trace, "line", "line")], plot.Axes(0, 100, 0.0, 1.0, "step"), 40, 12)
    assert len(rows) == 12
    assert all(row_width(row) <= 40 for row in rows)
    cells = sorted(dots(rows, "line"))
    assert cells[0][1] == 0 and cells[-1][1] == 10
    downwards = [y for _, y in cells]
    assert downwards == sorted(downwards)
    assert {x for x, _ in cells} == set(range(cells[0][0], cells[-1][0] + 1)), "the line has no gap"
    assert text(rows[0]).startswith("1.0┤") and any(".0┤" in text(row) for row in rows[1:])
    assert "0" in text(rows[-1]) and "100" in text(rows[-1]) and text(rows[-1]).endswith("step")


def test_a_band_reaches_from_the_lowest_to_the_highest_of_its_column() -> None:
    trace = Trace()
    trace.feed([10, 10.1, 10.2], [0.0, 1.0, 0.5])
    rows = plot.draw([plot.Layer(trace, "band", "raw")], plot.Axes(0, 100, 0.0, 1.0), 40, 10)
    assert {y for _, y in dots(rows, "raw")} == set(range(9))


def test_marks_lie_on_top_and_are_joined_while_points_are_not() -> None:
    trace = Trace()
    trace.feed([1, 3], [0.4, 0.5])
    axes = plot.Axes(0, 3, 0.4, 0.5, "epoch")
    joined = plot.draw([plot.Layer(trace, "marks", "m", "●")], axes, 40, 10)
    bare = plot.draw([plot.Layer(trace, "points", "m", "◆")], axes, 40, 10)
    assert sum(text(row).count("●") for row in joined) == 2
    assert sum(text(row).count("◆") for row in bare) == 2
    assert len(dots(joined, "m")) > 2 and len(dots(bare, "m")) == 2


def test_one_wild_value_does_not_flatten_the_curve() -> None:
    trace = Trace()
    trace.feed(list(range(200)), [0.1] * 100 + [50.0] + [0.2] * 99)
    low, high = plot.value_range([plot.Layer(trace, "band", "raw")]) or (0, 0)
    assert (low, high) == (0.1, 0.2)
    assert plot.value_range([plot.Layer(Trace(), "band", "raw")]) is None


def test_a_new_point_changes_few_rows() -> None:
    trace = Trace()
    xs, ys = list(range(100)), [0.2 - i * 0.001 for i in range(100)]
    trace.feed(xs, ys)
    axes = plot.Axes(0, 400, 0.0, 0.2, "step")
    before = plot.draw([plot.Layer(trace, "line", "line")], axes, 60, 20)
    trace.feed([*xs, 100], [*ys, 0.1])
    after = plot.draw([plot.Layer(trace, "line", "line")], axes, 60, 20)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 2


def test_too_little_room_draws_nothing_rather_than_rubbish() -> None:
    trace = Trace()
    trace.feed([1], [0.5])
    assert plot.draw([plot.Layer(trace, "line", "line")], plot.Axes(0, 1, 0, 1), 6, 1) == []


def test_the_step_axis_moves_a_few_times_in_a_run() -> None:
    ends = [step_end(step, 1357) for step in range(1, 1358)]
    assert ends == sorted(ends) and ends[-1] == 1357
    assert len(set(ends)) <= 8
    assert all(end >= step for step, end in zip(range(1, 1358), ends, strict=True))
    assert step_end(0, 0) == 1


def test_rows_are_cut_with_an_ellipsis_and_never_too_wide() -> None:
    row: Row = (("loss  ", "a"), ("━ train ", "b"), (".083", "c"))
    assert fit(row, 40) == row
    for width in range(1, 18):
        assert row_width(fit(row, width)) <= width
    assert text(fit(row, 10)).endswith("…")
    assert row_width(fit((("日本語日本語", ""),), 5)) <= 5
