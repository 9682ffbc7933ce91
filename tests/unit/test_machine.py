"""What a training takes of the machine: real processes are measured, a driver that fails or hangs harms nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from goemo_tui.services.gpu import Gpu, GpuAsker
from goemo_tui.services.machine import MachineWatch, Sampled, WorkerMeter, gpu_of
from goemo_tui.services.runs import RunView
from trainer.runs.snapshot import Snapshot

GIB = 2**30


def view(pid: int | None, state: str = "running", run_id: str = "a", device: str = "cpu") -> RunView:
    snapshot = replace(Snapshot(), started={"device": device})
    return RunView(run_id, run_id, Path(run_id), state, None, snapshot, pid=pid)


def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


@pytest.fixture
def busy() -> Iterator[int]:
    """A process whose child computes."""
    child = "print('on', flush=True)\nwhile True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, process_group=0)
    assert process.stdout is not None and process.stdout.readline() == b"on\n"
    yield process.pid
    subprocess.run(["kill", "-KILL", "--", f"-{process.pid}"], check=True)
    process.wait()
    process.stdout.close()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards, the second of which computes."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda i: i)
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetMemoryInfo", lambda i: SimpleNamespace(total=80 * GIB, used=int(9.1 * GIB) * i)
    )
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", lambda i: SimpleNamespace(gpu=87 * i))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTemperature", lambda i, kind: 40 + 23 * i)


def test_a_worker_is_measured_with_its_children(busy: int) -> None:
    meter = WorkerMeter(busy)
    assert meter.sample(None) is None  # nothing to compare with yet
    seen = []

    def computes() -> bool:
        seen.append(meter.sample(None))
        sample = seen[-1]
        return sample is not None and bool(sample.cpu)

    until(computes)
    last = seen[-1]
    assert last is not None and last.memory is not None and last.machine_total is not None
    assert 10 * 2**20 < last.memory < last.machine_total  # two interpreters
    assert last.machine_used is not None and 0 < last.machine_used < last.machine_total


def test_a_worker_that_is_gone_leaves_the_machine() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    meter = WorkerMeter(process.pid)
    meter.sample(None)
    sample = meter.sample(None)
    assert sample is not None and sample.cpu is None and sample.memory is None and sample.machine_total
    nobody = WorkerMeter(None)
    nobody.sample(None)
    sample = nobody.sample(None)
    assert sample is not None and sample.cpu is None and sample.machine_cpu is not None


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_told_with_load_memory_and_temperature() -> None:
    asker = GpuAsker()
    asker.ask(1)
    until(lambda: asker.latest)
    assert asker.latest == Gpu(87, int(9.1 * GIB), 80 * GIB, 63)
    assert asker.latest is not None and asker.latest.line == "GPU 87% 9.1/80 GB"
    asker.stop()


def test_without_a_driver_there_is_no_gpu_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", none)
    asker = GpuAsker()
    asker.ask()
    until(lambda: asker.absent)
    assert asker.latest is None
    asker.ask()


@pytest.mark.usefixtures("gpu")
def test_a_driver_that_raises_comes_back_and_one_that_hangs_goes_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    asker = GpuAsker(clock=lambda: now[0])
    asker.ask()
    until(lambda: asker.latest)

    def broken(handle: object) -> None:
        raise OSError("the driver was changed below us")

    whole = pynvml.nvmlDeviceGetMemoryInfo
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", broken)
    asker.ask()
    until(lambda: asker.latest is None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", whole)
    asker.ask()
    until(lambda: asker.latest)
    let_go, hung = threading.Event(), threading.Event()

    def hangs(handle: object) -> None:
        hung.set()
        let_go.wait()

    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", hangs)
    asker.ask()
    until(hung.is_set)
    asker.ask()  # comes back at once
    assert asker.latest is not None
    now[0] += 10
    assert asker.latest is None
    asker.stop()
    let_go.set()


def test_which_gpu_a_run_computes_on() -> None:
    assert gpu_of(view(1, device="cuda:3")) == 3
    assert gpu_of(view(1, device="cuda")) == gpu_of(view(1, device="cuda:x")) == gpu_of(view(1)) == 0


@pytest.mark.usefixtures("gpu")
def test_it_samples_only_while_a_run_lives_and_somebody_looks(busy: int) -> None:
    heard: list[Sampled] = []
    watch = MachineWatch(interval=0.01)
    watch.subscribe(heard.append)
    watch.follow([view(busy, "finished"), view(busy, "waiting", "b")])
    assert watch._thread is None and not heard
    watch.follow([view(busy, run_id="a", device="cuda:1")])
    until(lambda: any(message.gpu and message.gpu.load == 87 for message in heard))  # the header's
    assert watch.samples("a") == ()
    watch.look_at("a")
    until(lambda: len(watch.samples("a")) > 3)
    assert watch.samples("a")[-1].gpu is not None and heard[-1].run_id == "a"
    watch.follow([view(None, "finished")])
    until(lambda: heard[-1].gpu is None)  # the header's line goes
    assert watch.samples("a") == ()
    count = len(heard)
    watch.look_at("a")
    assert len(heard) == count
    watch.stop()
    assert watch._thread is not None
    watch._thread.join(5)
    assert not watch._thread.is_alive()
