"""What a training takes of this machine: processor and memory of its worker, and the GPU, looked at once a second.

Only while a run lives: of its worker only while somebody looks at it, of the GPU for the header. Nothing that is asked
here can fail the screen: what cannot be known is left out. No widget is known here.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from textual.message import Message

from goemo_tui.services.gpu import Gpu, GpuAsker
from goemo_tui.services.runs import RunView

INTERVAL = 1.0
PATIENCE = 3.0
"""Seconds that a look at a run counts for."""
KEPT = 240
"""Samples of one run that are kept."""
CHILDREN_SECONDS = 10.0
"""How often a worker's child processes are looked for: that walks every process of the machine."""


@dataclass(frozen=True)
class Sample:
    """A second of a run. Memory in bytes; `cpu` in percent of one core, `machine_cpu` of all; None: not known."""

    cpu: float | None = None
    memory: int | None = None
    machine_cpu: float | None = None
    machine_used: int | None = None
    machine_total: int | None = None
    gpu: Gpu | None = None


class Sampled(Message, bubble=False):
    """There is a newer sample of a run (`run_id` None: only the GPU was asked)."""

    def __init__(self, run_id: str | None, gpu: Gpu | None) -> None:
        super().__init__()
        self.run_id = run_id
        self.gpu = gpu


Listener = Callable[[Sampled], object]


class MachineWatch:
    """Told which runs live (`follow`) and which one is looked at (`look_at`); listeners hear from its thread."""

    def __init__(self, interval: float = INTERVAL, gpu: GpuAsker | None = None) -> None:
        self._interval = interval
        self._gpu = GpuAsker() if gpu is None else gpu
        self._workers: dict[str, tuple[int | None, int]] = {}
        self._wanted: tuple[str, float] = ("", 0.0)
        self._samples: dict[str, deque[Sample]] = {}
        self._meter: WorkerMeter | None = None
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` for each sample."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Do not call it any more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def follow(self, runs: Iterable[RunView]) -> None:
        """These are the runs as they now are; a thread is there only while one of them lives."""
        with self._lock:
            self._workers = {run.id: (run.pid, gpu_of(run)) for run in runs if run.living and run.state != "waiting"}
            for gone in self._samples.keys() - self._workers.keys():
                self._samples.pop(gone, None)
        if self._workers and self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._watch, name="machine", daemon=True)
            self._thread.start()
        self._wake.set()

    def look_at(self, run_id: str) -> None:
        """Somebody looks at this run, and will for a few seconds."""
        idle = time.monotonic() > self._wanted[1]
        self._wanted = (run_id, time.monotonic() + PATIENCE)
        if idle:
            self._wake.set()

    def samples(self, run_id: str) -> tuple[Sample, ...]:
        """What was seen of a run, the newest last; empty where nobody looked or it has ended."""
        return tuple(self._samples.get(run_id, ()))

    def stop(self) -> None:
        """Watch nothing any more."""
        self._stopped = True
        self._gpu.stop()
        self._wake.set()

    def _watch(self) -> None:
        due = 0.0
        while not self._stopped:
            self._wake.clear()
            if not self._workers:
                self._meter = None
                self._tell(Sampled(None, None))
            while not self._workers and not self._stopped:  # idle: not even a clock ticks
                self._wake.wait()
                self._wake.clear()
            now = time.monotonic()
            if now >= due:
                due = now + self._interval
                with suppress(OSError, ValueError, RuntimeError):  # a system that cannot be asked just now
                    self.sample()
            looked = time.monotonic() < self._wanted[1]
            self._wake.wait(max(0.0, due - time.monotonic()) if looked or not self._gpu.absent else None)

    def sample(self) -> None:
        """Look once, and tell the listeners."""
        wanted, until = self._wanted
        workers = dict(self._workers)
        if not workers or self._stopped:
            return
        watched = wanted if time.monotonic() < until and wanted in workers else None
        pid, index = workers[watched] if watched else next(iter(workers.values()))
        self._gpu.ask(index)
        gpu = self._gpu.latest
        if watched is None:
            self._tell(Sampled(None, gpu))
            return
        if self._meter is None or self._meter.pid != pid:
            self._meter = WorkerMeter(pid)
        seen = self._meter.sample(gpu)
        with self._lock:  # the run may have ended while it was looked at
            if seen is None or watched not in self._workers:
                return
            self._samples.setdefault(watched, deque(maxlen=KEPT)).append(seen)
        self._tell(Sampled(watched, gpu))

    def _tell(self, message: Sampled) -> None:
        for listener in tuple(self._listeners):
            listener(message)


class WorkerMeter:
    """Processor time and memory of a process and its children (None: of the machine alone)."""

    def __init__(self, pid: int | None) -> None:
        import psutil

        self.pid = pid
        self._psutil = psutil
        self._family: list[psutil.Process] = []
        self._looked = float("-inf")
        self._spent: dict[int, float] = {}
        self._at: float | None = None
        psutil.cpu_percent()  # the first answer is of no time at all

    def sample(self, gpu: Gpu | None) -> Sample | None:
        """What went on since the last time; None at the first time, when there is nothing to compare with."""
        psutil = self._psutil
        now = time.monotonic()
        spent, memory = self._look(now)
        cpu: float | None = None
        if self._at is not None and spent:
            # what a process that came or went in between has used is not known
            used = sum(seconds - self._spent[pid] for pid, seconds in spent.items() if pid in self._spent)
            cpu = max(0.0, 100 * used / max(now - self._at, 1e-6))
        first = self._at is None
        self._spent, self._at = spent, now
        if first:
            psutil.cpu_percent()
            return None
        machine = psutil.virtual_memory()
        total, free = int(machine.total), int(machine.available)
        return Sample(cpu, memory if spent else None, psutil.cpu_percent(), total - free, total, gpu)

    def _look(self, now: float) -> tuple[dict[int, float], int]:
        """Processor seconds by process, and the memory of all."""
        psutil = self._psutil
        if self.pid is None:
            return {}, 0
        if now - self._looked >= CHILDREN_SECONDS:
            self._looked = now
            with suppress(psutil.Error, OSError):
                worker = psutil.Process(self.pid)
                self._family = [worker, *worker.children(recursive=True)]
        spent: dict[int, float] = {}
        memory = 0
        for process in self._family:
            with suppress(psutil.Error, OSError):
                with process.oneshot():
                    times = process.cpu_times()
                    memory += int(process.memory_info().rss)
                spent[process.pid] = float(times.user + times.system)
        return spent, memory


def gpu_of(run: RunView) -> int:
    """Which GPU a run said that it computes on, as CUDA counts; the first where it said none."""
    device = str((run.snapshot.started or {}).get("device") or "")
    number = device.rpartition(":")[2]
    return int(number) if device.startswith("cuda:") and number.isascii() and number.isdigit() else 0
