"""What NVIDIA's driver says of one GPU, asked in a thread of its own, so that a driver that hangs holds up nothing.

Nobody waits here: who asks gets what was known last, and nothing where that is old. No process is looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from trainer.devices import visible

STALE = 4.0
"""Seconds after which what the driver said is no longer shown."""


@dataclass(frozen=True)
class Gpu:
    """One GPU: load in percent, memory in bytes, degrees Celsius. None where the driver does not say."""

    load: int | None
    used: int
    total: int
    celsius: int | None

    @property
    def line(self) -> str:
        """`GPU 87% 9.1/80 GB`, as the header shows it."""
        return f"GPU {self.figure}"

    @property
    def figure(self) -> str:
        """`87% 9.1/80 GB`."""
        load = "" if self.load is None else f"{self.load}% "
        return f"{load}{self.memory}"

    @property
    def memory(self) -> str:
        """`9.1/80 GB`."""
        used, total = self.used / 2**30, self.total / 2**30
        return f"{used:.1f}/{total:.0f} GB" if used < 10 else f"{used:.0f}/{total:.0f} GB"


class GpuAsker:
    """Asks once for each `ask`; `latest` is the answer as long as it is fresh. Without a driver there is never one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked = threading.Event()
        self._answer: tuple[float, Gpu | None] = (-STALE, None)
        self._index = 0
        self._absent = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    @property
    def absent(self) -> bool:
        """Whether it is known that no driver is there: asking on would be in vain."""
        return self._absent

    @property
    def latest(self) -> Gpu | None:
        """What was said last, unless it is stale."""
        at, gpu = self._answer
        return gpu if self._clock() - at < STALE else None

    def ask(self, index: int = 0) -> None:
        """Ask for the GPU that CUDA counts as `index`; the answer comes when it comes."""
        self._index = index
        if self._absent or self._stopped:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="gpu", daemon=True)
            self._thread.start()
        self._asked.set()

    def stop(self) -> None:
        """Ask no more. A driver that hangs is left behind."""
        self._stopped = True
        self._asked.set()

    def _serve(self) -> None:
        import pynvml

        try:
            pynvml.nvmlInit()
        except Exception:  # no driver, or one that is broken: a library of the system may raise anything
            self._absent = True
            return
        while not self._stopped:
            self._asked.wait()
            self._asked.clear()
            try:
                gpu = _gpu(self._index)
            except Exception:  # lost for a moment (a reset, a driver being changed): the next answer may be better
                gpu = None
            self._answer = (self._clock(), gpu)


def _gpu(index: int) -> Gpu | None:
    import pynvml

    handles = visible([pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())])
    if not handles:
        return None
    handle = handles[min(index, len(handles) - 1)]
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load: int | None = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError:
        load = None
    try:
        celsius: int | None = int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        celsius = None
    return Gpu(load, int(memory.used), int(memory.total), celsius)
