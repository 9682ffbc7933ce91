"""The queue before the model: bounded, fair, and no text harms or outlives the request that it came with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from trainer.errors import ConfigError, ModelError
from trainer.serve import batcher as module
from trainer.serve.batcher import Batcher, Job, Refused
from trainer.serve.limits import Limits


class Model:
    """Computes a round whenever it is let; knows what it computed."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.let = threading.Semaphore(0)
        self.began = threading.Semaphore(0)

    def compute(self, predictor: Any, texts: Sequence[str]) -> Any:
        self.began.release()
        self.let.acquire()
        if "poison" in texts:
            raise ModelError("poison")
        self.rounds.append(list(texts))
        return np.array([[len(text)] for text in texts], np.float32)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    found = Model()
    monkeypatch.setattr(module, "probabilities", found.compute)
    return found


@pytest.fixture
def batcher(model: Model) -> Iterator[Batcher]:
    found = Batcher(lambda: model, Limits(texts=64, queue=64, batch=8))  # type: ignore[arg-type, return-value]
    found.start()
    found.loaded.result(30)
    yield found
    model.let.release(1_000)
    found.close()


def busy(batcher: Batcher, model: Model) -> Job:
    """A request whose text is being computed."""
    job = batcher.submit(["first"])
    assert model.began.acquire(timeout=30)
    return job


def test_what_came_meanwhile_is_computed_together(batcher: Batcher, model: Model) -> None:
    first = busy(batcher, model)
    jobs = [batcher.submit([f"{n}" * n]) for n in range(1, 6)]
    assert batcher.queued == 5
    model.let.release(2)
    assert [job.future.result(30).tolist() for job in (first, *jobs)] == [[[5]], [[1]], [[2]], [[3]], [[4]], [[5]]]
    assert [len(round_) for round_ in model.rounds] == [1, 5] and batcher.queued == 0


def test_a_full_queue_refuses_and_says_when_to_come_again(batcher: Batcher, model: Model) -> None:
    busy(batcher, model)
    batcher.submit(["a"] * 60)
    with pytest.raises(Refused, match="60 texts are waiting") as refused:
        batcher.submit(["a"] * 5)
    assert refused.value.code == 429 and refused.value.retry_s >= 1
    assert batcher.submit(["a"] * 4)


def test_a_large_request_and_many_small_ones_get_on_beside_each_other(batcher: Batcher, model: Model) -> None:
    busy(batcher, model)
    batcher.submit([f"large {n}" for n in range(30)])
    small = [batcher.submit([f"small {n}"]) for n in range(8)]
    model.let.release(4)
    for job in small:
        job.future.result(30)
    shares = [sum(text.startswith("large") for text in round_) for round_ in model.rounds[1:3]]
    assert all(4 <= share < 8 for share in shares), model.rounds


def test_texts_of_who_gave_up_are_not_computed(batcher: Batcher, model: Model) -> None:
    busy(batcher, model)
    given_up = batcher.submit(["never"] * 20)
    kept = batcher.submit(["kept"])
    given_up.future.cancel()
    model.let.release(2)
    kept.future.result(30)
    assert model.rounds == [["first"], ["kept"]] and batcher.queued == 0


def test_a_text_that_cannot_be_computed_harms_nobody_else(batcher: Batcher, model: Model) -> None:
    busy(batcher, model)
    poisoned = batcher.submit(["poison", *["rest"] * 20])
    others = [batcher.submit([f"other {n}"]) for n in range(3)]
    model.let.release(20)
    assert [job.future.result(30).tolist() for job in others] == [[[7]]] * 3
    with pytest.raises(ModelError):
        poisoned.future.result(30)
    batcher.submit(["later"]).future.result(30)
    assert not any("rest" in round_ for round_ in model.rounds)


def test_at_the_end_what_waits_is_computed_and_nothing_more_is_taken(batcher: Batcher, model: Model) -> None:
    first, waiting = busy(batcher, model), batcher.submit(["waits"] * 20)
    batcher.drain()
    assert batcher.state == "stopping"
    with pytest.raises(Refused, match="stopping") as refused:
        batcher.submit(["late"])
    assert refused.value.code == 503
    model.let.release(10)
    batcher.close()
    assert first.future.done() and len(waiting.future.result(0)) == 20


def test_before_the_model_is_there_and_without_one() -> None:
    loading: Future[Any] = Future()
    batcher = Batcher(lambda: loading.result(30), Limits())
    batcher.start()
    with pytest.raises(Refused, match="being loaded"):
        batcher.submit(["early"])
    loading.set_exception(ModelError("broken"))
    with pytest.raises(ModelError):
        batcher.loaded.result(30)
    with pytest.raises(Refused, match="could not be loaded"):
        batcher.submit(["early"])
    batcher.close()


@pytest.mark.parametrize(
    "wrong", [{"queue": 0}, {"wait_s": float("nan")}, {"wait_s": float("inf")}, {"texts": 9, "queue": 8}]
)
def test_limits_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Limits(**wrong)
