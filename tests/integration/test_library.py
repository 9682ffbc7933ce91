"""The library's own doors: a training that is stopped and taken up in this process, and a file scored by a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer import ConfigError, NotFoundError, Predictor, Run, RunError, list_runs, resume, score_file, train
from trainer.corpus.interrupt import Cancelled
from trainer.infer.score import By

# each step is told of, however fast the machine is
SETTINGS = {"limit": 96, "batch_size": 8, "epochs": 2, "lr": 2e-4, "checkpoint_steps": 1}


def test_a_training_that_was_stopped_and_resumed_ends_in_the_same_bits(tiny_encoder: Path) -> None:
    whole = train("sample", str(tiny_encoder), **SETTINGS)
    seen: list[str] = []
    part = train(
        "sample",
        str(tiny_encoder),
        observer=lambda event: seen.append(event["kind"]),
        stop=lambda: len(seen) > 6,
        **SETTINGS,
    )
    assert part.state == "stopped" and "step" in seen and seen[-1] == "stopped"
    assert [run.id for run in list_runs()] == [part.run, whole.run]
    last = resume(Run.open(part.run), observer=lambda event: seen.append(event["kind"]))
    assert (last.run, last.state) == (part.run, "finished") and "resumed" in seen
    assert last.validation["macro_f1"] == whole.validation["macro_f1"]
    assert last.model is not None and whole.model is not None
    one, other = (folder / "model.safetensors" for folder in (last.model, whole.model))
    assert one.read_bytes() == other.read_bytes()
    with pytest.raises(RunError, match="is finished"):
        resume(part.run)
    with pytest.raises(NotFoundError):
        resume("nobody-here")


def test_a_stop_at_once_leaves_no_model(tiny_encoder: Path) -> None:
    result = train("sample", str(tiny_encoder), stop=lambda: True, **SETTINGS)
    assert (result.state, result.model, result.validation) == ("stopped", None, {})


def test_a_file_is_scored_as_predict_does_it(starter: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.tsv"
    rows.write_text("shop\tsaid\na\tI love it\nb\tit broke on day one\na\t\n")
    told: list[int] = []
    predictor = Predictor("starter", few=True)
    out = tmp_path / "felt.jsonl"
    found = score_file(rows, out, predictor, "said", by=By(("shop",)), tell=lambda progress: told.append(progress.rows))
    assert (found.rows, found.errors, told[-1]) == (3, 1, 3)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["scores"]["love"] == pytest.approx(predictor.predict("I love it")[0].scores["love"], abs=1e-5)
    assert lines[2]["error"] and set(found.counts["apart"]["shop"]) == {"a", "b"}
    for wrong, says in (
        ({"to": out}, "there already"), ({"to": rows, "overwrite": True}, "that is read"),
        ({"to": tmp_path / "no" / "x.csv"}, "no folder"), ({"to": tmp_path / "x.csv", "by": By(("hop",))}, "no column 'hop'"),
        ({"to": tmp_path / "x.odt"}, "format"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=says):
            score_file(rows, model=predictor, column="said", **wrong)  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        score_file(rows, tmp_path / "x.csv", predictor, "said", stop=lambda: True)
    assert score_file(rows, tmp_path / "x.csv", predictor, "said").rows == 3, "the same call goes on"
    with pytest.raises(NotFoundError):
        score_file(tmp_path / "nowhere.tsv", tmp_path / "y.csv", predictor)
