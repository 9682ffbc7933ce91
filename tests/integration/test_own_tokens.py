"""A training that gives a corpus's placeholders and emoji tokens of their own: the folder stays a stock one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.integration.in_process import created, told, weights
from tests.integration.stock_pipeline import same, stock_pipeline
from trainer import Predictor, train
from trainer.learn.work import prepare
from trainer.runs.run import Run

FACE = "\N{FACE WITH TEARS OF JOY}"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A small one, where [NAME] and an emoji tell the label."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    rows = [f"thanks [NAME] number {i}\t15\tid{i}" if i % 2 else f"that is {FACE} {i}\t1\tid{i}" for i in range(80)]
    (folder / "train.tsv").write_text("\n".join(rows[:64]) + "\n", "utf-8")
    (folder / "dev.tsv").write_text("\n".join(rows[64:]) + "\n", "utf-8")
    return folder


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert"])
def test_pipeline_reads_them_too(kind: str, corpus: Path, request: pytest.FixtureRequest) -> None:
    encoder: Path = request.getfixturevalue(kind)
    rank = 4 if kind == "tiny_encoder" else 0
    result = train(str(corpus), str(encoder), epochs=1, own_tokens="all", lora_rank=rank, head_init="random")
    assert result.model is not None
    assert {t["content"] for t in json.loads((result.model / "tokenizer.json").read_text("utf-8"))["added_tokens"]} > {
        "[NAME]",
        FACE,
    }
    texts = [f"well [NAME] {FACE}", "nothing of it"]
    classify = stock_pipeline(result.model)
    assert same(Predictor(result.run).predict(texts), classify(texts))


def test_gone_on_with_it_gives_the_same_bits(corpus: Path, tiny_encoder: Path) -> None:
    settings = {"own_tokens": "all", "lora_rank": 4, "pooling": "mean", "checkpoint_steps": 3}

    def made() -> Run:
        from trainer.runs.plan import plan

        ready = plan(str(corpus), str(tiny_encoder), "goemo", {**settings, "batch_size": 8, "epochs": 2})
        return Run.create(ready.config, ready.record())

    whole, cut = made(), made()
    told(whole)
    seen = 0

    def stop() -> bool:
        nonlocal seen
        seen += 1
        return seen > 5

    assert told(cut, stop)[-1][0] == "stopped"
    events = told(cut)
    assert events[0][0] == "resumed" and events[-1][0] == "finished"
    one, other = (weights(run.folder / "model") for run in (whole, cut))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_they_are_the_same_ones_each_time(corpus: Path, tiny_encoder: Path) -> None:
    run = created(tiny_encoder, data=str(corpus), own_tokens="all")
    one, other = (prepare(run, lambda: False)[0] for _ in range(2))
    assert one.own_tokens == other.own_tokens and len(one.own_tokens) == 2
