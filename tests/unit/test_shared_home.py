"""A home that several people share: whose runs may not be looked into hide no other, and end nobody's watch."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goemo_tui.services.runs import RunWatch
from tests.unit.fake_worker import until
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import NotFoundError, RunError
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.prune import candidates
from trainer.runs.run import Run, list_runs

NOBODY = 65534
REFUSED = "cannot become another user"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that everybody reaches."""
    home = Path(tempfile.mkdtemp())
    monkeypatch.setenv("GOEMO_HOME", str(home))
    runs = home / "runs"
    runs.mkdir()
    for folder in (home, runs):
        folder.chmod(0o755)
    yield home
    shutil.rmtree(home)


def ended() -> Run:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2)
        log.append("stopped", step=5)
    return run


def as_nobody(then: Callable[[], None]) -> str:
    """What went wrong when another user did that; empty where nothing did."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            if not _becomes_nobody():
                os.write(write, REFUSED.encode())
                os._exit(0)
            then()
        except BaseException:  # all of it belongs to the parent
            os.write(write, traceback.format_exc().encode()[-4000:])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as told:
        text = told.read()
    os.waitpid(child, 0)
    return text


def _becomes_nobody() -> bool:
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:  # a namespace with one user in it
        return False
    return True


def is_seen_without(closed: Run, opened: Run) -> None:
    """All that one asks of a shared home, where `closed` may not be looked into."""
    assert [run.id for run in list_runs()] == [opened.id]
    assert Run.open(opened.id).state == "stopped" and Run.open(opened.short).id == opened.id
    for which in (closed.id, closed.folder):
        with pytest.raises(NotFoundError, match=f"run {closed.id} may not be read: Permission denied; it belongs to"):
            Run.open(which)
    watch = RunWatch()
    watch.look()
    assert [view.id for view in watch.runs] == [opened.id]
    assert candidates(list_runs(), every=True) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.usefixtures("shared")
def test_somebody_elses_closed_run_hides_no_other() -> None:
    closed, opened = ended(), ended()
    opened.folder.chmod(0o755)
    for path in opened.folder.iterdir():
        path.chmod(0o644)
    told = as_nobody(lambda: is_seen_without(closed, opened))
    if told == REFUSED:
        pytest.skip("this system lets root become nobody else")
    assert told == ""


def test_a_folder_that_may_not_be_read_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, opened = ended(), ended()
    stat = Path.stat

    def refuse(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.parent == closed.folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refuse)
    is_seen_without(closed, opened)


def test_a_runs_folder_that_may_not_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended()

    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(RunError, match=f"{paths.runs_folder()} cannot be read: Permission denied"):
        list_runs()
    assert Run.open(run.id).state == "stopped"  # it needs no list


@pytest.mark.parametrize("error", [OSError(errno.ESTALE, "Stale file handle"), RunError("not now")])
def test_the_watch_survives_what_goes_wrong_with_one_run(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = ended(), ended()
    look = Run.look

    def looked(run: Run) -> object:
        if run.id == bad.id:
            raise error
        return look(run)

    monkeypatch.setattr(Run, "look", looked)
    watch = RunWatch()
    watch.look()
    assert {view.id: view.state for view in watch.runs} == {bad.id: "unknown", good.id: "stopped"}
    assert next(view for view in watch.runs if view.id == bad.id).trouble == str(error)


def test_the_watch_survives_a_listing_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended()
    watch = RunWatch(interval=0.01, idle_interval=0.01)
    try:
        watch.start()
        until(lambda: watch.runs)
        failed: list[object] = []

        def stale(*about: object) -> None:
            failed.append(about)
            raise OSError(errno.ESTALE, "Stale file handle")

        with monkeypatch.context() as patch:
            patch.setattr(os, "scandir", stale)
            until(lambda: len(failed) > 2)
            assert [view.id for view in watch.runs] == [run.id], "a server that is away takes no run off the screen"
        with monkeypatch.context() as patch:
            patch.setattr(watch, "_views", stale)
            until(lambda: len(failed) > 6)
        other = ended()
        until(lambda: {view.id for view in watch.runs} == {run.id, other.id})
    finally:
        watch.stop()
