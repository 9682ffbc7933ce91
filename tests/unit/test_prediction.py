"""Probabilities judged by other thresholds without asking the model again."""

from __future__ import annotations

import pytest

from goemo_tui.services.prediction import Emotion, Model, felt_first, rejudge
from goemo_tui.services.reading import Reading
from goemo_tui.services.readings import Readings
from goemo_tui.services.talk import Failed, Ready
from goemo_tui.widgets.emotion_pairs import EmotionPairs, pair_row, pair_up
from goemo_tui.widgets.lines import row_width
from goemo_tui.widgets.model_line import Shown, model_row, track

MODEL = Model("m", "", ("joy", "fear"), {"joy": 0.4, "fear": 0.2}, "cpu", 6, 384, 22_700_000, 90_900_000, 64, (), 0.1)
EMOTIONS = (Emotion("joy", 0.8, 0.4, True), Emotion("fear", 0.25, 0.2, True))


def test_another_threshold_judges_the_same_probabilities() -> None:
    judged = rejudge(EMOTIONS, MODEL, 0.3)
    assert judged == (Emotion("joy", 0.8, 0.3, True), Emotion("fear", 0.25, 0.3, False))
    assert rejudge(judged, MODEL, "tuned") == EMOTIONS


def test_what_reached_its_threshold_stands_first_however_rare_it_is() -> None:
    neutral, grief = Emotion("neutral", 0.29, 0.31, False), Emotion("grief", 0.03, 0.015, True)
    assert felt_first((EMOTIONS[0], neutral, grief)) == (EMOTIONS[0], grief, neutral)
    other = (Emotion("neutral", 0.3, 0.31, False), Emotion("grief", 0.001, 0.015, False))
    assert [p.name for p in pair_up((EMOTIONS[0], neutral, grief), other)] == ["joy", "grief", "neutral"]


def test_of_a_models_anatomy_only_whole_parts_are_shown() -> None:
    def shown(width: int) -> str:
        return "".join(text for text, _ in model_row(Shown(MODEL), width))

    assert "m · 6 layers × 384 · 22.7M parameters · 91 MB · cpu  " in shown(116)
    assert "22.7M parameters · cpu " in shown(70) and "m · 6 layers × 384 " in shown(60)
    assert all("…" not in shown(width) for width in range(40, 120))


def test_only_the_model_can_judge_what_lies_at_its_threshold() -> None:
    assert rejudge(EMOTIONS, MODEL, 0.25) is None
    assert rejudge(EMOTIONS, MODEL, 0.250001) is not None


def test_a_model_without_thresholds_of_its_own_is_judged_by_one() -> None:
    plain = Model("m", "", ("joy",), None, "cpu", 1, 1, 1, 1, 8, (), 0.0)
    assert plain.limits("tuned") == (0.3,) and plain.limits(0.5) == (0.5,)


def test_steps_stay_within_nothing_and_all_and_start_at_the_classic_value() -> None:
    reading = Reading("a", lambda message: None, ("/no/such",))
    reading.move(0.05)
    assert reading.threshold == 0.35
    for _ in range(40):
        reading.move(0.05)
    assert reading.threshold == 1.0
    for _ in range(200):
        reading.move(-0.01)
    assert reading.threshold == 0.0


def test_different_labels_stand_in_one_table_with_dashes() -> None:
    other = (Emotion("pride", 0.6, 0.5, True), Emotion("joy", 0.58, 0.4, True))
    pairs = pair_up(EMOTIONS, other)
    assert [p.name for p in pairs] == ["joy", "pride", "fear"]
    assert [None if p.difference is None else round(p.difference, 2) for p in pairs] == [-0.22, None, None]
    rows = ["".join(text for text, _ in pair_row(p, 100)) for p in pairs]
    assert "▼  22 pt" in rows[0] and rows[1].rstrip().endswith("–") and rows[2].rstrip().endswith("–")
    apart = pair_up(EMOTIONS, other, settled=False)
    assert apart[0].difference is None, "two sentences are not compared"


@pytest.mark.parametrize("width", [56, 74, 76, 100, 196])
@pytest.mark.parametrize("name", ["joy", "x" * 40, "فرح", "感情的な", "خيبة أمل"])
def test_paired_rows_are_all_equally_wide(width: int, name: str) -> None:
    one = Emotion(name, 0.87, 0.31, True)
    for pair in pair_up((one,), ()) + pair_up((one,), (Emotion(name, 0.001, 0.999, False),)):
        row = pair_row(pair, width)
        assert row_width(row) <= width
        assert row_width(row) == row_width(pair_row(pair_up((Emotion("a", 1.0, 0.0, True),), ())[0], width))


def test_the_pairs_say_what_is_higher_in_signs_too() -> None:
    pairs = pair_up((Emotion("joy", 0.5, 0.4, True), Emotion("fear", 0.3, 0.4, False)),
                    (Emotion("joy", 0.7, 0.4, True), Emotion("fear", 0.302, 0.4, False)))  # fmt: skip
    rows = ["".join(text for text, _ in pair_row(p, 80)) for p in pairs]
    assert rows[0].endswith("▲  20 pt") and rows[1].endswith("=")
    assert EmotionPairs().show(pairs) == 0


@pytest.mark.parametrize("width", [56, 76, 116])
@pytest.mark.parametrize("threshold", ["tuned", 0.0, 0.35, 1.0])
@pytest.mark.parametrize("mark", ["", "A"])
def test_the_model_line_fits_and_its_slider_stands_where_it_is_clicked(
    width: int, threshold: float | str, mark: str
) -> None:
    for model in (None, MODEL, Model("x" * 90, "", (), None, "cuda:0", 12, 768, 110_000_000, 10**9, 64, (), 0.1)):
        row = model_row(Shown(model, threshold, False, mark), width)
        text = "".join(part for part, _ in row)
        assert row_width(row) == width
        first, long = track(width)
        assert set(text[first:]) <= {"─", "●"}
        assert text[first:].find("●") == (-1 if threshold == "tuned" else round(threshold * (long - 1)))


def _ready(side: str, name: str, labels: tuple[str, ...]) -> Ready:
    message = Ready(Model(name, "", labels, None, "cpu", 1, 1, 1, 1, 8, (), 0.0))
    message.side = side
    return message


def test_a_first_model_that_cannot_read_a_text_does_not_keep_the_second_from_it() -> None:
    readings = Readings(lambda message: None, ("/no/such",))
    readings.open_second("other")
    second: list[str] = []
    assert readings.b is not None
    readings.b.ask = second.append  # type: ignore[method-assign]
    readings.text = "odd"
    failed = Failed("that text is odd", dead=False)
    readings.hear(failed)
    assert second == ["odd"]


def test_what_a_closed_second_model_says_is_not_heard() -> None:
    readings = Readings(lambda message: None, ("/no/such",))
    readings.open_second("other")
    readings.close_second()
    assert readings.hear(_ready("b", "late", ("joy",))) == (None, [])
    assert readings.side == "a" and len(readings.all) == 1
