"""A training put on disk and taken up again: weights, optimizer, random state and position, as safetensors and JSON only.

A checkpoint is complete or absent: it is written into a temporary folder, synced, listed in a manifest with sizes and
hashes, and renamed. Readers verify and fall back to the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer.paths import private_folder

KEEP = 2
"""Checkpoints left after a new one is written."""

FORMAT = 1


@dataclass
class Position:
    """Where a training stands. `epoch` counts from 1; `window` is the number of optimizer steps done in it."""

    step: int = 0
    epoch: int = 1
    window: int = 0
    loss_sum: float = 0.0
    loss_rows: int = 0
    train_losses: list[float] = field(default_factory=list)
    dev_losses: list[float] = field(default_factory=list)
    best_score: float = -1.0
    best_epoch: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint's folder and what it says of the position."""

    folder: Path
    position: Position


def write(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, position: Position) -> dict[str, Any]:
    """Write `step-NNNNNN` into `folder`, prune older ones, and return the fields of the event (`folder`, `bytes`, `seconds`).

    Raises OSError where the disk refuses; nothing that was there before is lost by that.
    """
    began = time.monotonic()
    private_folder(folder)
    final = folder / f"step-{position.step:06d}"
    temporary = folder / f".{final.name}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    try:
        save_file(
            {k: v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()},
            temporary / "model.safetensors",
        )
        save_file(_optimizer_tensors(optimizer), temporary / "optimizer.safetensors")
        save_file(_random_state(model), temporary / "random.safetensors")
        (temporary / "position.json").write_text(json.dumps(asdict(position), indent=1), "utf-8")
        files: dict[str, dict[str, Any]] = {
            p.name: {"bytes": p.stat().st_size, "sha256": _sha256(p)} for p in sorted(temporary.iterdir())
        }
        (temporary / "manifest.json").write_text(json.dumps({"format": FORMAT, "files": files}, indent=1), "utf-8")
        for path in temporary.iterdir():
            path.chmod(0o600)
            sync(path)
        sync(temporary)
        replaced = folder / f".replaced-{final.name}"
        if final.exists():  # put aside, not removed: killed in between, there must be one
            shutil.rmtree(replaced, ignore_errors=True)
            final.rename(replaced)
        temporary.rename(final)
        sync(folder)
        shutil.rmtree(replaced, ignore_errors=True)
    except SafetensorError as error:  # what a full disk looks like from there
        shutil.rmtree(temporary, ignore_errors=True)
        raise OSError(str(error)) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    for old in _folders(folder)[KEEP:]:
        shutil.rmtree(old, ignore_errors=True)
    size = sum(f["bytes"] for f in files.values())
    return {"folder": final.name, "bytes": size, "seconds": round(time.monotonic() - began, 3)}


def tidy(folder: Path) -> None:
    """Bring back what a killed worker had put aside, and remove what it left half written. Only for the lock's holder."""
    if not folder.is_dir():
        return
    for aside in folder.glob(".replaced-step-*"):
        final = folder / aside.name.removeprefix(".replaced-")
        if not final.exists():
            aside.rename(final)
    for left in folder.glob(".*step-*"):
        shutil.rmtree(left, ignore_errors=True)


def newest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that verifies, or None, and a warning for each newer one that does not."""
    warnings: list[str] = []
    for candidate in _folders(folder):
        fault = verify(candidate)
        if fault is None:
            values = json.loads((candidate / "position.json").read_text("utf-8"))
            return Checkpoint(candidate, Position(**values)), warnings
        warnings.append(f"checkpoint {candidate.name} is passed over: {fault}")
    return None, warnings


def verify(folder: Path) -> str | None:
    """None if every file of the manifest is there with its size and hash, else what is wrong."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        if manifest["format"] != FORMAT:
            return f"it has format {manifest['format']}, this version reads {FORMAT}"
        for name, expected in manifest["files"].items():
            path = folder / Path(name).name
            if path.stat().st_size != expected["bytes"] or _sha256(path) != expected["sha256"]:
                return f"{name} is damaged"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its manifest cannot be followed ({type(error).__name__}: {error})"
    return None


def restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put weights, optimizer and random state back as they were when the checkpoint was written."""
    model.load_state_dict(load_file(checkpoint.folder / "model.safetensors"))
    tensors = load_file(checkpoint.folder / "optimizer.safetensors")
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    # torch's own way in: it knows which of them belong on the device
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    random = load_file(checkpoint.folder / "random.safetensors")
    torch.set_rng_state(random["cpu"])
    device = next(model.parameters()).device
    if device.type == "cuda" and "cuda" in random:
        torch.cuda.set_rng_state(random["cuda"], device)


def _random_state(model: nn.Module) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    device = next(model.parameters()).device
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _numbered(optimizer: torch.optim.Optimizer) -> Iterator[tuple[int, nn.Parameter]]:
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    return enumerate(parameters)


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{number}.{name}": value.detach().cpu().contiguous().clone()
        for number, parameter in _numbered(optimizer)
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _folders(folder: Path) -> list[Path]:
    found = [p for p in folder.glob("step-*") if p.name.removeprefix("step-").isdigit()] if folder.is_dir() else []
    return sorted(found, key=lambda p: int(p.name.removeprefix("step-")), reverse=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Make a file's content, or a folder's entries, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
