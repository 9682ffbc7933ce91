"""What this machine computes on, and who is using it: asked of NVIDIA's driver, so that torch need not be imported.

Shown before a run starts; a busy GPU is said to be busy, never taken silently.
"""

from __future__ import annotations

import os
import platform
import pwd
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
BUSY_SHARE = 0.1
"""A GPU whose memory is used beyond this share by others, or that computes, counts as busy."""
MOST_USERS = 4
"""Users that are named in one line."""


@dataclass(frozen=True)
class Device:
    """One device. Memory in bytes, `load` in percent; None where it cannot be asked.

    `users` says of each computing process whose it is, such as `alice (pid 123)`; `pid 123` where that is hidden.
    """

    name: str
    title: str
    memory_total: int | None
    memory_used: int | None
    load: int | None
    processes: int
    busy: bool
    users: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.name} · {self.title}"
        if self.memory_total and self.memory_used is not None:
            text += f" · {self.memory_used / 2**30:.1f} of {self.memory_total / 2**30:.0f} GB used"
        if self.busy:
            text += f" · busy: {self.processes} process{'es' if self.processes != 1 else ''}"
            if self.users:
                more = len(self.users) - MOST_USERS
                text += f" of {', '.join(self.users[:MOST_USERS])}" + (f" and {more} more" if more > 0 else "")
            text += f", {self.load}% load" if self.load is not None else ""
        return text


def list_devices() -> list[Device]:
    """GPUs first (as torch counts them under CUDA_VISIBLE_DEVICES), then the processor.

    The driver counts cards by their place on the bus, as CUDA does under CUDA_DEVICE_ORDER=PCI_BUS_ID. Workers are
    started with that unless it is set already; under FASTEST_FIRST, a machine with cards of several kinds may show them
    here in another order than torch.
    """
    return [*_gpus(), *_apple(), _cpu()]


def _cpu() -> Device:
    title = f"{platform.processor() or platform.machine()}, {cores()} core{'s' if cores() != 1 else ''}"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                title = f"{line.partition(':')[2].strip()}, {cores()} core{'s' if cores() != 1 else ''}"
                break
        memory = {
            k: int(v.split()[0]) * 1024
            for k, v in (x.split(":") for x in Path("/proc/meminfo").read_text().splitlines())
        }
        total, used = memory["MemTotal"], memory["MemTotal"] - memory["MemAvailable"]
    except (OSError, KeyError, ValueError):
        return Device("cpu", title, None, None, None, 0, False)
    return Device("cpu", title, total, used, None, 0, False)


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Whether there is a GPU that torch might compute on, known without torch: it is the one that knows for certain."""
    return bool(_gpus() or _apple() or (Path("/dev/kfd").exists()))


def _apple() -> list[Device]:
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return [Device("mps", "Apple GPU", None, None, None, 0, False)]
    return []


def _gpus() -> list[Device]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [_gpu(number, handle) for number, handle in enumerate(visible(handles))]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def visible(handles: list[object]) -> list[object]:
    """The handles in torch's order: CUDA_VISIBLE_DEVICES hides and renumbers; GPU-… names are matched by their start."""
    import pynvml

    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return handles
    chosen = []
    for item in (w.strip() for w in wanted.split(",")):
        if item.isdigit() and int(item) < len(handles):
            chosen.append(handles[int(item)])
        elif item.startswith("GPU-"):
            chosen += [h for h in handles if str(pynvml.nvmlDeviceGetUUID(h)).startswith(item)][:1]
        else:
            break  # as CUDA does: an invalid entry hides what follows
    return chosen


def _gpu(number: int, handle: object) -> Device:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load: int | None = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError:
        load = None
    try:
        pids = [int(process.pid) for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
    except pynvml.NVMLError:
        pids = []
    busy = bool(pids) or memory.used > BUSY_SHARE * memory.total or bool(load and load > 10)
    return Device(
        f"cuda:{number}",
        str(pynvml.nvmlDeviceGetName(handle)),
        int(memory.total),
        int(memory.used),
        load,
        len(pids),
        busy,
        tuple(_user(pid) for pid in pids),
    )


def _user(pid: int) -> str:
    """Whose process this is. It may have ended by now, or be of a namespace or a user that this one cannot see."""
    try:
        owner = (PROC / str(pid)).stat().st_uid
    except OSError:
        return f"pid {pid}"
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"user {owner}"
    return f"{name} (pid {pid})"
