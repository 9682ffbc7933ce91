"""The stock BERT without transformers: equal to it to the last bit, and nothing but a stock BERT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import OFFICIAL, LabelSet
from trainer.model import bert, classifier

CPU = torch.device("cpu")
TEXTS = [
    "I'm so excited about this! But also a bit nervous...", "", "   ", "no", "meh 🙃 ☔", "مرحبا", "e" + "\u0301" * 40,
    "so " * 300 + "long that it must be cut", "the kettle sang while we waited for the last bus home in the rain",
]  # fmt: skip


def saved(encoder: Path, folder: Path, labels: LabelSet = OFFICIAL) -> Path:
    model = classifier.build(encoder, labels, seed=7, head_init="random")
    classifier.save(model, encoder, folder, 64, {"thresholds": {}}, "# card\n")
    return folder


@pytest.mark.parametrize("encoder", ["tiny_encoder", "minilm"])
def test_it_gives_transformers_numbers_to_the_last_bit(
    encoder: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = saved(request.getfixturevalue(encoder), tmp_path / "model")
    ours, theirs = bert.load(folder), classifier.load(folder)
    assert ours is not None
    tokenizer = load_tokenizer(folder)
    for texts in (TEXTS, *([text] for text in TEXTS)):
        tokens = tokenize(texts, tokenizer, 64)
        found = classifier.probabilities(ours, tokens, CPU)
        assert found.shape == (len(texts), 28)
        assert (found == classifier.probabilities(theirs, tokens, CPU)).all(), texts


def test_half_precision_weights_are_computed_in_full_as_there(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model", LabelSet(("calm", "storm")))
    weights = load_file(folder / "model.safetensors")
    save_file({name: w.half() for name, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    ours = bert.load(folder)
    assert ours is not None
    tokens = tokenize(TEXTS, load_tokenizer(folder), 64)
    found = classifier.probabilities(ours, tokens, CPU)
    assert (found == classifier.probabilities(classifier.load(folder), tokens, CPU)).all()


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "roberta"}, {"architectures": ["BertForMaskedLM"]}, {"hidden_act": "relu"}, {"is_decoder": True},
        {"add_cross_attention": True}, {"position_embedding_type": "relative_key"}, {"hidden_size": None},
        {"num_attention_heads": 3}, {"num_hidden_layers": 3}, {"id2label": {"0": "a"}}, {"layer_norm_eps": "small"},
        {"quantization_config": {"bits": 4}}, {"vocab_size": 7}, {"intermediate_size": -1},
    ],
)  # fmt: skip
def test_what_is_no_stock_bert_is_left_to_transformers(
    change: dict[str, Any], tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    assert bert.load(folder) is not None
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    assert bert.load(folder) is None


def test_weights_that_are_broken_or_lacking_are_left_to_transformers(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    file = folder / "model.safetensors"
    weights = load_file(file)
    del weights["bert.pooler.dense.bias"]
    save_file(weights, file, {"format": "pt"})
    assert bert.load(folder) is None
    file.write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    assert bert.load(folder) is None
    file.unlink()
    assert bert.load(folder) is None


def test_a_file_that_is_written_over_later_changes_nothing(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    model, tokens = bert.load(folder), tokenize(TEXTS, load_tokenizer(folder), 64)
    assert model is not None
    with (folder / "model.safetensors").open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        file.write(bytes(size))
    found = classifier.probabilities(model, tokens, CPU)
    assert (found == classifier.probabilities(model, tokens, CPU)).all() and len(set(found[0].tolist())) > 20


def test_a_prediction_with_a_stock_bert_never_imports_transformers(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model", LabelSet(("calm", "storm")))
    (folder / "thresholds.json").unlink()
    code = (
        "import sys; from trainer import Predictor\n"
        f"print(len(Predictor({str(folder)!r}).predict(['so'])[0].scores), 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["2", "False"]
