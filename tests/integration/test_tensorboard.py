"""Runs in TensorBoard: written from the event log, live and after the fact, and read by TensorBoard's own reader."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.tracked import (
    LABELS,
    ROOT,
    STEPS,
    board,
    export,
    exported,
    losses,
    one_step,
    run_with_story,
    scalars,
    worker_files,
)  # fmt: skip
from tests.unit import fake_worker
from tests.unit.command_line import cli, use_worker
from tests.unit.fake_worker import until
from trainer.runs import process
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import read_events
from trainer.track import state
from trainer.track.mirror import mirror
from trainer.track.points import Point


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    fake_worker.end_all()


def folder_of(run: Run, home: Path) -> Path:
    return home / "track" / "tensorboard" / run.id


def the_mirror(run: Run) -> state.Mirror:
    (found,) = state.read(run.folder)
    return found


def close_to(curve: list[tuple[int, float]]) -> object:
    """TensorBoard keeps four bytes of a number."""
    return [(step, pytest.approx(value, rel=1e-6)) for step, value in curve]


def test_a_run_is_exported_with_all_that_was_measured(goemo_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_with_story()
    before = worker_files(run)
    found = exported(run, "tensorboard")
    folder = folder_of(run, goemo_home)
    assert found["where"] == str(folder) and (found["points"], found["step"]) == (11, 100)
    # what the resumed training took back is not there, so that no curve doubles back
    assert [step for step, _ in losses(run)] == list(STEPS)
    assert scalars(folder, "train/loss") == close_to(losses(run))
    for tag, value in (("lr", 1e-3), ("grad_norm", 1.5), ("examples_per_s", 50.0)):
        assert scalars(folder, f"train/{tag}") == close_to([(step, value) for step in STEPS])
    for tag, value in (
        ("loss", 0.25),
        ("macro_f1", 0.5),
        ("micro_f1", 0.6),
        ("weighted_f1", 0.55),
        ("macro_f1_at_0.3", 0.4),
    ):
        assert scalars(folder, f"dev/{tag}") == close_to([(100, value)])
    for i, label in enumerate(LABELS):
        assert scalars(folder, f"dev/f1/{label}") == close_to([(100, 0.5 + i / 10)])
    walls = [e["wall"] for e in read_events(run.folder / LOG) if e["kind"] == "step"]
    assert [e.wall_time for e in board(folder).Scalars("train/loss")] == pytest.approx(walls)
    assert worker_files(run) == before
    assert cli("runs", "show", run.id) == 0
    capsys.readouterr()
    assert cli("runs", "export", run.id, "--to", "tensorboard") == 0
    out, err = capsys.readouterr()
    assert out == f"tensorboard\t{folder}\n" and f"tensorboard --logdir {folder.parent}" in " ".join(err.split())


def test_settings_and_end_are_in_the_table_of_hyperparameters(goemo_home: Path) -> None:
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

    run = run_with_story("failed", data="/somewhere/private/comments.tsv", lr=3e-4)
    exported(run, "tensorboard")
    found = board(folder_of(run, goemo_home))
    told = {
        tag: plugin_data_pb2.HParamsPluginData.FromString(found.SummaryMetadata(tag).plugin_data.content)
        for tag in found.PluginTagToContent("hparams")
    }
    values = told["_hparams_/session_start_info"].session_start_info.hparams
    assert values["lr"].number_value == 3e-4 and values["epochs"].number_value == 2
    assert values["data"].string_value == "comments.tsv"  # the last part of a path alone
    assert values["sha256.train"].string_value == "ab12"
    assert told["_hparams_/session_end_info"].session_end_info.status == api_pb2.STATUS_FAILURE
    assert found.Tensors("run/state")[0].tensor_proto.string_val == [b"failed"]


def test_exporting_twice_does_not_double_and_leaves_other_files_alone(goemo_home: Path) -> None:
    run = run_with_story()
    folder = folder_of(run, goemo_home)
    exported(run, "tensorboard")
    (folder / "events.out.tfevents.1.somebody").write_bytes(b"")
    exported(run, "tensorboard")
    assert scalars(folder, "train/loss") == close_to(losses(run))
    exported(run, "tensorboard")
    assert scalars(folder, "train/loss") == close_to(losses(run))
    assert len(list(folder.glob("*.goemo"))) == 2 and (folder / "events.out.tfevents.1.somebody").exists()


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    run = run_with_story()
    exported(run, "tensorboard", "--out", str(tmp_path / "boards"))
    assert scalars(tmp_path / "boards" / run.id, "train/loss") == close_to(losses(run))


def test_no_torch_and_no_tensorflow_are_imported(goemo_home: Path) -> None:
    run = run_with_story()
    code = (
        "import sys\nfrom trainer.runs.run import Run\nfrom trainer.track.mirror import mirror\n"
        f"assert mirror(Run.open({run.id!r}), 'tensorboard').state == 'done'\n"
        "print(sorted({'torch', 'tensorflow', 'transformers', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_training_is_mirrored_while_it_runs(
    goemo_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "works")
    assert cli("train", "--detach", "--track", "tensorboard") == 0
    (run,) = list_runs()
    until(lambda: state.read(run.folder) and the_mirror(run).step > 0, "nothing was mirrored")
    assert the_mirror(run).state == state.FOLLOWING and run.state == "running"
    seen = scalars(folder_of(run, goemo_home), "train/loss")
    assert seen == close_to(losses(run)[: len(seen)]) and seen
    capsys.readouterr()
    assert cli("runs", "show", run.id) == 0
    assert "tensorboard written up to step" in capsys.readouterr().out
    process.stop(run)
    until(lambda: the_mirror(run).state == state.DONE, "the mirror does not end")
    assert scalars(folder_of(run, goemo_home), "train/loss") == close_to(losses(run))
    # taken up again, it is mirrored again, and what is written twice stands there once
    process.resume(run)
    process.stop(run)
    assert cli("runs", "resume", run.id) == 0
    until(lambda: the_mirror(run).state == state.FOLLOWING, "the resumed run is not mirrored")
    process.stop(run)
    until(lambda: the_mirror(run).state == state.DONE, "the mirror of the resumed run does not end")
    assert scalars(folder_of(run, goemo_home), "train/loss") == close_to(losses(run))


def test_a_living_mirror_begins_anew_where_the_training_goes_back(goemo_home: Path) -> None:
    from trainer.config import TrainConfig

    run = Run.create(TrainConfig())
    folder = folder_of(run, goemo_home)
    with RunLock(run.folder), EventLog(run.folder / LOG) as log:
        log.append("started", steps=100, epochs=2)
        for step in range(1, 9):
            one_step(log, step, float(step))
        child = subprocess.Popen(
            [sys.executable, "-m", "trainer.track", str(run.folder), "tensorboard", "--follow"],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: state.read(run.folder) and the_mirror(run).step == 8)
        reader = board(folder)
        log.append("resumed", step=5)
        for step in range(6, 8):
            one_step(log, step, -float(step))
        until(lambda: the_mirror(run).step == 7, "steps that were taken back are still counted")
        log.append("stopped", step=7)
    assert child.wait(60) == 0
    expected = [*((s, float(s)) for s in range(1, 6)), (6, -6.0), (7, -7.0)]
    assert scalars(folder, "train/loss") == expected
    reader.Reload()  # one that was open all the time
    assert [(e.step, e.value) for e in reader.Scalars("train/loss")] == expected


def test_a_mirror_that_is_killed_harms_nothing_and_an_export_makes_it_whole(
    goemo_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "works")
    assert cli("train", "--detach", "--track", "tensorboard") == 0
    (run,) = list_runs()
    until(lambda: state.read(run.folder) and the_mirror(run).step > 0)
    os.kill(the_mirror(run).pid, signal.SIGKILL)
    until(lambda: the_mirror(run).state == state.GONE)
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 10, "the training did not go on")
    capsys.readouterr()
    assert cli("runs", "show", run.id) == 0
    assert "ended without a word" in capsys.readouterr().out
    process.stop(run)
    assert run.state == "stopped"
    exported(run, "tensorboard")
    assert scalars(folder_of(run, goemo_home), "train/loss") == close_to(losses(run))


def test_one_mirror_at_a_time(goemo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_with_story()
    with state.alone(run.folder, "tensorboard"):
        done = export(run, "--to", "tensorboard")
    assert done.returncode == 1 and "by another process" in done.stderr and not done.stdout


def test_an_export_that_is_ended_takes_its_mirror_along(goemo_home: Path) -> None:
    run = run_with_story("")
    with RunLock(run.folder):
        words = [sys.executable, "-m", "goemo_tui.cli", "runs", "export", run.id, "--to", "tensorboard", "--follow"]
        asked = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
        try:
            until(lambda: state.read(run.folder) and the_mirror(run).step == 100)
        finally:
            asked.terminate()
        assert asked.wait(60) == 143
        until(lambda: the_mirror(run).state == state.DONE, "the mirror goes on")


def test_a_run_that_is_taken_up_while_its_end_is_written_is_followed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    run, worker, steps, ends = run_with_story("stopped"), ExitStack(), [], []

    class Slow:
        where = "nowhere"

        def begin(self, facts: object, story: object) -> None:
            steps.clear()

        def write(self, points: list[Point]) -> None:
            steps.extend(point.step for point in points)

        def end(self, state: str, wall: float | None) -> None:
            ends.append(state)
            if ends == ["stopped"]:
                worker.enter_context(RunLock(run.folder))
                with EventLog(run.folder / LOG) as log:
                    log.append("resumed", step=100)
                    one_step(log, 110, 0.5)

    def later(seconds: float) -> None:
        with EventLog(run.folder / LOG) as log:
            log.append("finished", step=110)
        worker.close()

    monkeypatch.setattr("trainer.track.mirror.open_tracker", lambda name, out: Slow())
    assert mirror(run, "tensorboard", follow=True, wait=later).state == state.DONE
    assert ends == ["stopped", "finished"] and steps[-1] == 110 and steps.count(100) == 2


def test_a_tracker_that_fails_never_touches_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.track import tracker

    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setattr(tracker, "default_folder", lambda name: in_the_way)
    run = run_with_story()
    before = worker_files(run)
    done = export(run, "--to", "tensorboard", "--out", str(in_the_way))
    assert (
        done.returncode == 1 and done.stdout == "" and str(in_the_way) in done.stderr and "Traceback" not in done.stderr
    )
    assert worker_files(run) == before
    assert the_mirror(run).state == state.FAILED
    assert cli("runs", "show", run.id, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["state"] == "finished"
    assert (document["trackers"][0]["tracker"], document["trackers"][0]["state"]) == ("tensorboard", "failed")
    exported(run, "tensorboard")
    assert the_mirror(run).state == state.DONE


def test_a_full_disk_ends_the_mirror_and_nothing_else(goemo_home: Path) -> None:
    run = run_with_story()
    before = worker_files(run)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', sys.executable, "-m", "trainer.track", str(run.folder), "tensorboard"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["state"] == state.FAILED and "File too large" in json.loads(done.stdout)["error"]
    assert worker_files(run) == before
    assert the_mirror(run).state == state.FAILED
    exported(run, "tensorboard")


def test_a_library_that_is_missing_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.track import tracker

    monkeypatch.setitem(tracker.LIBRARIES, "mlflow", "no_such_library")
    use_worker(monkeypatch, "finishes")
    assert cli("train", "--detach", "--track", "mlflow") == 1
    assert "pip install 'goemo-tui[track]'" in capsys.readouterr().err
    assert not list_runs()
    # set for always, it does not keep a training from starting
    monkeypatch.setenv("GOEMO_TRACK", "mlflow")
    assert cli("train", "--detach") == 0
    assert "not mirrored: mlflow is not installed" in capsys.readouterr().err
    (run,) = list_runs()
    until(lambda: run.state == "finished")
    assert not state.read(run.folder)


def test_a_setting_mirrors_every_run_and_an_option_says_otherwise(
    goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_worker(monkeypatch, "finishes")
    goemo_home.mkdir()
    (goemo_home / "settings.toml").write_text('track = "tensorboard"\n')
    assert cli("train", "--detach") == 0
    (first,) = list_runs()
    until(lambda: state.read(first.folder) and the_mirror(first).state == state.DONE)
    assert scalars(folder_of(first, goemo_home), "dev/macro_f1") == close_to([(1, 0.25), (2, 0.5)])
    assert "track" not in first.config.to_dict()
    assert cli("train", "--detach", "--track", "none") == 0
    second = next(run for run in list_runs() if run.id != first.id)
    until(lambda: second.state == "finished")
    assert not state.read(second.folder)


def test_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    run = run_with_story()
    for arguments, said in (
        (("runs", "export", run.id), "say where to"),
        (("runs", "export", run.id, "--to", "excel"), "there are tensorboard, trackio, wandb, mlflow"),
        (("runs", "export", "--to", "tensorboard"), "say which run"),
        (("runs", "show", run.id, "--follow"), "belongs to runs export"),
        (("train", "--track", "excel"), "there are tensorboard"),
    ):
        assert cli(*arguments) == 2, arguments
        assert said in capsys.readouterr().err
    assert cli("runs", "export", "no-such-run", "--to", "tensorboard") == 3
