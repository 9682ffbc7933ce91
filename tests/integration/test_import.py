"""`goemo-tui import`: models as other programs saved them become ours, or are refused by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from goemo_tui.cli import main
from goemo_tui.services.models import list_choices
from tests import notebook_model as made
from tests.integration.stock_pipeline import same, stock_pipeline
from tests.unit.command_line import one_document
from trainer import Predictor, paths
from trainer.errors import GoemoError, ModelError
from trainer.infer.adopt import adopt
from trainer.infer.export import export_whole
from trainer.labels import ALPHABETICAL, EMOTIONS
from trainer.model import foreign, shut_in
from trainer.modelfolder import find_model, list_models

TEXTS = ["the kettle sings", "Thank you so much!", ""]


def logits(folder: Path, texts: list[str]) -> Any:
    """What transformers itself makes of the notebook's state, its tokens by the word list."""
    from transformers import BertTokenizerFast, DistilBertConfig, DistilBertForSequenceClassification

    model = DistilBertForSequenceClassification(DistilBertConfig(**made.OLD_CONFIG)).eval()
    model.load_state_dict(made.weights())
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    with torch.inference_mode():
        return [model(**tokenizer(t, return_tensors="pt", return_token_type_ids=False)).logits[0] for t in texts]


def test_the_notebooks_model_becomes_ours(
    tmp_path: Path, minilm: Path, goemo_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = made.notebook_model(tmp_path / "my model", minilm)
    before = {p.name: p.read_bytes() for p in source.iterdir()}
    assert main(["import", str(source), "--data", "sample", "--json"]) == 0
    out, err = capsys.readouterr()
    told = one_document(out)
    assert told["model"] == "my-model" and told["folder"] == str(goemo_home / "models" / "my-model")
    assert told["weights"]["format"] == "pickle" and set(told["weights"]["files"]) == {"pytorch_model.bin"}
    assert told["weights"]["network"] in (shut_in.KERNEL, shut_in.PYTHON)
    assert told["labels"] == list(EMOTIONS) and told["labels_from"] == "official" and not told["reordered"]
    assert told["thresholds"] == "fitted" and set(told["validation"]["per_label"]) == set(EMOTIONS)
    assert "pytorch_model.bin: pickled" in err and "LABEL ORDER" in err and "27 neutral" in err
    folder = Path(told["folder"])
    assert not list(folder.glob("*.bin")) and (folder / "model.safetensors").is_file()
    config = json.loads((folder / "config.json").read_text())
    assert config["problem_type"] == "multi_label_classification" and config["id2label"]["27"] == "neutral"
    about = json.loads((folder / "thresholds.json").read_text())
    assert about["fitted_on"]["rows"] > 0 and len(about["fitted_on"]["sha256"]) == 64
    assert set(about["thresholds"].values()) != {0.3} and about["fitted_on"]["hashes"]
    predictor = Predictor("my-model", device="cpu")
    expected = np.array([torch.sigmoid(row).numpy() for row in logits(source, TEXTS)])
    assert predictor.probabilities(TEXTS) == pytest.approx(expected, abs=1e-5)
    assert same(predictor.predict(TEXTS[:2]), stock_pipeline(folder)(TEXTS[:2]))
    assert "pytorch_model.bin" in (folder / "README.md").read_text("utf-8")
    assert {p.name: p.read_bytes() for p in source.iterdir()} == before, "the source is left as it is"
    # it is found by its name, offered, and the last that is taken where nothing is named
    assert [(m.name, m.kind) for m in list_models()] == [("my-model", "imported")]
    assert [(c.name, c.about) for c in list_choices()] == [("my-model", "imported")]
    assert find_model().name == "my-model"
    assert main(["import", str(source)]) == 1
    assert "goemo-tui models rm my-model" in capsys.readouterr().err
    assert main(["models", "rm", "my-model", "--yes"]) == 0 and list_models() == []
    assert list((goemo_home / "models").iterdir()) == []
    assert main(["models", "rm", "my-model", "--yes"]) == 3


# what other programs write


def sharded(folder: Path) -> None:
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").unlink()
    names = sorted(state)
    parts = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, held in parts.items():
        torch.save({name: state[name] for name in held}, folder / file)
    table = {"metadata": {}, "weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(table))


def rewritten(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        file = folder / "pytorch_model.bin"
        torch.save(change(torch.load(file, weights_only=True)), file)

    return harm


def older(state: dict[str, Any]) -> dict[str, Any]:
    return {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): w
        for n, w in state.items()
    }


def as_safetensors(folder: Path) -> None:
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").unlink()
    save_file(older(state), folder / "model.safetensors")  # without the metadata that transformers asks for


FORMS: dict[str, Callable[[Path], None]] = {
    "in shards": sharded,
    "norms of old": rewritten(older),
    "DataParallel, inside a checkpoint": rewritten(
        lambda state: {"epoch": 3, "state_dict": {f"module.{name}": w for name, w in state.items()}}
    ),
    "tied and with more": rewritten(
        lambda state: {**state, "cls.decoder.weight": state["bert.embeddings.word_embeddings.weight"], "n": 3}
    ),
    "as safetensors": as_safetensors,
}


@pytest.mark.parametrize("form", FORMS)
def test_weights_in_other_forms_are_the_same_model(form: str, tmp_path: Path, minilm: Path) -> None:
    source = made.bert(tmp_path / "plain", minilm, list(EMOTIONS))
    state = torch.load(source / "pytorch_model.bin", weights_only=True)
    (source / "training_args.bin").write_bytes(b"\x80\x02never looked at.")
    FORMS[form](source)
    told = adopt(str(source), into=str(tmp_path / "ours"))
    assert told["model"] == str(tmp_path / "ours") and told["labels_from"] == "config"
    ours = load_file(tmp_path / "ours" / "model.safetensors")
    assert set(ours) == {name for name in state if "position_ids" not in name}
    assert all(torch.equal(ours[name], state[name]) for name in ours)
    config = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert any("has no place for" in w for w in told["warnings"]) == (form == "tied and with more")
    assert told["weights"]["format"] == ("safetensors" if form == "as safetensors" else "pickle")


def test_half_precision_becomes_fp32(tmp_path: Path, minilm: Path) -> None:
    source = made.bert(tmp_path / "half", minilm, list(EMOTIONS))
    rewritten(lambda state: {n: w.half() if w.is_floating_point() else w for n, w in state.items()})(source)
    (source / "config.json").write_text(
        json.dumps(
            {**json.loads((source / "config.json").read_text()), "torch_dtype": "float16", "auto_map": {"x": "y"}}
        )
    )
    adopt(str(source), into=str(tmp_path / "ours"))
    assert {w.dtype for w in load_file(tmp_path / "ours" / "model.safetensors").values()} == {torch.float32}
    assert "auto_map" not in (tmp_path / "ours" / "config.json").read_text()


# what the outputs mean


def test_dev_tells_a_wrong_order_and_the_right_one_keeps_every_name(starter: Path, tmp_path: Path) -> None:
    source = tmp_path / "alphabet"
    export_whole(find_model("starter"), source)
    state = load_file(source / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = state[name][[EMOTIONS.index(label) for label in ALPHABETICAL]]
    torch.save(state, source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    (source / "thresholds.json").unlink()
    config = json.loads((source / "config.json").read_text())
    config |= {k: made.OLD_CONFIG[k] for k in ("id2label", "label2id")}
    config["problem_type"] = "single_label_classification"
    (source / "config.json").write_text(json.dumps(config))
    taken = adopt(str(source), into=str(tmp_path / "taken"), data="sample")
    assert any("import it again with --labels alphabetical" in w for w in taken["warnings"])
    assert any("softmax" in w for w in taken["warnings"])
    (tmp_path / "names.txt").write_text("\n".join(ALPHABETICAL) + "\n")
    right = adopt(str(source), name="right", labels=str(tmp_path / "names.txt"), data="sample")
    assert right["reordered"] and right["labels"] == list(EMOTIONS) and right["labels_from"] == "file"
    assert not any("LABEL ORDER" in w for w in right["warnings"])
    ours, theirs = (Predictor(name, device="cpu").predict(TEXTS) for name in ("right", "starter"))
    for one, other in zip(ours, theirs, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
    assert right["validation"]["macro_f1"] > taken["validation"]["macro_f1"]


def test_labels_of_ones_own_and_thresholds_that_lay_there(tmp_path: Path, minilm: Path) -> None:
    source = made.bert(tmp_path / "three", minilm, ["LABEL_0", "LABEL_1", "LABEL_2"])
    (source / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    told = adopt(str(source), into=str(tmp_path / "unnamed"))
    assert told["labels"] == ["LABEL_0", "LABEL_1", "LABEL_2"] and any("--labels" in w for w in told["warnings"])
    assert "license: mit" in (tmp_path / "unnamed" / "README.md").read_text()
    assert (tmp_path / "unnamed" / "README.original.md").read_text().endswith("# Mine\n")
    (tmp_path / "names.txt").write_text("spam\nham\neggs\n")
    (source / "thresholds.json").write_text('{"thresholds": {"spam": 0.5, "ham": 0.25, "eggs": 0.75}}')
    told = adopt(str(source), into=str(tmp_path / "named"), labels=str(tmp_path / "names.txt"))
    assert told["labels"] == ["spam", "ham", "eggs"] and told["thresholds"] == "own"
    assert Predictor(str(tmp_path / "named")).thresholds().tolist() == [0.5, 0.25, 0.75]
    own = tmp_path / "own"
    own.mkdir()
    (own / "emotions.txt").write_text("spam\nham\neggs\n")
    for name in ("train", "dev"):
        (own / f"{name}.tsv").write_text("a fine day\t1\tx\n")
    told = adopt(str(source), into=str(tmp_path / "again"), labels=str(tmp_path / "names.txt"), data=str(own))
    assert told["thresholds"] == "own" and told["validation"] is None
    assert any("has 1 row, too few to fit thresholds on: its own stay" in w for w in told["warnings"])
    with pytest.raises(ModelError, match="3 outputs, but --labels emotions names 28"):
        adopt(str(source), into=str(tmp_path / "no"), labels="emotions")
    with pytest.raises(ModelError, match="not those of"):
        adopt(str(source), into=str(tmp_path / "no"), labels=str(tmp_path / "names.txt"), data="sample")
    assert not (tmp_path / "no").exists()


def test_a_config_that_names_more_labels_than_there_are_weights_is_named(tmp_path: Path, minilm: Path) -> None:
    source = made.bert(tmp_path / "few", minilm, [f"LABEL_{n}" for n in range(27)])
    config = json.loads((source / "config.json").read_text())
    config["id2label"] = {str(n): f"LABEL_{n}" for n in range(28)}
    config["label2id"] = {name: int(n) for n, name in config["id2label"].items()}
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"27 outputs, but .*few/config\.json names 28: name them with --labels FILE"):
        adopt(str(source), into=str(tmp_path / "no"))


# what is missing or wrong


def edited(folder: Path, **said: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **said}))


def test_what_does_not_fit_together_is_refused_by_name(tmp_path: Path, minilm: Path, goemo_home: Path) -> None:
    source = made.bert(tmp_path / "wrong", minilm, list(EMOTIONS))
    as_safetensors(source)
    whole = source / "model.safetensors"
    state = load_file(whole)

    def refused(said: str) -> None:
        with pytest.raises(ModelError, match=said):
            adopt(str(source))
        assert not (goemo_home / "models").exists() or list((goemo_home / "models").iterdir()) == []

    edited(source, intermediate_size=64)
    refused("do not fit config.json.*intermediate")
    edited(source, intermediate_size=32, num_hidden_layers=3)
    refused(r"lacks weights.*layer\.2")
    edited(source, num_hidden_layers=2, model_type="of-my-own")
    refused("no classifier of the kind 'of-my-own'")
    edited(source, model_type="bert", quantization_config={"bits": 4})
    refused("quantized")
    edited(source, quantization_config=None, vocab_size=100)
    save_file({**state, "bert.embeddings.word_embeddings.weight": torch.ones(100, 16)}, whole)
    refused("tokenizer of another model")
    edited(source, vocab_size=30522)
    save_file({**state, "classifier.bias": torch.full((28,), float("nan"))}, whole)
    refused("not numbers")
    save_file({n: w for n, w in state.items() if not n.startswith("classifier")}, whole)
    refused(r"no trained classifier.*classifier\.weight")
    os.truncate(whole, 5_000)
    refused("cannot be read")
    (source / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "../../etc/passwd"}}')
    whole.unlink()
    refused("not in its folder")


def test_a_command_that_cannot_be_ends_with_its_code(
    tmp_path: Path, minilm: Path, goemo_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = made.bert(tmp_path / "model", minilm, list(EMOTIONS))
    bare = tmp_path / "bare"
    bare.mkdir()
    (tmp_path / "no-tokenizer").mkdir()
    for name in ("config.json", "pytorch_model.bin"):
        shutil.copy(source / name, tmp_path / "no-tokenizer" / name)
    only_train = tmp_path / "train.tsv"
    only_train.write_text("hello\t1\tx1\n")
    for arguments, code, said in (
        ([str(tmp_path / "nowhere")], 3, "no such folder"),
        ([str(source / "pytorch_model.bin")], 3, "is a file"),
        ([str(bare)], 1, "holds no weights"),
        ([str(tmp_path / "no-tokenizer")], 3, "has no tokenizer"),
        ([str(source), "--name", "../up"], 2, "no name for a model"),
        ([str(source), "--name", "starter"], 2, "no name for a model"),
        ([str(source), "--name", "x", "--into", "y"], 2, "give one of them"),
        ([str(source), "--into", str(bare)], 1, "is there already"),
        ([str(source), "--labels", str(tmp_path / "names.txt")], 3, "no such file"),
        ([str(source), "--data", str(tmp_path / "nowhere.tsv")], 3, "no corpus"),
        ([str(source), "--data", str(only_train)], 1, "no dev split"),
    ):
        assert main(["import", *arguments, "--json"]) == code, arguments
        assert said in one_document(capsys.readouterr().out)["error"]
    assert list_models() == []


def test_a_folder_that_only_import_reads_names_the_command(tmp_path: Path, minilm: Path) -> None:
    source = made.notebook_model(tmp_path / "model", minilm)
    with pytest.raises(GoemoError, match="never opened but by goemo-tui import"):
        find_model(str(source))


def test_a_word_list_with_capitals_is_not_lowered(tmp_path: Path, minilm: Path) -> None:
    source = made.notebook_model(tmp_path / "cased", minilm)
    (source / "tokenizer_config.json").unlink()
    words = (source / "vocab.txt").read_text("utf-8").split("\n")
    words[20_000:25_000] = [f"K{k}" for k in range(5_000)]
    (source / "vocab.txt").write_text("\n".join(words), "utf-8")
    notes = foreign.write_tokenizer(foreign.look(str(source)), tmp_path / "tokenizer")
    from trainer.corpus.tokens import load_tokenizer

    assert any("capitals" in note for note in notes)
    assert load_tokenizer(tmp_path / "tokenizer").encode("K77").tokens == ["[CLS]", "K77", "[SEP]"]
    assert paths.models_folder().name == "models"
