"""A model as ONNX: the same numbers in ONNX Runtime from the file alone, for stock encoders and others, or nothing at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from goemo_tui.cli import main
from tests.integration.test_foreign_models import tiny_roberta as tiny_roberta
from tests.unit.command_line import one_document
from tests.unit.test_onnx_bert import saved
from trainer import Predictor
from trainer.infer.export import FP32, INT8
from trainer.labels import EMOTIONS, OFFICIAL
from trainer.model import classifier, onnx_file

DOCS = Path(__file__).parent.parent.parent / "docs" / "onnx.md"
TEXTS = ["Thank you so much, this helped a lot!", "the kettle sings " * 90, "", "rain"]


def exported(capsys: pytest.CaptureFixture[str], model: Path | str, into: Path, *more: str) -> dict[str, Any]:
    capsys.readouterr()
    code = main(["export", str(model), str(into), "--onnx", "--json", *more])
    out, err = capsys.readouterr()
    assert code == 0, err
    document: dict[str, Any] = one_document(out)
    return document


def by_onnx(folder: Path, texts: list[str], file: str = FP32) -> np.ndarray[Any, np.dtype[Any]]:
    """Probabilities as another program computes them, each text alone: only what lies in the folder is used."""
    from tokenizers import Tokenizer

    session = onnxruntime.InferenceSession(folder / file)
    about = session.get_modelmeta().custom_metadata_map
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(int(about["max_length"]))
    found = []
    for text in texts:
        row = tokenizer.encode(text)
        feed = {"input_ids": np.array([row.ids]), "attention_mask": np.array([row.attention_mask])}
        found.append(1 / (1 + np.exp(-session.run(["logits"], feed)[0][0])))
    return np.array(found)


def stirred_roberta(encoder: Path, folder: Path) -> Path:
    model = classifier.build(encoder, OFFICIAL, 1, "random")
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    cuts = {name: round(0.2 + k / 100, 2) for k, name in enumerate(EMOTIONS)}
    card = "---\nlicense: cc-by-4.0\n---\n"
    classifier.save(model, encoder, folder, 64, {"metric": "f1", "thresholds": cuts}, card)
    return folder


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_distilbert", "tiny_roberta"])
def test_the_file_says_what_the_model_says(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = request.getfixturevalue(kind)
    make = stirred_roberta if kind == "tiny_roberta" else saved
    model, into = make(encoder, tmp_path / "model"), tmp_path / "onnx"
    told = exported(capsys, model, into, "--int8")
    assert told["onnx"]["verified_on"] == {"data": "sample", "comments": 500}
    assert told["onnx"]["fp32"]["largest"] < 1e-5 and told["onnx"]["opset"] == (18 if kind == "tiny_roberta" else 20)
    int8 = told["onnx"]["int8"]
    assert 0 < int8["mean"] <= int8["largest"] < 0.2 and set(int8["macro_f1"]) == {"fp32", "int8"}
    assert told["files"] == sorted(p.name for p in into.iterdir()) and {FP32, INT8, "tokenizer.json"} <= set(
        told["files"]
    )
    own = Predictor(str(model), device="cpu").probabilities(TEXTS)
    assert by_onnx(into, TEXTS) == pytest.approx(own, abs=1e-5)
    assert by_onnx(into, TEXTS, INT8) == pytest.approx(own, abs=0.2)
    onnx.checker.check_model(into / FP32, full_check=True)
    with np.errstate(all="ignore"):
        kinds = {place.data_type for place in onnx.load(into / INT8).graph.initializer if len(place.dims) == 2}
    assert onnx.TensorProto.INT8 in kinds


def test_labels_thresholds_and_license_are_in_the_file(
    tiny_roberta: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = stirred_roberta(tiny_roberta, tmp_path / "mine")
    exported(capsys, model, tmp_path / "onnx", "--int8")
    for file, precision in ((FP32, "fp32"), (INT8, "int8")):
        about = onnxruntime.InferenceSession(tmp_path / "onnx" / file).get_modelmeta().custom_metadata_map
        assert json.loads(about["labels"]) == list(EMOTIONS)
        assert json.loads(about["thresholds"])["neutral"] == 0.47
        assert (about["max_length"], about["pad_token_id"], about["precision"]) == ("64", "1", precision)
        assert (about["license"], about["source"], about["problem_type"]) == (
            "cc-by-4.0", "mine", "multi_label_classification",
        )  # fmt: skip
        assert str(tmp_path) not in str(about)


def test_the_ten_lines_of_the_docs_say_what_predict_says(
    starter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 10
    told = exported(capsys, "starter", tmp_path / "felt")
    assert told["onnx"]["int8"] is None and told["onnx"]["fp32"]["largest"] < 1e-5
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    texts = re.findall(r'"([^"]+[.!])"', code)
    assert len(texts) == 2
    expected = [[e.emotion for e in found.emotions] for found in Predictor("starter", device="cpu").predict(texts)]
    got = [json.loads(line.replace("'", '"')) for line in done.stdout.splitlines()]
    assert [set(g) for g in got] == [set(e) for e in expected] and got[0]
    assert not re.search(r"\b(torch|trainer|transformers)\b", code)


def test_what_says_something_else_is_not_written(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = saved(tiny_encoder, tmp_path / "model")
    before = sorted(p.name for p in tmp_path.iterdir())
    right = onnx_file.with_weights

    def wrong(*arguments: Any) -> onnx.ModelProto:
        made = right(*arguments)
        (place,) = [p for p in made.graph.initializer if p.name == "classifier.weight"]
        place.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(place) + 0.01, place.name))
        return made

    monkeypatch.setattr(onnx_file, "with_weights", wrong)
    assert main(["export", str(model), str(tmp_path / "onnx"), "--onnx", "--json"]) == 1
    out, _ = capsys.readouterr()
    assert "does not say what torch says" in one_document(out)["error"]
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_weights_beyond_what_one_file_may_hold_lie_beside_it(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnx_file, "LARGEST", 100_000)
    model, into = saved(tiny_encoder, tmp_path / "model"), tmp_path / "onnx"
    told = exported(capsys, model, into, "--int8")
    assert {"model.onnx.data", "model_int8.onnx.data"} <= set(told["files"])
    assert (into / FP32).stat().st_size < 200_000
    own = Predictor(str(model), device="cpu").probabilities(TEXTS)
    assert by_onnx(into, TEXTS) == pytest.approx(own, abs=1e-5)


def test_wrong_input_is_refused(tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = saved(tiny_encoder, tmp_path / "model")
    for arguments, code, said in (
        ([str(model), str(model), "--onnx"], 1, "is there already"),
        ([str(model), str(tmp_path / "x"), "--int8"], 2, "--onnx --int8"),
        ([str(model), str(tmp_path / "x"), "--data", "sample"], 2, "--data is for --onnx"),
        ([str(tmp_path / "no"), str(tmp_path / "x"), "--onnx"], 3, "no such folder"),
        ([str(model), str(tmp_path / "x"), "--onnx", "--data", str(tmp_path / "no")], 3, "no corpus"),
    ):
        assert main(["export", *arguments, "--json"]) == code
        assert said in one_document(capsys.readouterr().out)["error"]
    assert not (tmp_path / "x").exists()


def test_a_model_may_be_exported_into_its_own_folder(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = stirred_roberta(tiny_encoder, tmp_path / "model")
    own = {p.name for p in model.iterdir()}
    assert FP32 in exported(capsys, model, model / "onnx")["files"]
    assert main(["export", str(model), str(model / "copy")]) == 0
    assert {p.name for p in (model / "copy").iterdir()} == {*own, "onnx"}
    assert {p.name for p in model.iterdir()} == {*own, "onnx", "copy"}


def test_without_onnx_both_names_write_the_same_folder(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = saved(tiny_encoder, tmp_path / "model")
    assert main(["export", str(model), str(tmp_path / "one"), "--json"]) == 0
    told = one_document(capsys.readouterr().out)
    assert told["onnx"] is None and told["folder"] == str(tmp_path / "one")
    assert main(["models", "export", str(model), str(tmp_path / "other")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "other")
    for name in told["files"]:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
