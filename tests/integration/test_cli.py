"""The command line as a user meets it: real processes, stdout for data, stderr for talk, exit codes that mean something."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from trainer import Predictor, train
from trainer.runs.run import Run, list_runs


def goemo(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `goemo-tui` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "goemo_tui", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=180,
        env=os.environ | environment,
    )


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on stdout."""
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def run_id(tiny_encoder: Path) -> str:
    return train("sample", str(tiny_encoder), limit=64, epochs=1, head_init="random").run


def test_version_and_help() -> None:
    assert goemo("--version").stdout.startswith("goemo-tui 0.")
    text = goemo("--help").stdout
    assert all(command in text for command in ("train", "runs", "predict", "eval", "data", "doctor"))


def test_without_a_terminal_it_names_the_headless_commands() -> None:
    done = goemo()
    assert done.returncode == 2 and not done.stdout
    assert "no terminal" in done.stderr and "predict" in done.stderr


def test_train_from_command_to_model(tiny_encoder: Path) -> None:
    done = goemo("train", "--encoder", str(tiny_encoder), "--set", "epochs=2", "--set", "limit=64", "--json")
    assert done.returncode == 0, done.stderr
    told = document(done)
    assert {"run", "state", "model", "epochs", "steps", "train_loss", "validation", "examples_per_s", "seconds"} == set(
        told
    )
    assert told["state"] == "finished" and told["epochs"] == 2 and told["steps"] == 4
    assert (Path(told["model"]) / "model.safetensors").is_file()
    assert 0 <= told["validation"]["macro_f1"] <= 1
    shown = document(goemo("runs", "show", told["run"], "--json"))
    assert {"run", "state", "step", "steps", "epoch", "loss", "validation", "pid", "config"} == set(shown)
    assert shown["state"] == "finished" and shown["pid"] is None and shown["config"]["limit"] == 64
    assert told["run"] in goemo("runs").stdout


def test_detached_stopped_and_resumed(tiny_encoder: Path) -> None:
    settings = ["--set", "epochs=500", "--set", "batch_size=2", "--encoder", str(tiny_encoder)]
    done = goemo("train", "--detach", *settings)
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.strip()
    assert "\n" not in run_id
    run = Run.open(run_id)
    try:
        deadline = time.monotonic() + 90
        while not run.snapshot().step and time.monotonic() < deadline:
            time.sleep(0.05)
        shown = document(goemo("runs", "show", run_id, "--json"))
        assert shown["state"] == "running" and shown["pid"]
        assert goemo("runs", "rm", run_id, "--yes").returncode == 1  # a living run is never removed
        assert goemo("runs", "stop", run_id).returncode == 0
        assert run.state == "stopped"
        stopped_at = run.snapshot().step
        resumed = goemo("runs", "resume", run_id)
        assert resumed.returncode == 0 and resumed.stdout.strip() == run_id
        deadline = time.monotonic() + 90
        while (run.snapshot().step or 0) <= (stopped_at or 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (run.snapshot().step or 0) > (stopped_at or 0)
    finally:
        goemo("runs", "stop", run_id)
    assert run.state == "stopped"
    assert goemo("runs", "rm", run_id, "--yes").returncode == 0
    assert not list_runs()


def test_ctrl_c_leaves_the_training_running_and_says_how_to_stop_it(tiny_encoder: Path) -> None:
    command = [sys.executable, "-m", "goemo_tui", "train", "--encoder", str(tiny_encoder)]
    watcher = subprocess.Popen(
        [*command, "--set", "epochs=500", "--set", "batch_size=2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 90
        while not (list_runs() and list_runs()[0].snapshot().step) and time.monotonic() < deadline:
            time.sleep(0.05)
        (run,) = list_runs()
        watcher.send_signal(signal.SIGINT)
        _, talk = watcher.communicate(timeout=60)
        assert watcher.returncode == 130
        assert f"runs stop {run.id}" in talk.replace("\n", " ") and "Traceback" not in talk
        assert run.state == "running"
    finally:
        if watcher.poll() is None:
            watcher.kill()
            watcher.wait()
        goemo("runs", "stop")
    assert run.state == "stopped"


def test_predict(run_id: str) -> None:
    told = document(goemo("predict", "what a day", "[/s] no", "--model", run_id, "--threshold", "0.05", "--json"))
    expected = [p.to_dict() for p in Predictor(run_id).predict(["what a day", "[/s] no"], 0.05)]
    assert set(told) == {"model", "results"} and told["model"] == run_id
    for said, wanted in zip(told["results"], expected, strict=True):
        # another process may add in another order, and the last of six digits be another
        assert said.pop("scores") == pytest.approx(wanted.pop("scores"), abs=2e-6)
        chances = [[e.pop("probability") for e in one["emotions"]] for one in (said, wanted)]
        assert chances[0] == pytest.approx(chances[1], abs=2e-6) and said == wanted
    words = goemo("predict", "what a day").stdout  # the newest finished run is the default
    assert words.startswith("what a day\n")


def test_predict_answers_a_stream_line_by_line(run_id: str) -> None:
    done = goemo("predict", "-", "--model", run_id, "--json", stdin="one\ntwo\n\nfour")
    assert [r["text"] for r in document(done)["results"]] == ["one", "two", "", "four"]
    child = subprocess.Popen(
        [sys.executable, "-m", "goemo_tui", "predict", "-", "--model", run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin and child.stdout
    child.stdin.write("first\n")
    child.stdin.flush()
    assert child.stdout.readline() == "first\n"  # answered while the stream is still open
    child.stdin.close()
    assert child.wait(timeout=30) == 0
    child.stdout.close()


def test_hostile_text_is_shown_and_never_obeyed(run_id: str) -> None:
    done = goemo("predict", "a\x1b]0;owned\x07b\u202ec", "--model", run_id)
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout and "\u202e" not in done.stdout
    assert "owned" in done.stdout


def test_eval(run_id: str, tmp_path: Path) -> None:
    told = document(goemo("eval", "--model", run_id, "--json"))
    keys = "split n macro_f1 micro_f1 weighted_f1 macro_precision macro_recall subset_accuracy hamming_loss thresholds per_label"
    assert set(keys.split()) <= set(told)
    assert (
        told["split"] == "test"
        and told["n"] == 280
        and {"precision", "recall", "f1", "support", "f1_interval"} <= set(told["per_label"]["joy"])
    )
    at = document(goemo("eval", "--model", run_id, "--split", "dev", "--threshold", "0.3", "--json"))
    assert at["split"] == "dev" and set(at["thresholds"].values()) == {0.3}
    report = tmp_path / "report.html"
    done = goemo(
        "eval", "--model", run_id, "--split", "dev", "--compare", run_id, "--bootstrap", "50", "--report", str(report)
    )
    assert "macro-F1" in done.stdout and "no clear difference: 28 of 28" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "cross-fitted" in done.stderr and "reliability plot" in report.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["predict", "x"], 3, "goemo-tui train"),
        (["predict", "x", "--model", "starter"], 3, "starter"),
        (["predict", "x", "--model", "/no/such"], 3, "no such folder"),
        (["predict", "x", "--model", "calm-otter"], 3, "calm-otter"),
        (["train", "--set", "epochs=0"], 2, "out of range"),
        (["train", "--recipe", "none"], 2, "recipe"),
        (["train", "--data", "/no/such"], 3, "/no/such"),
        (["train", "--encoder", "somebody/unknown"], 3, "--encoder minilm"),  # the Hub was not asked
        (["predict", "hi", "--model", "somebody/unknown"], 3, "model 'somebody/unknown' is neither"),
        (["runs", "show", "calm-otter"], 3, "calm-otter"),
        (["runs", "show", "../../etc"], 3, "etc"),
        (["data", "check", "/no/such"], 3, "/no/such"),
        (["predict", "-", "x"], 2, "stands alone"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_errors_have_a_code_and_a_remedy(arguments: list[str], code: int, says: str) -> None:
    done = goemo(*arguments, HF_HUB_OFFLINE="1")
    assert done.returncode == code, done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not done.stdout


def test_doctor_reports_each_topic() -> None:
    told = document(goemo("doctor", "--json"))
    assert {"program", "torch", "device", "encoder", "starter", "corpus", "disk", "logout", "terminal"} <= {
        f["topic"] for f in told
    }
    assert "minilm" in next(f["what"] for f in told if f["topic"] == "encoder")
    assert "goemo-tui data download" in goemo("doctor").stdout


def test_home_moves_everything_the_program_writes(tmp_path: Path, tiny_encoder: Path) -> None:
    home = tmp_path / "elsewhere"
    command = ["--home", str(home), "train", "--encoder", str(tiny_encoder), "--set", "epochs=1", "--set", "limit=32"]
    done = goemo(*command, "--json")
    assert done.returncode == 0, done.stderr
    assert document(done)["model"].startswith(str(home))


def test_a_reader_that_goes_away_ends_it_quietly(run_id: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "goemo_tui", "predict", "-", "--model", run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdin and child.stdout and child.stderr
    child.stdin.write("first\n")
    child.stdin.flush()
    child.stdout.readline()
    child.stdout.close()
    child.stdin.write("second\n" * 50)
    child.stdin.close()
    assert child.wait(timeout=30) == 141
    assert not child.stderr.read()
    child.stderr.close()
