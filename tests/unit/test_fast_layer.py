"""The layer in one piece: the stock layer's numbers and gradients, its dropout's share, and nothing but what it is for."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.labels import OFFICIAL
from trainer.model import adapters, classifier, fast_layer
from trainer.model.fast_dropout import kept
from trainer.model.fast_layer import make_fast

TEXTS = ["what a day", "the kettle sang while we waited for the last bus home in the rain", "no", "thanks so much!"]


def pair(encoder: Path, pooling: str, dropout: float = 0.0, rank: int = 4) -> tuple[nn.Module, nn.Module]:
    """A model with adapters that have learned something (rank 0: none, all weights learn), and the same with fast layers."""
    model = classifier.build(encoder, OFFICIAL, 0, "random", pooling=pooling)
    if rank:
        adapters.add(model, rank, 8, seed=0)
    for name, parameter in model.named_parameters():
        if ".lora_B." in name:
            nn.init.normal_(parameter, std=0.05)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    fast = copy.deepcopy(model)
    make_fast(fast)
    return model.train(), fast.train()


def learned(model: nn.Module, encoder: Path, texts: list[str] = TEXTS) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    ids, mask = classifier.padded(tokenize(texts, load_tokenizer(encoder), 64), range(len(texts)), 0)
    model.zero_grad()
    logits = model(input_ids=ids, attention_mask=mask).logits
    logits.float().pow(2).sum().backward()
    return logits.detach().float(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def known(gradients: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All but those of the keys' biases, which are nothing but rounding: attention does not see what all keys share."""
    most = max(float(g.abs().max()) for g in gradients.values())
    left_out = {name for name in gradients if name.endswith(("self.key.bias", "k_lin.bias"))}
    assert all(float(gradients[name].abs().max()) < 1e-4 * most for name in left_out)
    return {name: gradient for name, gradient in gradients.items() if name not in left_out}


def fast_layers(model: nn.Module) -> int:
    return sum(type(m).__module__ == fast_layer.__name__ for m in model.modules())


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1] * 3], ids=["padded", "of one length"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "distilbert"])
@pytest.mark.parametrize("rank", [4, 0], ids=["adapters", "all weights"])
def test_numbers_and_gradients_are_the_stock_layers(
    rank: int, pooling: str, texts: list[str], tiny_encoder: Path, tiny_distilbert: Path
) -> None:
    folder = tiny_distilbert if pooling == "distilbert" else tiny_encoder
    stock, fast = pair(folder, "cls" if pooling == "distilbert" else pooling, rank=rank)
    assert fast_layers(fast) == fast.config.num_hidden_layers - 1  # type: ignore[union-attr, operator]
    (one, ours), (other, theirs) = learned(fast, folder, texts), learned(stock, folder, texts)
    assert torch.allclose(one, other, atol=1e-5)
    assert ours.keys() == theirs.keys() and any(".layer.0." in name for name in ours)
    for name, gradient in known(theirs).items():
        assert torch.allclose(ours[name], gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max())), name


@pytest.mark.parametrize("rank", [4, 0], ids=["adapters", "all weights"])
def test_in_half_precision_it_is_as_near_as_the_stock_layer(rank: int, tiny_encoder: Path) -> None:
    stock, fast = pair(tiny_encoder, "mean" if rank else "cls", rank=rank)
    exact, _ = learned(stock, tiny_encoder)
    with torch.autocast("cpu", torch.bfloat16):
        one, ours = learned(fast, tiny_encoder)
        other, theirs = learned(stock, tiny_encoder)
    assert (one - exact).abs().max() < 2 * (other - exact).abs().max() + 1e-3
    for name, gradient in known(theirs).items():
        assert ours[name].dtype == torch.float32
        assert torch.nn.functional.cosine_similarity(ours[name].flatten(), gradient.flatten(), 0) > 0.98, name


def test_dropout_drops_its_share_and_is_the_seeds(tiny_encoder: Path) -> None:
    torch.manual_seed(5)
    like = torch.ones(501, 333)
    drawn = kept(like, 0.1)
    assert drawn is not None and drawn.unique().tolist() == pytest.approx([0.0, 1 / 0.9])
    assert float((drawn == 0).float().mean()) == pytest.approx(0.1, abs=0.004)
    assert (drawn == 0).float().mean(0).max() < 0.2 and kept(like, 0.0) is None
    _, fast = pair(tiny_encoder, "mean", dropout=0.3)

    def said(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return learned(fast, tiny_encoder)[0]

    assert torch.equal(said(1), said(1)) and not torch.equal(said(1), said(2))


def test_weights_that_were_written_over_are_seen(tiny_encoder: Path) -> None:
    stock, fast = pair(tiny_encoder, "mean")
    learned(fast, tiny_encoder)
    for model in (stock, fast):
        with torch.no_grad():
            model.bert.encoder.layer[0].intermediate.dense.base_layer.weight.mul_(3)  # type: ignore[union-attr, index]
    assert torch.allclose(learned(fast, tiny_encoder)[0], learned(stock, tiny_encoder)[0], atol=1e-5)


def test_evaluated_and_merged_it_is_the_stock_model(tiny_encoder: Path) -> None:
    stock, fast = pair(tiny_encoder, "mean", dropout=0.3)
    learned(fast, tiny_encoder)
    tokens = tokenize(TEXTS, load_tokenizer(tiny_encoder), 64)
    cpu = torch.device("cpu")
    expected = classifier.probabilities(stock, tokens, cpu)
    assert (classifier.probabilities(fast, tokens, cpu) == expected).all()
    assert classifier.probabilities(adapters.merged(fast), tokens, cpu) == pytest.approx(expected, abs=1e-5)
    assert adapters.merged(fast).state_dict().keys() == adapters.merged(stock).state_dict().keys()


def test_what_it_is_not_for_is_left_alone(tiny_encoder: Path, tiny_distilbert: Path) -> None:
    for folder in (tiny_encoder, tiny_distilbert):
        part = classifier.build(folder, OFFICIAL, 0, "random")
        for parameter in part.base_model.parameters():  # type: ignore[union-attr, operator]
            parameter.requires_grad_(False)
        make_fast(part)
        assert not fast_layers(part), "nothing of them is learned"
    other = classifier.build(tiny_distilbert, OFFICIAL, 0, "random")
    other.config.activation = "relu"  # type: ignore[union-attr]
    make_fast(other)
    assert not fast_layers(other)


@pytest.mark.parametrize("rank", [4, 0], ids=["adapters", "all weights"])
def test_of_a_distilbert_it_drops_where_the_stock_layer_does(rank: int, tiny_distilbert: Path) -> None:
    """Dropout of attention alone, or of the feed-forward part alone, changes what is said; without either nothing does."""
    exact, fast = pair(tiny_distilbert, "cls", rank=rank)
    blocks = fast.distilbert.transformer.layer  # type: ignore[union-attr, operator]
    assert fast_layers(fast) == len(blocks) - 1  # type: ignore[arg-type]
    plain = learned(exact, tiny_distilbert)[0]
    for where in ("attention", "ffn"):
        for block in blocks[:-1]:  # type: ignore[index]
            getattr(block, where).dropout.p = 0.5
        assert float((learned(fast, tiny_distilbert)[0] - plain).abs().max()) > 1e-5, where
        for block in blocks[:-1]:  # type: ignore[index]
            getattr(block, where).dropout.p = 0.0
    assert float((learned(fast, tiny_distilbert)[0] - plain).abs().max()) < 3e-6
