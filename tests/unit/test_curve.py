"""The chart: what is thinned keeps its spikes, what is drawn stands where it belongs, and only changed rows differ."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from goemo_tui.widgets import plot, scale, sparks
from goemo_tui.widgets.curve import step_end
from goemo_tui.widgets.lines import Row, fit, row_width
from goemo_tui.widgets.trace import Trace
from goemo_tui.widgets.zoom import Zoom


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
    assert [scale.number(v, 0.05) for v in (0.0, 0.05, 0.1, 1.0)] == [".00", ".05", ".10", "1.00"]
    assert scale.number(812, 100) == "812"
    assert scale.number(54_000, 1000) == "54k"
    assert scale.number(-0.5, 0.5) == "-.5"


def test_nice_ranges_stay_put_while_values_move_a_little() -> None:
    assert scale.nice_range(0.071, 0.193) == scale.nice_range(0.073, 0.191)
    low, high = scale.nice_range(0.5, 0.5)
    assert low < 0.5 < high


def test_a_falling_line_is_drawn_from_the_upper_left_to_the_lower_right_with_numbered_axes() -> None:
    trace = Trace()
    trace.feed([0, 50, 100], [1.0, 0.5, 0.0])
    rows = plot.draw([plot.Layer(trace, "line", "line")], scale.Axes(0, 100, 0.0, 1.0, "step"), 40, 12)
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
    rows = plot.draw([plot.Layer(trace, "band", "raw")], scale.Axes(0, 100, 0.0, 1.0), 40, 10)
    assert {y for _, y in dots(rows, "raw")} == set(range(9))


def test_marks_lie_on_top_and_are_joined_while_points_are_not() -> None:
    trace = Trace()
    trace.feed([1, 3], [0.4, 0.5])
    axes = scale.Axes(0, 3, 0.4, 0.5, "epoch")
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
    axes = scale.Axes(0, 400, 0.0, 0.2, "step")
    before = plot.draw([plot.Layer(trace, "line", "line")], axes, 60, 20)
    trace.feed([*xs, 100], [*ys, 0.1])
    after = plot.draw([plot.Layer(trace, "line", "line")], axes, 60, 20)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 2


def test_too_little_room_draws_nothing_rather_than_rubbish() -> None:
    trace = Trace()
    trace.feed([1], [0.5])
    assert plot.draw([plot.Layer(trace, "line", "line")], scale.Axes(0, 1, 0, 1), 6, 1) == []


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


def test_a_logarithmic_axis_is_labelled_with_round_numbers_that_do_not_crowd() -> None:
    low, high = scale.log_range(0.0031, 0.21)
    assert (low, high) == pytest.approx((0.003, 0.3))
    trace = Trace()
    trace.feed([0, 50, 100], [0.2, 0.02, 0.004])
    rows = plot.draw([plot.Layer(trace, "line", "line")], scale.Axes(0, 100, low, high, "step", log=True), 40, 21)
    labels = [text(row).split("┤")[0].strip() for row in rows if "┤" in text(row)]
    assert ".1" in labels and ".01" in labels
    at = [y for y, row in enumerate(rows) if "┤" in text(row)]
    assert all(b - a >= 2 for a, b in pairwise(at))
    assert [float(label) for label in labels] == sorted((float(label) for label in labels), reverse=True)
    half = scale.Axes(0, 1, 0.01, 1.0, log=True).down(0.1, 101)
    assert half == 50  # a factor of ten is everywhere the same way


@pytest.mark.parametrize(("low", "high"), [(0.083, 0.084), (0.08, 0.08), (1.0, 1.0), (1e-7, 3e4)])
def test_a_logarithmic_axis_of_any_range_has_a_number(low: float, high: float) -> None:
    bottom, top = scale.log_range(low, high)
    assert 0 < bottom <= low * 1.000001 and high <= top * 1.000001 and bottom < top
    assert scale.y_labels(scale.Axes(0, 1, bottom, top, log=True), 12)


def test_a_cursor_is_an_upright_line_that_hides_no_curve() -> None:
    trace = Trace()
    trace.feed([0, 100], [0.5, 0.5])
    axes = scale.Axes(0, 100, 0.0, 1.0)
    rows = plot.draw([plot.Layer(trace, "line", "line")], axes, 44, 9, cursors=[50])
    frame = plot.frame(axes, 44, 9)
    assert frame is not None
    column = frame.gutter + 1 + frame.cell_at(50, axes)
    standing = [text(row)[column] for row in rows[:-1]]
    assert standing.count("│") == len(standing) - 1 and any(0x2800 < ord(char) < 0x2900 for char in standing)
    assert frame.x_at(column, axes) == pytest.approx(50, abs=2)
    assert plot.draw([plot.Layer(trace, "line", "line")], axes, 44, 9, cursors=[150]) == plot.draw(
        [plot.Layer(trace, "line", "line")], axes, 44, 9
    )


def test_a_line_of_another_run_ends_in_its_letter() -> None:
    trace = Trace()
    trace.feed([0, 50], [0.5, 0.5])
    rows = plot.draw([plot.Layer(trace, "line", "pin", end="B")], scale.Axes(0, 100, 0.0, 1.0), 44, 9)
    assert sum(text(row).count("B") for row in rows) == 1
    full = plot.draw([plot.Layer(trace, "line", "pin", end="B")], scale.Axes(0, 50, 0.0, 1.0), 44, 9)
    assert sum(text(row).count("B") for row in full) == 1


def test_layers_that_did_not_change_are_not_worked_out_again() -> None:
    still, grows = Trace(), Trace()
    still.feed([0, 50], [0.5, 0.4])
    grows.feed([0, 50], [0.3, 0.2])
    layers = [plot.Layer(still, "line", "a"), plot.Layer(grows, "line", "b")]
    known: dict[plot.Layer, plot.Drawn] = {}
    axes = scale.Axes(0, 100, 0.0, 1.0)
    plot.draw(layers, axes, 44, 9, known=known)
    first = {layer: drawn.cells for layer, drawn in known.items()}
    grows.feed([0, 50, 60], [0.3, 0.2, 0.9])
    drawn = plot.draw(layers, axes, 44, 9, known=known)
    assert known[layers[0]].cells is first[layers[0]] and known[layers[1]].cells is not first[layers[1]]
    assert drawn == plot.draw(layers, axes, 44, 9)
    plot.draw(layers[:1], axes, 44, 9, known=known)
    assert set(known) == set(layers[:1])


@pytest.mark.parametrize("axes", [scale.Axes(0, 900, 0.0, 1.0), scale.Axes(200, 600, 0.01, 1.0, log=True)])
def test_a_curve_that_grows_is_drawn_as_if_it_had_come_at_once(axes: scale.Axes) -> None:
    chance = random.Random(4)
    steps = list(range(1, 900))
    losses = [chance.uniform(0.02, 0.9) if n % 50 else math.nan for n in steps]
    growing = Trace(0.9, limit=64)  # is thinned on the way, several times
    layers = [plot.Layer(growing, "band", "raw"), plot.Layer(growing, "line", "line")]
    known: dict[plot.Layer, plot.Drawn] = {}
    many = 0
    while many < len(steps):
        many = min(len(steps), many + chance.randint(1, 9))
        growing.feed(steps[:many], losses[:many])
        drawn = plot.draw(layers, axes, 60, 12, known=known)
        assert drawn == plot.draw(layers, axes, 60, 12), many
    growing.feed(steps[:300], losses[:300])  # taken up again from an earlier step
    assert plot.draw(layers, axes, 60, 12, known=known) == plot.draw(layers, axes, 60, 12)


def test_a_new_point_of_a_long_curve_costs_as_much_as_one_of_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    trace, asked = Trace(), 0
    down = scale.Axes.down

    def counted(self: scale.Axes, y: float, dots: int) -> int:
        nonlocal asked
        asked += 1
        return down(self, y, dots)

    monkeypatch.setattr(scale.Axes, "down", counted)
    layers, known = [plot.Layer(trace, "line", "line")], dict[plot.Layer, plot.Drawn]()
    axes = scale.Axes(0, 2000, 0.0, 1.0)
    costs = []
    for many in (10, 11, 1900, 1901):
        trace.feed(range(many), [0.5] * many)
        asked = 0
        plot.draw(layers, axes, 60, 12, known=known)
        costs.append(asked)
    assert costs[3] == costs[1] < costs[2]


def test_a_window_is_narrowed_around_a_place_moved_and_widened_to_the_whole() -> None:
    whole = Zoom()
    near = whole.narrowed(25, 0, 100, 1)
    assert near.within(0, 100) == (12.5, 62.5)
    assert near.narrowed(25, 0, 100, 40).within(0, 100) == pytest.approx((15.0, 55.0))
    assert near.narrowed(25, 0, 100, 60) == near
    assert near.moved(1000, 0, 100).within(0, 100) == (50, 100)
    assert near.moved(-1000, 0, 100).within(0, 100) == (0, 50)
    assert near.showing(70, 0, 100).within(0, 100) == (20, 70) and near.showing(30, 0, 100) == near
    assert near.widened(25, 0, 100) == whole and whole.moved(5, 0, 100) == whole
    edge = whole.narrowed(0, 0, 100, 1)
    assert edge.within(0, 100) == (0, 50)


def test_the_nearest_point_is_found() -> None:
    trace = Trace()
    assert trace.nearest(3) is None
    trace.feed([1, 5, 9], [1, 1, 1])
    assert [trace.nearest(x) for x in (-4, 2, 4, 6, 99)] == [0, 0, 1, 1, 2]


def test_small_curves_are_as_many_as_fit_and_never_cut() -> None:
    many = [sparks.Spark(f"name{n}", "100%", (0.1, 0.5, 1.0)) for n in range(6)]
    for width in (24, 51, 86, 166):
        for rows in (1, 2, 3, 6, 9):
            drawn = sparks.grid(many, width, rows)
            assert len(drawn) <= rows and all(row_width(row) <= width for row in drawn)
            for row in drawn:
                assert text(row).count("name") == text(row).count("100%")
    assert text(sparks.grid(many, 51, 1)[0]).count("name") == 2
    assert len(sparks.grid(many, 166, 3)) == 3 and sparks.needed(6, 166, 9) == 3 and sparks.needed(6, 86, 6) == 6
    assert sparks.needed(0, 80, 3) == 0


def test_a_small_curve_shows_its_newest_values_or_the_whole_run() -> None:
    rising = sparks.Spark("x", "1", tuple(i / 10 for i in range(11)))
    (line,) = sparks.curve(rising, 4, 1)
    assert line == "▆▆▇█"
    upper, lower = sparks.curve(sparks.Spark("x", "1", (0.0, 0.5, 1.0)), 5, 2)
    assert (upper, lower) == ("    █", "  ▁██")
    half = sparks.along(range(1, 51), [1.0] * 50, 100, 10)
    assert half[:5] == (1.0,) * 5 and all(math.isnan(v) for v in half[5:])
    (line,) = sparks.curve(sparks.Spark("x", "1", half, anchored=True), 10, 1)
    assert line == "█████     "
    assert sparks.scaled([1, None, 4, math.nan])[0] == 0.25 and math.isnan(sparks.scaled([1, None])[1])
    assert sparks.scaled([0.0, 0.0]) == (0.0, 0.0)


def test_a_curve_over_the_whole_run_fills_its_room_and_has_no_holes() -> None:
    logged = [*range(2, 105, 3), 105]  # fast steps are not told one by one
    values = sparks.along(logged, [1.0] * len(logged), 105, 60)
    assert not any(math.isnan(v) for v in values[1:])
    for width in (30, 60, 90):
        (line,) = sparks.curve(sparks.Spark("x", "1", (1.0, *values[1:]), anchored=True), width, 1)
        assert line == "█" * width
    (half,) = sparks.curve(sparks.Spark("x", "1", (1.0, 1.0, math.nan, math.nan), anchored=True), 8, 1)
    assert half == "████    "


def test_an_axis_has_two_numbers_at_least_and_huge_ones_stay_short() -> None:
    for low, high in ((0.0, 0.6), (0.02, 0.04), (0.0, 1.3), (3.0, 4.0)):
        for lines in (3, 4, 8, 20):
            labels = scale.y_labels(scale.Axes(0, 1, low, high), lines)
            assert len(labels) >= 2 and len(set(labels.values())) == len(labels), (low, high, lines)
    assert scale.number(8e8) == "8e8" and scale.number(2.5e8, 5e7) == "2.5e8" and scale.number(54_000) == "54k"
    assert len(scale.number(123456789.0)) <= 6
