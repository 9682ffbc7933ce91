"""The mean layer: a stock model whose head reads the mean of the tokens from its first step on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as f
from transformers import BertForSequenceClassification, DistilBertForSequenceClassification

from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.errors import ConfigError
from trainer.labels import OFFICIAL
from trainer.model import bert, classifier, first_row
from trainer.model.fast_layer import make_fast
from trainer.model.vectors import last_hidden

TEXTS = ["what a day", "the kettle sang while we waited for the last bus home in the rain", "no"]


def test_the_head_begins_by_reading_the_mean_of_the_tokens(minilm: Path) -> None:
    stock = classifier.build(minilm, OFFICIAL, 0, "random").eval()
    model = classifier.build(minilm, OFFICIAL, 0, "random", pooling="mean").eval()
    assert model.config.num_hidden_layers == stock.config.num_hidden_layers + 1
    ids, mask = classifier.padded(tokenize(TEXTS, load_tokenizer(minilm), 64), [0, 1, 2], 0)
    with torch.inference_mode():
        below = stock.hidden(ids, mask)
        mean = (below * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        expected = f.layer_norm(f.layer_norm(mean + below[:, 0], (384,), eps=1e-12), (384,), eps=1e-12)
        got = model.hidden(ids, mask)[:, 0]
        pooled = torch.tanh(model.bert.pooler.dense(got))
    assert torch.allclose(got, expected, atol=1e-5)
    assert torch.allclose(pooled, torch.tanh(expected / 2), atol=1e-5)


def test_another_kind_of_encoder_is_refused_by_name(tiny_distilbert: Path) -> None:
    with pytest.raises(ConfigError, match="distilbert: choose pooling=cls"):
        classifier.build(tiny_distilbert, OFFICIAL, 0, "random", pooling="mean")


def test_saved_it_is_a_stock_model_for_everybody(tiny_encoder: Path, tmp_path: Path) -> None:
    model = classifier.build(tiny_encoder, OFFICIAL, 0, "random", pooling="mean").eval()
    folder = tmp_path / "model"
    classifier.save(model, tiny_encoder, folder, 64, {"thresholds": {}}, "")
    tokens = tokenize(TEXTS, load_tokenizer(folder), 64)
    expected = classifier.probabilities(model, tokens, torch.device("cpu"))
    again, light = classifier.load(folder), bert.load(folder)
    assert type(again).__name__ == "BertForSequenceClassification" and light is not None
    for other in (again, light):
        assert np.array_equal(classifier.probabilities(other, tokens, torch.device("cpu")), expected)


@pytest.mark.parametrize("pooling", ["cls", "mean", "distilbert"])
def test_computing_one_row_of_the_last_layer_gives_the_same_gradients(
    tiny_encoder: Path, tiny_distilbert: Path, pooling: str
) -> None:
    folder = tiny_distilbert if pooling == "distilbert" else tiny_encoder
    model = classifier.build(folder, OFFICIAL, 0, "random", pooling="mean" if pooling == "mean" else "cls")
    layers = model.distilbert.transformer.layer if pooling == "distilbert" else model.bert.encoder.layer
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    assert type(layers[-1]).__mro__[1].__name__ in ("BertLayer", "TransformerBlock")
    ids, mask = classifier.padded(tokenize(TEXTS, load_tokenizer(folder), 64), [0, 1, 2], 0)

    def gradients() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        model.zero_grad()
        logits = model(input_ids=ids, attention_mask=mask).logits
        logits.square().sum().backward()
        return logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    fast, of_fast = gradients()
    assert last_hidden(model, ids, mask).shape[1] == 1
    layer = layers[-1]
    layer.__class__ = type(layer).__mro__[1]
    whole, of_whole = gradients()
    assert torch.allclose(fast, whole, atol=1e-6)
    assert of_fast.keys() == of_whole.keys()
    assert all(torch.allclose(of_fast[name], of_whole[name], atol=1e-5) for name in of_whole)


@pytest.mark.parametrize("kind", [BertForSequenceClassification, DistilBertForSequenceClassification])
def test_models_that_read_more_are_left_alone(kind: type[Any], tiny_encoder: Path, tiny_distilbert: Path) -> None:
    class ReadsMore(kind):  # type: ignore[misc]
        """Whatever it does with the other rows."""

    folder = tiny_encoder if kind is BertForSequenceClassification else tiny_distilbert
    model = ReadsMore.from_pretrained(folder)
    kinds = [type(m) for m in model.modules()]
    first_row.read_first_row_only(model)
    make_fast(model)
    assert [type(m) for m in model.modules()] == kinds
