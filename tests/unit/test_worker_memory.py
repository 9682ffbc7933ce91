"""A training keeps the memory it frees: what one step had, the next one has without asking the system for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trainer.runs import launch

STEPS = """
import resource
import torch

def step():
    made = [torch.ones(2_400_000) for _ in range(16)]  # 9.6 MB each, as DistilBERT's largest gradients

for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(surroundings: dict[str, str]) -> int:
    """Pages that three steps got from the system, after three others that had as many."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS], env=surroundings, capture_output=True, text=True, check=True, timeout=120
    )
    return int(done.stdout)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This environment, in which nobody has told glibc anything."""
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_"))]:
        monkeypatch.delenv(name)
    return dict(os.environ)


@pytest.mark.skipif(sys.platform != "linux" or not os.confstr("CS_GNU_LIBC_VERSION"), reason="it is glibc that is told")
def test_a_worker_gets_no_page_twice(plain: dict[str, str]) -> None:
    assert faults(launch.environment()) < 100
    # by itself glibc does now this, now that: told to begin as it does, it asks for everything each time
    assert faults({**plain, "GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={2**17}"}) > 1000


def test_what_a_user_tells_glibc_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=1")
    assert launch.environment()["GLIBC_TUNABLES"] == "glibc.malloc.perturb=1"
