"""Stock encoders in ONNX Runtime: torch's numbers, torch never imported, and nothing but stock encoders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

from goemo_tui.commands import doctor
from tests.unit import test_bert
from tests.unit.test_bert import CPU, TEXTS
from trainer import Predictor, devices, load_corpus
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.tokens import TokenArrays, load_tokenizer, tokenize
from trainer.errors import ConfigError, ModelError
from trainer.infer.torch_engine import TorchEngine
from trainer.labels import OFFICIAL, LabelSet
from trainer.model import classifier, graph, onnx_bert, stock
from trainer.model.metrics import multi_hot, scores
from trainer.model.onnx_bert import OnnxBert
from trainer.model.vectors import vectors
from trainer.modelfolder import find_model


def saved(encoder: Path, folder: Path, labels: LabelSet = OFFICIAL) -> Path:
    """A model that can be predicted with: it has no thresholds."""
    (test_bert.saved(encoder, folder, labels) / "thresholds.json").unlink()
    return folder


def loaded(folder: Path) -> OnnxBert:
    found = onnx_bert.load(folder)
    assert found is not None
    return found


TOLD = """
import sys
from goemo_tui.cli import main
code = main(sys.argv[1:])
print([name for name in ("torch", "transformers", "scipy") if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("encoder", ["tiny_encoder", "tiny_distilbert", "minilm"])
def test_it_gives_torchs_numbers(encoder: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = saved(request.getfixturevalue(encoder), tmp_path / "model")
    if encoder == "tiny_distilbert":  # what starts as one or zero would hide a norm in the wrong place
        weights = load_file(folder / "model.safetensors")
        generator = torch.Generator().manual_seed(3)
        stirred = {name: w + 0.1 * torch.randn(w.shape, generator=generator) for name, w in weights.items()}
        save_file(stirred, folder / "model.safetensors", {"format": "pt"})
    ours, theirs = loaded(folder), TorchEngine(folder, "cpu", "fp32", few=False)
    tokenizer = load_tokenizer(folder)
    for texts in (TEXTS, *([text] for text in TEXTS)):
        tokens = tokenize(texts, tokenizer, 64)
        assert ours.probabilities(tokens) == pytest.approx(theirs.probabilities(tokens), abs=2e-6), texts
        rows = np.arange(len(texts))
        plain = vectors(
            theirs.model, tokens, rows, theirs.torch_device
        )  # the engine itself takes half precision where it is fast
        assert ours.vectors(tokens, rows) == pytest.approx(plain, abs=2e-6)
        assert theirs.vectors(tokens, rows) == pytest.approx(plain, abs=0.02)


def test_a_row_is_worth_the_same_alone_and_among_others(starter: Path) -> None:
    ours = loaded(starter)
    tokens = tokenize(TEXTS, load_tokenizer(starter), 128)
    together = ours.probabilities(tokens)
    for i in range(len(TEXTS)):
        alone = TokenArrays(tokens.row(i), np.array([0, len(tokens.row(i))]))
        assert ours.probabilities(alone)[0] == pytest.approx(together[i], abs=2e-6)


def test_a_row_without_a_token_and_no_row_at_all(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    ours, theirs = loaded(folder), TorchEngine(folder, "cpu", "fp32", few=False)
    bare = TokenArrays(np.array([101, 102], np.int32), np.array([0, 0, 2]))
    assert ours.probabilities(bare) == pytest.approx(theirs.probabilities(bare), abs=2e-6)
    assert ours.probabilities(TokenArrays(np.empty(0, np.int32), np.zeros(1, np.int64))).shape == (0, 28)


def test_it_says_how_far_it_is_and_stops(tiny_encoder: Path, tmp_path: Path) -> None:
    ours = loaded(saved(tiny_encoder, tmp_path / "model"))
    tokens = tokenize(["so it is " * 20] * 200, load_tokenizer(ours.folder), 64)
    told: list[int] = []
    with pytest.raises(Cancelled):
        ours.probabilities(tokens, stop=lambda: len(told) == 2, tell=told.append)
    assert len(told) == 2 and 0 < told[0] < told[1] < 200
    ours.probabilities(tokens, tell=told.append)
    assert told[-1] == 200


def test_extreme_logits_are_probabilities_too(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model", LabelSet(("calm", "storm")))
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.tensor([200.0, -200.0])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert loaded(folder).probabilities(tokenize(["x"], load_tokenizer(folder), 64)).tolist() == [[1.0, 0.0]]


def test_half_precision_is_computed_in_full_and_bfloat16_is_left_to_torch(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    tokens, weights = tokenize(TEXTS, load_tokenizer(folder), 64), load_file(folder / "model.safetensors")
    save_file({name: w.half() for name, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    expected = classifier.probabilities(classifier.load(folder), tokens, CPU)
    assert loaded(folder).probabilities(tokens) == pytest.approx(expected, abs=2e-6)
    save_file({name: w.bfloat16() for name, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    assert onnx_bert.load(folder) is None
    assert isinstance(Predictor(str(folder)).engine, TorchEngine)


@pytest.mark.parametrize("encoder", ["tiny_encoder", "tiny_distilbert"])
@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu", "activation": "relu"},
        {"num_hidden_layers": 3, "n_layers": 3},
        {"architectures": ["BertModel"]},
        {"quantization_config": {"bits": 8}},
        {"num_attention_heads": 7, "n_heads": 7},
        {"vocab_size": 10},
        {"dim": None, "hidden_size": None},
    ],
    ids=str,
)
def test_what_is_another_kind_is_left_to_who_knows_it(
    encoder: str, change: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = saved(request.getfixturevalue(encoder), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    assert stock.read(folder) is not None
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    assert stock.read(folder) is None


def test_what_is_broken_is_left_to_who_says_so(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    assert onnx_bert.load(folder) is None
    with pytest.raises(ModelError):
        Predictor(str(folder))


def test_tokens_that_the_model_does_not_have_are_an_error_that_says_where(tiny_encoder: Path, tmp_path: Path) -> None:
    ours = loaded(saved(tiny_encoder, tmp_path / "model"))
    for ids in ([101, 10**6, 102], [101] * 5_000):
        with pytest.raises(ModelError, match=f"{tmp_path}.*could not compute this"):
            ours.probabilities(TokenArrays(np.array(ids, np.int32), np.array([0, len(ids)])))


def test_who_computes(
    tiny_encoder: Path, tiny_distilbert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(saved(tiny_encoder, tmp_path / "model"))
    other = str(saved(tiny_distilbert, tmp_path / "other"))
    for name in (folder, other):
        assert isinstance(Predictor(name, "cpu").engine, OnnxBert)
        assert isinstance(Predictor(name, "cpu", precision="bf16").engine, TorchEngine)
    asked = []
    monkeypatch.setattr(devices, "may_have_gpu", lambda: asked.append(1) or True)
    assert isinstance(Predictor(folder, few=True).engine, OnnxBert) and not asked, "no GPU is woken for a few texts"
    found = Predictor(folder).engine
    assert asked and (found.device != "cpu") is (torch.cuda.is_available() or torch.backends.mps.is_available())


def test_in_int8_it_says_nearly_the_same_and_compares_texts_as_before(
    starter: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exact, ours = Predictor(str(starter), "cpu"), Predictor(str(starter), precision="int8")
    assert type(ours.engine).__name__ == "Int8Bert"
    assert not caplog.records, "the quantizer gives no advice"
    texts = ["I'm so happy for you!", "this is awful and I hate it", "thanks a lot, mate", "haha, too funny", ""]
    apart = np.abs(ours.probabilities(texts) - exact.probabilities(texts))
    assert 0 < apart.max() < 0.2 and apart.mean() < 0.01
    assert [p.argmax() for p in ours.probabilities(texts)] == [p.argmax() for p in exact.probabilities(texts)]
    tokens, rows = tokenize(texts, ours.tokenizer, 64), np.arange(5)
    assert (ours.engine.vectors(tokens, rows) == exact.engine.vectors(tokens, rows)).all()


def test_int8_costs_no_more_of_what_is_right_than_is_promised(starter: Path) -> None:
    rows = load_corpus("sample").splits["train"]
    truth = multi_hot(rows.labels, 28)
    exact, ours = (Predictor(str(starter), "cpu", precision=name) for name in ("fp32", "int8"))
    said = [p.probabilities(rows.text) >= exact.thresholds() for p in (exact, ours)]
    f1 = [scores(truth, one).macro_f1 for one in said]
    assert abs(f1[0] - f1[1]) < 0.01, "of 1,120 rows; python -m benchmarks.int8 holds it to .003 on all of dev"
    assert (said[0] != said[1]).mean() < 0.006


def test_int8_is_for_stock_encoders_on_a_processor(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    with pytest.raises(ConfigError, match="computed on a processor"):
        Predictor(str(folder), "cuda", precision="int8")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    with pytest.raises(ModelError, match="stock BERT and DistilBERT"):
        Predictor(str(folder), precision="int8")


def test_where_onnx_runtime_cannot_be_imported_torch_predicts(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(saved(tiny_encoder, tmp_path / "model"))
    expected = Predictor(folder).predict("what a day")[0].scores
    monkeypatch.delattr("trainer.model.onnx_bert")
    monkeypatch.delitem(sys.modules, "trainer.model.onnx_bert")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    predictor = Predictor(folder)
    assert isinstance(predictor.engine, TorchEngine)
    assert predictor.predict("what a day")[0].scores == pytest.approx(expected, abs=3e-6)
    assert "torch predicts" in doctor._prediction().what and doctor._prediction().good is None


def test_cores(monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path, tmp_path: Path) -> None:
    folder = saved(tiny_encoder, tmp_path / "model")
    monkeypatch.setattr(devices, "cores", lambda: 64)
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 32)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    few, many = onnx_bert.load(folder, few=True), onnx_bert.load(folder)
    assert few and many and (few.cores, many.cores) == (4, 32)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert loaded(folder).cores == 3


def test_the_graph_is_one_that_any_runtime_can_read(tiny_distilbert: Path, tmp_path: Path) -> None:
    found = stock.read(saved(tiny_distilbert, tmp_path / "model"))
    assert found is not None
    for hidden in (False, True):
        model, weights = graph.build(found, hidden)
        for name, value in weights.items():
            (place,) = (i for i in model.graph.initializer if i.name == name)
            place.CopyFrom(onnx.numpy_helper.from_array(value, name))
        onnx.checker.check_model(model, full_check=True)
        assert {node.domain for node in model.graph.node} == {""}, "standard operators alone"


def test_a_few_sentences_are_answered_without_torch(starter: Path) -> None:
    def asked(*arguments: str) -> tuple[list[dict[str, dict[str, float]]], str]:
        done = subprocess.run(
            [sys.executable, "-c", TOLD, "predict", "--json", *arguments], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["results"], done.stderr.strip()

    texts = ["I'm so happy for you!", "what a day", "x"]
    few, imported = asked(*texts)
    assert imported == "[]"
    assert asked("--because", "joy", "what a day")[1] == "[]"
    predictor = Predictor(find_model("starter"))
    for one, other in zip(few, predictor.predict(texts), strict=True):
        assert one["scores"] == pytest.approx(other.scores, abs=3e-6)
