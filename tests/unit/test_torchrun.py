"""Which of several workers this process is, and what its run's lock and exit code say then."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import fake_worker
from tests.unit.fake_worker import until
from trainer.config import TrainConfig
from trainer.errors import ConfigError
from trainer.runs import lock, process, torchrun
from trainer.runs.forecast import Measured, forecast
from trainer.runs.identity import Process
from trainer.runs.lock import RunLock
from trainer.runs.run import Run
from trainer.runs.supervise import Exit, read_exit

RANK = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "TORCHELASTIC_RUN_ID": "x",
        "TORCHELASTIC_MAX_RESTARTS": "5", "TORCHELASTIC_RESTART_COUNT": "2"}  # fmt: skip


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    fake_worker.end_all()


def test_the_place_is_what_torchrun_says() -> None:
    found = torchrun.place(RANK)
    assert (found.rank, found.size, found.local, found.restarts, found.led) == (3, 4, 1, 3, True) and found.several
    assert torchrun.place({}) == torchrun.ALONE and not torchrun.ALONE.several
    without = {k: v for k, v in RANK.items() if k != "TORCHELASTIC_RUN_ID"}
    assert torchrun.place(without) == torchrun.ALONE  # somebody else's words
    assert torchrun.place({**RANK, "RANK": "x"}) == torchrun.ALONE


def test_what_would_fail_again_is_not_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = torchrun.place(RANK)
    assert found.exit_code(1, False) == 1  # the others wait for it
    monkeypatch.setattr(torchrun, "_met", [True])
    assert found.exit_code(1, False) == 0 and found.exit_code(70, True) == 70
    last = torchrun.place({**RANK, "TORCHELASTIC_RESTART_COUNT": "5"})
    assert last.exit_code(1, False) == 1 and torchrun.ALONE.exit_code(3, False) == 3


@pytest.mark.parametrize("met", [True, False])
def test_a_library_that_aborts_an_orderly_end_does_not_change_the_code_of_ranks_that_met(met: bool) -> None:
    program = f"""
import atexit, os
from trainer.runs import torchrun
atexit.register(os.abort)
{"torchrun.note_meeting()" if met else ""}
print("said", end="")
torchrun.leave(3)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == (3 if met else -signal.SIGABRT)
    assert ended.stdout == "said" or not met


def test_torchrun_hears_no_hangup_and_serves_no_port(tmp_path: Path) -> None:
    words = torchrun.command(tmp_path, 4)
    said = dict(zip(words[3::2], words[4::2], strict=False))
    assert words[1:3] == ["-m", "torch.distributed.run"] and said["--nproc-per-node"] == "4"
    assert "SIGHUP" not in said["--signals-to-handle"] and "SIGTERM" in said["--signals-to-handle"]
    assert said["--rdzv-conf"] == "store_type=file" and Path(said["--rdzv-endpoint"]).is_relative_to(tmp_path)
    assert words[-2:] == ["trainer", str(tmp_path)]


def test_no_key_of_an_earlier_start_is_found_where_ranks_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(TrainConfig())
    started: list[dict[str, str]] = []
    monkeypatch.setattr(os, "execve", lambda program, words, values: started.append(values))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for number in (os.getpid(), gone.pid, os.getppid()):  # in a container each start has the same number
        left = lock.control(run.folder) / f"ranks-{number}"
        left.mkdir()
        (left / "ranks").write_text("an old key")
    torchrun.become(run.folder, 2)
    assert not Path(started[0][torchrun.MEETING]).exists()
    assert {p.name for p in lock.control(run.folder).glob("ranks-*")} == {
        f"ranks-{os.getpid()}",
        f"ranks-{os.getppid()}",
    }


def test_the_lock_of_a_rank_by_hand_names_torchrun_as_who_takes_it_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(TrainConfig())
    for name, value in RANK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(lock.SUPERVISOR, "1 7")  # of who started torchrun: nobody waits for its children
    parent = Process.of(os.getppid())
    with RunLock(run.folder):
        held = lock.holder(run.folder)
    assert held is not None and (held.leader, held.supervisor, held.tries) == (parent, parent, 3)
    assert held.is_of(parent) and held.is_of(Process.me()) and not held.is_of(Process.of(1))
    monkeypatch.setenv(lock.LED_BY, str(os.getppid()))  # this program's own: the supervisor stands behind it
    with RunLock(run.folder):
        held = lock.holder(run.folder)
    assert held is not None and (held.leader, held.supervisor, held.tries) == (parent, Process.of(1), 7)


def test_torchrun_ends_with_one_whatever_happened_to_its_workers(tmp_path: Path) -> None:
    me = Process.me()
    assert not Exit(me, 1, None).died and Exit(me, 1, None, ranks=True).died and not Exit(me, 0, None, ranks=True).died
    assert "one of the workers" in str(Exit(me, 1, None, ranks=True))
    assert "SIGKILL" in str(Exit(me, None, "SIGKILL", ranks=True))
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "exit").write_bytes(lock.written(me, code=1, oom=0, ranks=1))
    assert read_exit(tmp_path) == Exit(me, 1, None, ranks=True)


LEADER = """
import os, subprocess, sys
os.environ |= {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "GOEMO_TORCHRUN": str(os.getpid())}
sys.exit(abs(subprocess.call(sys.argv[1:])) and 1)
"""


def test_a_run_whose_worker_has_a_leader_is_started_watched_and_taken_up_again() -> None:
    run = Run.create(TrainConfig(retries=1))
    pid = process.start(run, [sys.executable, "-c", LEADER, *fake_worker.command(run, "works")])
    held = lock.holder(run.folder)
    assert held is not None and held.pid == pid and held.leader is not None and held.leader.pid != pid
    assert held.supervised and held.supervisor is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: run.state == "running" and run.look().pid not in (None, pid), "nobody took it up again")
    now = lock.holder(run.folder)
    assert now is not None and now.supervisor == held.supervisor and now.tries == 0
    found = read_exit(run.folder)
    assert found is not None and found.process == held.process and found.ranks and found.died
    process.stop(run)
    assert run.state == "stopped"


def test_the_logs_of_ranks_are_their_owners_alone(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from trainer.runs.torchrun import own_log\n" \
              "own_log(Path(sys.argv[1]), 2); print('said'); print('wrong', file=sys.stderr)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=True)
    assert done.stdout == done.stderr == b""
    path = tmp_path / "rank-2.log"
    assert sorted(path.read_text().split()) == ["said", "wrong"] and path.stat().st_mode & 0o777 == 0o600


def test_devices_are_one_setting_that_others_must_agree_with() -> None:
    assert TrainConfig().devices == 1
    for wrong in ({"devices": 0}, {"devices": 2, "device": "mps"}, {"devices": 33, "batch_size": 32}):
        with pytest.raises(ConfigError) as caught:
            TrainConfig(**wrong)  # type: ignore[arg-type]
        assert caught.value.key == "devices"
    measured = Measured("cpu", "fp32", 1, 1, 1, 1, 1.0, 0.1, 1.0, 1.0, 1)
    assert "not timed" in (forecast(TrainConfig(devices=2), measured, None).note or "")


def test_ranks_agree_on_a_name_that_no_earlier_start_used(tmp_path: Path) -> None:
    import threading

    import torch.distributed as dist

    from trainer.learn.meeting import agreed
    from trainer.runs.torchrun import Place

    store = dist.FileStore(str(tmp_path / "store"), -1)
    store.set("start", "old")  # what a first rank that is gone left behind
    found: dict[int, dist.Store] = {}

    def meet(rank: int) -> None:
        found[rank] = agreed(dist.FileStore(str(tmp_path / "store"), -1), Place(rank, 3, rank, 0, True))

    others = [threading.Thread(target=meet, args=(rank,)) for rank in (1, 2)]
    for one in others:
        one.start()
    until(lambda: store.check(["old/joins/1", "old/joins/2"]), "they do not believe the old name at first")
    assert not found
    meet(0)
    for one in others:
        one.join(60)
    assert found.keys() == {0, 1, 2}
    found[0].set("word", socket.gethostname())
    assert found[1].get("word") == found[2].get("word") == socket.gethostname().encode()
