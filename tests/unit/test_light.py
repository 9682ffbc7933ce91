"""The stock BERT in numpy: torch's numbers for a few sentences, torch never imported, and nothing but a stock BERT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.unit import test_bert
from tests.unit.test_bert import CPU, TEXTS
from trainer import Predictor
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.errors import ModelError
from trainer.labels import OFFICIAL, LabelSet
from trainer.model import classifier, light
from trainer.modelfolder import find_model


def saved(encoder: Path, folder: Path, labels: LabelSet = OFFICIAL) -> Path:
    """A model that can be predicted with: it has no thresholds."""
    (test_bert.saved(encoder, folder, labels) / "thresholds.json").unlink()
    return folder


TOLD = """
import sys
from goemo_tui.cli import main
code = main(sys.argv[1:])
print([name for name in ("torch", "transformers", "scipy") if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("encoder", ["tiny_encoder", "minilm"])
def test_it_gives_torchs_numbers(encoder: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = saved(request.getfixturevalue(encoder), tmp_path / "model")
    ours, theirs = light.load(folder), classifier.load(folder)
    assert ours is not None
    tokens = tokenize(TEXTS, load_tokenizer(folder), 64)
    assert ours.probabilities(tokens) == pytest.approx(classifier.probabilities(theirs, tokens, CPU), abs=2e-6)


def test_extreme_logits_are_probabilities_too(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model", LabelSet(("calm", "storm")))
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.tensor([200.0, -200.0])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    ours = light.load(folder)
    assert ours is not None
    assert ours.probabilities(tokenize(["x"], load_tokenizer(folder), 64)).tolist() == [[1.0, 0.0]]


def test_half_precision_is_computed_in_full_and_bfloat16_is_left_to_torch(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    tokens, weights = tokenize(TEXTS, load_tokenizer(folder), 64), load_file(folder / "model.safetensors")
    save_file({name: w.half() for name, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    ours = light.load(folder)
    assert ours is not None
    expected = classifier.probabilities(classifier.load(folder), tokens, CPU)
    assert ours.probabilities(tokens) == pytest.approx(expected, abs=2e-6)
    save_file({name: w.bfloat16() for name, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    assert light.load(folder) is None
    predictor = Predictor(str(folder), light=True)
    assert predictor.light is None and predictor.predict("so it is") == Predictor(str(folder)).predict("so it is")


def test_what_is_broken_or_another_kind_is_left_to_who_says_so(
    tiny_encoder: Path, tiny_distilbert: Path, tmp_path: Path
) -> None:
    other = saved(tiny_distilbert, tmp_path / "other")
    assert light.load(other) is None and Predictor(str(other), light=True).light is None
    folder = saved(tiny_encoder, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    assert light.load(folder) is None
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    assert light.load(folder) is None
    with pytest.raises(ModelError):
        Predictor(str(folder), light=True)


def test_a_device_by_name_is_torchs(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = str(saved(tiny_encoder, tmp_path / "model"))
    assert Predictor(folder, "cpu", light=True).light is not None
    heavy = Predictor(folder, "cpu")
    assert heavy.light is None and heavy.device == CPU


def test_a_few_sentences_are_answered_without_torch(starter: Path) -> None:
    def asked(*arguments: str) -> tuple[list[dict[str, dict[str, float]]], str]:
        done = subprocess.run(
            [sys.executable, "-c", TOLD, "predict", "--json", *arguments], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["results"], done.stderr.strip()

    texts = ["I'm so happy for you!", "what a day", "x"]
    few, loaded = asked(*texts)
    assert loaded == "[]"
    assert asked("--because", "joy", "what a day")[1] != "[]"
    predictor = Predictor(find_model("starter"))
    for one, other in zip(few, predictor.predict(texts), strict=True):
        assert one["scores"] == pytest.approx(other.scores, abs=3e-6)
