"""What stands beside a worker: it knows how the worker ended, says so, and takes up again what died; nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit import fake_worker
from tests.unit.fake_worker import lives, until
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs import lock, process, supervise
from trainer.runs.run import Run
from trainer.runs.snapshot import Snapshot
from trainer.runs.tail import EventTail

Begin = Callable[[int], "subprocess.Popen[bytes]"]


@pytest.fixture(autouse=True)
def nobody_stays() -> Iterator[None]:
    yield
    fake_worker.end_all()


def made(retries: int = 0) -> Run:
    return Run.create(TrainConfig(retries=retries))


def start(run: Run, how: str = "works") -> int:
    return process.start(run, fake_worker.command(run, how))


def holder(run: Run) -> lock.LockHolder:
    found = lock.holder(run.folder)
    assert found is not None
    return found


def worker(run: Run) -> lock.Process:
    found = holder(run).process
    assert found is not None
    return found


def supervisor(run: Run) -> lock.Process:
    found = holder(run).supervisor
    assert found is not None
    return found


def gone(one: lock.Process) -> None:
    until(lambda: not one.alive, f"pid {one.pid} does not go")


def status(pid: int, key: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(f"{key}:"))


def told(run: Run) -> list[str]:
    """Kinds of all events but steps, after a look at their numbers."""
    events = EventTail(run.folder / "events.jsonl").poll()
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    return [e["kind"] for e in events if e["kind"] != "step"]


def beginner(run: Run, how: str) -> Begin:
    """Starts workers as a supervisor does, with this process in its place."""

    def begin(tries: int) -> subprocess.Popen[bytes]:
        own = {**os.environ, lock.SUPERVISOR: f"{os.getpid()} {tries}"}
        return subprocess.Popen(fake_worker.command(run, how), env=own)

    return begin


# -- beside the worker


def test_a_supervisor_stands_beside_and_holds_on_to_nothing() -> None:
    run = made()
    pid = start(run)
    beside = supervisor(run)
    assert beside.alive and status(pid, "PPid") == str(beside.pid)
    folder = Path(f"/proc/{beside.pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    assert fields[3] != str(beside.pid) != fields[2] and fields[4] == "0"  # leads no session, has no terminal
    assert int(fields[3]) != os.getsid(0)
    assert (folder / "cwd").readlink() == Path("/")
    until(lambda: len(list((folder / "fd").iterdir())) == 3)  # none of the starter's pipes, nor the lock
    assert [(folder / "fd" / name).readlink() for name in "012"] == [Path("/dev/null"), run.worker_log, run.worker_log]
    assert int(status(beside.pid, "SigIgn"), 16) >> (signal.SIGHUP - 1) & 1
    assert (
        not int(status(pid, "SigIgn"), 16) >> (signal.SIGINT - 1) & 1
    )  # the worker heeds what its supervisor does not
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        os.kill(beside.pid, number)
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 5)
    assert beside.alive and run.state == "running"
    process.stop(run)
    gone(beside)


def test_what_a_starter_has_open_reaches_nobody(tmp_path: Path) -> None:
    run = made()
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        pid = start(run)
    for one in (pid, supervisor(run).pid):
        opened = set()
        for fd in Path(f"/proc/{one}/fd").iterdir():
            with suppress(FileNotFoundError):  # one that was open for a moment only
                opened.add(fd.readlink())
        assert opened and tmp_path / "open" not in opened


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_signal_that_killed_a_worker_is_known(number: signal.Signals) -> None:
    run = made()
    pid = start(run)
    assert run.exit() is None and "died" not in run.summary()
    os.kill(pid, number)
    until(lambda: run.state == "died")
    assert run.why_died() == f"the worker (pid {pid}) was killed by {number.name}"  # it waits for the word that is due
    end = run.exit()
    assert end is not None and (end.code, end.signal, end.oom) == (None, number.name, False)
    assert run.summary()["died"] == run.why_died()
    path = run.folder / "control" / "exit"
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_text().startswith(f"pid {pid}\nticks ")


@pytest.mark.parametrize("code", [0, 1, 137])
def test_the_exit_code_of_a_worker_is_known(code: int) -> None:
    run = made()
    start(run, f"quits:{code}")
    until(run.exit)
    end = run.exit()
    assert end is not None and (end.code, end.signal) == (code, None)
    assert run.state == "died" and f"ended with exit code {code}" in run.why_died()


def test_an_end_in_good_order_is_written_down_too() -> None:
    run = made()
    start(run)
    process.stop(run)
    until(run.exit)
    end = run.exit()
    assert end is not None and end.code == 0 and "died" not in run.summary()


def test_the_end_of_another_worker_is_not_taken_for_this_ones() -> None:
    run = made()
    fake_worker.end(lock.Process.of(start(run)))
    until(run.exit)
    path = run.folder / "lock"
    text = path.read_text()
    path.write_text(text.replace(f"ticks {worker(run).ticks}", "ticks 1"))
    assert run.state == "died" and run.exit() is None and "without a word" in run.why_died()
    path.write_text(text.replace(f"boot {worker(run).boot}", "boot before"))
    assert run.exit() is None and run.why_died() == "the machine was restarted"
    path.write_text(text)
    assert run.exit() is not None
    for rubbish in (b"", b"\xff\0", b"pid 1\nhost x\n", b"signal nine\n", b"pid 1\nhost x\ncode -\n"):
        (run.folder / "control" / "exit").write_bytes(rubbish)
        assert run.exit() is None and "without a word" in run.why_died()


def test_a_killed_supervisor_changes_nothing_for_its_worker() -> None:
    run = made(retries=3)
    start(run)
    fake_worker.end(supervisor(run))
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 5)
    assert run.state == "running"
    fake_worker.end(worker(run))
    assert run.state == "died" and run.exit() is None and "without a word" in run.why_died()
    assert lives(run) == 1


def test_a_removed_run_does_not_come_back() -> None:
    run = made()
    start(run)
    beside = supervisor(run)
    os.kill(beside.pid, signal.SIGSTOP)
    process.stop(run)  # its process is a zombie now, of which nobody has heard
    run.delete()
    os.kill(beside.pid, signal.SIGCONT)
    gone(beside)
    assert not run.folder.exists()


# -- taken up again


def test_a_worker_that_died_is_followed_by_another() -> None:
    run = made(retries=3)
    first = start(run, "dies:2")
    states = set()
    until(lambda: states.add(run.state) or (lives(run) == 3 and run.state == "running"))
    assert states <= {"starting", "running"}  # never taken for dead
    until(lambda: run.snapshot().step > 5)
    assert run.look().pid not in (None, first) and holder(run).tries == 1
    assert told(run) == ["started", "resumed", "resumed"]
    lines = run.worker_log.read_text().splitlines()
    assert len(lines) == 2
    assert f"the worker (pid {first}) was killed by SIGKILL; taken up again in 1 s (try 1 of 3)" in lines[0]
    assert "in 2 s (try 2 of 3)" in lines[1]
    process.stop(run)
    assert run.state == "stopped" and lives(run) == 3


def test_a_worker_that_dies_while_it_is_looked_at_is_no_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made(retries=1)
    start(run)
    read = Run.snapshot

    def read_late(self: Run) -> Snapshot:  # between the look at the lock and the word for what was seen
        first = worker(run)
        os.kill(first.pid, signal.SIGKILL)
        gone(first)
        monkeypatch.setattr(Run, "snapshot", read)
        return read(self)

    monkeypatch.setattr(Run, "snapshot", read_late)
    assert run.state == "running"  # as it was seen
    assert run.state in ("starting", "running")


def test_it_is_taken_up_again_as_often_as_was_asked_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "dies:9")
    supervise.watch(run.folder, begin(2), begin, 2)
    assert lives(run) == 3 and run.state == "died" and told(run) == ["started", "resumed", "resumed"]
    assert run.why_died() == f"the worker (pid {worker(run).pid}) was killed by SIGKILL"


def test_an_error_that_nobody_foresaw_is_a_death() -> None:
    run = made(retries=1)
    start(run, "errs:1")
    states = set()
    until(lambda: states.add(run.state) or (lives(run) == 2 and told(run) == ["started", "failed", "resumed"]))
    assert "failed" not in states and run.state == "running"


def test_the_last_error_is_how_the_run_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "errs:9")
    supervise.watch(run.folder, begin(1), begin, 1)
    assert lives(run) == 2 and run.state == "failed"


@pytest.mark.parametrize(("how", "state"), [("finishes", "finished"), ("fails", "failed"), ("quits:1", "died")])
def test_what_ended_as_it_meant_to_is_not_taken_up_again(how: str, state: str) -> None:
    run = made(retries=5)
    start(run, how)
    gone(supervisor(run))
    assert run.state == state and lives(run) == 1


def test_what_was_stopped_is_not_taken_up_again() -> None:
    run = made(retries=5)
    start(run)
    beside = supervisor(run)
    process.stop(run)
    gone(beside)
    assert run.state == "stopped" and lives(run) == 1


def test_a_worker_killed_after_its_last_word_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "finishes:killed")
    supervise.watch(run.folder, begin(3), begin, 3)
    assert lives(run) == 1 and run.state == "finished"
    end = run.exit()
    assert end is not None and end.signal == "SIGKILL"


@pytest.mark.parametrize("what", ["the log", "the lock"])
def test_what_cannot_be_read_for_a_moment_does_not_end_the_trying(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "dies:2")
    times = iter(range(100))

    def away(real: Callable[..., object]) -> Callable[..., object]:
        def asked(*arguments: object) -> object:
            if next(times) < 2:  # after the first death
                raise RunError("Stale file handle")
            return real(*arguments)

        return asked

    if what == "the log":
        monkeypatch.setattr(Run, "snapshot", away(Run.snapshot))
    else:
        monkeypatch.setattr(lock, "holder", away(lock.holder))
    worker = begin(2)
    supervised = threading.Thread(target=supervise.watch, args=(run.folder, worker, begin, 2))
    supervised.start()
    until(lambda: lives(run) == 3 or not supervised.is_alive())
    assert lives(run) == 3
    until(lambda: any(e["kind"] == "step" for e in EventTail(run.folder / "events.jsonl").poll()))
    process.stop(run)
    supervised.join()


def test_a_worker_that_never_got_the_lock_is_its_starters_to_report() -> None:
    run = made(retries=5)
    with pytest.raises(RunError, match="not to my liking"):
        start(run, "refuses")
    with lock.RunLock(run.folder), pytest.raises(RunError, match="already being trained"):
        start(run)
    assert lives(run) == 1 and run.exit() is None
    run = made(retries=5)
    with pytest.raises(RunError, match="ended at once"):
        start(run, "stillborn")
    until(lambda: supervise.read_exit(run.folder))
    assert lives(run) == 1 and run.worker_log.read_text() == ""


def test_a_later_worker_may_die_before_it_gets_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "early:9")
    supervise.watch(run.folder, begin(2), begin, 2)
    assert lives(run) == 3 and told(run) == ["started"]


def test_retries_are_the_runs_own_setting() -> None:
    for retries in (0, 7):
        run = made(retries)
        start(run)
        assert holder(run).tries == retries
    run = made(retries=3)
    path = run.folder / "config.toml"
    path.write_text(path.read_text().replace("retries = 3", "retries = -1"))
    run = Run.open(run.folder)
    start(run)
    assert holder(run).tries == 0  # the worker says what is wrong, not the supervisor


def test_a_child_of_the_worker_is_not_supervised(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made()
    for value in ("", "1", "1 5", f"{os.getppid()} many", f"{os.getppid()}"):
        monkeypatch.setenv(lock.SUPERVISOR, value)
        with lock.RunLock(run.folder):
            assert (holder(run).supervisor, holder(run).tries) == (None, 0), value
    child = beginner(run, "works")(5)
    try:
        until(lambda: lives(run) and run.state == "running")
        assert supervisor(run) == lock.Process.me() and holder(run).supervised
    finally:
        child.kill()
        child.wait()


# -- between two tries


def between(run: Run) -> lock.Process:
    """A run whose first worker is dead and whose second has not been started: its supervisor, which is at a halt."""
    start(run)
    beside = supervisor(run)
    os.kill(beside.pid, signal.SIGSTOP)
    until(lambda: status(beside.pid, "State").startswith("T"))
    until(lambda: run.snapshot().step > 2)
    fake_worker.end(worker(run))
    assert lives(run) == 1 and run.state == "starting"
    return beside


def test_a_run_can_be_stopped_between_two_tries() -> None:
    run = made(retries=1)
    beside = between(run)
    threading.Timer(0.2, os.kill, (beside.pid, signal.SIGCONT)).start()
    process.stop(run)
    assert run.state == "stopped" and told(run)[-1] == "stopped" and lives(run) == 2
    gone(beside)


def test_a_wish_to_stop_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made()
    with lock.RunLock(run.folder) as held:
        own = {held.process}
    seen: list[float] = []

    def sleep(seconds: float) -> None:
        assert not seen, "it sleeps on"
        seen.append(seconds)
        lock.request_stop(run.folder)

    monkeypatch.setattr(supervise.time, "sleep", sleep)
    assert supervise._pause(run.folder, own, 1e9, lambda: False)
    assert len(seen) == 1
    assert not supervise._pause(run.folder, own, 1e9, lambda: True)  # the machine goes down
    assert not supervise._pause(run.folder, set(), 1e9, lambda: False)  # somebody else has taken it up
    assert not supervise._pause(run.folder.with_name("gone"), own, 1e9, lambda: False)


def test_a_supervisor_that_is_told_to_go_starts_nobody() -> None:
    run = made(retries=5)
    beside = between(run)
    os.kill(beside.pid, signal.SIGTERM)
    os.kill(beside.pid, signal.SIGCONT)
    gone(beside)
    assert run.state == "died" and lives(run) == 1


def test_a_run_about_to_be_taken_up_again_is_left_alone() -> None:
    run = made(retries=1)
    beside = between(run)
    with pytest.raises(RunError, match="is starting"):
        process.resume(run)
    with pytest.raises(RunError, match="is starting"):
        run.delete()
    lock.request_stop(run.folder)
    assert run.state == "stopping"
    fake_worker.end(beside)
    assert run.state == "died"
    run.delete()


def test_a_supervisor_gives_up_where_another_worker_is_at_work() -> None:
    run = made(retries=1)
    beside = between(run)
    second = start(run)
    assert holder(run).supervisor not in (None, beside) and holder(run).tries == 1  # its own, and its own count
    os.kill(beside.pid, signal.SIGCONT)
    gone(beside)
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 5)
    assert run.look().pid == second and lives(run) == 2
    fake_worker.end(worker(run))
    until(lambda: lives(run) == 3 and run.state == "running")


def test_a_supervisor_and_others_that_start_at_once_make_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "works")
    first = begin(1)
    watching = threading.Thread(target=supervise.watch, args=(run.folder, first, begin, 1))
    watching.start()
    until(lambda: run.snapshot().step > 2)
    first.kill()
    others = [subprocess.Popen(fake_worker.command(run), stderr=subprocess.DEVNULL) for _ in range(4)]
    try:
        until(lambda: lives(run) == 6)
        pids = [int(line) for line in (run.folder / "lives").read_text().splitlines()]
        until(lambda: sum(lock.Process.of(pid).alive for pid in pids) == 1, "not all but one have given up")
        assert run.state == "running" and lock.Process.of(worker(run).pid).alive and worker(run).pid in pids[1:]
        assert told(run) == ["started", "resumed"]
    finally:
        for other in others:
            other.kill()
            other.wait()
        fake_worker.end_all()
        watching.join()
    assert lives(run) == 6


def test_a_start_that_fails_for_now_is_one_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervise, "LONGEST_WAIT", 0.0)
    run = made()
    begin = beginner(run, "dies:1")

    def fails_once(tries: int) -> subprocess.Popen[bytes]:
        if tries == 2:
            raise OSError(12, "Cannot allocate memory")
        return begin(tries)

    watching = threading.Thread(target=supervise.watch, args=(run.folder, begin(3), fails_once, 3))
    watching.start()
    try:
        until(lambda: lives(run) == 2 and run.state == "running")
        assert holder(run).tries == 1 and "Cannot allocate memory" in capsys.readouterr().err
        process.stop(run)
    finally:
        fake_worker.end_all()
        watching.join()
    assert run.state == "stopped"


# -- memory


def test_what_the_system_says_about_memory_is_read(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    second = tmp_path / "user.slice" / "a:b" / "memory.events"
    first = tmp_path / "memory" / "job" / "memory.oom_control"
    for path, text in ((second, "low 0\noom 3\noom_kill 2\n"), (first, "oom_kill_disable 0\noom_kill 5\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    for text, expected in (
        ("0::/user.slice/a:b\n", 2),
        ("4:cpu:/\n3:cpuset,memory:/job\n0::/\n", 5),
        ("0::/elsewhere\n", None),
        ("", None),
    ):
        own.write_text(text)
        assert supervise.oom_kills(tmp_path, own) == expected
    assert supervise.oom_kills(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(("counts", "expected"), [((1, 2), True), ((1, 1), False), ((None, None), False)])
def test_the_out_of_memory_killer_is_told_from_other_killers(
    monkeypatch: pytest.MonkeyPatch, counts: tuple[int | None, int | None], expected: bool
) -> None:
    run, seen = made(), iter(counts)
    monkeypatch.setattr(supervise, "oom_kills", lambda: next(seen))
    begin = beginner(run, "dies:1")
    supervise.watch(run.folder, begin(0), begin, 0)
    end = run.exit()
    assert end is not None and (end.signal, end.oom) == ("SIGKILL", expected)
    assert ("out-of-memory killer" in run.why_died()) is expected
