"""Whose turn it is: runs that wait for another to end, or for a GPU, with real processes and real locks."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from goemo_tui.cli import main
from goemo_tui.commands import progress
from tests.unit import fake_worker, queue_worker
from tests.unit.fake_worker import until
from trainer import devices, paths
from trainer.config import TrainConfig
from trainer.corpus.interrupt import Cancelled
from trainer.errors import ConfigError, NotFoundError, RunError
from trainer.runs import lock, process, queue
from trainer.runs.claim import Claim, claim, last_claimed_by
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.queue import LOADING, Queue, Turn
from trainer.runs.run import Run, list_runs
from trainer.runs.tail import read_events

ROOT = str(Path(fake_worker.__file__).parent.parent.parent)
ALICE = ["alice (pid 3)"]
Told = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """No worker, and no claim of the test's own process."""
    yield
    from trainer.runs import claim as module

    for one in list(module._held):
        one.release()
    fake_worker.end_all()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the GPUs of this process's machine: `machine(cuda0=[], cuda1=["alice (pid 3)"])`."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    users: dict[str, list[str]] = {}
    monkeypatch.setattr(devices, "list_devices", lambda: queue_worker.gpus(users))

    def has(**now: list[str]) -> None:
        users.clear()
        users.update(now)

    return has


def made(after: Run | None = None, gpu: bool = False, **settings: Any) -> Run:
    return Run.create(TrainConfig(**settings), Queue(after.id if after else None, gpu).record())


def begin(run: Run) -> Run:
    """Start a worker that waits for its turn."""
    process.start(run, queue_worker.command(run))
    return run


def works() -> Run:
    """A run that is being trained."""
    run = made()
    process.start(run, fake_worker.command(run, "works"))
    return run


def began(run: Run) -> dict[str, Any]:
    """Wait until the run has begun, and return what its worker said of it."""
    until(lambda: run.snapshot().started, f"{run.id} does not begin: {kinds(run)}")
    return run.snapshot().started or {}


def kinds(run: Run) -> list[str]:
    return [event["kind"] for event in read_events(run.folder / "events.jsonl")]


def waits(run: Run) -> list[str]:
    """What the run said that it waits for."""
    return [e["on"] for e in read_events(run.folder / "events.jsonl") if e["kind"] == "waiting" and not e.get("turn")]


def wait(run: Run, then: Callable[[], object] = lambda: None, polls: int = 0) -> tuple[Turn | None, Told]:
    """`queue.wait` in this process: `then` happens once it says what it waits for; stopped after so many looks.

    None for a turn that never came.
    """
    told: Told = []
    asked, limit = 0, time.monotonic() + fake_worker.PATIENCE

    def tell(kind: str, **fields: Any) -> None:
        told.append({"kind": kind, **fields})
        if len(told) == 1:
            then()

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return (bool(polls) and asked > polls) or time.monotonic() > limit

    try:
        return queue.wait(run, tell, stopped, poll=0.001), told
    except Cancelled:
        return None, told


# -- what is asked for


def test_what_is_waited_for_is_kept_with_the_run() -> None:
    first = made()
    assert Queue.of(first) == Queue() and "queue" not in first.record
    assert Queue.of(Run.open(made(first, gpu=True).id)) == Queue(first.id, True)
    odd = Run.create(TrainConfig(), {"queue": {"after": 3, "gpu": "yes"}})
    assert Queue.of(odd) == Queue()


def test_what_cannot_be_waited_for_is_said_before_a_run_is_made(machine: Callable[..., None]) -> None:
    first = made()
    assert queue.checked(first.short, False, TrainConfig()) == Queue(first.id, False)
    with pytest.raises(NotFoundError, match="no run is called 'nobody'"):
        queue.checked("nobody", False, TrainConfig())
    with pytest.raises(ConfigError, match="names no GPU"):
        queue.checked(None, True, TrainConfig())
    machine(cuda0=ALICE)
    assert queue.checked(None, True, TrainConfig()) == Queue(None, True)
    assert queue.checked(None, True, TrainConfig(device="cuda")).gpu
    with pytest.raises(ConfigError, match="'cpu' does not wait for a GPU") as caught:
        queue.checked(None, True, TrainConfig(device="cpu"))
    assert caught.value.key == "device"
    with pytest.raises(ConfigError, match=r"names only cuda:0"):
        queue.checked(None, True, TrainConfig(device="cuda:4"))


# -- after another run


def test_a_run_waits_for_another_to_end_and_says_so_once() -> None:
    first = works()
    second = begin(made(first))
    until(lambda: second.state == "waiting")
    look = second.look()
    assert look.pid is not None and (look.snapshot.waiting or {})["on"] == f"run {first.short} to end"
    before = first.snapshot().step
    until(lambda: first.snapshot().step > before + 20)
    assert kinds(second) == ["waiting"]
    process.stop(first)
    assert not began(second)["torch"]
    assert waits(second) == [f"run {first.short} to end"] and kinds(second) == ["waiting", "waiting", "started"]


@pytest.mark.parametrize("how", ["killed", "gone"])
def test_a_run_that_died_or_is_gone_is_waited_for_no_more(how: str) -> None:
    first = works()
    holder = lock.holder(first.folder)
    assert holder is not None and holder.process is not None
    other = holder.process

    def then() -> None:
        fake_worker.end(other)
        if how == "gone":  # at one stroke: how its worker ended is being written down just now
            first.folder.rename(first.folder.with_name(f".{first.id}"))

    turn, told = wait(made(first), then)
    assert turn is not None and told[0]["on"] == f"run {first.short} to end"
    assert told[-1] == {"kind": "waiting", "on": LOADING, "turn": True}


def test_a_run_that_has_ended_is_not_waited_for() -> None:
    first = made()
    with RunLock(first.folder), EventLog(first.folder / "events.jsonl") as log:
        log.append("started", steps=1, epochs=1)
        assert not queue.has_ended(first.id)
        log.append("finished", step=1)
    assert queue.has_ended(first.id)
    second = made(first)
    assert wait(second) == (Turn(), [])
    shutil.rmtree(first.folder)
    Run.create(TrainConfig()).folder.rename(first.folder.with_name(first.id + "-too"))
    assert queue.has_ended(first.id) and wait(second) == (Turn(), [])


def test_a_run_on_another_machine_is_waited_for_as_long_as_nobody_knows() -> None:
    first = made()
    (first.folder / "lock").write_text("pid 1\nhost elsewhere\nseq 0\n")
    turn, told = wait(made(first), polls=20)
    assert turn is None and len(told) == 1
    assert first.short in told[0]["on"] and "on elsewhere" in told[0]["on"]


def test_a_run_that_has_begun_never_waits_again(machine: Callable[..., None]) -> None:
    machine(cuda0=ALICE, cuda1=ALICE)
    first = works()
    run = made(first, gpu=True)
    with EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=1, device="cuda:1")
        log.append("stopped", step=1)
    turn, told = wait(run)
    assert turn is not None and turn.device is None and told == []
    machine(cuda0=[], cuda1=[])
    assert turn.claim is not None
    turn.claim.release()
    again, told = wait(run)
    assert again is not None and again.device == "cuda:1" and told == [], "it goes on where it was"


def test_a_run_is_stopped_while_it_waits_and_waits_again_when_resumed() -> None:
    first = works()
    run = begin(made(first))
    until(lambda: run.state == "waiting")
    process.stop(run)
    assert run.state == "stopped" and kinds(run) == ["waiting", "stopped"]
    process.resume(run, queue_worker.command(run))
    until(lambda: run.state == "waiting")
    (run.folder / "end").touch()
    process.stop(first)
    until(lambda: run.state == "finished")
    assert kinds(run) == ["waiting", "stopped", "waiting", "waiting", "started", "finished"]


# -- for a GPU


def test_a_run_waits_for_a_gpu_and_claims_it(machine: Callable[..., None]) -> None:
    machine(cuda0=ALICE)
    run = made(gpu=True)
    turn, told = wait(run, lambda: machine(cuda0=[]))
    assert turn is not None and turn.device == "cuda:0" and turn.claim is not None
    assert [t["on"] for t in told] == ["cuda:0 to be free (is busy: 1 process of alice (pid 3))", LOADING]
    assert claim("cuda:0") is None and last_claimed_by("cuda:0") == run.id
    turn.claim.release()
    assert claim("cuda:0") is not None


def test_of_several_gpus_the_free_one_is_taken(machine: Callable[..., None]) -> None:
    machine(cuda0=ALICE, cuda1=[])
    turn, told = wait(made(gpu=True))
    assert turn is not None and turn.device == "cuda:1" and [t["on"] for t in told] == [LOADING]
    machine(cuda0=ALICE, cuda1=["bob (pid 4)", "bob (pid 5)"])
    _, told = wait(made(gpu=True), polls=9)
    assert told[0]["on"] == (
        "one of 2 GPUs to be free: cuda:0 is busy: 1 process of alice (pid 3), "
        "cuda:1 is busy: 2 processes of bob (pid 4), bob (pid 5)"
    )
    machine(cuda0=[], cuda1=ALICE)
    turn, told = wait(made(gpu=True, device="cuda:1"), polls=9)
    assert turn is None and told[0]["on"].startswith("cuda:1 to be free")
    machine()
    turn, told = wait(made(gpu=True), lambda: machine(cuda0=[]))
    assert turn is not None and "does not name now" in told[0]["on"]


def test_it_is_said_again_only_when_it_changes(machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    machine(cuda0=ALICE)
    _, told = wait(made(gpu=True), polls=50)
    assert len(told) == 1
    _, told = wait(made(gpu=True), lambda: machine(cuda0=["bob (pid 4)"]), polls=50)
    assert len(told) == 1, "not more often than people can read"
    monkeypatch.setattr(queue, "TELL_SECONDS", 0.0)
    machine(cuda0=ALICE)
    _, told = wait(made(gpu=True), lambda: machine(cuda0=["bob (pid 4)"]), polls=50)
    assert [("alice" in t["on"], "bob" in t["on"]) for t in told] == [(True, False), (False, True)]


def test_a_run_waits_for_another_first_and_then_for_a_gpu(machine: Callable[..., None]) -> None:
    machine(cuda0=[])
    first = works()
    turn, told = wait(made(first, gpu=True), lambda: process.stop(first))
    assert turn is not None and turn.device == "cuda:0"
    assert [t["on"] for t in told] == [f"run {first.short} to end", LOADING]


def test_a_gpu_that_another_run_claimed_is_taken_though_the_driver_calls_it_free(machine: Callable[..., None]) -> None:
    machine(cuda0=[])
    queue_worker.machine(cuda0=[])
    holder = begin(made())  # it does not wait, and claims its GPU all the same
    started = began(holder)
    assert started["device"] is None and started["claimed"] and not started["warned"]
    turn, told = wait(made(gpu=True), lambda: fake_worker.end(_worker(holder)))
    assert turn is not None and turn.device == "cuda:0", "the claim ends with the process"
    assert told[0]["on"] == f"cuda:0 to be free (is taken by run {holder.short})"


def test_a_run_that_does_not_wait_starts_beside_another_and_says_so(machine: Callable[..., None]) -> None:
    machine(cuda0=[], cuda1=[])
    first, told = wait(made())
    assert first == Turn(None, first.claim if first else None) and first is not None and told == []
    assert isinstance(first.claim, Claim) and first.claim.device == "cuda:0"
    second, told = wait(made(device="cuda"))
    assert second is not None and second.claim is None and told == []
    assert len(second.warnings) == 1 and "cuda:0 is taken by run" in second.warnings[0]
    third, _ = wait(made(device="cuda:1"))
    assert third is not None and third.claim is not None and third.claim.device == "cuda:1"
    assert wait(made(device="cpu")) == (Turn(), [])


def test_the_older_of_two_that_wait_goes_first(machine: Callable[..., None]) -> None:
    queue_worker.machine(cuda0=ALICE)
    older, younger = made(gpu=True), made(gpu=True)
    begin(younger)
    until(lambda: younger.state == "waiting")
    begin(older)
    until(lambda: older.state == "waiting")
    queue_worker.machine(cuda0=[])
    assert began(older)["device"] == "cuda:0" and younger.state == "waiting"
    (older.folder / "end").touch()
    assert began(younger)["device"] == "cuda:0"


def test_a_free_gpu_is_left_to_an_older_run_that_waits(machine: Callable[..., None]) -> None:
    queue_worker.machine(cuda0=ALICE, cuda1=ALICE)
    older, younger = begin(made(gpu=True, device="cuda:0")), made(gpu=True)
    until(lambda: older.state == "waiting")
    machine(cuda0=[], cuda1=ALICE)
    turn, told = wait(younger, polls=20)
    assert turn is None and f"cuda:0 goes to run {older.short} first" in told[0]["on"]
    turn, told = wait(younger, lambda: process.stop(older))
    assert turn is not None and turn.device == "cuda:0", "it left the queue"


def test_only_who_could_take_the_gpu_is_ahead(machine: Callable[..., None]) -> None:
    queue_worker.machine(cuda0=ALICE)
    machine(cuda0=[], cuda1=[])
    other = works()
    begin(made(other, gpu=True))  # it waits for a run, not for a GPU
    begin(made(gpu=True, device="cuda:0"))  # it wants another GPU
    until(lambda: [run.state for run in list_runs()].count("waiting") == 2)
    turn, _ = wait(made(gpu=True, device="cuda:1"))
    assert turn is not None and turn.device == "cuda:1"


def test_a_run_that_nobody_starts_is_not_ahead(machine: Callable[..., None]) -> None:
    machine(cuda0=[])
    older, younger = made(gpu=True), made(gpu=True)
    lock.mark_starting(older.folder)
    turn, told = wait(younger, polls=9)
    assert turn is None and f"goes to run {older.short} first" in told[0]["on"]
    lock.unmark_starting(older.folder)
    assert older.state == "starting", "it was made just now"
    turn, _ = wait(younger, polls=9)
    assert turn is not None and turn.device == "cuda:0"


@pytest.mark.parametrize("what", ["read_events", "Queue.of", "list_runs", "device"])
def test_what_cannot_be_read_of_another_run_ends_no_waiting(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    queue_worker.machine(cuda0=ALICE)
    older, younger = begin(made(gpu=True)), made(gpu=True)
    until(lambda: older.state == "waiting")
    machine(cuda0=[])
    turn, told = wait(younger, polls=9)
    assert turn is None and "first" in told[0]["on"]
    of, asked = Queue.of, []

    def broken(about: object) -> Any:
        asked.append(about)
        if isinstance(about, Run) and about.id == younger.id:
            return of(about)
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        if what == "Queue.of":
            patch.setattr(Queue, "of", broken)
        elif what == "read_events":
            patch.setattr(queue, what, broken)
        elif what == "list_runs":
            home, iterdir = paths.runs_folder(), Path.iterdir
            patch.setattr(Path, "iterdir", lambda path: broken(path) if path == home else iterdir(path))
        else:
            path = older.folder / "config.toml"
            path.write_text(path.read_text().replace('device = "auto"', "device = 3"))
            asked.append(path)
        turn, told = wait(younger, polls=20)
    assert turn is not None and turn.device == "cuda:0" and asked
    assert [t["on"] for t in told] == [LOADING]


def test_a_run_that_cannot_be_looked_at_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made()
    second = made(first)

    def stale(run: Run) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(Run, "look", stale)
        turn, told = wait(second, polls=9)
        assert turn is None and "cannot be looked at now" in told[0]["on"] and "Stale" in told[0]["on"]


def test_a_run_that_had_its_turn_is_no_longer_ahead(machine: Callable[..., None]) -> None:
    machine(cuda0=[], cuda1=[])
    older, younger = made(gpu=True), made(gpu=True)
    with RunLock(older.folder), EventLog(older.folder / "events.jsonl") as log:
        turn = queue.wait(older, log.append, lambda: False, poll=0.001)
        assert turn.device == "cuda:0" and older.snapshot().started is None
        behind, _ = wait(younger)
        assert behind is not None and behind.device == "cuda:1"


# -- the claim


def test_a_claim_is_not_kept_by_children() -> None:
    mine = claim("cuda:0", "me")
    assert mine is not None and claim("cuda:0") is None
    left, right = os.pipe()
    born, birth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(right)
        os.write(birth, b"!")
        os.read(left, 1)  # until the parent closes its end
        os._exit(0)
    os.read(born, 1)
    code = "print('here', flush=True); input()"
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
    )
    try:
        assert program.stdout is not None and program.stdout.readline() == b"here\n"
        assert claim("cuda:0") is None, "a child that is born takes nothing away"
        mine.release()
        again = claim("cuda:0")
        assert again is not None
    finally:
        for fd in (right, left, born, birth):
            os.close(fd)
        os.waitpid(child, 0)
        program.communicate(b"\n", timeout=fake_worker.PATIENCE)


def test_a_claim_ends_with_its_process_and_its_folder_is_private() -> None:
    code = "from trainer.runs.claim import claim; assert claim('cuda:0', 'x'); print('has it', flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    try:
        assert child.stdout is not None and child.stdout.readline() == b"has it\n"
        assert claim("cuda:0") is None and last_claimed_by("cuda:0") == "x"
    finally:
        child.kill()
        child.communicate()
    assert claim("cuda:0") is not None
    folder = paths.home() / "devices" / socket.gethostname()
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "cuda:0.lock").stat().st_mode & 0o777 == 0o600


def test_two_numbers_of_one_card_are_one_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert claim("cuda:2") is not None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 0")
    assert claim("cuda:0") is None and claim("cuda:1") is not None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "../../x,GPU-1ab")
    assert claim("cuda:0") is None and claim("cuda:1") is not None
    found = sorted(p.name for p in (paths.home() / "devices" / socket.gethostname()).iterdir())
    assert found == ["cuda:0.lock", "cuda:2.lock", "cuda:GPU-1ab.lock"]


def test_where_nothing_can_be_locked_a_run_starts_and_says_so(machine: Callable[..., None]) -> None:
    machine(cuda0=[])
    paths.private_folder(paths.home())
    (paths.home() / "devices").write_text("in the way")
    with pytest.raises(RunError, match="cannot be claimed"):
        claim("cuda:0")
    turn, _ = wait(made())
    assert turn is not None and "cannot be claimed" in turn.warnings[0]
    turn, told = wait(made(gpu=True), polls=9)
    assert turn is None and "cannot be claimed" in told[0]["on"]


# -- the command line


def cli(*arguments: str) -> int:
    return main(["train", *arguments])


@pytest.fixture
def waiting_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "worker_command", queue_worker.command)


@pytest.mark.usefixtures("waiting_workers")
def test_a_run_is_put_in_the_queue_from_the_command_line(
    capsys: pytest.CaptureFixture[str], machine: Callable[..., None]
) -> None:
    first = works()
    assert cli("--after", first.short, "--detach") == 0
    out, err = capsys.readouterr()
    run = Run.open(out.strip())
    assert Queue.of(run) == Queue(first.id) and "ended already" not in err
    until(lambda: run.state == "waiting")
    process.stop(first)
    began(run)
    process.stop(run)
    assert cli("--after", first.id, "--detach", "--json") == 0
    out, err = capsys.readouterr()
    assert f"run {first.short} has ended already" in err
    assert Queue.of(Run.open(json.loads(out)["run"])) == Queue(first.id)
    machine(cuda0=ALICE)
    queue_worker.machine(cuda0=ALICE)
    assert cli("--when-free", "--detach") == 0
    out, err = capsys.readouterr()
    assert Queue.of(Run.open(out.strip())) == Queue(None, True) and "choose another" not in err


def test_what_is_wrong_with_the_queue_is_told_and_no_run_is_made(
    capsys: pytest.CaptureFixture[str], machine: Callable[..., None]
) -> None:
    assert cli("--after", "nobody") == 3
    assert "no run is called 'nobody'" in capsys.readouterr().err
    assert cli("--when-free") == 2
    assert "names no GPU" in capsys.readouterr().err
    machine(cuda0=[])
    assert cli("--when-free", "--set", "device=cpu") == 2
    assert "does not wait for a GPU" in capsys.readouterr().err
    assert cli("--retries", "2", "--set", "retries=3") == 2
    assert "--retries 2 and --set retries=3 do not agree" in capsys.readouterr().err
    assert cli("--retries", "many") == 2
    assert "is not a whole number" in capsys.readouterr().err
    assert list_runs() == []


@pytest.mark.usefixtures("waiting_workers")
def test_retries_are_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("--retries", "2"), ("--retries", "2", "--set", "retries=2")):
        assert cli(*arguments, "--detach") == 0
        assert Run.open(capsys.readouterr().out.strip()).config.retries == 2


def test_looking_on_says_what_is_waited_for_and_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    from goemo_tui.commands.train import outcome

    first = works()
    run = begin(made(first))
    until(lambda: run.state == "waiting")
    looks = 0

    def pause(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            process.stop(run)

    look = progress.follow(run, pause)
    err = capsys.readouterr().err
    assert err.count(f"waits for run {first.short} to end") == 1
    assert "stopped before it began" in outcome(run, look) and f"runs resume {run.id}" in outcome(run, look)


DRIVER = (
    "import sys; from tests.unit import queue_worker; from trainer.runs import process; from goemo_tui.cli import main\n"
    "process.worker_command = queue_worker.command; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize("terminal", [False, True])
def test_ctrl_c_leaves_a_run_in_the_queue(terminal: bool) -> None:
    first = works()
    screen, end = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "train", "--after", first.short],
        stdout=subprocess.PIPE, stderr=end if terminal else subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": ROOT, "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(end)
    said = b""
    source = screen if terminal or child.stderr is None else child.stderr.fileno()
    interrupted = False
    deadline = time.monotonic() + fake_worker.PATIENCE
    try:
        while time.monotonic() < deadline:
            try:
                part = os.read(source, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
            if not interrupted and b"waits for run" in said:
                interrupted = True
                os.killpg(child.pid, signal.SIGINT)
        out, _ = child.communicate(timeout=fake_worker.PATIENCE)
    finally:
        child.kill()
        child.wait()
        os.close(screen)
    run = list_runs()[0]
    text = said.decode()
    assert child.returncode == 130 and out == b"" and run.id != first.id
    assert "Ctrl-c leaves it in the queue" in text and f"waits for run {first.short} to end" in text
    assert f"{run.id} stays in the queue: it waits for run {first.short} to end" in text
    assert f"take it out:  goemo-tui runs stop {run.id}" in text and f"runs attach {run.id}" in text
    assert run.state == "waiting"


def _worker(run: Run) -> lock.Process:
    holder = lock.holder(run.folder)
    assert holder is not None and holder.process is not None
    return holder.process
