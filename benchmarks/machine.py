"""What a measurement was made on, so that a figure can be told from one of another machine. No torch.

Facts that make a figure what it is, and nothing that says whose machine it is: no host name, no path.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

FAST_MATH = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16")
"""The processor's instructions that decide how fast matrices are multiplied."""
LIBRARIES = ("torch", "transformers")


@dataclass(frozen=True)
class Machine:
    """`memory` in GB; `instructions` are those of FAST_MATH that are there; `gpu` is empty where there is none."""

    processor: str
    cores: int
    instructions: tuple[str, ...]
    memory: int
    gpu: str
    software: str
    commit: str
    date: str
    load: float
    corpus: str = ""
    """What was learned, read and scored there; rows of before 2026-12-02 do not say it."""

    def __str__(self) -> str:
        """All of it in one line, without commit and date."""
        can = " ".join(self.instructions) or f"none of {' '.join(FAST_MATH)}"
        parts = (
            self.processor, f"{self.cores} cores", can, f"{self.memory} GB", self.gpu, self.software,
            f"load {self.load:.1f}", f"corpus {self.corpus}" if self.corpus else "",
        )  # fmt: skip
        return " · ".join(part for part in parts if part)


def this_machine(corpus: str = "") -> Machine:
    """As it is now. `load` is that of the last minute, before anything was measured; `corpus` is what it is measured on."""
    return Machine(
        processor(),
        cores(),
        instructions(),
        memory(),
        gpu(),
        " · ".join((*(f"{name} {version(name)}" for name in LIBRARIES), f"Python {platform.python_version()}")),
        commit(),
        time.strftime("%Y-%m-%d"),
        os.getloadavg()[0],
        corpus,
    )


def processor() -> str:
    """The processor's name as it gives it itself."""
    return _cpuinfo("model name") or platform.processor() or platform.machine() or "unknown processor"


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def instructions() -> tuple[str, ...]:
    """Those of FAST_MATH that the processor has."""
    flags = set(_cpuinfo("flags").split())
    return tuple(name for name in FAST_MATH if name in flags)


def memory() -> int:
    """The machine's memory in GB (10^9), 0 where it does not say."""
    total = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return round(int(total) * 1024 / 1e9)


def gpu() -> str:
    """The GPUs' names and their driver, or nothing."""
    import pynvml

    from trainer.devices import list_devices

    names = [device.title for device in list_devices() if device.name != "cpu"]
    try:
        pynvml.nvmlInit()
        driver = f", driver {pynvml.nvmlSystemGetDriverVersion()}"
        pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        driver = ""
    return " + ".join(names) + driver if names else ""


def commit(folder: Path = Path(__file__).parent) -> str:
    """The commit that `folder` is at, with a + where files but the results were changed since; empty outside of git."""
    said = _git(folder, "rev-parse", "--short", "HEAD")
    all_but_results = (":(top)", ":(top,exclude)benchmarks/RESULTS.md")
    changed = said and _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *all_but_results)
    return f"{said}+" if changed else said


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _cpuinfo(key: str) -> str:
    return next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith(key)), "")


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def place() -> str:
    """The section of the results for what is computed where the program would by itself."""
    from trainer.learn.device import choose_device

    return "CPU" if choose_device("auto").type == "cpu" else "GPU"


def fast_bf16(device: str = "auto") -> bool:
    """Whether a device is fast at bf16."""
    from trainer.learn.device import choose_device, choose_precision

    return choose_precision("auto", choose_device(device)) == "bf16"
