"""What the device can multiply at best, in the shapes of a training: the ceiling that its speed is held against."""

from __future__ import annotations

import time

import torch

from benchmarks.clock import wait


def matmul_peak(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device, seconds: float = 0.5) -> float:
    """GFLOP/s of (m, k) x (k, n) for `shape` = (m, k, n): the best of the calls that fit in `seconds`, one at the least.

    Best and not median: what others on the machine take away is no property of it.
    """
    m, k, n = shape
    left = torch.randn(m, k, device=device).to(dtype)
    right = torch.randn(k, n, device=device).to(dtype)
    calls = 1 if device.type == "cpu" else 50  # one call of a GPU is shorter than what starts it
    best, end = 0.0, time.perf_counter() + seconds
    while not best or time.perf_counter() < end:
        before = time.perf_counter()
        for _ in range(calls):
            torch.mm(left, right)
        wait()
        best = max(best, calls * 2 * m * k * n / (time.perf_counter() - before) / 1e9)
    return best
