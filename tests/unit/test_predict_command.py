"""`goemo-tui predict` with a model that knows nothing: what reaches the model, and what is printed."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest

from goemo_tui.cli import main
from goemo_tui.commands import predict
from trainer.infer.predictor import Emotion, Prediction


class Model:
    """Feels joy at everything that is text."""

    name = "joyful"
    labels = ("joy",)

    def thresholds(self) -> Any:
        return np.array([0.5])

    def predict(self, texts: list[str]) -> list[Prediction]:
        for text in texts:
            text.encode()  # a tokenizer takes nothing else
        return [Prediction(text, (), {"joy": 0.25}) for text in texts]


def test_arguments_that_are_no_utf_8_are_text_with_replacements(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(predict, "load", lambda options, model=None, few=False: Model())
    given = [os.fsdecode(raw) for raw in (b"\xff bad", "schön 🙂".encode())]
    assert main(["predict", *given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [result["text"] for result in told["results"]] == ["\ufffd bad", "schön 🙂"]
    assert main(["predict", *given]) == 0
    assert capsys.readouterr().out.startswith("\ufffd bad\n")


class Other(Model):
    """Knows another label too."""

    name = "other"

    def predict(self, texts: list[str]) -> list[Prediction]:
        return [Prediction(text, (Emotion("fear", 0.6, 0.5),), {"joy": 0.5, "fear": 0.6}) for text in texts]


def _both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        predict, "load", lambda options, model=None, few=False: Other() if model == "other" else Model()
    )


def test_a_second_model_adds_to_the_document_and_only_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _both(monkeypatch)
    assert main(["predict", "so", "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone == {"model": "joyful", "results": [{"text": "so", "emotions": [], "scores": {"joy": 0.25}}]}
    assert main(["predict", "so", "--against", "other", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert both.pop("against") == "other"
    against = both["results"][0].pop("against")
    assert both == alone
    assert against == {
        "emotions": [{"emotion": "fear", "probability": 0.6, "threshold": 0.5}],
        "scores": {"joy": 0.5, "fear": 0.6},
    }


def test_a_stream_against_a_second_model_is_one_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _both(monkeypatch)
    monkeypatch.setattr(predict, "lines", lambda: iter(["a", "b"]))
    assert main(["predict", "-", "--against", "other", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["against"] == "other" and [r["text"] for r in told["results"]] == ["a", "b"]
    assert all(r["against"]["scores"] == {"joy": 0.5, "fear": 0.6} for r in told["results"])


def test_two_models_for_people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _both(monkeypatch)
    assert main(["predict", "so \x1b[2J", "--against", "other"]) == 0
    text, head, *rows = capsys.readouterr().out.splitlines()
    assert text == "so ␛[2J" and head.split() == ["A", "B", "B-A"]
    assert [row.split() for row in rows] == [["fear", "–", "•", "60%", "–"], ["joy", "25%", "50%", "+25"]]


def test_a_share_and_its_threshold_are_told_apart() -> None:
    scores = {"remorse": 0.0118, "anger": 0.0538, "joy": 0.87, "fear": 0.0496}
    cuts = {"remorse": 0.0005, "anger": 0.0511, "joy": 0.31, "fear": 0.0501}
    felt = tuple(Emotion(name, scores[name], cuts[name]) for name in ("remorse", "anger", "joy"))
    shown = [
        " ".join(line.split()[-3:]) for line in predict.words(Prediction("x", felt, scores), cuts).splitlines()[1:]
    ]
    assert shown == ["87.0% over 31.0%", "5.4% over 5.1%", "4.96% below 5.01%", "1.2% over 0.1%"]
