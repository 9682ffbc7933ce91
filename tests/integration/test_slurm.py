"""`goemo-tui train --slurm`: the file it writes is run by bash here, with programs of SLURM's names that do its part."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.torchrun import ended, until
from tests.integration.worker import lines
from tests.unit.command_line import cli
from tests.unit.fake_worker import end_all
from trainer import devices
from trainer.config import TrainConfig
from trainer.devices import Device
from trainer.errors import ConfigError
from trainer.runs import lock, process, slurm
from trainer.runs.events import LOG, EventLog
from trainer.runs.lock import RunLock
from trainer.runs.plan import plan
from trainer.runs.run import Run, list_runs

SRUN = """#!/bin/sh
# two nodes that are this machine
"$@" & one=$!
"$@" & two=$!
trap 'kill -TERM $one $two' TERM
wait $one && wait $two
"""


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with sbatch, scontrol and srun; what the first two were told stands in `told`."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    programs = {
        "sbatch": f'#!/bin/sh\necho "sbatch $@" >>{folder}/told\necho "4711;cluster"\n',
        "scontrol": f"""#!/bin/sh
echo "scontrol $@" >>{folder}/told
case "$1 $2" in
"show hostnames") echo 127.0.0.1 ;;
"show job") [ ! -e {folder}/submitted ] || echo "   SubmitTime=$(cat {folder}/submitted) EligibleTime=Unknown" ;;
esac
""",
        "srun": SRUN,
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    return folder


def job(run: Run, restarts: int) -> subprocess.Popen[bytes]:
    values = {**os.environ, "SLURM_JOB_ID": "4711", "SLURM_JOB_NODELIST": "n", "SLURM_RESTART_COUNT": str(restarts)}
    with (run.folder / "slurm.log").open("ab") as output:
        return subprocess.Popen(
            ["bash", str(run.folder / slurm.NAME)], env=values, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )


def signal_waits(pid: int) -> bool:
    """True while the USR1 that this process was sent is not delivered. bash lets SIGCHLD of a stopped child wait as long as that."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    waiting = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (signal.SIGUSR1 - 1) & 1 for mask in waiting)


def made(encoder: Path, *more: str) -> Run:
    settings = ("limit=200", "batch_size=4", "epochs=2", "checkpoint_steps=20", "device=cpu", "precision=fp32")
    words = [word for setting in settings for word in ("--set", setting)]
    assert cli("train", "--encoder", str(encoder), *words, "--slurm", *more) == 0
    (run,) = list_runs()
    return run


@pytest.mark.parametrize("more", [(), ("--nodes", "2")], ids=["one node", "two nodes"])
def test_a_job_whose_time_is_up_stops_goes_back_into_the_queue_and_goes_on(
    tiny_encoder: Path, cluster: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    run = made(tiny_encoder, *more, "--sbatch", "time=00:30:00", "--sbatch", "partition=cpu")
    out, err = capsys.readouterr()
    assert out == f"{run.id}\n" and "SLURM job 4711" in err
    assert (cluster / "told").read_text() == f"sbatch --parsable {run.folder / slurm.NAME}\n"
    assert subprocess.run(["bash", "-n", str(run.folder / slurm.NAME)], check=False).returncode == 0
    text = (run.folder / slurm.NAME).read_text()
    for line in ("--requeue", "--signal=B:USR1@180", "--time=00:30:00", "--partition=cpu", "--cpus-per-task=1"):
        assert f"#SBATCH {line}\n" in text
    assert run.state == "waiting"
    first = job(run, 0)
    try:
        until(lambda: (run.snapshot().step or 0) > 20, f"it does not begin: {(run.folder / 'slurm.log').read_text()}")
        first.send_signal(signal.SIGUSR1)
        assert ended([first]) == [0], (run.folder / "slurm.log").read_text()
    finally:
        ended([first])
    at = run.snapshot().step
    assert run.state == "stopped" and at and at < 100
    assert "scontrol requeue 4711" in (cluster / "told").read_text()
    assert ended([job(run, 1)]) == [0], (run.folder / "slurm.log").read_text()
    assert run.state == "finished" and [e["step"] for e in lines(run) if e["kind"] == "resumed"] == [at]
    assert all(e.get("ranks", 1) == (2 if more else 1) for e in lines(run) if e["kind"] in ("started", "resumed"))


def test_a_worker_that_dies_is_tried_again_and_what_fails_on_its_input_is_not(
    tiny_encoder: Path, cluster: Path
) -> None:
    run = made(tiny_encoder, "--set", "retries=1")
    first = job(run, 0)
    try:
        until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
        pid = run.look().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert ended([first]) == [0]
    finally:
        ended([first])
    assert run.state == "finished" and any(e["kind"] == "resumed" for e in lines(run))
    assert "requeue" not in (cluster / "told").read_text()
    text = (run.folder / "config.toml").read_text()
    (run.folder / "config.toml").write_text(text.replace("[corpus.sha256]\n", '[corpus.sha256]\ntrain = "0"\n_', 1))
    assert ended([job(run, 0)]) == [1]


def test_a_worker_that_dies_before_its_first_word_is_tried_again() -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / LOG) as log:
        log.append("stopped", step=5, epoch=1)
    assert slurm.verdict(run) == "stopped"
    with RunLock(run.folder):  # of the next job, killed while it loads
        pass
    assert slurm.verdict(run) == "again"


def test_a_job_that_was_stopped_goes_on_when_it_is_submitted_again(tiny_encoder: Path, cluster: Path) -> None:
    run = made(tiny_encoder)
    first = job(run, 0)
    try:
        until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
        process.stop(run)
        assert ended([first]) == [0] and run.state == "stopped"
    finally:
        ended([first])
    assert "requeue" not in (cluster / "told").read_text()
    assert ended([job(run, 0)]) == [0] and run.state == "finished"


def submitted(cluster: Path, ago: float) -> None:
    """SLURM says that the job was submitted so many seconds ago."""
    (cluster / "submitted").write_text(datetime.fromtimestamp(int(time.time() - ago)).isoformat())


def test_a_job_that_was_submitted_after_the_wish_to_stop_trains_and_one_from_before_obeys(
    tiny_encoder: Path, cluster: Path
) -> None:
    run = made(tiny_encoder)
    stop = run.folder / "control" / "stop"
    process.stop(run, timeout=5)
    assert run.state == "stopped" and stop.exists()
    submitted(cluster, 60)
    assert ended([job(run, 0)]) == [0] and [e["kind"] for e in lines(run)] == ["waiting", "stopped"]
    assert not stop.exists() and "was asked to stop" in (run.folder / "slurm.log").read_text()
    lock.request_stop(run.folder)  # as a run that nobody has taken up since leaves it
    os.utime(stop, (time.time() - 60, time.time() - 60))
    os.utime(run.folder / LOG, (time.time() - 90, time.time() - 90))
    submitted(cluster, 0)
    assert ended([job(run, 0)]) == [0] and run.state == "finished"


def test_a_wish_that_a_job_left_for_its_own_worker_is_not_for_the_next(tiny_encoder: Path, cluster: Path) -> None:
    run = Run.create(TrainConfig())
    lock.request_stop(run.folder)
    stop = run.folder / "control" / "stop"
    slurm.begins(run, "4711", 1)
    assert stop.exists()  # somebody's, and SLURM has only started the job again
    slurm.begins(run, "4711", 0)
    assert stop.exists()  # SLURM does not say when it was submitted
    stop.write_text("job 4711\n")
    slurm.begins(run, "4711", 1)
    assert not stop.exists()


def test_a_job_whose_run_somebody_stopped_does_not_come_back(tiny_encoder: Path, cluster: Path) -> None:
    run = made(tiny_encoder)
    first = job(run, 0)
    try:
        until(lambda: (run.snapshot().step or 0) > 20, "it does not begin")
        pid = run.look().pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # so that both wishes are there before either is heard
        lock.request_stop(run.folder)
        first.send_signal(signal.SIGUSR1)
        until(lambda: not signal_waits(first.pid), "the job does not hear its signal")
        os.kill(pid, signal.SIGCONT)
        assert ended([first]) == [0] and run.state == "stopped"
    finally:
        ended([first])
    assert "requeue" not in (cluster / "told").read_text()


def test_without_sbatch_the_file_alone_is_written_and_a_gpu_asked_for(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GOEMO_TRACK", "tensorboard")
    words = ("train", "--encoder", str(tiny_encoder), "--set", "devices=8", "--slurm", "--json")
    assert cli(*words) == 0  # more devices than this machine has: they are the cluster's
    out, err = capsys.readouterr()
    (run,) = list_runs()
    told = json.loads(out)
    assert told == {"run": run.id, "script": str(run.folder / slurm.NAME), "job": None} and "no sbatch here" in err
    assert f"not mirrored to tensorboard, as the settings would have it: goemo-tui runs export {run.id} --to" in err
    text = (run.folder / slurm.NAME).read_text()
    assert "#SBATCH --gpus-per-node=8\n" in text and "srun" not in text
    process.stop(run, timeout=5)  # it never began: nobody has to be waited for
    assert run.state == "stopped" and cli("runs", "show", run.id) == 0 and cli("runs", "list") == 0
    run.delete()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("echo 'sbatch: error: invalid partition specified: x' >&2; exit 1", "invalid partition"),
        ("echo Submitted", "gave the job no number"),
    ],
)
def test_a_run_that_sbatch_does_not_take_has_failed_and_can_be_removed(
    tiny_encoder: Path, cluster: Path, capsys: pytest.CaptureFixture[str], answer: str, what: str
) -> None:
    (cluster / "sbatch").write_text(f"#!/bin/sh\n{answer}\n")
    assert cli("train", "--encoder", str(tiny_encoder), "--slurm", "--json") == 1
    out, err = capsys.readouterr()
    (run,) = list_runs()
    told = json.loads(out)
    assert (told["run"], told["script"], told["job"]) == (run.id, str(run.folder / slurm.NAME), None)
    for said in (told["error"], err):
        assert what in said and f"sbatch {run.folder / slurm.NAME}" in said and f"runs rm {run.id}" in said
    assert run.state == "failed" and cli("runs", "attach", run.id) == 1
    assert cli("runs", "rm", run.id, "--yes") == 0 and not list_runs()


def test_an_option_that_sbatch_does_not_have_is_warned_of() -> None:
    assert not slurm.unknown_options(["partition=gpu", "exclusive", "--mail-type=END"])
    near, far = slurm.unknown_options(["partitoin=gpu", "bad"])
    assert "did you mean partition?" in near and "bad" in far and "did you mean" not in far


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--nodes", "2"), "for --slurm"),
        (("--slurm", "--nodes", "0"), "1 to"),
        (("--slurm", "--nodes", "x"), "1 to"),
        (("--slurm", "--when-free"), "own queue"),
        (("--slurm", "--estimate"), "one of them"),
        (("--slurm", "--sbatch", "time=1\n#SBATCH --x"), "long options"),
        (("--slurm", "--sbatch", "-p gpu"), "long options"),
    ],
)
def test_options_that_cannot_be(words: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("train", *words) == 2
    assert what in capsys.readouterr().err and not list_runs()


def test_more_devices_than_there_are_are_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path
) -> None:
    gpus = [Device(f"cuda:{n}", "a GPU", None, None, None, 0, False) for n in range(2)]
    cpu = Device("cpu", "a processor", None, None, None, 0, False)
    for found, settings, what in (
        ([*gpus, cpu], {"devices": 4}, "names 2 GPUs"),
        ([cpu], {"devices": 2, "device": "cuda"}, "names 0 GPUs"),
        ([cpu], {"devices": 1000, "batch_size": 1000}, "core"),
        ([Device("mps", "Apple GPU", None, None, None, 0, False), cpu], {"devices": 2}, "Apple"),
        ([*gpus, cpu], {"devices": 2, "device": "cuda:1"}, "one device"),
        ([*gpus, cpu], {"devices": 2, "batch_size": 1}, "batch_size"),
    ):
        monkeypatch.setattr(devices, "list_devices", lambda found=found: found)
        monkeypatch.setattr(devices, "may_have_gpu", lambda: False)
        with pytest.raises(ConfigError, match=what) as caught:
            plan("sample", str(tiny_encoder), settings=settings)
        assert caught.value.key == "devices"
    monkeypatch.setattr(devices, "list_devices", lambda: [*gpus, cpu])
    assert plan("sample", str(tiny_encoder), settings={"devices": 2}).config.devices == 2
