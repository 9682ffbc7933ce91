"""The seam to transformers: a saved model is a plain folder, and `pipeline` gives the predictor's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.stock_pipeline import same, stock_pipeline
from trainer import Predictor, train

TEXTS = [
    "I'm so excited about this! But also a bit nervous...",
    "meh",
    "Grüße aus dem Regen ☔ — who ordered that?",
    "so " * 300 + "long that it must be cut",
    "[NAME] you absolute legend [deleted]",
    "   ",
]


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_pipeline_gives_the_same_probabilities(kind: str, request: pytest.FixtureRequest) -> None:
    encoder: Path = request.getfixturevalue(kind)
    result = train("sample", str(encoder), limit=64, epochs=1, max_length=48, head_init="random")
    assert result.model is not None
    classify = stock_pipeline(result.model)
    assert classify.tokenizer.model_max_length == 48
    assert same(Predictor(result.run).predict(TEXTS), classify(TEXTS, truncation=True))
    assert classify.model.config.problem_type == "multi_label_classification"


def test_the_folder_holds_what_it_promises(tiny_encoder: Path) -> None:
    import json

    result = train("sample", str(tiny_encoder), limit=64, epochs=1)
    assert result.model is not None
    names = {p.name for p in result.model.iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "README.md",
        "thresholds.json",
    } <= names
    assert not [n for n in names if n.endswith((".bin", ".pt", ".pkl"))]
    thresholds = json.loads((result.model / "thresholds.json").read_text())
    assert set(thresholds) == {"split", "metric", "fitted_on", "thresholds"} and thresholds["split"] == "dev"
    assert len(thresholds["thresholds"]) == 28 and thresholds["fitted_on"]["hashes"]
    card = (result.model / "README.md").read_text()
    assert "| grief |" in card and "sha256" in card and "epochs" in card
