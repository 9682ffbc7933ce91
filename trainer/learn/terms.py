"""The terms under which two trainings give the same bits: device, precision, threads, versions, and torch's own switches."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

from trainer.corpus.tokens import TokenArrays
from trainer.errors import ModelError
from trainer.learn.task import Task

LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")


def terms(device: torch.device, precision: str, task: Task, ranks: int = 1) -> dict[str, Any]:
    """What a checkpoint says of where it was made, and of what. Only what may change a bit of the weights."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "machine": platform.node(), "device": device.type, "device name": name, "precision": precision,
        "threads": torch.get_num_threads(), "ranks": ranks, "deterministic": task.config.deterministic,
        "tokens": tokens_digest(task), **{k: version(k) for k in LIBRARIES},
    }  # fmt: skip


def tokens_digest(task: Task) -> str:
    """What the comments of train and dev have become, as sha256 in hex."""
    return _hash(task.train.tokens, task.dev.tokens)


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What to say of a training that goes on under other terms than it was left; None where they are the same."""
    keys = [key for key in now if key in before and before[key] != now[key]]
    if not keys:
        return None
    differ = ", ".join(f"{key} {before[key]} → {now[key]}" for key in keys)
    far = {"device", "precision", "ranks"} & set(keys)
    how = (
        "differ as those of another seed do, as dropout draws other numbers" if far else "may differ in their last bits"
    )
    return (
        f"this goes on under other terms than it was left ({differ}): the order of the comments is the same, "
        f"the weights {how} from those of an undisturbed run"
    )


def same_tokens(before: Mapping[str, Any], now: Mapping[str, Any], encoder: str) -> None:
    """Raise ModelError if the comments have become other tokens since: weights of the one mean nothing for the other."""
    if before.get("tokens", now["tokens"]) != now["tokens"]:
        raise ModelError(
            f"the tokenizer of {encoder} (or what augmentation makes) has changed since this run was left: bring the old one "
            f"back, or start a new run"
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


def _hash(*splits: TokenArrays) -> str:
    found = hashlib.sha256()
    for tokens in splits:
        found.update(tokens.ids.tobytes())
        found.update(tokens.offsets.tobytes())
    return found.hexdigest()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
