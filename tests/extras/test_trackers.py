"""Runs in trackio, W&B (offline) and MLflow (a folder), written by the real libraries and read back by them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tracked import (
    LABELS,
    ROOT,
    STEPS,
    export,
    exported,
    losses,
    one_step,
    run_with_story,
    worker_files,
)
from trainer.config import TrainConfig
from trainer.runs.about import write_about
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run
from trainer.runs.tail import read_events
from trainer.track import state

DEV = {"dev/loss": 0.25, "dev/macro_f1": 0.5, "dev/micro_f1": 0.6, "dev/weighted_f1": 0.55, "dev/macro_f1_at_0.3": 0.4}


def walls(run: Run) -> list[float]:
    return [e["wall"] for e in read_events(run.folder / LOG) if e["kind"] == "step"]


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the person who runs the tests has set must decide nothing; what libraries note of a user lands beside."""
    for name in list(os.environ):
        if name.startswith(("WANDB_", "MLFLOW_", "TRACKIO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


# -- trackio


def trackio_rows(run: Run, home: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows and the configuration that trackio's own storage gives of a run, asked in a process of its own."""
    pytest.importorskip("trackio")
    code = (
        "import json, sys\nfrom trackio.sqlite_storage import SQLiteStorage as S\n"
        f"print(json.dumps([S.get_logs('goemo-tui', {run.id!r}), S.get_run_config('goemo-tui', {run.id!r})]))"
    )
    env = {**os.environ, "TRACKIO_DIR": str(home / "track" / "trackio")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    rows, config = json.loads(done.stdout.splitlines()[-1])
    return rows, config


def test_trackio_holds_the_run_once_however_often_it_is_exported(goemo_home: Path) -> None:
    pytest.importorskip("trackio")
    run = run_with_story(data="/private/comments.tsv")
    before = worker_files(run)
    for _ in range(2):
        found = exported(run, "trackio")
        assert found["where"] == str(goemo_home / "track" / "trackio")
        rows, config = trackio_rows(run, goemo_home)
        steps = [row for row in rows if "train/loss" in row]
        assert [(row["step"], row["train/loss"]) for row in steps] == losses(run)
        assert [datetime.fromisoformat(row["timestamp"]).timestamp() for row in steps] == pytest.approx(walls(run))
        (dev,) = [row for row in rows if "dev/loss" in row]
        assert {key: dev[key] for key in DEV} == DEV and dev["step"] == 100
        assert [dev[f"dev/f1/{label}"] for label in LABELS] == [0.5, 0.6, 0.7]
        assert len(rows) == 11
        assert (config["epochs"], config["data"], config["state"]) == (2, "comments.tsv", "finished")
    assert worker_files(run) == before


# -- W&B


def wandb_records(folder: Path) -> list[Any]:
    """The records of the one `.wandb` file in a run's folder: LevelDB's log format behind a header of seven bytes."""
    pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    (file,) = folder.glob("*.wandb")
    data, at, parts, found = file.read_bytes(), 7, b"", []
    assert data[:4] == b":W&B"
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            found.append(pb.Record.FromString(parts))
            parts = b""
    return found


def wandb_history(records: list[Any]) -> list[dict[str, Any]]:
    rows = [r.history for r in records if r.WhichOneof("record_type") == "history"]
    return [
        {"/".join(item.nested_key) if item.nested_key else item.key: json.loads(item.value_json) for item in row.item}
        for row in rows
    ]


def test_wandb_is_offline_and_holds_the_run_once(goemo_home: Path) -> None:
    pytest.importorskip("wandb")
    run = run_with_story("failed", data="/private/comments.tsv")
    write_about(run, name="first-try", note="what I tried")
    before = worker_files(run)
    for _ in range(2):
        found = exported(run, "wandb")
        folder = Path(found["where"])
        assert folder.parent == goemo_home / "track" / "wandb" / "wandb"
        assert list(folder.parent.glob("offline-run-*")) == [folder]
        records = wandb_records(folder)
        rows = wandb_history(records)
        assert [(row["_step"], row["train/loss"]) for row in rows if "train/loss" in row] == losses(run)
        # the validation is of the last step, whose row it shares
        assert [row["_timestamp"] for row in rows][:-1] == pytest.approx(walls(run)[:-1])
        assert {key: rows[-1][key] for key in DEV} == DEV
        assert [rows[-1][f"dev/f1/{label}"] for label in LABELS] == [0.5, 0.6, 0.7]
        assert [row["_step"] for row in rows] == list(STEPS)
        (began,) = [r.run for r in records if r.WhichOneof("record_type") == "run"]
        assert (began.run_id, began.project, began.display_name, began.notes) == (
            run.id,
            "goemo-tui",
            "first-try",
            "what I tried",
        )
        config = {item.key: item.value_json for item in began.config.update}
        assert (config["epochs"], config["data"]) == ("2", '"comments.tsv"')
        (end,) = [r.exit for r in records if r.WhichOneof("record_type") == "exit"]
        assert end.exit_code == 1
        said = b"".join(p.read_bytes() for p in folder.rglob("*.wandb"))
        assert b"/private" not in said and b'"failed"' in said
    assert worker_files(run) == before


# -- MLflow


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch, goemo_home: Path) -> Any:
    """MLflow's client on the folder that runs are exported to."""
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=(goemo_home / "track" / "mlflow").as_uri())


def mlflow_run(client: Any, run: Run) -> Any:
    experiment = client.get_experiment_by_name("goemo-tui")
    (found,) = client.search_runs([experiment.experiment_id], f"tags.`goemo.run` = '{run.id}'")
    return found


def curve(client: Any, run: Run, key: str) -> list[tuple[int, float]]:
    return sorted((m.step, m.value) for m in client.get_metric_history(mlflow_run(client, run).info.run_id, key))


def test_mlflow_holds_the_run_once_under_the_same_id(mlflow: Any, goemo_home: Path) -> None:
    run = run_with_story(data="/private/comments.tsv")
    write_about(run, note="what I tried")
    before = worker_files(run)
    ids = set()
    for _ in range(2):
        assert exported(run, "mlflow")["where"] == str(goemo_home / "track" / "mlflow")
        found = mlflow_run(mlflow, run)
        ids.add(found.info.run_id)
        assert curve(mlflow, run, "train/loss") == losses(run)
        history = mlflow.get_metric_history(found.info.run_id, "train/loss")
        assert sorted(m.timestamp for m in history) == [int(wall * 1000) for wall in walls(run)]
        for key, value in DEV.items():
            assert curve(mlflow, run, key) == [(100, value)]
        assert [curve(mlflow, run, f"dev/f1/{label}") for label in LABELS] == [[(100, 0.5)], [(100, 0.6)], [(100, 0.7)]]
        assert (found.data.params["epochs"], found.data.params["data"]) == ("2", "comments.tsv")
        assert (found.info.status, found.data.tags["goemo.state"]) == ("FINISHED", "finished")
        assert found.data.tags["mlflow.note.content"] == "what I tried"
    assert len(ids) == 1
    assert worker_files(run) == before


def test_mlflow_where_it_knows_what_the_log_took_back(mlflow: Any) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / LOG) as log:
        log.append("started", steps=100, epochs=2)
        for step in range(1, 9):
            one_step(log, step, float(step))
        exported(run, "mlflow")
        assert mlflow_run(mlflow, run).info.status == "RUNNING"
        log.append("resumed", step=5)
        one_step(log, 6, -6.0)
        log.append("stopped", step=6)
    exported(run, "mlflow")
    assert curve(mlflow, run, "train/loss") == [*((s, float(s)) for s in range(1, 6)), (6, -6.0)]
    assert mlflow_run(mlflow, run).info.status == "KILLED"


def test_a_server_that_refuses_is_said_without_the_password(mlflow: Any) -> None:
    run = run_with_story()
    before = worker_files(run)
    env = {"MLFLOW_TRACKING_URI": "http://me:hunter2@127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = export(run, "--to", "mlflow", env=env)
    assert done.returncode == 1 and "127.0.0.1" in done.stderr and "Traceback" not in done.stderr
    noted = (run.folder / "track" / "mlflow.json").read_text()
    assert "hunter2" not in done.stderr + done.stdout + noted
    assert worker_files(run) == before
    (found,) = state.read(run.folder)
    assert found.state == state.FAILED


# -- all of them


@contextmanager
def mirrored(run: Run, tracker: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "trainer.track", str(run.folder), tracker, "--follow"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("tracker", ["trackio", "wandb", "mlflow"])
def test_a_mirror_killed_half_way_and_a_training_that_went_back(tracker: str, goemo_home: Path, mlflow: Any) -> None:
    from tests.unit.fake_worker import until

    pytest.importorskip(tracker)
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / LOG) as log:
        log.append("started", steps=100, epochs=2)
        for step in range(1, 9):
            one_step(log, step, float(step))
        with mirrored(run, tracker):
            until(lambda: any(m.step == 8 for m in state.read(run.folder)), "nothing was mirrored")
            log.append("resumed", step=5)
            for step in (6, 7):
                one_step(log, step, -float(step))
            until(lambda: any(m.step == 7 for m in state.read(run.folder)), "what was taken back still counts")
        assert [m.state for m in state.read(run.folder)] == [state.GONE]
        one_step(log, 8, -8.0)
        log.append("stopped", step=8)
    found = exported(run, tracker)
    expected = losses(run)
    assert expected[4:] == [(5, 5.0), (6, -6.0), (7, -7.0), (8, -8.0)]
    if tracker == "trackio":
        seen = [(row["step"], row["train/loss"]) for row in trackio_rows(run, goemo_home)[0]]
    elif tracker == "wandb":
        seen = [(row["_step"], row["train/loss"]) for row in wandb_history(wandb_records(Path(found["where"])))]
    else:
        seen = curve(mlflow, run, "train/loss")
    assert seen == expected


NETWORK = """
import socket, sys
def refuse(self, address, *more):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        print("ASKED FOR", address, file=sys.stderr, flush=True)
        raise OSError("no network in this test")
    return connect(self, address, *more)
connect, socket.socket.connect = socket.socket.connect, refuse
look = socket.getaddrinfo
def looked(host, *more, **rest):
    if host not in (None, "127.0.0.1", "::1", "localhost"):
        print("ASKED FOR", host, file=sys.stderr, flush=True)
        raise OSError("no network in this test")
    return look(host, *more, **rest)
socket.getaddrinfo = looked
"""


@pytest.mark.parametrize("tracker", ["tensorboard", "trackio", "wandb", "mlflow"])
def test_nothing_is_sent_anywhere_by_default(tracker: str, tmp_path: Path) -> None:
    """What Python code of a library would look up or connect to beyond loopback is heard of and refused."""
    pytest.importorskip(tracker)
    run = run_with_story()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NETWORK)
    done = subprocess.run(
        [sys.executable, "-m", "trainer.track", str(run.folder), tracker],
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "ASKED FOR" not in done.stderr
