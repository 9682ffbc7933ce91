"""The terms under which two trainings give the same bits: device, precision, threads, versions, and torch's own switches."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

LIBRARIES = ("torch", "transformers", "numpy")


def terms(device: torch.device, precision: str, deterministic: bool) -> dict[str, Any]:
    """What a checkpoint says of where it was made. Only what may change a bit of the weights."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "machine": platform.node(), "device": device.type, "device name": name, "precision": precision,
        "threads": torch.get_num_threads(), "deterministic": deterministic, **{k: version(k) for k in LIBRARIES},
    }  # fmt: skip


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What to say of a training that goes on under other terms than it was left; None where they are the same."""
    differ = [f"{key} {before[key]} → {now[key]}" for key in now if key in before and before[key] != now[key]]
    if not differ:
        return None
    return (
        f"this goes on under other terms than it was left ({', '.join(differ)}): the order of the comments is the same, "
        f"the weights may differ in their last bits from those of an undisturbed run"
    )


@contextmanager
def repeatable(wanted: bool, device: torch.device) -> Iterator[None]:
    """Inside, torch uses only ways of computing that give the same bits each time, if that is wanted. Slower on a GPU."""
    if not wanted:
        yield
        return
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
