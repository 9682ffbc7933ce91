"""Freeing disk: what may go goes, what a run could still need stays, and a crash in the middle harms nothing."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs import disk, lock
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.prune import LEFTOVER, Prunable, PruneError, candidates, free, prune, strays
from trainer.runs.run import Run

SIZE = 1000


def put(folder: Path, size: int = SIZE, name: str = "model.safetensors") -> Path:
    """A folder with `size` bytes in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x" * size)
    return folder


def checkpoint(run: Run, step: int) -> Path:
    folder = put(run.folder / "checkpoints" / f"step-{step:06d}", SIZE - 2)
    (folder / "manifest.json").write_text("{}")
    return folder


def ended(kind: str | None = "finished", model: bool = True, steps: tuple[int, ...] = (10, 20)) -> Run:
    """A run with two checkpoints that ended so; None: its worker died."""
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=30, epochs=1)
        log.append("checkpoint", step=20)
        if kind:
            log.append(kind, step=20)
    if model:
        put(run.folder / "model", name="config.json")
    for step in steps:
        checkpoint(run, step)
    return run


def names(run: Run) -> set[str]:
    return {p.name for p in (run.folder / "checkpoints").iterdir()}


def one(run: Run, every: bool = False) -> Prunable:
    (item,) = candidates([run], every)
    return item


# -- what may go


def test_a_finished_run_gives_its_checkpoints_and_keeps_its_model() -> None:
    run = ended()
    item = one(run)
    assert (item.state, item.checkpoints_bytes, item.leftovers_bytes, item.bytes) == ("finished", 2000, 0, 2000)
    assert not item.starts_over
    assert prune(item) == 2000
    assert names(run) == set() and run.model is not None and run.state == "finished"
    assert candidates([run]) == [] and candidates([run], every=True) == []


@pytest.mark.parametrize("kind", ["stopped", "failed", None])
def test_what_could_be_resumed_is_kept_unless_all_is_asked_for(kind: str | None) -> None:
    run = ended(kind)
    assert candidates([run]) == []
    assert disk.resumes_at(run.folder) == 20
    item = one(run, every=True)
    assert item.starts_over and item.bytes == 2000
    assert prune(item) == 2000
    assert disk.resumes_at(run.folder) == 0 and run.state == (kind or "died")


def test_a_finished_run_without_a_model_keeps_the_only_weights_there_are() -> None:
    run = ended(model=False)
    assert candidates([run]) == []
    assert one(run, every=True).bytes == 2000


def test_a_run_that_lives_or_may_live_elsewhere_is_no_candidate() -> None:
    run = ended("stopped")
    item = one(run, every=True)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        for kind in ("waiting", "resumed"):
            log.append(kind, step=20, on="a GPU")
            assert candidates([run], every=True) == []
            with pytest.raises(RunError, match=r"needs its checkpoints; stop it first: goemo-tui runs stop"):
                prune(item)
    text = (run.folder / "lock").read_text()
    (run.folder / "lock").write_text(re.sub(r"(?m)^(host|boot) .*$", r"\1 elsewhere", text))
    assert run.state == "unknown" and candidates([run], every=True) == []
    with pytest.raises(RunError, match="cannot be seen from here"):
        prune(item)
    assert names(run) == {"step-000010", "step-000020"}


def test_a_run_that_is_being_started_or_went_on_meanwhile_is_left_alone() -> None:
    run = ended("stopped")
    item = one(run, every=True)
    lock.mark_starting(run.folder)
    with pytest.raises(RunError, match="is starting"):
        prune(item)
    lock.unmark_starting(run.folder)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("resumed", step=20, epoch=1)
        log.append("stopped", step=25)
    with pytest.raises(RunError, match="went on meanwhile"):
        prune(item)
    assert names(run) == {"step-000010", "step-000020"}


def test_no_worker_can_start_while_a_run_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = ended(), []
    remove, hours = shutil.rmtree, itertools.count(1e9, 3600.0)

    def watched(folder: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: next(hours))  # a worker has no patience at all
            with pytest.raises(RunError, match="is being pruned by"), RunLock(run.folder):
                pass
        asked.append(folder.name)
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", watched)
    assert prune(one(run)) == 2000 and asked


def test_somebody_elses_run_is_only_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended()
    item = one(run)
    monkeypatch.setattr(Run, "writable", property(lambda self: False))
    assert candidates([run], every=True) == []
    with pytest.raises(RunError, match="belongs to"):
        prune(item)
    assert len(names(run)) == 2


def test_a_run_that_cannot_be_read_hides_no_other() -> None:
    broken, run = ended(), ended()
    (broken.folder / "events.jsonl").unlink()
    (broken.folder / "events.jsonl").mkdir()
    assert [item.run for item in candidates([broken, run])] == [run]


def test_what_is_no_checkpoint_and_what_lies_elsewhere_is_not_touched(tmp_path: Path) -> None:
    run = ended()
    elsewhere = put(tmp_path / "elsewhere" / "step-000005")
    checkpoints = run.folder / "checkpoints"
    (checkpoints / "step-000005").symlink_to(elsewhere)
    put(checkpoints / "step-mine")
    put(checkpoints / "notes")
    assert prune(one(run)) == 2000
    assert names(run) == {"step-000005", "step-mine", "notes"} and (elsewhere / "model.safetensors").exists()
    other = ended(steps=())
    (other.folder / "checkpoints").symlink_to(elsewhere.parent)
    assert candidates([other], every=True) == []


# -- what crashes left


@pytest.mark.parametrize("kind", ["finished", "stopped", None])
def test_what_a_crash_left_in_a_run_goes_always(kind: str | None) -> None:
    run = ended(kind, steps=(20,))
    kept = {"step-000020"} if kind != "finished" else set()
    checkpoints = run.folder / "checkpoints"
    for name in (".step-000030-123", ".replaced-step-000020", ".pruned-step-000010"):
        put(checkpoints / name)
    for name in (".model-new", ".model-old"):
        put(run.folder / name)
    item = one(run)
    assert (item.leftovers_bytes, item.checkpoints_bytes) == (5000, 0 if kept else 1000)
    assert prune(item) == item.bytes
    assert names(run) == kept and not list(run.folder.glob(".model-*"))
    assert run.model is not None


def test_the_only_copy_of_a_checkpoint_or_a_model_is_no_leftover() -> None:
    run = ended("stopped", model=False, steps=(10,))
    put(run.folder / "checkpoints" / ".replaced-step-000020")
    (run.folder / "checkpoints" / ".replaced-step-000020" / "manifest.json").write_text("{}")
    put(run.folder / ".model-old", name="config.json")
    assert candidates([run]) == []
    assert disk.resumes_at(run.folder) == 20
    assert prune(one(run, every=True)) == 2002
    assert names(run) == set() and (run.folder / ".model-old").is_dir()


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def long_ago(folder: Path) -> None:
    os.utime(folder, (time.time() - 3600, time.time() - 3600))


def test_runs_half_made_and_half_removed_are_freed_once_nobody_is_at_it() -> None:
    run = ended()
    home = paths.runs_folder()
    half_made, being_made = put(home / f".new-{dead_pid()}-1"), put(home / f".new-{os.getpid()}-2")
    just_made = put(home / f".new-{dead_pid()}-3")
    half_removed, being_removed = put(home / ".removed-x-1"), put(home / ".removed-x-2")
    no_lock, going_now = put(home / ".removed-x-3"), put(home / ".removed-x-4")
    put(home / ".mine")
    for folder in (half_made, being_made, no_lock):
        long_ago(folder)
    with RunLock(half_removed):
        pass
    with RunLock(being_removed):
        item = strays()
        assert item is not None and item.run is None and item.state == LEFTOVER
        assert set(item.folders) == {half_made, half_removed, no_lock}
        assert prune(item) == item.bytes >= 3000
    left = {p.name for p in home.iterdir()}
    assert left == {run.id, being_made.name, just_made.name, being_removed.name, going_now.name, ".mine"}
    assert len(names(run)) == 2, "a run is no leftover"


def test_without_a_runs_folder_there_is_nothing_to_free() -> None:
    assert strays() is None and candidates([]) == []


# -- when it goes wrong


def test_a_crash_in_the_middle_leaves_no_half_checkpoint_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended("stopped")
    item = one(run, every=True)
    removed: list[str] = []

    def killed(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        removed.append(folder.name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(item)
    assert removed == [".pruned-step-000010"]
    assert disk.checkpoints(run.folder) == []
    assert one(run).leftovers_bytes == 1002  # the next time takes the rest
    assert prune(one(run)) == 1002 and names(run) == set()


def test_killed_between_the_names_the_newest_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended("stopped")
    item = one(run, every=True)
    rename = Path.rename

    def once(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(KeyboardInterrupt):
        prune(item)
    assert [f.name for f in disk.checkpoints(run.folder)] == ["step-000020"]


def test_what_cannot_be_removed_is_said_with_what_is_free_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = ended(), ended()
    remove = shutil.rmtree

    def stuck(folder: Path) -> None:
        if folder.name == ".pruned-step-000020" and folder.is_relative_to(run.folder):
            raise PermissionError(13, "Permission denied", str(folder))
        remove(folder)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stuck)
        with pytest.raises(
            PruneError, match=r"pruned-step-000020 could not be removed: Permission denied; 1,000 b"
        ) as told:
            prune(one(run))
        assert told.value.freed == 1000
    put(run.folder / "checkpoints" / "step-000030")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stuck)
        freed = free(candidates([run, other]))
    assert [(item.run, count) for item, count in freed.items] == [(run, 1000), (other, 2000)]
    assert freed.bytes == 3000 and len(freed.troubles) == 1 and names(other) == set()
