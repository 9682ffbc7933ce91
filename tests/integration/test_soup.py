"""The mean of several runs as one model: stock, scored and cut on dev, and nothing where there is no mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from goemo_tui.cli import main
from tests.integration.in_process import weights
from trainer import Predictor, evaluate, train
from trainer.runs.run import Run


def made(encoder: Path, **settings: object) -> str:
    return train("sample", str(encoder), **{"limit": 64, "epochs": 1, "lora_rank": 4, **settings}).run  # type: ignore[arg-type]


def test_the_mean_of_two_runs_is_a_model(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [made(tiny_encoder, seed=seed) for seed in (1, 2)]
    into = tmp_path / "new" / "mean"
    into.parent.mkdir()
    capsys.readouterr()
    assert main(["models", "average", *runs, "--into", str(into), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    one, other = (weights(Run.open(run).folder / "model") for run in runs)
    for name, value in weights(into).items():
        assert torch.allclose(value, (one[name] + other[name]) / 2, atol=1e-7), name
    assert told["model"] == str(into) and told["mean_of"] == 2
    scored = evaluate(str(into), "sample", "dev")
    assert scored["macro_f1"] == pytest.approx(told["validation"]["macro_f1"], abs=1e-6), "the same rows, cross-fitted"
    about = json.loads((into / "thresholds.json").read_text("utf-8"))
    assert about["fitted_on"]["mean_of"] == runs and len(about["thresholds"]) == 28
    assert about["fitted_on"]["hashes"]
    assert Predictor(str(into)).predict("what a day")[0].scores
    card = (into / "README.md").read_text("utf-8")
    assert "The mean of the weights of 2 runs." in card and "\n## Scores on dev\n" in card and "Loss on dev: 0." in card
    assert sorted(p.name for p in into.parent.iterdir()) == ["mean"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("one", "name two runs or more"),
        ("other kind", "differ in num_hidden_layers"),
        ("there", "is there already"),
        ("no run", "no run is called 'nobody'"),
        ("other labels", "knows other labels than"),
        ("no dev", "has no dev split"),
        ("no folder", "make it first"),
    ],
)
def test_what_has_no_mean_is_named_and_nothing_is_written(
    case: str, words: str, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = made(tiny_encoder)
    second = made(tiny_encoder, pooling="cls") if case == "other kind" else made(tiny_encoder, seed=3)
    into, more = tmp_path / "mean", []
    if case == "one":
        second = first
    elif case == "there":
        into.mkdir()
    elif case == "no folder":
        into = tmp_path / "not" / "there" / "mean"
    elif case == "no run":
        second = "nobody"
    elif case == "other labels":
        own = tmp_path / "own"
        own.mkdir()
        (own / "train.tsv").write_text("fine day\t0\ta\nbad day\t1\tb\n", "utf-8")
        (own / "dev.tsv").write_text("fine day\t0\ta\nbad day\t1\tb\n", "utf-8")
        (own / "emotions.txt").write_text("calm\nstorm\n", "utf-8")
        more = ["--data", str(own)]
    elif case == "no dev":
        own = tmp_path / "own"
        own.mkdir()
        (own / "train.tsv").write_text("fine day\t0\ta\nbad day\t1\tb\n", "utf-8")
        more = ["--data", str(own)]
    capsys.readouterr()
    assert main(["models", "average", first, second, "--into", str(into), *more]) != 0
    told = capsys.readouterr()
    assert words in told.err and not told.out
    assert not into.exists() or not list(into.iterdir())
    assert case != "no folder" or not (tmp_path / "not").exists()


def test_thresholds_are_not_fitted_on_a_row_or_two(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [made(tiny_encoder, seed=seed) for seed in (1, 2)]
    own = tmp_path / "own"
    own.mkdir()
    for name in ("train", "dev"):
        (own / f"{name}.tsv").write_text("what a fine day\t17\ta\n", "utf-8")
    capsys.readouterr()
    assert main(["models", "average", *runs, "--into", str(tmp_path / "mean"), "--data", str(own)]) == 0
    assert "has 1 row, too few to fit thresholds on: 0.3 for each label" in capsys.readouterr().err
    about = json.loads((tmp_path / "mean" / "thresholds.json").read_text("utf-8"))
    assert about["metric"] == "fixed" and set(about["thresholds"].values()) == {0.3}
