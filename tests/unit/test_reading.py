"""One model in Inspect: what is said while it loads, dies, is refused or comes back, and how its answer is judged."""

from __future__ import annotations

from textual.message import Message

from goemo_tui.services.prediction import Emotion, Model, Request
from goemo_tui.services.reading import NO_MODEL, Reading
from goemo_tui.services.talk import Answered, Failed, Loading, Ready

MODEL = Model("m", "/m", ("joy", "fear"), {"joy": 0.4, "fear": 0.2}, "cpu", 6, 384, 22_700_000, 90_900_000, 64, (), 0.1)


class Service:
    """In place of the child: keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []
        self.loaded: list[str | None] = []
        self.model: Model | None = MODEL
        self.exhausted = False

    def predict(self, text: str, threshold: object) -> None:
        self.asked.append((text, threshold))

    def load(self, model: str | None) -> None:
        self.loaded.append(model)

    def start(self, model: str | None = None) -> None:
        self.loaded.append(model)


def reading() -> tuple[Reading, Service]:
    made, service = Reading("a", lambda message: None, ("/no/such",)), Service()
    made.service = service  # type: ignore[assignment]
    return made, service


def answer(text: str = "so", joy: float = 0.8, threshold: float | str = "tuned") -> Answered:
    emotions = (Emotion("joy", joy, 0.4, joy >= 0.4), Emotion("fear", 0.25, 0.2, True))
    return Answered(Request(text, threshold), emotions, 3.0, ("joy", "fear"))


def test_messages_carry_the_side_they_come_from() -> None:
    heard: list[Message] = []
    made = Reading("b", heard.append, ("/no/such/python",))
    made.start(None)
    assert [(type(m), m.side) for m in heard] == [(Failed, "b")]  # type: ignore[attr-defined]


def test_why_a_child_is_loaded_again_is_said_until_it_is_there() -> None:
    made, _ = reading()
    made.hear(Loading("importing torch"))
    assert made.state() == "… importing torch"
    made.hear(Ready(MODEL))
    assert made.state() == ""
    ended = "the prediction process ended (signal 9)"
    assert made.hear(Failed(f"{ended}; it starts again on the next use", dead=True, ended=ended)) == []
    assert made.state() == f"✗ {ended}; it starts again on the next use"
    made.hear(Loading("importing torch"))
    assert made.state() == f"… importing torch · again, because {ended}"
    made.hear(Ready(MODEL))
    made.hear(Loading("reading the weights"))
    assert made.state() == "… reading the weights"


def test_a_child_that_died_too_often_says_what_starts_it() -> None:
    made, service = reading()
    service.exhausted = True
    made.hear(Failed("it ended", dead=True))
    assert made.state() == "✗ it ended. m picks a model and starts it again"
    made.ask("so")
    assert service.asked == [], "nobody is asked in vain"


def test_a_model_that_is_refused_leaves_the_old_one_and_is_remembered_as_refused() -> None:
    made, service = reading()
    made.load("broken", wanted=True)
    assert made.state() == "… loading broken" and service.loaded == ["broken"]
    assert made.hear(Failed("no weights", dead=False)) == [("no weights", True)]
    assert made.refused == ("broken", "no weights") and not made.wanted and made.state() == ""
    made.load("good", wanted=True)
    assert made.refused is None and made.wanted


def test_without_a_model_the_next_step_is_said_and_nobody_is_asked() -> None:
    made, service = reading()
    service.model = None
    made.hear(Failed("there is no model yet. Make one: goemo-tui train", dead=False, no_model=True))
    assert made.state() == NO_MODEL and "press F2, then n" in NO_MODEL
    made.ask("so")
    assert service.asked == []
    made.hear(Failed("/gone: no such folder", dead=False, no_model=True))
    assert made.state() == "✗ /gone: no such folder · m picks another model"


def test_where_the_remembered_model_is_gone_the_default_is_taken_once() -> None:
    made, service = reading()
    made.start(None, "/gone")
    ((told, wrong),) = made.hear(Failed("no such folder", dead=False, no_model=True))
    assert "/gone, is not there any more" in told and not wrong and service.loaded == ["/gone", None]
    assert made.hear(Failed("no such folder", dead=False, no_model=True)) == [] and made.no_model
    made, service = reading()
    made.start("asked-for", "/gone")
    made.hear(Failed("no such run", dead=False, no_model=True))
    assert service.loaded == ["asked-for"], "what was asked for is not replaced by something else"


def test_blanks_are_not_asked() -> None:
    made, service = reading()
    for text in ("", "   ", "\t", "\u3000"):
        made.ask(text)
    assert service.asked == []
    made.ask(" so ")
    assert service.asked == [(" so ", "tuned")]


def test_another_models_labels_end_the_old_answer_and_the_same_labels_keep_it() -> None:
    made, _ = reading()
    made.hear(answer())
    made.hear(Ready(MODEL))
    assert made.answer is not None
    made.hear(Ready(Model("other", "", ("joy", "pride"), None, "cpu", 1, 1, 1, 1, 8, ("odd names",), 0.0)))
    assert made.answer is None and made.emotions() == () and made.result() == {}


def test_an_answer_is_judged_by_the_present_threshold_and_asked_again_only_where_it_lies_at_it() -> None:
    made, service = reading()
    made.hear(answer())
    made.threshold = 0.3
    assert [(e.name, e.above) for e in made.emotions()] == [("joy", True), ("fear", False)]
    assert made.result()["emotions"] == [{"emotion": "joy", "probability": 0.8, "threshold": 0.3}]
    assert service.asked == []
    made.threshold = 0.25
    made.emotions()
    made.emotions()
    assert service.asked == [("so", 0.25)], "once"


def test_a_folder_is_known_by_its_whole_path_and_everything_else_by_its_name() -> None:
    made, service = reading()
    assert made.known_as == "m"
    for name in ("./m", "~/m", "/else/m"):
        service.model = Model(name, "/whole/m", (), None, "cpu", 1, 1, 1, 1, 8, (), 0.0)
        assert made.known_as == "/whole/m"
    service.model = None
    assert made.known_as == ""
