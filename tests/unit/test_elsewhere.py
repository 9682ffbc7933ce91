"""Runs that were started on another machine, and locks that are held by nobody's worker: what is refused, and the way on."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import fake_worker
from tests.unit.command_line import cli, use_worker
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs import lock, process
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.prune import candidates, prune, require_prunable
from trainer.runs.run import Run


@pytest.fixture
def run() -> Iterator[Run]:
    """Its worker died without a word and left a checkpoint."""
    made = Run.create(TrainConfig())
    with RunLock(made.folder), EventLog(made.folder / "events.jsonl") as log:
        log.append("started", steps=30, epochs=1)
        log.append("checkpoint", step=20)
    folder = made.folder / "checkpoints" / "step-000020"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    yield made
    fake_worker.end_all()


def lock_says(run: Run, **values: str) -> None:
    """Change what the lock says of the worker that held it last."""
    path = run.folder / "lock"
    text = path.read_text()
    for key, value in values.items():
        text = re.sub(rf"(?m)^{key} .*$", f"{key} {value}", text)
    path.write_text(text)


def elsewhere(run: Run) -> None:
    lock_says(run, host="node-17", boot="another-boot")


def resumed(run: Run, anyway: bool = True) -> int:
    return process.resume(run, fake_worker.command(run), anyway=anyway)


# -- another machine


def test_a_machine_under_a_new_name_is_the_same_machine(run: Run) -> None:
    lock_says(run, host="an-older-name")
    assert run.state == "died"
    with RunLock(run.folder):
        lock_says(run, host="an-older-name")
        look = run.look()
        assert look.state == "running" and look.pid == os.getpid()
    pid = resumed(run, anyway=False)
    assert run.look().pid == pid
    process.stop(run)
    lock_says(run, host="an-older-name")
    run.delete()
    assert not run.folder.exists()


def test_a_free_lock_proves_nothing_about_another_machine_but_there_is_a_way_out(run: Run) -> None:
    elsewhere(run)
    assert run.state == "unknown" and candidates([run], every=True) == []
    for action, refused in (("resume", resumed), ("rm", Run.delete), ("prune", require_prunable)):
        with pytest.raises(RunError) as told:
            refused(run, False)
        assert str(told.value) == (
            f"run {run.id} was started on node-17, which cannot be seen from here; if it no longer runs there: "
            f"goemo-tui runs {action} {run.id} --anyway"
        )
    assert run.state == "unknown" and not fake_worker.lives(run)
    pid = resumed(run)
    assert run.look().pid == pid and run.look().holder == lock.holder(run.folder)
    process.stop(run)
    assert run.state == "stopped"


def test_a_worker_on_another_machine_is_asked_by_the_folder_that_both_share(run: Run) -> None:
    elsewhere(run)
    with pytest.raises(RunError, match="nothing was heard of its worker on node-17"):
        process.stop(run, timeout=0.2)

    def hears() -> None:
        with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
            elsewhere(run)
            fake_worker.until(lambda: lock.stop_requested(run.folder))
            log.append("stopped", step=20)

    lock.withdraw_stop(run.folder)
    far = threading.Thread(target=hears)
    far.start()
    fake_worker.until(lambda: "node-17" in (run.folder / "lock").read_text())
    process.stop(run)
    far.join()
    assert run.state == "stopped"


def test_whoever_was_told_so_may_prune_and_remove_too(run: Run) -> None:
    elsewhere(run)
    require_prunable(run, anyway=True)
    (item,) = candidates([run], every=True, anyway=True)
    assert item.state == "unknown" and candidates([run], anyway=True) == []  # its checkpoints are asked for by `every`
    assert prune(item) == 2 and list((run.folder / "checkpoints").iterdir()) == []
    run.delete(anyway=True)
    assert list(paths.runs_folder().iterdir()) == []


def test_a_lock_that_is_held_is_worth_more_than_anybodys_word(run: Run) -> None:
    with RunLock(run.folder):
        elsewhere(run)
        for refused in (resumed, Run.delete, require_prunable):
            with pytest.raises(RunError, match="held by a process on node-17 that cannot be seen from here"):
                refused(run, True)
        lock_says(run, host=socket.gethostname(), boot=str(lock.Process.me().boot), ticks="1")
        assert run.state == "unknown"
        with pytest.raises(RunError, match="held by a process that cannot be seen from here"):
            resumed(run)
    assert not fake_worker.lives(run)


def test_a_run_of_another_machine_that_is_pruned_here_is_held_by_nobody_there(run: Run) -> None:
    elsewhere(run)
    with RunLock(run.folder, busy="pruned"):
        for refused in (resumed, Run.delete):
            with pytest.raises(RunError, match=f"is being pruned by pid {os.getpid()}; try again"):
                refused(run)


def test_a_run_of_another_machine_is_starting_while_it_is_started_here(run: Run) -> None:
    elsewhere(run)
    lock.mark_starting(run.folder)
    assert run.state == "starting"
    lock.unmark_starting(run.folder)
    assert run.state == "unknown"


def test_a_log_of_another_format_may_be_removed_but_not_resumed(run: Run) -> None:
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"v":2,"seq":3,"kind":"completed","wall":1,"mono":1}\n')
    with pytest.raises(RunError, match=f"of format 2.*goemo-tui runs rm {run.id} --anyway"):
        run.delete()
    with pytest.raises(RunError, match="leaves it alone"):
        resumed(run)
    run.delete(anyway=True)
    assert not run.folder.exists()


def test_the_way_out_on_the_command_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_worker(monkeypatch, "works")
    elsewhere(run)
    assert cli("runs", "resume", run.id) == 1 and f"runs resume {run.id} --anyway" in capsys.readouterr().err
    assert cli("runs", "resume", run.id, "--anyway") == 0 and run.state == "running"
    process.stop(run)
    capsys.readouterr()
    with RunLock(run.folder):
        pass  # one more worker that died, of this machine as yet
    elsewhere(run)
    assert cli("runs", "prune", run.id, "--all", "--yes") == 1 and "--anyway" in capsys.readouterr().err
    assert cli("runs", "prune", run.id, "--all", "--yes", "--anyway") == 0
    assert not list((run.folder / "checkpoints").iterdir())
    assert cli("runs", "rm", run.id, "--yes") == 1 and run.folder.exists()
    assert cli("runs", "rm", run.id, "--yes", "--anyway") == 0 and not run.folder.exists()
    for wrong in (("resume",), ("prune",), ("stop", run.id), ("list",), ("show", run.id)):  # never all, never by guess
        assert cli("runs", *wrong, "--anyway") == 2, wrong


# -- a lock that keeps workers out for a moment


@pytest.mark.parametrize("what", ["pruned", "removed"])
def test_a_run_that_is_pruned_or_removed_says_so(run: Run, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (item,) = candidates([run], every=True)
    before = (run.folder / "lock").read_bytes()
    told: list[str] = []

    def look(*_: object) -> None:
        assert run.state == "died", "nobody's worker is not another's"
        for refused in (resumed, lambda run: RunLock(run.folder).__enter__()):
            with pytest.raises(RunError) as error:
                refused(run)
            told.append(str(error.value))

    monkeypatch.setattr(lock, "SETTLE_SECONDS", 0.0)
    if what == "pruned":
        monkeypatch.setattr(shutil, "rmtree", look)
        prune(item)
    else:
        rename = Path.rename

        def renamed(path: Path, target: Path) -> Path:
            if path == run.folder:
                look()
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", renamed)
        run.delete()
    assert told == [f"run {run.id} is being {what} by pid {os.getpid()}; try again in a moment"] * 2
    if what == "pruned":
        assert (run.folder / "lock").read_bytes() == before and run.state == "died"


def test_a_resume_waits_while_a_run_is_busy_for_a_moment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "SETTLE_SECONDS", fake_worker.PATIENCE)
    done = threading.Event()
    with RunLock(run.folder, busy="pruned") as kept:
        timer = threading.Timer(0.2, lambda: (kept.release(), done.set()))
        timer.start()
        assert resumed(run, anyway=False) > 0 and done.is_set()
        timer.join()


def test_what_was_noted_for_a_moment_does_not_stay(run: Run) -> None:
    path = run.folder / "lock"
    before = path.read_bytes()
    with RunLock(run.folder, busy="pruned"):
        assert path.read_bytes().startswith(before) and b"busy pruned" in path.read_bytes()
        child = os.fork()
        if child == 0:
            os._exit(0)  # lets go of its copy, and of nothing else
        os.waitpid(child, 0)
        found = lock.holder(run.folder)
        assert found is not None and found.busy == f"being pruned by pid {os.getpid()}" and not found.alive
    assert path.read_bytes() == before
    path.write_bytes(before + b"busy pruned 1 1 - gone\n")  # of one that was killed
    found = lock.holder(run.folder)
    assert found is not None and found.busy == "" and run.state == "died"
    with RunLock(run.folder):
        text_of_worker = path.read_bytes()
        assert b"busy" not in text_of_worker and run.state == "running"
    for text in (b"", b"pid 1"):
        path.write_bytes(text)
        with RunLock(run.folder, busy="pruned"):
            assert lock.holder(run.folder).busy  # type: ignore[union-attr]
        assert path.read_bytes() == text


def test_a_disk_that_takes_no_note_keeps_nobody_from_pruning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    (item,) = candidates([run], every=True)
    monkeypatch.setattr(os, "pwrite", full)
    assert prune(item) == 2


# -- a folder that will not go


def test_a_removal_that_is_refused_names_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(RunError) as told:
            run.delete()
    assert str(told.value) == f"{run.folder} could not be removed: Read-only file system"
    assert run.folder.is_dir() and run.state == "died"
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(RunError, match=r"\.removed-.* could not be removed wholly"):
        run.delete()
