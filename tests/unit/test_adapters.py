"""Adapters: thin matrices are learned, the encoder stays, and what is kept is a stock model again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import OFFICIAL
from trainer.model import adapters, bert, classifier, compact

TEXTS = ["what a day", "the kettle sang while we waited for the last bus home in the rain", "no"]
CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_only_adapters_and_head_are_learned(kind: str, request: pytest.FixtureRequest) -> None:
    model = classifier.build(request.getfixturevalue(kind), OFFICIAL, 0, "random")
    before = sum(p.numel() for p in model.parameters())
    adapters.add(model, 4, 8, seed=0)
    learned = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learned and all(".lora_" in name or classifier.is_head(model, name) for name in learned)
    assert any(classifier.is_head(model, name) for name in learned)
    assert adapters.stock_parameters(model) == before
    in_groups = {id(p) for g in classifier.parameter_groups(model, 0.01) for p in g["params"]}
    assert in_groups == {id(p) for p in model.parameters() if p.requires_grad}


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_merged_it_says_the_same_and_the_model_itself_stays(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    model = classifier.build(folder, OFFICIAL, 0, "random")
    names = [name for name, _ in model.named_parameters()]
    adapters.add(model, 4, 8, seed=0)
    _stir(model)
    tokens = tokenize(TEXTS, load_tokenizer(folder), 64)
    expected = classifier.probabilities(model, tokens, CPU)
    plain = adapters.merged(model)
    assert [name for name, _ in plain.named_parameters()] == names and not adapters.has_adapters(plain)
    assert classifier.probabilities(plain, tokens, CPU) == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(classifier.probabilities(model, tokens, CPU), expected)


def test_the_same_seed_gives_the_same_adapters(tiny_encoder: Path) -> None:
    def drawn(seed: int) -> torch.Tensor:
        model = classifier.build(tiny_encoder, OFFICIAL, 0, "random")
        torch.rand(5)
        adapters.add(model, 4, 8, seed)
        return next(p.detach() for name, p in model.named_parameters() if ".lora_A." in name)

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))


def test_a_packed_model_comes_back_as_it_was(minilm: Path, tmp_path: Path) -> None:
    model = classifier.build(minilm, OFFICIAL, 0, "random", pooling="mean")
    adapters.add(model, 4, 8, seed=0)
    _stir(model, 0.02)
    whole, packed = tmp_path / "whole", tmp_path / "packed"
    classifier.save(adapters.merged(model), minilm, whole, 64, {"thresholds": {}}, "")
    packed.mkdir()
    (packed / "config.json").write_bytes((whole / "config.json").read_bytes())
    compact.pack(whole, "minilm", 4, packed)
    assert (
        (packed / compact.WEIGHTS).stat().st_size
        < 1_200_000
        < 80_000_000
        < (whole / "model.safetensors").stat().st_size
    )
    tokens = tokenize(TEXTS, load_tokenizer(packed), 64)
    one, other = bert.load(packed), bert.load(whole)
    assert one is not None and other is not None
    assert classifier.probabilities(one, tokens, CPU) == pytest.approx(
        classifier.probabilities(other, tokens, CPU), abs=2e-3
    )


def test_what_a_low_rank_cannot_tell_is_not_packed(minilm: Path, tmp_path: Path) -> None:
    from trainer.errors import ModelError

    model = classifier.build(minilm, OFFICIAL, 0, "random")
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[5] += 1
    whole, packed = tmp_path / "whole", tmp_path / "packed"
    classifier.save(model, minilm, whole, 64, {"thresholds": {}}, "")
    packed.mkdir()
    with pytest.raises(ModelError, match="word_embeddings"):
        compact.pack(whole, "minilm", 4, packed)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[5] -= 1
        model.bert.encoder.layer[0].attention.self.query.weight += torch.randn(384, 384)
        model.bert.embeddings.word_embeddings.weight.copy_(
            classifier.build(minilm, OFFICIAL, 0, "random").bert.embeddings.word_embeddings.weight
        )
    classifier.save(model, minilm, tmp_path / "other", 64, {"thresholds": {}}, "")
    with pytest.raises(ModelError, match="rank 4 loses"):
        compact.pack(tmp_path / "other", "minilm", 4, packed)


def _stir(model: torch.nn.Module, by: float = 0.3) -> None:
    """Adapters begin at zero: let them say something."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".lora_B." in name:
                p.normal_(0, by)
