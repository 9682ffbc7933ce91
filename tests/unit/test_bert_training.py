"""A stock BERT is trained without transformers: the same model, losses, gradients and folder, and nobody else's kind."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import OFFICIAL, LabelSet
from trainer.learn.optimizer import AdamW
from trainer.model import bert, classifier

CPU = torch.device("cpu")
TEXTS = ["what a day", "the kettle sang while we waited for the last bus home in the rain", "", "no"]


def both(folder: Path, dropout: float = 0.0) -> tuple[nn.Module, nn.Module]:
    """Ours over the encoder in `folder`, and transformers' with the same head."""
    torch.manual_seed(5)
    ours, theirs = bert.over(folder, OFFICIAL), classifier._over(folder, OFFICIAL, mean=False)
    assert ours is not None
    theirs.load_state_dict(ours.state_dict())
    for model in (ours, theirs):
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
    return ours, theirs


def learned(model: nn.Module, folder: Path) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Logits, and the gradient of each weight."""
    ids, mask = classifier.padded(tokenize(TEXTS, load_tokenizer(folder), 64), range(len(TEXTS)), 0)
    torch.manual_seed(1)
    logits = model(input_ids=ids, attention_mask=mask).logits
    logits.square().sum().backward()
    return logits.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("encoder", ["tiny_encoder", "minilm"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_logits_and_gradients_are_transformers(encoder: str, dropout: float, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(encoder)
    ours, theirs = both(folder, dropout)
    (found, gradients), (expected, wanted) = learned(ours, folder), learned(theirs, folder)
    assert (found == expected).all(), "the same draws of dropout in the same order, too"
    assert gradients.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert torch.allclose(gradients[name], gradient, atol=1e-6 * float(gradient.abs().max()) + 1e-12), name


def test_what_is_saved_is_what_transformers_saves(tiny_encoder: Path, tmp_path: Path) -> None:
    ours, theirs = both(tiny_encoder)
    for name, model in (("ours", ours), ("theirs", theirs)):
        classifier.save(model, tiny_encoder, tmp_path / name, 64, {"thresholds": {}}, "# card\n")
    found, expected = (classifier.load(tmp_path / name) for name in ("ours", "theirs"))
    for key, value in expected.config.to_dict().items():  # type: ignore[union-attr, operator]
        if key != "_name_or_path":
            assert found.config.to_dict()[key] == value, key  # type: ignore[union-attr, operator]
    said, wanted_said = (json.loads((tmp_path / name / "config.json").read_text()) for name in ("ours", "theirs"))
    assert list(said["id2label"].items()) == list(wanted_said["id2label"].items()), "in the labels' order"
    weights, wanted = (load_file(tmp_path / name / "model.safetensors") for name in ("ours", "theirs"))
    assert weights.keys() == wanted.keys() and all((weights[name] == wanted[name]).all() for name in wanted)
    assert sorted(f.name for f in (tmp_path / "ours").iterdir()) == sorted(
        f.name for f in (tmp_path / "theirs").iterdir()
    )


def changed(encoder: Path, folder: Path, **config: Any) -> Path:
    """A copy of an encoder that says something else of itself."""
    folder.mkdir()
    for file in encoder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, **config}))
    return folder


def test_an_encoder_under_another_head_is_one_too(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = changed(tiny_encoder, tmp_path / "masked", architectures=["BertForMaskedLM"])
    weights = {f"bert.{name}": w for name, w in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    save_file({**weights, "cls.predictions.bias": torch.zeros(9)}, folder / "model.safetensors", {"format": "pt"})
    ours = bert.over(folder, OFFICIAL)
    assert ours is not None
    stored = load_file(tiny_encoder / "model.safetensors")["encoder.layer.1.output.dense.weight"]
    assert (ours.state_dict()["bert.encoder.layer.1.output.dense.weight"] == stored).all()


def test_what_is_new_is_drawn_as_there_and_by_the_seed(minilm: Path) -> None:
    def over(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        found = bert.over(minilm, OFFICIAL, more_layers=1)
        assert found is not None and len(found.bert.encoder.layer) == found.config.num_hidden_layers
        return found.state_dict()

    one, same, other = over(1), over(1), over(2)
    new = max(int(name.split(".")[3]) for name in one if name.startswith("bert.encoder.layer."))
    for name, value in one.items():
        assert torch.isfinite(value).all() and (value == same[name]).all()
        drawn = name == "classifier.weight" or (f".layer.{new}." in name and value.ndim == 2)
        assert drawn is not bool((value == other[name]).all()), name
        if drawn:
            assert value.std() == pytest.approx(0.02, rel=0.1) and abs(value.mean()) < 1e-3
        elif f".layer.{new}." in name:
            assert (value == (1 if name.endswith("LayerNorm.weight") else 0)).all()


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "roberta"}, {"hidden_act": "relu"}, {"is_decoder": True}, {"architectures": ["BertModel", "x"]},
        {"position_embedding_type": "relative_key"}, {"hidden_size": None}, {"num_attention_heads": 3}, {"num_hidden_layers": 9},
        {"vocab_size": 7}, {"hidden_dropout_prob": "some"}, {"quantization_config": {"bits": 4}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_stock_encoder_is_left_to_transformers(
    change: dict[str, Any], tiny_encoder: Path, tmp_path: Path
) -> None:
    assert bert.over(tiny_encoder, OFFICIAL) is not None
    assert bert.over(changed(tiny_encoder, tmp_path / "other", **change), OFFICIAL) is None


def test_a_broken_or_missing_file_is_left_to_transformers(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = changed(tiny_encoder, tmp_path / "other")
    (folder / "model.safetensors").write_bytes(b"nonsense")
    assert bert.over(folder, OFFICIAL) is None
    (folder / "model.safetensors").unlink()
    assert bert.over(folder, OFFICIAL) is None


def test_the_optimizer_steps_as_torchs_does_and_takes_its_state(tiny_encoder: Path) -> None:
    models = [bert.over(tiny_encoder, LabelSet(("calm", "storm"))) for _ in range(2)]
    assert models[0] is not None and models[1] is not None
    models[1].load_state_dict(models[0].state_dict())
    ours = AdamW(classifier.parameter_groups(models[0], 0.01), lr=1e-3, fused=True)
    theirs = torch.optim.AdamW(classifier.parameter_groups(models[1], 0.01), lr=1e-3, fused=True)

    def steps(count: int) -> None:
        for number in range(count):
            for model, optimizer in zip(models, (ours, theirs), strict=True):
                assert model is not None
                optimizer.zero_grad(set_to_none=True)
                torch.manual_seed(number)
                model.eval()(torch.tensor([[101, 7 + number, 102]]), torch.ones(1, 3)).logits.square().sum().backward()
                optimizer.step()

    steps(3)
    before = copy.deepcopy((ours.state_dict(), theirs.state_dict()))
    theirs.load_state_dict(before[0])
    ours.load_state_dict(before[1])
    steps(2)
    for (name, one), other in zip(models[0].named_parameters(), models[1].parameters(), strict=True):
        assert (one == other).all(), name
        assert (one.requires_grad and "step" in ours.state[one]) or "pooler" in name


def test_a_training_imports_neither_transformers_nor_a_compiler(tiny_encoder: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom trainer import train\n"
        f"train('sample', {str(tiny_encoder)!r}, limit=32, epochs=1, lora_rank=4)\n"
        "print([name for name in ('transformers', 'torch._dynamo', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True,
        env={"PATH": "/usr/bin:/bin", "GOEMO_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
