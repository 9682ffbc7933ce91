"""The classifier is a stock one: built, saved and loaded in the Hugging Face layout, and right about padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.errors import ModelError
from trainer.labels import OFFICIAL, LabelSet
from trainer.model import classifier

TEXTS = ["what a day", "no", "the kettle sang while we waited for the last bus home in the rain 🚌", "ok"]
CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_before_the_first_step_it_says_the_base_rates(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    rates = np.linspace(0.01, 0.5, 28)
    model = classifier.build(folder, OFFICIAL, seed=0, frequency=rates)
    p = classifier.probabilities(model, tokenize(TEXTS, load_tokenizer(folder), 64), CPU)
    assert p == pytest.approx(np.tile(rates, (4, 1)), abs=1e-6)
    assert model.training


def test_a_random_head_depends_on_the_seed_alone(tiny_encoder: Path) -> None:
    def head(seed: int) -> torch.Tensor:
        torch.rand(3)
        return classifier.last_layer(classifier.build(tiny_encoder, OFFICIAL, seed, "random"), 28).weight.detach()

    assert torch.equal(head(1), head(1))
    assert not torch.equal(head(1), head(2))


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_parameter_groups_hold_each_parameter_once_and_spare_norms(kind: str, request: pytest.FixtureRequest) -> None:
    model = classifier.build(request.getfixturevalue(kind), OFFICIAL, 0, "random")
    groups = classifier.parameter_groups(model, 0.01)
    assert sum(p.numel() for g in groups for p in g["params"]) == sum(p.numel() for p in model.parameters())
    last = classifier.last_layer(model, 28)
    (of_head,) = [g for g in groups if any(p is last.weight for p in g["params"])]
    assert of_head["part"] == "head" and of_head["weight_decay"] == 0.01
    assert all(g["weight_decay"] == 0.0 for g in groups if any(p.ndim < 2 for p in g["params"]))
    assert all(g["weight_decay"] == 0.01 for g in classifier.parameter_groups(model, 0.01, "all"))


def test_padding_changes_nothing(tiny_encoder: Path) -> None:
    model = classifier.build(tiny_encoder, OFFICIAL, 0, "random")
    tokens = tokenize(TEXTS, load_tokenizer(tiny_encoder), 64)
    together = classifier.probabilities(model, tokens, CPU)
    alone = classifier.probabilities(model, tokens, CPU, batch_tokens=1)
    assert together == pytest.approx(alone, abs=1e-6)
    assert not np.allclose(together[0], together[1])


def test_no_rows_give_no_scores(tiny_encoder: Path) -> None:
    model = classifier.build(tiny_encoder, OFFICIAL, 0, "random")
    assert classifier.probabilities(model, tokenize([], load_tokenizer(tiny_encoder), 64), CPU).shape == (0, 28)


def test_padded_rows_have_their_tokens_and_mask(tiny_encoder: Path) -> None:
    tokens = tokenize(TEXTS, load_tokenizer(tiny_encoder), 64)
    ids, mask = classifier.padded(tokens, [2, 0], fill=0)
    assert ids.shape == mask.shape == (2, int(tokens.lengths[2]))
    for row, k in enumerate([2, 0]):
        own = tokens.ids[tokens.offsets[k] : tokens.offsets[k + 1]]
        assert ids[row, : len(own)].tolist() == own.tolist()
        assert mask[row].tolist() == [1] * len(own) + [0] * (ids.shape[1] - len(own))
        assert not ids[row, len(own) :].any()
    assert classifier.padded(tokens, [0], 0, to=64)[0].shape == (1, 64)


def test_saved_and_loaded_it_says_the_same(tiny_encoder: Path, tmp_path: Path) -> None:
    labels = LabelSet(("calm", "storm", "[/b]"))
    model = classifier.build(tiny_encoder, labels, 3, "random")
    tokens = tokenize(TEXTS, load_tokenizer(tiny_encoder), 32)
    before = classifier.probabilities(model, tokens, CPU)
    folder = tmp_path / "model"
    classifier.save(model, tiny_encoder, folder, 32, {"thresholds": {}}, "# card\n")
    assert classifier.probabilities(classifier.load(folder), tokens, CPU) == pytest.approx(before, abs=0)
    assert not [p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pkl")]
    assert classifier.load(folder).config.id2label == {0: "calm", 1: "storm", 2: "[/b]"}


def test_a_broken_folder_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    with pytest.raises(ModelError, match="cannot be loaded as a classifier"):
        classifier.load(tmp_path)


def test_code_that_comes_with_a_model_is_never_run(tiny_encoder: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = tmp_path / "remote"
    shutil.copytree(tiny_encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSequenceClassification": "evil.Evil", "AutoConfig": "evil.EvilConfig"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write('x')\n")
    classifier.build(folder, OFFICIAL, 0, "random")
    assert not (tmp_path / "ran").exists()
