"""Real trainings in real worker processes: reproducible, stoppable, resumable, and honest when they go wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from trainer import Predictor, TrainConfig, evaluate, load_corpus, train
from trainer.errors import ConfigError, CorpusError, ModelError, NotFoundError, RunError
from trainer.runs import lock
from trainer.runs.plan import plan
from trainer.runs.process import require_resumable
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import read_events


def create(encoder: Path, **settings: Any) -> Run:
    ready = plan("sample", str(encoder), "goemo", {"limit": 96, "epochs": 2, "batch_size": 8, **settings})
    return Run.create(ready.config, ready.record())


def work(run: Run, before: Callable[[subprocess.Popen[bytes]], None] | None = None) -> int:
    """The worker's exit code, run to its end in a process of its own."""
    with (run.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen([sys.executable, "-m", "trainer", str(run.folder)], stdout=log, stderr=log)
        try:
            if before:
                before(worker)
            return worker.wait(timeout=120)
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait()


def weights(run: Run) -> str:
    return hashlib.sha256((run.folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_same_seed_same_weights_in_separate_processes(tiny_encoder: Path) -> None:
    runs = [create(tiny_encoder, seed=seed) for seed in (5, 5, 6)]
    assert [work(run) for run in runs] == [0, 0, 0]
    assert weights(runs[0]) == weights(runs[1])
    assert weights(runs[0]) != weights(runs[2])


def test_the_story_of_a_run(tiny_encoder: Path) -> None:
    run = create(tiny_encoder)
    assert work(run) == 0
    events = read_events(run.folder / "events.jsonl")
    kinds = [e["kind"] for e in events]
    assert kinds[0] == "started" and kinds[-1] == "finished"
    assert kinds.count("validation") == 2
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    started, finished = events[0], events[-1]
    assert started["steps"] == 24 and started["rows"] == {"train": 96, "dev": 280}
    assert started["labels"][-1] == "neutral" and started["parameters"] > 0
    validation = next(e for e in events if e["kind"] == "validation")
    assert {"epoch", "loss", "macro_f1", "micro_f1", "weighted_f1", "macro_f1_at_0.3", "per_label", "diagnosis"} <= set(
        validation
    )
    step = next(e for e in events if e["kind"] == "step")
    figures = [
        step[key] for key in ("step", "epoch", "loss", "lr", "grad_norm", "examples_per_s", "tokens_per_s", "eta_s")
    ]
    assert all(isinstance(value, int | float) and value >= 0 for value in figures)
    assert finished["step"] == 24 and Path(finished["model"]) == run.folder / "model"
    assert run.summary()["state"] == "finished"
    assert not (run.folder / "worker.log").read_text()  # no library chatter


@pytest.mark.parametrize(
    "more",
    [{"pooling": "cls", "lora_rank": 0}, {"lora_rank": 4, "ema": 0.99, "r_drop": 1.0, "label_smoothing": 0.1}],
    ids=["all weights", "adapters, averaged"],
)
def test_stopped_in_mid_epoch_and_resumed_it_ends_with_the_same_weights(
    tiny_encoder: Path, more: dict[str, Any]
) -> None:
    settings = {"epochs": 3, "limit": 400, "batch_size": 2, "accumulation": 2, "head_init": "random", **more}
    whole = create(tiny_encoder, **settings)
    assert work(whole) == 0
    run = create(tiny_encoder, **settings)

    def stop_soon(worker: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and run.snapshot().step in (None, 0):
            time.sleep(0.02)
        worker.terminate()

    assert work(run, stop_soon) == 0
    assert run.state == "stopped"
    at = run.snapshot().step
    assert at and 0 < at < 300
    lock.request_stop(run.folder)  # asked again while the worker is still loading: it stands where it stood
    assert work(run) == 0
    assert (run.state, run.snapshot().step) == ("stopped", at)
    assert not lock.stop_requested(run.folder)  # it was obeyed, and is not for the next worker
    lock.request_stop(run.folder)  # as a version that left it there, or a worker that was killed before it took it away
    os.utime(run.folder / "control" / "stop", ns=(0, (run.folder / "events.jsonl").stat().st_mtime_ns))
    assert work(run) == 0 and run.state == "finished"
    resumed = [e for e in read_events(run.folder / "events.jsonl") if e["kind"] == "resumed"]
    assert [e["step"] for e in resumed] == [at]
    assert weights(run) == weights(whole)


def test_a_stop_asked_by_file_ends_the_worker(tiny_encoder: Path) -> None:
    run = create(tiny_encoder)
    lock.request_stop(run.folder)
    assert work(run) == 0
    assert run.state == "stopped" and not lock.stop_requested(run.folder)
    assert "was asked to stop, and has stopped before it began" in (run.folder / "worker.log").read_text()
    assert work(run) == 0 and run.state == "finished"
    assert [e["kind"] for e in read_events(run.folder / "events.jsonl")].count("stopped") == 1


def test_two_workers_never_share_a_run(tiny_encoder: Path) -> None:
    run = create(tiny_encoder)
    with lock.RunLock(run.folder):
        assert work(run) == 1
    assert "already being trained" in (run.folder / "worker.log").read_text()


def test_a_whole_config_can_be_given(tiny_encoder: Path) -> None:
    config = TrainConfig(data="sample", encoder=str(tiny_encoder), epochs=1, limit=32, lr=1e-3, batch_size=8)
    events: list[dict[str, Any]] = []
    result = train(config, observer=events.append)
    assert Run.open(result.run).config == config
    assert events[0]["steps"] == 4
    assert Predictor(result.run).predict("one text alone")[0].text == "one text alone"


def test_the_head_learns_alone_at_first(tiny_encoder: Path) -> None:
    """Sixteen steps, of which the encoder sleeps through eight: a checkpoint of either half shows it."""
    from tests.integration.in_process import created, told

    def learned(questions: int) -> tuple[int, set[str]]:
        run = created(tiny_encoder, limit=64, batch_size=8, epochs=2, head_first=0.5)
        asked = 0

        def stop() -> bool:
            nonlocal asked
            asked += 1
            return asked > questions

        kind, fields = told(run, stop)[-1]
        assert kind == "stopped"
        after = load_file(next((run.folder / "checkpoints").glob("step-*")) / "model.safetensors")
        before = load_file(tiny_encoder / "model.safetensors")
        return int(fields["step"]), {
            name for name in before if f"bert.{name}" in after and not torch.equal(after[f"bert.{name}"], before[name])
        }

    step, names = learned(7)
    assert step == 7 and {name.partition(".")[0] for name in names} == {"pooler"}
    step, names = learned(16)  # asked while it validates, too
    assert 8 < step < 16 and {name for name in names if ".layer.0." in name}


def test_early_stopping_says_so(tiny_encoder: Path) -> None:
    events: list[dict[str, Any]] = []
    train("sample", str(tiny_encoder), limit=32, epochs=50, patience=1, lr=0.0, head_lr=1e-9, observer=events.append)
    assert events[-1]["reason"] == "early stopping"
    assert events[-1]["epoch"] < 50


@pytest.mark.parametrize("taxonomy", ["ekman", "sentiment"])
def test_grouped_labels_are_learned_and_scored_under_their_grouping(taxonomy: str, tiny_encoder: Path) -> None:
    result = train("sample", str(tiny_encoder), limit=64, epochs=1, taxonomy=taxonomy)
    names = set(result.validation["per_label"])
    assert names == set(load_corpus("sample").under(taxonomy).labels.names)
    report = evaluate(result.run, "sample")
    assert set(report["per_label"]) == names and report["split"] == "test"


def test_a_corpus_with_labels_of_its_own(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weather"
    folder.mkdir()
    (folder / "labels.txt").write_text("sunny\nwet\nwindy\n")
    rows = [
        ("the sun is out again", "0"),
        ("rain all day long", "1"),
        ("hold your hat", "2"),
        ("rain and gusts", "1,2"),
    ] * 12
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_text(
            "".join(f"{t} {i}\t{ids}\t{split}{i}\n" for i, (t, ids) in enumerate(rows))
        )
    result = train(folder, str(tiny_encoder), epochs=1, batch_size=8)
    assert list(Predictor(result.run).labels) == ["sunny", "wet", "windy"]
    with pytest.raises(ModelError, match="not those of"):
        evaluate(result.run, "sample")


def test_the_notebook_recipe_runs_with_another_encoder(tiny_distilbert: Path) -> None:
    events: list[dict[str, Any]] = []
    result = train("sample", str(tiny_distilbert), recipe="notebook", limit=32, observer=events.append)
    assert events[0]["batch_size"] == 16 and events[0]["precision"] == "fp32"
    assert result.model is not None
    assert set(Predictor(result.run).thresholds().tolist()) == {0.3}
    tokens = next(e["tokens_per_s"] / e["examples_per_s"] for e in events if e["kind"] == "step")
    assert tokens < 128  # padding is work, but no token


def test_what_cannot_work_is_said_before_anything_is_written(
    tiny_encoder: Path, tmp_path: Path, goemo_home: Path
) -> None:
    bad = tmp_path / "bad.tsv"
    bad.write_text("only one column\n" * 5)
    with pytest.raises(CorpusError):
        train(bad, str(tiny_encoder))
    with pytest.raises(NotFoundError):
        train(tmp_path / "none", str(tiny_encoder))
    with pytest.raises(ConfigError, match="positions for 128"):
        train("sample", str(tiny_encoder), max_length=256)
    with pytest.raises(ConfigError, match="no setting is called"):
        train("sample", str(tiny_encoder), epoch=2)
    assert not (goemo_home / "runs").exists()


def test_a_device_that_is_not_there_fails_with_a_reason(tiny_encoder: Path) -> None:
    with pytest.raises(RunError, match="CUDA device"):
        train("sample", str(tiny_encoder), limit=32, device="cuda:7")


FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # events fit, weights do not
from trainer.learn import training
training.ROOM_SECONDS = 0.0
from trainer.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_takes_no_weights_is_a_warning_and_the_training_goes_on_to_its_end(tiny_encoder: Path) -> None:
    run = create(tiny_encoder, epochs=1, checkpoint_steps=4)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(run.folder)], capture_output=True, text=True, timeout=120
    )
    events = read_events(run.folder / "events.jsonl")
    assert done.returncode == 1, done.stderr
    assert [e["epoch"] for e in events if e["kind"] == "validation"] == [1]
    assert events[-1]["kind"] == "failed" and events[-1]["reason"] == "disk" and run.state == "failed"
    warnings = [e["text"] for e in events if e["kind"] == "warning"]
    assert any("no checkpoint was written at step 4" in text for text in warnings)
    assert any("the model of epoch 1 was not kept" in text for text in warnings)
    assert not list((run.folder / "checkpoints").iterdir())


def test_a_corpus_that_changed_is_not_taken_up_again(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_text("".join(f"row {i} of {split}\t{i % 28}\t{split}{i}\n" for i in range(40)))
    ready = plan(folder, str(tiny_encoder), settings={"epochs": 1})
    run = Run.create(ready.config, ready.record())
    lock.request_stop(run.folder)
    assert work(run) == 0
    moved = folder.rename(tmp_path / "elsewhere")
    assert work(run) == 1  # not there: it may come back
    assert run.snapshot().end and run.snapshot().end["reason"] == "missing"
    moved.rename(folder)
    (folder / "train.tsv").write_text((folder / "train.tsv").read_text() + "one more\t3\tx\n")
    assert work(run) == 1
    assert run.snapshot().end["reason"] == "input" and "has changed" in run.snapshot().end["error"]


def test_a_hub_that_is_out_of_reach_is_no_wrong_input(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str) -> None:
        raise NotFoundError("the Hub could not be reached")

    monkeypatch.setattr("trainer.learn.work.find_encoder", away)
    with pytest.raises(RunError, match="could not be reached"):
        train("sample", str(tiny_encoder), limit=32, epochs=1)
    (run,) = list_runs()
    assert run.snapshot().end and run.snapshot().end["reason"] == "missing"
    require_resumable(run)


def test_the_worker_says_how_it_is_used(tmp_path: Path) -> None:
    for arguments, code in (([], 2), ([str(tmp_path / "none")], 3)):
        done = subprocess.run(
            [sys.executable, "-m", "trainer", *arguments], capture_output=True, text=True, env=os.environ
        )
        assert done.returncode == code and done.stderr and "Traceback" not in done.stderr
