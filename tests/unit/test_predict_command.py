"""`goemo-tui predict` with a model that knows nothing: what reaches the model, and what is printed."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest

from goemo_tui.cli import main
from goemo_tui.commands import predict
from trainer.infer.predictor import Prediction


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
    monkeypatch.setattr(predict, "load", lambda options: Model())
    given = [os.fsdecode(raw) for raw in (b"\xff bad", "schön 🙂".encode())]
    assert main(["predict", *given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [result["text"] for result in told["results"]] == ["\ufffd bad", "schön 🙂"]
    assert main(["predict", *given]) == 0
    assert capsys.readouterr().out.startswith("\ufffd bad\n")
