"""The prediction child: one JSON object a line, newest text first, alive whatever a model does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainer import Predictor, train
from trainer.runs.run import Run


class Child:
    """A real service process, spoken to line by line."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainer.infer.service", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
        )  # fmt: skip

    def say(self, *requests: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in requests))
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else "the service is gone"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def until(self, key: str, value: Any = None) -> dict[str, Any]:
        while True:
            answer = self.hear()
            if key in answer and (value is None or answer[key] == value):
                return answer

    def end(self) -> int:
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            return self.process.wait(timeout=20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            for stream in (self.process.stdout, self.process.stderr):
                if stream:
                    stream.close()


@pytest.fixture
def run_id(tiny_encoder: Path) -> str:
    return train("sample", str(tiny_encoder), limit=64, epochs=1, head_init="random").run


@pytest.fixture
def child(run_id: str) -> Iterator[Child]:
    service = Child("--model", run_id)
    yield service
    service.end()


def test_it_says_what_it_loads_and_what_it_loaded(child: Child, run_id: str) -> None:
    told = [child.hear()]
    while told[-1].get("event") == "loading":
        told.append(child.hear())
    assert len(told) > 1
    ready = told[-1]
    assert ready["event"] == "ready" and ready["model"] == run_id
    assert ready["layers"] == 3 and ready["width"] == 16 and ready["parameters"] > 0 and ready["max_length"] == 64
    assert len(ready["labels"]) == 28 and set(ready["thresholds"]) == set(ready["labels"])


def test_it_gives_the_predictors_numbers(child: Child, run_id: str) -> None:
    child.say({"id": 1, "op": "predict", "texts": ["what a day \u202e", "no"], "threshold": 0.01})
    answer = child.until("id", 1)
    expected = [p.to_dict() for p in Predictor(run_id).predict(["what a day \u202e", "no"], 0.01)]
    assert answer["results"] == expected
    assert answer["ms"] > 0


def test_a_batch_gives_every_probability_in_the_models_order_and_is_never_skipped(child: Child, run_id: str) -> None:
    texts = [f"text {n}" for n in range(40)] + ["", "x" * 5000]
    child.until("event", "ready")
    child.say(
        {"id": 1, "op": "batch", "texts": texts},
        {"id": 2, "op": "predict", "texts": ["typed"]},
        {"id": 3, "op": "batch", "texts": []},
        {"id": 4, "op": "batch", "texts": 3},
    )
    answers = {n: child.until("id", n) for n in (1, 2, 3, 4)}
    predictor = Predictor(run_id)
    assert answers[1]["scores"] == [[p.scores[name] for name in predictor.labels] for p in predictor.predict(texts)]
    assert answers[2]["results"][0]["text"] == "typed"
    assert answers[3]["scores"] == [] and "list" in answers[4]["error"]


def test_of_several_waiting_texts_only_the_newest_is_computed(child: Child) -> None:
    child.say(*({"id": n, "op": "predict", "texts": [f"text {n}"]} for n in range(1, 40)))
    answers = {}
    while len(answers) < 39:
        answer = child.hear()
        if "id" in answer:
            answers[answer["id"]] = answer
    assert answers[39]["results"][0]["text"] == "text 39"
    assert sum("skipped" in a for a in answers.values()) > 20


def test_bad_requests_and_bad_models_do_not_end_it(child: Child, tmp_path: Path) -> None:
    child.until("event", "ready")
    child.say("{nonsense", "[]")
    assert "not a request" in child.hear()["error"]
    assert "not a request" in child.hear()["error"]
    child.say({"id": 2, "op": "fly"})
    assert "no operation" in child.until("id", 2)["error"]
    child.say({"id": 3, "op": "predict", "texts": "one"})
    assert "list" in child.until("id", 3)["error"]
    child.say({"id": 4, "op": "predict", "texts": ["x"], "threshold": 7})
    assert "between 0 and 1" in child.until("id", 4)["error"]
    child.say({"id": 5, "op": "load", "model": str(tmp_path)})
    refused = child.until("id", 5)
    assert refused["event"] == "error" and "config.json" in refused["message"]
    child.say({"id": 6, "op": "predict", "texts": ["still here"]})
    assert child.until("id", 6)["results"]


def test_another_model_can_be_loaded(child: Child, tiny_distilbert: Path) -> None:
    other = train("sample", str(tiny_distilbert), limit=32, epochs=1, taxonomy="sentiment").run
    child.say({"id": 9, "op": "load", "model": other})
    ready = child.until("event", "ready")
    while ready.get("id") != 9:
        ready = child.until("event", "ready")
    assert ready["model"] == other and len(ready["labels"]) == 4


def test_it_ends_with_its_stdin(child: Child) -> None:
    child.until("event", "ready")
    assert child.end() == 0


def test_without_any_model_it_says_how_to_make_one() -> None:
    service = Child()
    try:
        told = service.until("event", "error")
        assert "goemo-tui train" in told["message"]
        service.say({"id": 1, "op": "predict", "texts": ["x"]})
        assert "no model" in service.until("id", 1)["error"]
    finally:
        service.end()


def test_a_model_whose_folder_is_gone_answers_on(tiny_encoder: Path, tmp_path: Path) -> None:
    made = train("sample", str(tiny_encoder), limit=32, epochs=1, taxonomy="sentiment")
    assert made.model is not None
    folder = tmp_path / "mine"
    shutil.copytree(made.model, folder)
    service = Child("--model", str(folder))
    try:
        service.until("event", "ready")
        shutil.rmtree(folder)
        service.say({"id": 1, "op": "predict", "texts": ["still here"]}, {"id": 2, "op": "batch", "texts": ["a", "b"]})
        assert len(service.until("id", 1)["results"][0]["scores"]) == 4 and len(service.until("id", 2)["scores"]) == 2
        service.say({"id": 3, "op": "load", "model": str(folder)}, {"id": 4, "op": "predict", "texts": ["x"]})
        assert "no such folder" in service.until("event", "error")["message"]
        assert service.until("id", 4)["results"], "the old one stays"
    finally:
        service.end()


def test_what_only_transformers_knows_says_that_it_is_imported(tiny_distilbert: Path, tmp_path: Path) -> None:
    run = train("sample", str(tiny_distilbert), limit=32, epochs=1, taxonomy="sentiment").run
    other = tmp_path / "other"
    shutil.copytree(Run.open(run).folder / "model", other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "activation": "relu"}))
    for model, wanted in ((str(other), True), (run, False)):
        service = Child("--model", model)
        try:
            told = []
            while not told or told[-1].get("event") == "loading":
                told.append(service.hear())
            assert told[-1]["event"] == "ready"
            for library in ("torch", "transformers"):
                assert (f"importing {library}" in [t.get("what") for t in told]) is wanted
        finally:
            service.end()
