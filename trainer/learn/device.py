"""Turns the settings `device` and `precision` into what torch computes on, with errors that say what is there."""

from __future__ import annotations

from pathlib import Path

import torch

from trainer.config import check_device
from trainer.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda`, `cuda:N` or `mps` -> a device that exists. Raises ConfigError."""
    check_device(name)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            there = (
                f"this machine has {count} CUDA device{'s' if count != 1 else ''}"
                if count
                else "torch sees no CUDA device here"
            )
            raise ConfigError(f"device = {name!r}: {there}; use device=auto or device=cpu", key="device")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device = 'mps': torch sees no Apple GPU here; use device=cpu", key="device")
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """`auto` -> bf16 where the device multiplies it fast, else fp32. Returns "bf16" or "fp32"."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and _fast_on_cpu() else "fp32"


def _fast_on_cpu() -> bool:
    try:
        flags = set(Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16"})
