"""`goemo-tui runs prune`: what is shown, asked and freed, the document and the exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.command_line import cli, finished, one_document
from trainer import paths
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run


def put(folder: Path, size: int, name: str = "manifest.json") -> None:
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"x" * size)


def spent(size: int = 3_000_000) -> Run:
    run = finished()
    put(run.folder / "model", 10, "config.json")
    put(run.folder / "checkpoints" / "step-000010", size)
    return run


def stopped(size: int = 5_000_000) -> Run:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("stopped", step=5)
    put(run.folder / "checkpoints" / "step-000005", size)
    return run


def left(run: Run) -> bool:
    return any((run.folder / "checkpoints").iterdir())


class Terminal:
    """Somebody who answers."""

    def __init__(self, *answers: str) -> None:
        self.answers = iter(answers)

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return next(self.answers)


def test_finished_runs_give_their_checkpoints_and_others_keep_them(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, open_run = spent(), spent(4_000_000), stopped()
    assert cli("runs", "prune", "--yes") == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines()]
    assert sorted(rows) == sorted(
        [[first.id, "finished", "3.0 MB", "checkpoints"], [second.id, "finished", "4.0 MB", "checkpoints"]]
    )
    assert "7.0 MB are free again" in err
    assert (left(first), left(second), left(open_run)) == (False, False, True)
    assert first.model is not None and first.state == "finished"


def test_one_run_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run, other = spent(), spent()
    put(paths.runs_folder() / ".removed-x-1", 10, "lock")
    assert cli("runs", "prune", run.short, "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert document == {
        "freed": 3_000_000, "runs": [{"run": run.id, "state": "finished", "bytes": 3_000_000}], "dry_run": False,
    }  # fmt: skip
    assert not left(run) and left(other) and (paths.runs_folder() / ".removed-x-1").exists()


def test_all_frees_what_could_still_be_resumed_and_says_what_that_means(capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped()
    assert cli("runs", "prune", run.id) == 0
    out, err = capsys.readouterr()
    assert out == "" and "are kept" in err and "--all" in err and left(run)
    assert cli("runs", "prune", "--all", "--json") == 0
    out, err = capsys.readouterr()
    assert one_document(out)["runs"] == [{"run": run.id, "state": "stopped", "bytes": 5_000_000}]
    assert "a resume starts over from step 0" in err and not left(run)


def test_a_dry_run_shows_and_removes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spent()
    monkeypatch.setattr("sys.stdin", Terminal())  # it asks nothing
    assert cli("runs", "prune", "--dry-run") == 0
    out, err = capsys.readouterr()
    assert run.id in out and "3.0 MB would be free" in err and left(run)
    assert cli("runs", "prune", "--dry-run", "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert document["freed"] == 3_000_000 and document["dry_run"] is True and left(run)


def test_it_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = spent()
    monkeypatch.setattr("sys.stdin", Terminal("n\n", "", "y\n"))
    for code in (1, 1, 0):
        assert left(run)
        assert cli("runs", "prune") == code
        err = capsys.readouterr().err
        assert "Free 3.0 MB?" in err and ("nothing was removed" in err) is bool(code)
    assert not left(run)


def test_on_a_terminal_the_sizes_stand_below_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spent(3_000_000), spent(44_000_000)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli("runs", "prune", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index(" MB") for line in lines}) == 1 and not any("\t" in line for line in lines)


def test_nothing_to_free_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("runs", "prune") == 0
    assert "there is nothing to free" in capsys.readouterr().err
    run = finished()
    assert cli("runs", "prune", run.id, "--json") == 0
    out, err = capsys.readouterr()
    assert one_document(out) == {"freed": 0, "runs": [], "dry_run": False}
    assert f"nothing to free of run {run.id}" in err


def test_a_living_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run = spent()
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("resumed", step=5)
        assert cli("runs", "prune", run.id, "--all", "--yes") == 1
        out, err = capsys.readouterr()
        assert out == "" and f"goemo-tui runs stop {run.id}" in err
        assert cli("runs", "prune", "--all", "--yes") == 0
    assert left(run)


def test_what_crashes_left_beside_the_runs_goes_too(capsys: pytest.CaptureFixture[str]) -> None:
    put(paths.runs_folder() / ".removed-x-1", 2000, "lock")
    assert cli("runs", "prune", "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert document["runs"] == [{"run": None, "state": "leftover", "bytes": 2000}]
    assert not list(paths.runs_folder().iterdir())


def test_what_cannot_be_removed_is_said_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck_run, run = spent(), spent()
    remove = shutil.rmtree

    def stuck(folder: Any) -> None:
        if folder.is_relative_to(stuck_run.folder):
            raise PermissionError(13, "Permission denied", str(folder))
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", stuck)
    assert cli("runs", "prune", "--yes", "--json") == 1
    out, err = capsys.readouterr()
    document = one_document(out)
    assert document["freed"] == 3_000_000
    assert {r["run"]: r["bytes"] for r in document["runs"]} == {stuck_run.id: 0, run.id: 3_000_000}
    assert "could not be removed: Permission denied" in err


def test_no_other_action_takes_a_flag_of_prune(capsys: pytest.CaptureFixture[str]) -> None:
    run = spent()
    for flag in ("--dry-run", "--all"):
        assert cli("runs", "rm", run.id, "--yes", flag) == 2
        assert flag in capsys.readouterr().err
    assert run.folder.exists()
