"""The predictor's child process from the terminal's side: latest text wins, a death is told, the end is quick."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.message import Message

from goemo_tui.services.predictor import PredictorService
from goemo_tui.services.talk import Answered, Failed, Loading, Ready, Scored
from tests.unit import scripted_child

PATIENCE = 30.0


class Ear:
    """What the service said, in order."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Message] = queue.Queue()

    def wait_for(self, kind: type[Message]) -> Any:
        """The next message of a kind; what comes before it is dropped."""
        while True:
            message = self.heard.get(timeout=PATIENCE)
            if isinstance(message, kind):
                return message


Make = Callable[..., tuple[PredictorService, Ear, Path]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setenv("CHILD_MODEL_PATH", str(tmp_path / "model"))
    made: list[PredictorService] = []

    def one(how: str = "works", **more: Any) -> tuple[PredictorService, Ear, Path]:
        ear, log = Ear(), tmp_path / "asked.jsonl"
        service = PredictorService(ear.heard.put, scripted_child.command(how, log), **more)
        made.append(service)
        return service, ear, log

    yield one
    for service in made:
        service.close()


def asked(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_says_what_is_loading_then_answers_sorted_with_every_label(make: Make) -> None:
    service, ear, _ = make()
    assert not service.running, "nothing starts before it is needed"
    service.start()
    assert "importing torch" in [ear.wait_for(Loading).what for _ in range(2)]
    model = ear.wait_for(Ready).model
    assert (model.name, model.layers, model.width, model.max_length) == ("starter", 6, 384, 8)
    service.predict("so happy")
    answer = ear.wait_for(Answered)
    assert answer.request.text == "so happy" and answer.ms == 1.5
    assert [(e.name, e.above, e.threshold) for e in answer.emotions] == [
        ("joy", True, 0.4),
        ("fear", True, 0.2),
        ("neutral", False, 0.5),
    ]


def test_one_threshold_for_all_is_shown_with_every_label(make: Make) -> None:
    service, ear, _ = make()
    service.predict("so happy", 0.3)
    answer = ear.wait_for(Answered)
    assert [(e.name, e.above, e.threshold) for e in answer.emotions] == [
        ("joy", True, 0.3),
        ("fear", False, 0.3),
        ("neutral", False, 0.3),
    ]


def test_while_an_answer_is_out_only_the_newest_text_waits(make: Make) -> None:
    service, ear, log = make()
    service.predict("hold")
    until(lambda: log.exists() and len(asked(log)) == 1)
    for text in ("I", "I a", "I am", "I am glad"):
        service.predict(text)
    log.with_suffix(".go").touch()
    assert ear.wait_for(Answered).request.text == "hold"
    assert ear.wait_for(Answered).request.text == "I am glad"
    assert [r["texts"] for r in asked(log)] == [["hold"], ["I am glad"]]


def test_an_error_for_one_text_is_told_and_the_next_is_answered(make: Make) -> None:
    service, ear, _ = make()
    service.predict("odd")
    failed = ear.wait_for(Failed)
    assert failed.message == "that text is odd" and not failed.dead
    service.predict("fine")
    assert ear.wait_for(Answered).request.text == "fine"


def test_a_death_is_told_with_its_last_words_and_the_next_use_starts_again(make: Make) -> None:
    service, ear, _ = make()
    service.predict("die")
    failed = ear.wait_for(Failed)
    assert failed.dead and "exit code 9" in failed.message and "Killed" in failed.message
    assert not service.running
    service.predict("fine")
    assert ear.wait_for(Answered).request.text == "fine"


def test_a_child_that_is_started_again_loads_the_same_model_by_its_name(make: Make) -> None:
    service, ear, _ = make()
    service.start("calm-otter")
    ear.wait_for(Ready)
    service.predict("die")
    assert ear.wait_for(Failed).dead
    service.predict("fine")
    assert ear.wait_for(Ready).model.name == "calm-otter", "and not by the folder where it lies"


def test_it_does_not_start_for_ever(make: Make) -> None:
    service, ear, _ = make("crash", restarts=2)
    for _ in range(3):
        service.predict("fine")
        assert "no torch" in ear.wait_for(Failed).message
    assert service.exhausted
    service.predict("fine")
    assert not service.running and ear.heard.empty()
    service.start(again=True)
    assert ear.wait_for(Failed).dead


def test_a_command_that_is_not_there_is_told(make: Make) -> None:
    ear = Ear()
    service = PredictorService(ear.heard.put, ("/no/such/python",))
    service.start()
    failed = ear.wait_for(Failed)
    assert failed.dead and "cannot be started" in failed.message


def test_the_old_model_answers_on_where_the_new_one_is_broken(make: Make) -> None:
    service, ear, _ = make()
    service.start()
    ear.wait_for(Ready)
    service.load("broken")
    assert ear.wait_for(Failed).message == "broken holds no weights"
    service.predict("fine")
    ear.wait_for(Answered)
    assert service.model is not None and service.model.name == "starter"
    service.load("calm-otter")
    assert ear.wait_for(Ready).model.name == "calm-otter"


def test_without_any_model_the_child_waits_for_one(make: Make) -> None:
    service, ear, log = make("empty")
    service.predict("fine")
    failed = ear.wait_for(Failed)
    assert failed.no_model and not failed.dead and service.running
    service.load("calm-otter")
    assert ear.wait_for(Answered).request.text == "fine", "what was typed meanwhile is answered"
    assert [r["op"] for r in asked(log)] == ["load", "predict"]


def test_a_model_can_be_named_at_the_start(make: Make) -> None:
    service, ear, _ = make()
    service.start("calm-otter")
    assert ear.wait_for(Ready).model.name == "calm-otter"


@pytest.mark.parametrize("how", ["works", "deaf"])
def test_closing_leaves_no_child_behind(make: Make, how: str) -> None:
    service, ear, _ = make(how)
    service.start()
    ear.wait_for(Ready)
    child = service._child
    assert child is not None
    service.close()
    assert child.process.returncode is not None and not service.running
    service.predict("too late")
    assert not service.running


def test_a_batch_is_answered_in_one_piece_and_a_typed_text_goes_first(make: Make) -> None:
    service, ear, log = make()
    service.predict("hold")
    until(lambda: log.exists() and len(asked(log)) == 1)
    service.batch(["so", "happy"])
    service.predict("typed")
    log.with_suffix(".go").touch()
    assert [ear.wait_for(Answered).request.text for _ in range(2)] == ["hold", "typed"]
    scored = ear.wait_for(Scored)
    assert scored.request.texts == ("so", "happy")
    assert scored.scores == ((0.8, 0.25, 0.1), (0.8, 0.25, 0.1))
    assert [r["op"] for r in asked(log)] == ["predict", "predict", "batch"]


def test_a_batch_that_cannot_be_read_comes_back_with_the_error(make: Make) -> None:
    service, ear, _ = make()
    service.batch(["odd", "happy"])
    failed = ear.wait_for(Failed)
    assert not failed.dead and failed.request is not None and failed.request.texts == ("odd", "happy")


def test_a_batch_that_kills_the_child_is_not_asked_again_by_itself(make: Make) -> None:
    service, ear, log = make()
    service.batch(["die", "happy"])
    assert ear.wait_for(Failed).dead
    service.predict("fine")
    assert ear.wait_for(Answered).request.text == "fine"
    assert [r["op"] for r in asked(log)] == ["batch", "predict"]


def test_the_default_model_can_be_loaded_again(make: Make) -> None:
    service, ear, _ = make()
    service.start("calm-otter")
    ear.wait_for(Ready)
    service.load(None)
    assert ear.wait_for(Ready).model.name == "starter"
