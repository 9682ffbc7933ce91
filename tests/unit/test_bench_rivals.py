"""What `make bench` compares with really learns, and is as fast as its kind can be: padding, grouping, loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import equality, notebook_loop, stock_trainer
from benchmarks.matmul import matmul_peak
from benchmarks.training import WHOLE, Body, Clocked, Sample, body_of, compare, load_rival, share_of_peak, take_sample
from trainer import load_corpus
from trainer.config import recipe
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.model.batches import batches
from trainer.model.metrics import multi_hot

CPU = torch.device("cpu")


@pytest.fixture
def comments() -> tuple[list[str], Any]:
    """Some comments of the sample and their labels, of shape (comments, labels)."""
    found = load_corpus("sample")
    train = found.splits["train"]
    return list(train.text[:256]), multi_hot(train.labels[:256], len(found.labels))


def test_the_notebook_pads_to_128_and_learns(tiny_distilbert: Path, comments: tuple[list[str], Any]) -> None:
    model, tokenizer = load_rival(tiny_distilbert, comments[1].shape[1], CPU)
    loader = notebook_loop.make_loader(*comments, tokenizer)
    batches = list(loader)
    assert {tuple(batch["input_ids"].shape) for batch in batches} == {(16, 128)}
    assert batches[0]["labels"].dtype == torch.float32
    losses = notebook_loop.train(model, loader, CPU, rate=0.01)
    assert len(losses) == 16
    assert losses[0] > 0.6  # a random head knows nothing
    assert losses[-1] < 0.7 * losses[0]
    assert model.training


def test_the_notebook_sees_the_comments_in_another_order_each_epoch(
    tiny_distilbert: Path, comments: tuple[list[str], Any]
) -> None:
    _, tokenizer = load_rival(tiny_distilbert, comments[1].shape[1], CPU)
    loader = notebook_loop.make_loader(*comments, tokenizer)
    first, second = (torch.cat([batch["input_ids"] for batch in loader]) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(first.sum(0), second.sum(0))


def test_the_trainer_pads_to_the_longest_and_learns(
    tiny_distilbert: Path, comments: tuple[list[str], Any], tmp_path: Path
) -> None:
    model, tokenizer = load_rival(tiny_distilbert, comments[1].shape[1], CPU)
    trainer = stock_trainer.make_trainer(model, tokenizer, *comments, 64, tmp_path, device=CPU, bf16=False, rate=0.01)
    batches = list(trainer.get_train_dataloader())
    widths = [batch["input_ids"].shape[1] for batch in batches]
    assert widths == [int(batch["attention_mask"].sum(1).max()) for batch in batches]
    assert len(widths) == 8 and len(set(widths)) > 2
    tokens = sum(int(batch["attention_mask"].sum()) for batch in batches)
    shuffled = torch.utils.data.DataLoader(
        trainer.train_dataset, batch_size=32, shuffle=True, collate_fn=trainer.data_collator
    )
    assert 32 * sum(widths) < sum(batch["input_ids"].numel() for batch in shuffled)
    assert tokens < 32 * sum(widths)
    first = stock_trainer.train(trainer)
    second = stock_trainer.train(trainer)
    assert second.loss < 0.8 * first.loss
    assert first.seconds > 0
    assert "fused: True" in str(trainer.optimizer)
    assert list(tmp_path.iterdir()) == []


def test_comments_that_were_grouped_before_stay_in_their_order(
    tiny_distilbert: Path, comments: tuple[list[str], Any], tmp_path: Path
) -> None:
    model, tokenizer = load_rival(tiny_distilbert, comments[1].shape[1], CPU)
    trainer = stock_trainer.make_trainer(
        model, tokenizer, *comments, 64, tmp_path, device=CPU, bf16=False, grouped=False
    )
    first = next(iter(trainer.get_train_dataloader()))
    expected = tokenizer(comments[0][:32], truncation=True, max_length=64)["input_ids"]
    assert [
        ids[:n].tolist() for ids, n in zip(first["input_ids"], first["attention_mask"].sum(1), strict=True)
    ] == expected


def test_few_comments_are_grouped_as_those_of_a_whole_corpus(minilm: Path) -> None:
    corpus = load_corpus("sample")
    all_lengths = tokenize(corpus.splits["train"].text, load_tokenizer(minilm), 64).lengths
    sample = take_sample(corpus, minilm, 4)
    assert len(sample.texts) == len(sample.truth) == len(sample.lengths) == 128
    assert abs(sample.lengths.mean() / all_lengths.mean() - 1) < 0.1
    blocks = sample.lengths.reshape(4, 32)
    padded = 32 * blocks.max(1).sum()
    assert padded < 1.1 * sample.tokens
    # our own grouping makes the same batches of them, so that all that learn them pad the same
    ours = batches(sample.lengths, 32, seed=5, epoch=1)
    assert sorted(int(sample.lengths[batch].max()) for batch in ours) == sorted(blocks.max(1))
    fourth = sample.every(4)
    assert len(fourth.texts) == len(fourth.truth) == 32
    assert abs(fourth.lengths.mean() / sample.lengths.mean() - 1) < 0.1


def test_a_share_of_the_peak_is_six_flops_a_parameter_and_token() -> None:
    sample = Sample(["a", "b"], np.zeros((2, 1)), np.array([10, 30]))  # 20 tokens each
    # 6 x 1e6 parameters x 20 tokens x 50 comments a second = 6 GFLOP/s
    assert share_of_peak(50, sample, Body(1_000_000, 8, 16), peak=12.0) == pytest.approx(0.5)


def test_the_body_is_the_layers_alone(tiny_distilbert: Path, tiny_encoder: Path) -> None:
    layer = 4 * (16 * 16 + 16) + 2 * (16 * 32) + 32 + 16 + 4 * 16  # attention, the two widths, their biases, two norms
    for encoder in (tiny_distilbert, tiny_encoder):
        assert body_of(encoder) == Body(2 * layer, 16, 32)


def test_a_peak_is_of_this_machine() -> None:
    peak = matmul_peak((64, 64, 64), torch.float32, CPU, seconds=0.02)
    assert 0.01 < peak < 1_000_000


def test_of_several_epochs_the_last_is_timed() -> None:
    loader, seen = Clocked(["a", "b"], 3), []
    for batch in loader:
        seen.append((batch, loader.began))
    assert [batch for batch, _ in seen] == ["a", "b"] * 3
    starts = [began for _, began in seen]
    assert starts[0] == starts[1] < starts[2] == starts[3] < starts[4] == starts[5]


def test_all_learn_beside_each_other(tiny_distilbert: Path) -> None:
    config = replace(recipe("goemo", "distilbert"), **WHOLE, epochs=2)
    own, share = compare("tiny", tiny_distilbert, load_corpus("sample"), 2, {"all weights": config})
    assert own.what.startswith("train tiny, all weights, ")
    assert own.figure.endswith(" comments/s")
    assert "x notebook (" in own.beside and "x Trainer (" in own.beside
    assert "matmul peak" in share.what and "% of " in share.figure
    assert "fp32" in share.beside and "bf16" in share.beside and "GFLOP/s" in share.beside
    assert float(own.figure.split()[0].replace(",", "")) > 0


def test_ours_and_trainer_begin_alike_and_are_scored_alike(tiny_encoder: Path, comments: tuple[list[str], Any]) -> None:
    labels = load_corpus("sample").labels
    train, dev = (equality.Texts(comments[0][part], comments[1][part]) for part in (slice(64), slice(64, 128)))
    config = replace(equality.settings(0, 1), head_init="random", precision="fp32", lr=1e-12, head_lr=1e-12)
    own, other = (learn(train, dev, labels, tiny_encoder, config) for learn in (equality.ours, equality.theirs))
    assert own.shape == other.shape == dev.truth.shape
    apart, spread = np.abs(own - other).max(), own.std(0).max()
    assert apart < spread / 10, "the same comments in the same order"
    found = equality.equality("sample", str(tiny_encoder), rows=64, epochs=1, seeds=(0, 1))
    assert [one.what.split(" after ")[0] for one in found] == ["dev macro-F1", "dev macro-AP"]
    assert all("over 2 seeds" in one.beside and "64 rows" in one.what for one in found)
