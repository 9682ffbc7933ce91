"""The models of Inspect together: the second is asked after the first, and both are told in one document."""

from __future__ import annotations

import pytest

from goemo_tui.services.prediction import Emotion, Model, Request
from goemo_tui.services.reading import Reading
from goemo_tui.services.readings import Readings
from goemo_tui.services.talk import Answered, Failed, Loading, Ready, Talk
from tests.unit.test_reading import Service

A_MODEL = Model("first", "", ("joy", "fear"), None, "cpu", 1, 1, 1, 1, 8, (), 0.0)
B_MODEL = Model("second", "", ("joy", "pride"), None, "cpu", 1, 1, 1, 1, 8, (), 0.0)


def of(side: str, message: Talk) -> Talk:
    message.side = side
    return message


def answered(side: str, text: str, model: Model) -> Talk:
    emotions = tuple(Emotion(name, 0.9, 0.3, True) for name in model.labels)
    return of(side, Answered(Request(text), emotions, 1.0, model.labels))


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> tuple[Readings, Service, Service]:
    """Two models whose children are no processes."""
    made: list[Service] = []

    def init(self: Reading, *arguments: object) -> None:
        original(self, *arguments)  # type: ignore[arg-type]
        service = Service()
        service.close = lambda: None  # type: ignore[attr-defined]
        self.service = service  # type: ignore[assignment]
        made.append(service)

    original = Reading.__init__
    monkeypatch.setattr(Reading, "__init__", init)
    readings = Readings(lambda message: None)
    readings.open_second("second")
    made[0].model, made[1].model = A_MODEL, B_MODEL
    return readings, made[0], made[1]


def test_the_second_is_asked_once_the_first_has_answered_the_present_text(
    two: tuple[Readings, Service, Service],
) -> None:
    readings, first, second = two
    for text in ("s", "so"):
        readings.ask(text)
    assert [text for text, _ in first.asked] == ["s", "so"] and second.asked == []
    readings.hear(answered("a", "s", A_MODEL))
    assert second.asked == [], "that text is not there any more"
    readings.hear(answered("a", "so", A_MODEL))
    assert second.asked == [("so", "tuned")]
    readings.hear(answered("b", "so", B_MODEL))
    readings.hear(answered("a", "so", A_MODEL))
    assert len(second.asked) == 1, "it has answered that"


def test_a_first_that_is_still_loading_does_not_hold_up_the_second(two: tuple[Readings, Service, Service]) -> None:
    readings, first, second = two
    first.model = None
    readings.ask("so")
    assert second.asked == [("so", "tuned")]


def test_one_that_has_just_been_loaded_is_asked_the_present_text(two: tuple[Readings, Service, Service]) -> None:
    readings, first, second = two
    readings.ask("so")
    readings.hear(of("b", Ready(B_MODEL)))
    assert second.asked == [("so", "tuned")]
    readings.hear(of("a", Ready(A_MODEL)))
    assert [text for text, _ in first.asked] == ["so", "so"]


def test_an_empty_text_ends_both_answers(two: tuple[Readings, Service, Service]) -> None:
    readings, *_ = two
    readings.hear(answered("a", "so", A_MODEL))
    readings.hear(answered("b", "so", B_MODEL))
    readings.ask("  ")
    assert readings.a.answer is None and readings.b is not None and readings.b.answer is None
    assert readings.document() is None


def test_both_are_in_the_document_only_where_both_read_the_same_text(two: tuple[Readings, Service, Service]) -> None:
    readings, *_ = two
    readings.hear(answered("a", "so", A_MODEL))
    alone = readings.document()
    assert alone is not None and set(alone) == {"model", "results"}
    readings.hear(answered("b", "old", B_MODEL))
    assert readings.document() == alone
    readings.hear(answered("b", "so", B_MODEL))
    both = readings.document()
    assert both is not None and both["against"] == "second"
    assert both["results"][0]["against"]["scores"] == {"joy": 0.9, "pride": 0.9}
    assert both["results"][0]["scores"] == {"joy": 0.9, "fear": 0.9}


def test_the_keys_are_about_the_second_as_soon_as_it_is_there_and_about_the_first_when_it_is_closed(
    two: tuple[Readings, Service, Service],
) -> None:
    readings, *_ = two
    assert readings.active is readings.b
    readings.side = "a"
    assert readings.active is readings.a
    readings.side = "b"
    readings.close_second()
    assert readings.active is readings.a and readings.all == (readings.a,)


def test_what_the_second_says_changes_nothing_of_the_first(two: tuple[Readings, Service, Service]) -> None:
    readings, *_ = two
    readings.hear(of("b", Loading("importing torch")))
    readings.hear(of("b", Failed("it ended", dead=True)))
    assert readings.a.state() == "" and readings.b is not None and readings.b.state() == "✗ it ended"
