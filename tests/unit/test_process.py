"""Workers as real processes: started detached, told apart, stopped, resumed; never two in one run."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit import fake_worker
from tests.unit.fake_worker import until
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs import launch, lock, process
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import EventTail, read_events


@pytest.fixture
def run() -> Iterator[Run]:
    yield Run.create(TrainConfig())
    fake_worker.end_all()


def start(run: Run, how: str = "works") -> int:
    return process.start(run, fake_worker.command(run, how))


def worker(run: Run) -> lock.Process:
    """The process that holds the lock, or held it last."""
    found = lock.holder(run.folder)
    assert found is not None and found.process is not None
    return found.process


def stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on: state, parent, group, session, terminal, …"""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rfind(")") + 2 :].split()


def test_a_worker_is_started_detached(run: Run) -> None:
    pid = start(run)
    assert run.state == "running" and run.look().pid == pid
    assert worker(run) == lock.Process.of(pid) and worker(run).alive
    state, parent, group, session, terminal = stat(pid)[:5]
    assert state != "Z" and int(parent) != os.getpid()  # nobody's child: no zombie stays when the starter lives on
    assert int(session) != os.getsid(0) and int(session) != pid  # no session leader, so no terminal can become its own
    assert int(group) == pid and terminal == "0"
    folder = Path(f"/proc/{pid}")
    assert (folder / "cwd").readlink() == Path("/")
    assert (folder / "fd" / "0").readlink() == Path("/dev/null")
    assert (folder / "fd" / "1").readlink() == (folder / "fd" / "2").readlink() == run.worker_log
    ignored = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("SigIgn"))
    assert int(ignored.split()[1], 16) >> (signal.SIGHUP - 1) & 1

    apart = {"/dev/null", str(run.worker_log)}

    def open_files() -> set[str]:
        with suppress(FileNotFoundError):  # closed while we look
            return {str(fd.readlink()) for fd in (folder / "fd").iterdir()} - apart
        return set()

    # its folder, too, for the moment in which a new file's name is made to last
    until(lambda: open_files() == {str(run.folder / "lock"), str(run.folder / "events.jsonl")})
    assert run.worker_log.stat().st_mode & 0o777 == 0o600
    umask = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("Umask"))
    assert umask.split()[1] == "0077"
    assert not (run.folder / "control" / "starting").exists()
    os.kill(pid, signal.SIGHUP)
    until(lambda: run.snapshot().step > 5)
    assert worker(run).alive


def test_a_worker_that_is_quick_counts_as_started(run: Run) -> None:
    pid = start(run, "finishes")
    until(lambda: not worker(run).alive)
    assert run.state == "finished" and worker(run).pid == pid


def test_a_worker_that_ends_at_once_is_an_error_with_the_end_of_its_log(run: Run) -> None:
    with pytest.raises(RunError, match="not to my liking"):
        start(run, "refuses")
    assert not (run.folder / "control" / "starting").exists()
    with pytest.raises(RunError, match="cannot be started"):
        process.start(run, ["/no/such/program"])


def test_a_worker_that_never_takes_the_lock_is_an_error(run: Run) -> None:
    sleeper = [sys.executable, "-c", "import os, sys, time; print(os.getpid(), flush=True); time.sleep(30)"]
    with pytest.raises(RunError, match="does not get going"):
        process.start(run, sleeper, timeout=0.5)
    fake_worker.end(lock.Process.of(int(run.worker_log.read_text())))


def test_a_worker_stops_when_asked(run: Run) -> None:
    start(run)
    until(lambda: run.snapshot().step > 2)
    process.stop(run)
    assert not worker(run).alive and run.state == "stopped"
    assert process.stop_requested(run.folder)
    with pytest.raises(RunError, match="is stopped"):
        process.stop(run)


def test_a_stop_reaches_a_worker_that_gets_no_signal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_terminate", lambda worker: None)
    start(run)
    process.stop(run)
    assert run.state == "stopped"


def test_a_stop_reaches_a_worker_by_signal_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "request_stop", lambda folder: None)
    start(run)
    process.stop(run)
    assert run.state == "stopped"


def test_a_program_that_trains_among_other_things_lives_on_when_its_run_is_stopped(run: Run) -> None:
    start(run, "script")
    until(lambda: run.snapshot().step > 2)
    process.stop(run)
    seen = run.snapshot()
    assert run.state == "stopped" and seen.checkpoint is not None and seen.checkpoint["step"] == seen.step
    assert worker(run).alive  # the run let go of is enough: the program has more to do
    with pytest.raises(RunError, match="is stopped"):
        process.stop(run)


def test_a_lock_says_whether_its_holder_takes_signals(run: Run) -> None:
    for signals in (True, False):
        with lock.RunLock(run.folder, signals):
            found = lock.holder(run.folder)
            assert found is not None and found.alive and found.signals is signals
    process.start(run)  # the real worker
    found = lock.holder(run.folder)
    assert found is not None and found.signals


def test_a_run_that_is_being_started_can_be_stopped(run: Run) -> None:
    starting = threading.Thread(target=start, args=(run, "slow"))
    starting.start()
    until(lambda: fake_worker.lives(run))
    assert run.state == "starting"
    process.stop(run)
    starting.join()
    assert run.state == "stopped" and [e["kind"] for e in read_events(run.folder / "events.jsonl")][-1] == "stopped"
    with pytest.raises(RunError, match="is stopped"):
        process.stop(run)


def test_a_run_that_nobody_takes_up_says_so_when_it_is_to_stop(run: Run) -> None:
    with pytest.raises(RunError, match="asked to stop, but no worker has taken it up"):
        process.stop(run, timeout=0.1)


def test_a_run_that_waits_can_be_stopped(run: Run) -> None:
    start(run, "waits")
    until(lambda: run.state == "waiting")
    process.stop(run)
    assert run.state == "stopped" and not worker(run).alive


def test_a_full_disk_does_not_keep_a_run_from_being_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    start(run)
    monkeypatch.setattr(lock, "request_stop", full)
    monkeypatch.setattr(lock, "mark_starting", full)
    process.stop(run)
    assert run.state == "stopped"
    with pytest.raises(RunError, match="No space left"):
        start(run)
    with lock.RunLock(run.folder), pytest.raises(RunError, match="No space left"):
        process.stop(run)


def test_a_worker_that_does_not_stop_is_named_and_left_alone(run: Run) -> None:
    start(run, "deaf")
    until(lambda: run.snapshot().step > 2)
    with pytest.raises(RunError, match=f"pid {worker(run).pid}.*still at work"):
        process.stop(run, timeout=0.2)
    assert worker(run).alive and run.state == "stopping"


def test_a_worker_killed_by_the_system_has_died(run: Run) -> None:
    start(run)
    until(lambda: run.snapshot().step > 2)
    fake_worker.end(worker(run))
    assert run.state == "died" and "killed" in run.why_died() and run.look().pid is None
    with pytest.raises(RunError, match="is died"):
        process.stop(run)


def test_a_worker_that_is_held_up_is_alive(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = start(run)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: stat(pid)[0] == "T")
    assert run.state == "running"
    monkeypatch.setattr("trainer.runs.state.STALLED_SECONDS", 0.0)
    assert run.state == "stalled" and run.look().pid == pid
    os.kill(pid, signal.SIGCONT)


def test_a_zombie_is_not_alive(run: Run) -> None:
    child = subprocess.Popen(fake_worker.command(run, "finishes"))
    try:
        until(lambda: lock.holder(run.folder) is not None and stat(child.pid)[0] == "Z")
        assert worker(run).pid == child.pid and not worker(run).alive
        assert run.state == "finished"
    finally:
        child.wait()


def test_the_lock_does_not_stay_with_a_child_of_the_worker(run: Run) -> None:
    start(run, "forks")
    until(lambda: run.snapshot().step > 0)
    child = worker(Run(run.folder / "child"))
    assert child.alive and child.pid != worker(run).pid
    fake_worker.end(worker(run))
    assert child.alive
    found = lock.holder(run.folder)
    assert found is not None and not found.locked
    assert run.state == "died"


def test_two_starters_at_the_same_moment_make_one_worker(run: Run) -> None:
    gate = threading.Barrier(4)
    pids: list[int] = []
    refused: list[str] = []

    def attempt() -> None:
        gate.wait()
        try:
            pids.append(start(run))
        except RunError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 1 and len(refused) == 3
    assert all(f"already being trained by pid {pids[0]}" in text for text in refused)
    assert run.look().pid == pids[0]
    assert [e["pid"] for e in EventTail(run.folder / "events.jsonl").poll() if e["kind"] != "step"] == pids


def test_workers_racing_for_the_lock_are_told_apart(run: Run) -> None:
    workers = [subprocess.Popen(fake_worker.command(run, "works"), stderr=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        until(lambda: sum(w.poll() is None for w in workers) == 1, "not all but one have given up")
        living = next(w for w in workers if w.poll() is None)
        until(lambda: run.look().pid == living.pid)
        for one in workers:
            if one is not living:
                assert one.stderr is not None
                assert f"already being trained by pid {living.pid}" in one.stderr.read()
    finally:
        for one in workers:
            one.kill()
            one.wait()
            if one.stderr is not None:
                one.stderr.close()


RACER = """
import sys, time
from pathlib import Path
from trainer.errors import RunError
from trainer.runs.lock import RunLock
print("ready", flush=True)
for line in sys.stdin:
    while time.monotonic() < float(line):
        pass
    try:
        with RunLock(Path(sys.argv[1])):
            print("in", flush=True)
            sys.stdin.readline()
    except RunError as error:
        print(error, flush=True)
        sys.stdin.readline()
    print("out", flush=True)
"""


def test_of_eight_that_enter_in_the_same_instant_one_gets_in(run: Run) -> None:
    command = [sys.executable, "-c", RACER, str(run.folder)]
    env = {**os.environ, "PYTHONPATH": str(Path(launch.__file__).parent.parent.parent)}
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) for _ in range(8)
    ]

    def said(one: subprocess.Popen[str]) -> str:
        assert one.stdout is not None
        return one.stdout.readline().strip()

    def tell(text: str) -> None:
        for one in racers:
            assert one.stdin is not None
            one.stdin.write(f"{text}\n")
            one.stdin.flush()

    try:
        assert [said(one) for one in racers] == ["ready"] * 8
        for _ in range(20):
            tell(repr(time.monotonic() + 0.05))  # one clock for all processes of a machine
            answers = [said(one) for one in racers]
            assert answers.count("in") == 1, answers
            inside = racers[answers.index("in")].pid
            assert run.look().pid == inside
            # (Who was in before lives on here, and may be named until the new one has written its name.)
            refused = [text for text in answers if text != "in"]
            assert all(re.fullmatch(r"run \S+ is already being trained by pid \d+", text) for text in refused), answers
            tell("out")
            assert [said(one) for one in racers] == ["out"] * 8
    finally:
        for one in racers:
            one.communicate()


def test_resumed_by_several_at_once_it_gets_one_worker(run: Run) -> None:
    start(run)

    def kinds() -> list[str]:
        return [e["kind"] for e in EventTail(run.folder / "events.jsonl").poll() if e["kind"] != "step"]

    until(kinds)
    for times in range(3):
        fake_worker.end(worker(run))
        gate = threading.Barrier(4)
        pids: list[int] = []
        refused: list[str] = []

        def attempt(gate: threading.Barrier, pids: list[int], refused: list[str]) -> None:
            mine = Run(run.folder)
            gate.wait()
            try:
                pids.append(process.resume(mine, fake_worker.command(run)))
            except RunError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=attempt, args=(gate, pids, refused)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(pids) == 1 and run.look().pid == pids[0]
        assert len(refused) == 3
        assert all(re.search(r"is already being trained|is (starting|running)", text) for text in refused), refused
        until(lambda so_far=times: kinds().count("resumed") > so_far)  # a worker lives before it has said so
    told = EventTail(run.folder / "events.jsonl").poll()
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    assert kinds() == ["started", *["resumed"] * 3]


def test_a_second_start_is_refused_while_the_first_lives(run: Run) -> None:
    pid = start(run)
    with pytest.raises(RunError, match=f"already being trained by pid {pid}"):
        start(run)


def test_a_recycled_pid_is_not_alive_and_does_not_stand_in_the_way(run: Run) -> None:
    first = start(run)
    fake_worker.end(worker(run))
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        path = run.folder / "lock"
        path.write_text(path.read_text().replace(f"pid {first}\n", f"pid {bystander.pid}\n"))
        assert not worker(run).alive and run.state == "died"
        with pytest.raises(RunError, match="is died"):
            process.stop(run)
        assert process.resume(run, fake_worker.command(run)) != bystander.pid
        process.stop(run)
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_another_host_is_left_alone(run: Run) -> None:
    start(run)
    fake_worker.end(worker(run))
    path = run.folder / "lock"
    text = re.sub(r"(?m)^boot .*\n", "", path.read_text())
    path.write_text(text.replace(f"host {worker(run).host}\n", "host elsewhere\n"))
    assert run.state == "unknown"
    with pytest.raises(RunError, match="nothing was heard of its worker on elsewhere"):
        process.stop(run, timeout=0.2)
    with pytest.raises(RunError, match="was started on elsewhere"):
        process.resume(run)


# -- resume


def test_a_resumed_run_goes_on_in_its_log(run: Run) -> None:
    for ending in (fake_worker.end, lambda _: process.stop(run), fake_worker.end):
        (process.resume if run.snapshot().seq else process.start)(run, fake_worker.command(run))
        before = run.snapshot().step
        until(lambda: run.snapshot().step > before + 2)  # noqa: B023 - called at once
        ending(worker(run))
    told = EventTail(run.folder / "events.jsonl").poll()
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    assert [e["kind"] for e in told if e["kind"] != "step"] == ["started", "resumed", "stopped", "resumed"]
    steps = [e["step"] for e in read_events(run.folder / "events.jsonl") if e["kind"] == "step"]
    assert steps == sorted(set(steps))


def test_a_resume_takes_back_the_request_to_stop(run: Run) -> None:
    start(run)
    process.stop(run)
    pid = process.resume(run, fake_worker.command(run))
    assert not process.stop_requested(run.folder)
    assert run.state == "running" and run.look().pid == pid


@pytest.mark.parametrize("how", ["lingers:2", "clings:1"])
def test_a_run_is_taken_up_again_while_its_last_worker_leaves(run: Run, how: str) -> None:
    start(run, how)
    first = worker(run)
    until(lambda: run.snapshot().step > 2)
    stopping = threading.Thread(target=process.stop, args=(run.open(run.folder),))
    stopping.start()
    until(lambda: run.state == "stopped")
    assert first.alive
    process.resume(run, fake_worker.command(run))  # at once, as one who pressed the key by mistake
    stopping.join()
    assert not first.alive
    goes_on(run)


def test_a_stop_that_is_still_waiting_does_not_reach_the_next_worker(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LEAVING_SECONDS", 0.0)  # so that both are there at the same time
    start(run, "lingers:3")
    first = worker(run)
    until(lambda: run.snapshot().step > 2)
    stopping = threading.Thread(target=process.stop, args=(run.open(run.folder),))
    stopping.start()
    until(lambda: run.state == "stopped" and not run.look().pid)
    process.resume(run, fake_worker.command(run))
    assert first.alive
    stopping.join()
    goes_on(run)


def goes_on(run: Run) -> None:
    """The new worker was asked nothing: it said that it resumed, and makes steps long after the stop was over."""
    assert run.state == "running"
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 30)
    kinds = [e["kind"] for e in read_events(run.folder / "events.jsonl") if e["kind"] != "step"]
    assert kinds == ["started", "stopped", "resumed"]


def test_a_worker_that_never_lets_go_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LEAVING_SECONDS", 0.2)
    start(run, "clings:30")
    until(lambda: run.snapshot().step > 2)
    lock.request_stop(run.folder)
    until(lambda: run.state == "stopped")
    with pytest.raises(RunError, match=f"pid {worker(run).pid}.*has not let go"):
        process.resume(run, fake_worker.command(run))


def test_only_an_ended_run_is_resumed(run: Run) -> None:
    with pytest.raises(RunError, match="is starting"):
        process.resume(run)
    start(run)
    with pytest.raises(RunError, match="is running"):
        process.resume(run)


@pytest.mark.parametrize(("how", "message"), [("finishes", "is finished"), ("fails", "no dev split")])
def test_a_run_with_nothing_left_to_do_is_not_resumed(run: Run, how: str, message: str) -> None:
    start(run, how)
    until(lambda: not worker(run).alive)
    with pytest.raises(RunError, match=message):
        process.resume(run)


def test_a_run_that_missed_something_is_resumed_when_it_may_be_back(run: Run) -> None:
    start(run, "misses")
    until(lambda: not worker(run).alive)
    assert run.state == "failed"
    pid = process.resume(run, fake_worker.command(run, "misses"))
    until(lambda: run.snapshot().step > 2)
    assert run.state == "running" and run.look().pid == pid


# -- from where it is started


def test_it_works_inside_a_running_app(run: Run) -> None:
    from textual.app import App

    class Starter(App[int]):
        async def on_mount(self) -> None:
            self.exit(await asyncio.to_thread(start, run))

    async def drive() -> int | None:
        app = Starter()
        async with app.run_test():
            pass
        return app.return_value

    assert asyncio.run(drive()) == run.look().pid


def test_the_end_of_the_starter_is_not_the_end_of_the_worker(run: Run) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.unit import fake_worker\n"
        "from trainer.runs import process; from trainer.runs.run import Run\n"
        "run = Run.open(Path(sys.argv[1])); print(process.start(run, fake_worker.command(run)), flush=True); input()"
    )
    here = str(Path(launch.__file__).parent.parent.parent)
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": here}, start_new_session=True,
    )  # fmt: skip
    try:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.killpg(starter.pid, signal.SIGHUP)
        os.killpg(starter.pid, signal.SIGKILL)
    finally:
        starter.communicate()
    before = run.snapshot().step
    until(lambda: run.snapshot().step > before + 5)
    assert run.look().pid == pid


def test_the_package_and_relative_folders_are_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(launch.__file__).parent.parent
    monkeypatch.chdir(package.parent)
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setenv("GOEMO_HOME", "relative")
    values = launch.environment()
    assert values["PYTHONPATH"].split(os.pathsep)[0] == str(package.parent)
    assert values["GOEMO_HOME"] == str(package.parent / "relative")
    done = subprocess.run(
        [sys.executable, "-m", "trainer"], env=values, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "RUN_FOLDER" in done.stderr
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    assert launch.environment()["PYTHONPATH"] == str(package.parent)


def test_a_worker_counts_the_cards_as_the_driver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    assert launch.environment()["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")  # it was somebody's wish
    assert launch.environment()["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def test_a_run_of_another_format_is_not_started(run: Run) -> None:
    path = run.folder / "config.toml"
    path.write_text(path.read_text().replace("format = 1", "format = 2"))
    for refused in (start, process.start):
        with pytest.raises(RunError, match="format 2; this program reads format 1"):
            refused(Run.open(run.folder))
    assert not fake_worker.lives(run)


def test_a_log_of_another_format_is_not_written_on(run: Run) -> None:
    start(run)
    process.stop(run)
    path = run.folder / "events.jsonl"
    before = path.read_bytes() + b'{"v":2,"seq":100000,"kind":"over","wall":1,"mono":1}\n'
    path.write_bytes(before)
    with pytest.raises(RunError, match="format 2; this program reads format 1"):
        process.resume(run)
    assert path.read_bytes() == before


def test_what_somebody_elses_run_is_is_seen_and_nothing_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    start(run)
    process.stop(run)
    until(run.exit)

    def written() -> dict[Path, tuple[int, int]]:
        every = [run.folder, *run.folder.rglob("*")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in every}

    before, me = written(), os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    theirs = Run.open(run.folder)
    assert not theirs.writable and theirs.state == "stopped" and theirs.snapshot().step > 0
    assert theirs.look().holder is not None and theirs.exit() is not None and theirs.summary()["pid"] is None
    for refused in (process.start, process.stop, process.resume, Run.delete):
        with pytest.raises(RunError, match="can be looked at, not changed"):
            refused(theirs)
    assert written() == before


def test_the_real_worker_command_names_the_folder(run: Run) -> None:
    assert process.worker_command(run) == [sys.executable, "-m", "trainer", str(run.folder)]
    assert (
        run.folder.is_absolute()
        and run.folder.parent == paths.runs_folder()
        and [r.id for r in list_runs()] == [run.id]
    )
