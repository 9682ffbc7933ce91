"""Memory: how much was taken, and where it ran out, told apart from other errors and given back before the next try."""

from __future__ import annotations

import gc
import resource
import sys

import torch

SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_failed",
    "bad_alloc",
    "bad allocation",
)
"""What the allocators of the processor, of CUDA's libraries and of Apple's GPU write into a plain RuntimeError."""


def out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that host or device had no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def release(device: torch.device) -> None:
    """Give back what a failed try still holds: cycles of Python, and the cache of the device's allocator."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def peak(device: torch.device) -> int | None:
    """Bytes that were taken at most: of the card's memory, or of this process; None where nobody counts them."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return None
