"""Models and encoders made elsewhere: used as they are where they are whole, refused by name where something is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.integration.stock_pipeline import same, stock_pipeline
from trainer import Predictor, evaluate, train
from trainer.errors import ModelError, RunError
from trainer.labels import EMOTIONS, OFFICIAL
from trainer.model import classifier


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa of two narrow layers over a byte-level vocabulary trained on a few sentences."""
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    from transformers import RobertaConfig, RobertaModel

    folder = tmp_path_factory.mktemp("tiny-roberta")
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        ["the kettle sings", "rain on the roof again"] * 50, vocab_size=400, special_tokens=special
    )
    tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    small = RobertaConfig(
        vocab_size=400, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=66, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1,
    )  # fmt: skip
    RobertaModel(small, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_a_roberta_is_trained_up_to_its_last_position_and_read_by_pipeline(tiny_roberta: Path) -> None:
    long = "the kettle sings on the roof again " * 40
    result = train("sample", str(tiny_roberta), limit=32, epochs=1, head_init="random")
    ours = Predictor(result.run).predict([long, "rain"])
    classify = stock_pipeline(result.model)
    assert same(ours, classify([long, "rain"], truncation=True))


def test_a_classifier_saved_elsewhere_without_names(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    model = classifier.build(tiny_encoder, OFFICIAL, 1, "random")
    classifier.save(model, tiny_encoder, folder, 64, {"thresholds": {}}, "")
    (folder / "thresholds.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(i): f"LABEL_{i}" for i in range(28)}
    config["label2id"] = {f"LABEL_{i}": i for i in range(28)}
    (folder / "config.json").write_text(json.dumps(config))
    predictor = Predictor(str(folder))
    assert predictor.labels == EMOTIONS and predictor.warnings
    assert set(predictor.thresholds().tolist()) == {0.3}  # it has none of its own
    assert evaluate(predictor, "sample")["n"] == 280


def test_names_in_capitals_are_matched_to_the_corpus(tiny_encoder: Path, tmp_path: Path) -> None:
    from trainer.labels import LabelSet

    folder = tmp_path / "capitals"
    labels = LabelSet(tuple(name.capitalize() for name in EMOTIONS))
    model = classifier.build(tiny_encoder, labels, 1, "random")
    thresholds = {"thresholds": dict.fromkeys(labels.names, 0.3)}
    classifier.save(model, tiny_encoder, folder, 64, thresholds, "")
    assert "Joy" in evaluate(str(folder), "sample")["per_label"]


def test_an_encoder_is_no_classifier(tiny_encoder: Path) -> None:
    with pytest.raises(ModelError, match=r"no trained classifier.*classifier\.(bias|weight)"):
        Predictor(str(tiny_encoder))


def test_an_encoder_that_lacks_a_layer_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "short"
    shutil.copytree(tiny_encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"lacks weights.*layer\.2"):
        train("sample", str(folder), limit=32)


def test_a_kind_that_transformers_does_not_know_is_an_error_for_people(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unknown"
    shutil.copytree(tiny_encoder, folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "of-my-own", "auto_map": {"AutoConfig": "x.Y"}}))
    with pytest.raises(RunError, match="never run") as caught:
        train("sample", str(folder), limit=32)
    assert "Traceback" not in str(caught.value)


def test_a_text_without_a_token_still_has_scores(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    classifier.save(
        classifier.build(tiny_encoder, OFFICIAL, 1, "random"), tiny_encoder, folder, 64, {"thresholds": {}}, ""
    )
    (folder / "thresholds.json").unlink()
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None  # no [CLS] and [SEP]: an empty text has no token at all
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    empty, other = Predictor(str(folder)).predict(["", "kettle"])
    assert all(0 < p < 1 for p in empty.scores.values()) and other.scores
