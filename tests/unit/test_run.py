"""A run folder: made whole, found by many names but never outside, and the state that its files add up to."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from pathlib import Path

import pytest

from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import GoemoError, NotFoundError, RunError
from trainer.runs import home as home_module
from trainer.runs import identity, lock, state
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.names import ADJECTIVES, ANIMALS, friendly_name
from trainer.runs.run import Run, list_runs, short_name


@pytest.fixture
def run() -> Run:
    return Run.create(TrainConfig(epochs=2))


def log(run: Run, *kinds: str) -> None:
    with EventLog(run.folder / "events.jsonl") as events:
        for kind in kinds:
            events.append(kind, step=1)


def rewrite_lock(run: Run, **values: object) -> None:
    """Change what the lock file says, whoever holds it."""
    path = run.folder / "lock"
    found = dict(line.split(" ", 1) for line in path.read_text().splitlines())
    path.write_text("".join(f"{k} {v}\n" for k, v in {**found, **values}.items()))


def make_old(run: Run) -> None:
    then = time.time() - 3600
    os.utime(run.folder / "config.toml", (then, then))


# -- making and naming


def test_names_are_two_friendly_words() -> None:
    assert len(set(ADJECTIVES)) >= 60 and len(set(ANIMALS)) >= 60
    assert all(re.fullmatch("[a-z]+", word) for word in ADJECTIVES + ANIMALS)
    assert re.fullmatch("[a-z]+-[a-z]+", friendly_name())


def test_a_run_is_made_with_what_was_asked() -> None:
    extra = {"versions": {"torch": "2.13.0", "missing": None}, "corpus": {"path": "/x", "sha256": {"train": "ab"}}}
    made = Run.create(TrainConfig(epochs=7, lr=1e-3), extra)
    assert re.fullmatch(r"\d{8}-\d{4}-[a-z]+-[a-z]+", made.id)
    assert made.folder.parent == paths.runs_folder() and made.short == short_name(made.id)
    again = Run.open(made.id)
    assert again.config == TrainConfig(epochs=7, lr=1e-3)
    assert again.record["corpus"] == extra["corpus"] and again.record["versions"] == {"torch": "2.13.0"}
    assert abs(again.created - time.time()) < 600
    with pytest.raises(ValueError, match="settings"):
        Run.create(TrainConfig(), {"settings": {}})


def test_files_and_folders_are_private_whatever_the_umask() -> None:
    for umask in (0o000, 0o177):
        before = os.umask(umask)
        try:
            made = Run.create(TrainConfig())
            with RunLock(made.folder):
                lock.request_stop(made.folder)
                lock.mark_starting(made.folder)
        finally:
            os.umask(before)
        for path in [paths.runs_folder(), made.folder, *made.folder.rglob("*")]:
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_many_made_at_once_are_all_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "friendly_name", lambda taken: f"calm-{next(words)}")
    words = iter([*(["otter"] * 20), *(f"otter{n}" for n in range(100))])
    gate, made = threading.Barrier(8), []

    def create() -> None:
        gate.wait()
        made.append(Run.create(TrainConfig()).id)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8 == len(list_runs())
    assert all(one.config == TrainConfig() for one in list_runs())


def test_a_short_name_is_not_given_twice_while_others_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter(["calm-otter", "calm-otter", "calm-otter", "calm-wren"])
    monkeypatch.setattr("trainer.runs.names._choose", lambda words: words[0] if words is ADJECTIVES else "x")
    first = friendly_name()
    assert friendly_name({first}) == first  # nothing else can be had
    monkeypatch.setattr("trainer.runs.names._choose", lambda words: next(tries).split("-")[words is ANIMALS])
    tries = iter([w for name in ("calm-otter", "calm-wren") for w in (name, name)])
    assert friendly_name({"calm-otter"}) == "calm-wren"


def test_a_folder_that_cannot_be_written_is_an_error_for_people(goemo_home: Path) -> None:
    goemo_home.mkdir()
    (goemo_home / "runs").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="no run can be made"):
        Run.create(TrainConfig())


# -- finding


def test_runs_are_listed_newest_first_without_what_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_runs() == []
    made = [Run.create(TrainConfig()) for _ in range(3)]
    for age, one in enumerate(made):
        os.utime(one.folder / "config.toml", (1000 - age, 1000 - age))
    home = paths.runs_folder()
    (home / ".new-1-2").mkdir()
    (home / ".new-1-2" / "config.toml").write_text("")
    (home / "empty").mkdir()
    (home / "file").write_text("")
    assert [r.id for r in list_runs()] == [r.id for r in made]


def test_a_run_is_found_by_id_short_name_start_and_path(run: Run) -> None:
    for which in (run.id, run.short, run.id[:20], run.short[:-1], str(run.folder), run.folder):
        assert Run.open(which).folder == run.folder


def test_an_ambiguous_name_names_the_candidates(run: Run) -> None:
    home = paths.runs_folder()
    for date in ("20200101-0000", "20200102-0000"):
        folder = home / f"{date}-calm-otter"
        folder.mkdir()
        (folder / "config.toml").write_text("")
    with pytest.raises(NotFoundError, match=r"fits 2 runs.*20200102-0000-calm-otter"):
        Run.open("calm-otter")
    assert Run.open("20200102-0000-calm-otter").id == "20200102-0000-calm-otter"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../runs", "../outside", "x/../../outside", "/etc", "a\0b", "x" * 300, "x/" * 300, "~",
     "no-such-run", "\udcff", ".hidden", "linked", "HOME/outside", "HOME/runs/../outside"],
)  # fmt: skip
def test_names_never_leave_the_runs_folder(goemo_home: Path, run: Run, name: str) -> None:
    for folder in (goemo_home / "outside", goemo_home / "runs" / ".hidden"):
        folder.mkdir()
        (folder / "config.toml").write_text("")
    (goemo_home / "runs" / "linked").symlink_to(goemo_home / "outside")
    with pytest.raises(NotFoundError):
        Run.open(name.replace("HOME", str(goemo_home)))


def test_a_folder_that_is_no_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"config\.toml"):
        Run.open(tmp_path)


def test_a_config_of_another_format_or_of_rubbish_is_said(run: Run) -> None:
    path = run.folder / "config.toml"
    path.write_text("format = 99\n")
    with pytest.raises(RunError, match="format 99"):
        _ = Run(run.folder).config
    path.write_bytes(b"\xff\xff")
    with pytest.raises(RunError, match="cannot be read"):
        _ = Run(run.folder).config
    path.write_text("[settings]\nepochs = 0\n")
    with pytest.raises(GoemoError, match="epochs"):
        _ = Run(run.folder).config


# -- state


def test_the_states_of_a_run_from_start_to_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.state == "starting"
    with RunLock(run.folder):
        assert run.state == "running"
        log(run, "started", "step")
        assert run.state == "running" and run.look().pid == os.getpid()
        lock.request_stop(run.folder)
        assert run.state == "stopping"
        lock.withdraw_stop(run.folder)
        monkeypatch.setattr(state, "STALLED_SECONDS", -1.0)
        assert run.state == "stalled"
        monkeypatch.undo()
        log(run, "stopped")
        assert run.state == "stopped"  # the worker is still clearing up
    assert run.state == "stopped" and run.look().pid is None


@pytest.mark.parametrize("end", ["finished", "failed", "stopped"])
def test_an_end_counts_until_the_run_goes_on(run: Run, end: str) -> None:
    with RunLock(run.folder):
        log(run, "started", "step", end)
    assert run.state == end
    with RunLock(run.folder):
        assert run.state == "running"  # the new worker has not said a word yet
        log(run, "warning")
        assert run.state == "running"
        log(run, "resumed")
        assert run.state == "running"
    assert run.state == "died"


def test_a_run_that_nobody_takes_up_has_died_in_the_end(run: Run) -> None:
    make_old(run)
    assert run.state == "died" and "no worker" in run.why_died()
    lock.mark_starting(run.folder)
    assert run.state == "starting"  # the starter lives: this process
    path = run.folder / "control" / "starting"
    path.write_text(path.read_text().replace(f"pid {os.getpid()}", "pid 999999999"))
    assert run.state == "died"


def test_a_run_being_taken_up_again_is_starting(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started", "stopped")
    lock.mark_starting(run.folder)
    assert run.state == "starting"
    lock.unmark_starting(run.folder)
    assert run.state == "stopped"


def test_a_free_lock_without_an_end_has_died(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
    assert run.state == "died" and str(os.getpid()) in run.why_died()
    rewrite_lock(run, boot="another-boot")
    assert run.state == "died" and "restarted" in run.why_died()


def test_a_forged_pid_is_not_a_living_worker(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
    rewrite_lock(run, pid=os.getppid())
    holder = lock.holder(run.folder)
    assert holder is not None and holder.pid == os.getppid() and not holder.alive
    assert run.state == "died" and run.summary()["pid"] is None


def test_a_lock_held_under_a_wrong_name_is_unknown_never_dead(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
        rewrite_lock(run, ticks=1)  # as of a process that had this number before
        assert run.state == "unknown" and run.look().pid is None


def test_a_lock_that_changes_hands_here_is_starting_never_unknown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next worker holds it and has not written its name, for longer than anybody waits to see it."""
    monkeypatch.setattr(lock, "SETTLE_SECONDS", 0.0)
    with RunLock(run.folder):
        log(run, "started")
        rewrite_lock(run, ticks=1, supervisor=os.getpid(), tries=2)
        assert run.state == "starting"
        lock.request_stop(run.folder)
        assert run.state == "stopping"
        lock.withdraw_stop(run.folder)
        rewrite_lock(run, tries=0)
        assert run.state == "unknown"
        lock.mark_starting(run.folder)
        assert run.state == "starting"


def test_the_process_itself_is_told_from_one_with_its_number() -> None:
    me = lock.Process.me()
    assert me.alive
    assert not lock.Process(me.pid, (me.ticks or 0) + 1, me.boot, me.host).alive
    assert not lock.Process(me.pid, me.ticks, "another boot", me.host).alive
    assert not lock.Process(me.pid, me.ticks, "another boot", "another host").alive
    assert not lock.Process(me.pid, me.ticks, None, "another host").alive
    assert lock.Process(me.pid, me.ticks, me.boot, "another host").alive  # this very machine under an older name
    assert not lock.Process(me.pid, (me.ticks or 0) + 1, me.boot, "another host").alive
    assert not lock.Process(999_999_999, None, me.boot, me.host).alive
    assert not lock.Process(0, None, me.boot, me.host).alive


def test_without_proc_the_lock_and_the_number_decide(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "PROC", tmp_path / "none")
    me = lock.Process.me()
    assert me.ticks is None and me.boot is None and me.alive
    assert not lock.Process(999_999_999, None, None, me.host).alive
    with RunLock(run.folder):
        log(run, "started")
        assert run.state == "running"
    assert run.state == "died"


def test_another_host_is_unknown_unless_the_run_has_ended(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
    rewrite_lock(run, host="elsewhere", boot="another-boot")
    assert run.state == "unknown"
    with pytest.raises(RunError, match="elsewhere"):
        run.delete()
    log(run, "finished")
    assert run.state == "finished"


def test_a_run_that_waits_says_so_until_it_is_taken_up_again(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "waiting")
        assert run.state == "waiting"
    assert run.state == "died"
    with RunLock(run.folder):
        assert run.state == "running"


def test_events_of_another_format_are_not_taken_for_a_death(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
    assert run.state == "died" and run.foreign_format is None
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"v":2,"seq":2,"kind":"completed","wall":1,"mono":1}\n')
    assert run.state == "unknown" and run.foreign_format == 2
    assert "format 2" in run.snapshot().warnings[0] and "died" not in run.summary()
    log(run, "resumed")  # of this format: a worker that could go on has said so
    assert run.state == "died" and run.foreign_format is None
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"seq":4,"kind":"step"}\n')
    assert run.state == "unknown" and run.foreign_format == "none"


def test_lines_of_a_lock_that_nobody_knows_are_passed_over(run: Run) -> None:
    with RunLock(run.folder):
        log(run, "started")
        found = lock.holder(run.folder)
        path = run.folder / "lock"
        path.write_text("colour blue\n\n" + path.read_text() + "tries many\nsupervisor nobody\nmood \xff\n")
        assert lock.holder(run.folder) == found and run.state == "running"


def test_a_lock_with_rubbish_in_it_is_free(run: Run) -> None:
    make_old(run)
    for text in (b"", b"\xff\0", b"pid many\nhost x\n", b"pid 1"):
        (run.folder / "lock").write_bytes(text)
        assert run.state == "died", text


def test_the_summary_has_the_keys_of_the_contract(run: Run) -> None:
    with RunLock(run.folder):
        with EventLog(run.folder / "events.jsonl") as events:
            events.append("started", steps=10, epochs=2)
            events.append("step", step=4, epoch=1, loss=0.25)
            events.append("validation", step=5, epoch=1, macro_f1=0.5, best=True)
            events.append("validation", step=10, epoch=2, macro_f1=0.4, best=False)
        summary = run.summary()
    assert summary == {
        "run": run.id, "state": "running", "step": 10, "steps": 10, "epoch": 2, "loss": 0.25,
        "validation": {"step": 5, "epoch": 1, "macro_f1": 0.5, "best": True},
        "pid": os.getpid(), "config": TrainConfig(epochs=2).to_dict(),
    }  # fmt: skip
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_a_replaced_log_makes_a_new_picture(run: Run) -> None:
    log(run, "started", "step", "step")
    assert run.snapshot().seq == 3
    (run.folder / "events.jsonl").unlink()
    log(run, "warning")
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b"rubbish\n")
    seen = run.snapshot()
    assert (seen.seq, len(seen.curve), seen.started, seen.bad) == (1, 0, None, 1)


# -- the lock


def test_one_worker_at_a_time(run: Run) -> None:
    with RunLock(run.folder), pytest.raises(RunError, match=f"already being trained by pid {os.getpid()}"):
        RunLock(run.folder).__enter__()
    with RunLock(run.folder) as again:
        assert not os.get_inheritable(again._fd)


def test_whoever_looks_does_not_keep_a_worker_out(run: Run) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            lock.holder(run.folder)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for thread in lookers:
        thread.start()
    try:
        for _ in range(100):
            with RunLock(run.folder):
                pass
    finally:
        done.set()
        for thread in lookers:
            thread.join()


def test_a_lock_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        RunLock(tmp_path / "gone").__enter__()
    assert lock.holder(tmp_path / "gone") is None


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES])
def test_a_wish_to_stop_that_cannot_be_seen_ends_no_training(
    run: Run, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.request_stop(run.folder)
    assert lock.stop_requested(run.folder)

    def away(path: Path, **_: object) -> os.stat_result:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", away)
        assert not lock.stop_requested(run.folder)
    assert lock.stop_requested(run.folder)


def test_a_home_that_cannot_sync_its_names_still_takes_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []

    def refuse(path: Path) -> None:
        synced.append(path)
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(paths, "sync", refuse)
    made = Run.create(TrainConfig())
    assert synced == [made.folder.parent] and made.config == TrainConfig()


def test_to_sync_a_folder_or_a_file_tells_of_what_fails(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    paths.sync(tmp_path)
    (tmp_path / "file").touch()
    paths.sync(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        paths.sync(tmp_path / "gone")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# -- removing


def test_the_model_before_is_there_while_none_is_in_its_place(run: Run) -> None:
    def keep(name: str) -> Path:
        (run.folder / name).mkdir()
        (run.folder / name / "config.json").write_text("{}")
        return run.folder / name

    assert run.model is None
    before = keep(".model-old")
    assert run.model == before
    assert run.model != keep("model") and run.model == run.folder / "model"


def test_a_run_of_somebody_else_is_not_writable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.writable
    me = os.geteuid()
    run.folder.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert not run.writable
    monkeypatch.undo()
    if me == 0:  # root may write everywhere, which makes nothing its own
        os.chown(run.folder, 65534, 65534)
        assert not run.writable
        with pytest.raises(RunError, match="belongs to"):
            run.delete()
    assert not Run(run.folder.with_name("gone")).writable


def test_another_starters_note_stays(run: Run) -> None:
    lock.mark_starting(run.folder)
    path = run.folder / "control" / "starting"
    other = path.read_text().replace(f"pid {os.getpid()}\n", f"pid {os.getppid()}\n")
    path.write_text(other.replace(f"ticks {lock.Process.me().ticks}", f"ticks {lock.Process.of(os.getppid()).ticks}"))
    lock.unmark_starting(run.folder)
    assert run.state == "starting" and path.exists()
    path.write_text(path.read_text().replace("ticks ", "ticks 1"))  # one that is gone
    lock.unmark_starting(run.folder)
    assert not path.exists()


def test_a_request_never_brings_a_removed_run_back(run: Run) -> None:
    gone = run.folder.with_name("gone")
    for ask in (lock.request_stop, lock.mark_starting):
        with pytest.raises(FileNotFoundError):
            ask(gone)
    assert not gone.exists()


def test_a_run_that_ended_is_removed_wholly(run: Run) -> None:
    (run.folder / "model").mkdir()
    (run.folder / "model" / "config.json").write_text("{}")
    assert run.model == run.folder / "model"
    with RunLock(run.folder):
        log(run, "started", "finished")
    run.delete()
    assert list(paths.runs_folder().iterdir()) == []
    with pytest.raises(NotFoundError):
        _ = run.state


def test_a_living_run_is_not_removed(run: Run) -> None:
    with pytest.raises(RunError, match="starting"):
        run.delete()
    with RunLock(run.folder):
        with pytest.raises(RunError, match="running"):
            run.delete()
        rewrite_lock(run, ticks=1)
        with pytest.raises(RunError, match="cannot be seen"):
            run.delete()
    assert run.folder.is_dir()
