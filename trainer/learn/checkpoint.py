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
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer.learn.average import Average
from trainer.learn.memory import out_of_memory
from trainer.learn.randomness import plain_state, put_plain_state, put_torch_state, torch_state
from trainer.paths import private_folder, sync
from trainer.runs.disk import FORMAT, PASSED_OVER

KEEP = 2
"""The newest checkpoints that are left after one was written; the best one stays beside them."""

FILES = ("model.safetensors", "optimizer.safetensors", "random.safetensors", "random.json", "position.json")

AVERAGE = "average.safetensors"
"""Beside them where the training keeps a running average of its weights."""


class CannotRestore(Exception):
    """A checkpoint that verified does not give back what is in it: read errors, or weights of another shape."""


@dataclass
class Position:
    """Where a training stands. `epoch` counts from 1; `rows` of its rows are consumed, in the order of (seed, epoch)."""

    step: int = 0
    epoch: int = 1
    rows: int = 0
    loss_sum: float = 0.0
    loss_rows: int = 0
    train_losses: list[float] = field(default_factory=list)
    dev_losses: list[float] = field(default_factory=list)
    best_score: float = -1.0
    best_epoch: int = 0
    """The best epoch seen: with the number of validations so far, this is also all that early stopping needs."""
    kept_score: float = -1.0
    kept_epoch: int = 0
    """The epoch whose model is on disk: an older one than the best where the disk refused."""
    seconds: float = 0.0
    halvings: int = 0
    """How often the rate was halved because the loss was no number."""
    split: int = 1
    """Into how many micro-batches each batch is cut because the memory was short."""
    bad_steps: int = 0
    """Steps in a row, up to here, that were not taken because loss or gradient was no number."""


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint's folder, what it says of the position, and the terms under which it was made."""

    folder: Path
    position: Position
    terms: dict[str, Any]


def write(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    terms: Mapping[str, Any] | None = None,
    best: bool = False,
    average: Average | None = None,
) -> dict[str, Any]:
    """Write `step-NNNNNN` into `folder`, prune older ones, and return the fields of the event (`folder`, `bytes`, `seconds`).

    `durable` is among the fields, and False, where it is there for every reader but a power cut may still cost it;
    nothing is pruned then. `best` marks the checkpoint right behind the best validation so far: it is kept until a better one comes. Raises
    OSError where the disk refuses; nothing that was there before is lost by that.
    """
    began = time.monotonic()
    if not folder.exists():
        private_folder(folder)
        sync(folder.parent)
    final = folder / f"step-{position.step:06d}"
    temporary = folder / f".{final.name}-{os.getpid()}"
    replaced = folder / f".replaced-{final.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(mode=0o700)
        files = _fill(temporary, model, optimizer, position, terms or {}, best, average)
        if final.exists():  # put aside, not removed: killed in between, there must be one
            shutil.rmtree(replaced, ignore_errors=True)
            final.rename(replaced)
        temporary.rename(final)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if final.exists():
            shutil.rmtree(replaced, ignore_errors=True)
        elif replaced.exists():
            replaced.rename(final)
        if isinstance(error, SafetensorError):  # what a full disk looks like from there
            raise OSError(str(error)) from error
        raise
    told: dict[str, Any] = {"folder": final.name, "bytes": sum(f["bytes"] for f in files.values())}
    try:
        sync(folder)  # before anything older goes
        _prune(folder, position.step)
    except OSError:
        told["durable"] = False
    shutil.rmtree(replaced, ignore_errors=True)
    return {**told, "seconds": round(time.monotonic() - began, 3)}


def _fill(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    terms: Mapping[str, Any],
    best: bool,
    average: Average | None,
) -> dict[str, dict[str, Any]]:
    """All files of a checkpoint, durable. Returns what the manifest says of them."""
    save_file(_on_cpu(model.state_dict()), folder / "model.safetensors")
    save_file(_on_cpu(_optimizer_tensors(optimizer)), folder / "optimizer.safetensors")
    if average is not None:
        save_file(_on_cpu(average.values), folder / AVERAGE)
    save_file(torch_state(next(model.parameters()).device), folder / "random.safetensors")
    (folder / "random.json").write_text(json.dumps(plain_state()), "utf-8")
    text = json.dumps({"position": asdict(position), "terms": dict(terms)}, indent=1)
    (folder / "position.json").write_text(text, "utf-8")
    files = {p.name: {"bytes": p.stat().st_size, "sha256": _sha256(p)} for p in sorted(folder.iterdir())}
    manifest = {"format": FORMAT, "step": position.step, "best": best, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    for path in folder.iterdir():
        path.chmod(0o600)
        sync(path)
    sync(folder)
    return files


def _prune(folder: Path, step: int) -> None:
    """Remove what is older than the newest two up to `step`, but for the best one.

    What is to go loses its name first: killed meanwhile, it is no half one.
    """
    there = [f for f in _folders(folder) if _step(f) <= step]
    best = next((f for f in there if _is_best(f)), None)
    for path in there[KEEP:]:
        if path != best:
            with suppress(OSError):
                aside = path.with_name(f".pruned-{path.name}")
                path.rename(aside)
                shutil.rmtree(aside, ignore_errors=True)


def make_room(folder: Path) -> None:
    """Remove all checkpoints but the newest: a training that is done needs its model more than these."""
    for path in _folders(folder)[1:]:
        shutil.rmtree(path, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Bring back what a killed worker had put aside, and remove what it left half written. Only for the lock's holder."""
    if not folder.is_dir():
        return
    for aside in folder.glob(".replaced-step-*"):
        final = folder / aside.name.removeprefix(".replaced-")
        if final.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            with suppress(OSError):  # a disk that refuses; the ones before are there
                aside.rename(final)
    for left in (*folder.glob(".step-*"), *folder.glob(".pruned-step-*")):
        shutil.rmtree(left, ignore_errors=True)


def pass_over(folder: Path, beyond: int) -> None:
    """Take the names from all checkpoints beyond step `beyond`. Only for the lock's holder, before it goes on from there.

    They are damaged, of another format, or of a way that is not gone again: with their names they would be taken for
    the newest, and those to come for old ones.
    """
    for path in _folders(folder):
        if _step(path) > beyond:
            aside = path.with_name(PASSED_OVER + path.name)
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)


def newest(folder: Path, below: int | None = None) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that verifies (of a step before `below`), or None, and a warning for each that does not."""
    warnings: list[str] = []
    for candidate in _folders(folder):
        if below is not None and _step(candidate) >= below:
            continue
        fault = verify(candidate)
        if fault is None:
            try:
                values = json.loads((candidate / "position.json").read_text("utf-8"))
                return Checkpoint(candidate, Position(**values["position"]), dict(values["terms"])), warnings
            except (OSError, ValueError, KeyError, TypeError) as error:
                fault = f"its position cannot be read ({type(error).__name__}: {error})"
        warnings.append(f"checkpoint {candidate.name} is passed over: {fault}")
    return None, warnings


def of_step(folder: Path, step: int) -> Checkpoint | None:
    """The checkpoint of just this step, where it verifies."""
    found, _ = newest(folder, step + 1)
    return found if found is not None and found.position.step == step else None


def verify(folder: Path) -> str | None:
    """None if every file of the manifest is there with its size and hash, else what is wrong."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        if manifest["format"] != FORMAT:
            return f"it has format {manifest['format']}, this version reads {FORMAT}"
        if manifest["step"] != _step(folder):
            return f"it is of step {manifest['step']}"
        if not set(FILES) <= set(manifest["files"]):
            return "its manifest does not name all files"
        for name, expected in manifest["files"].items():
            path = folder / Path(name).name
            if path.stat().st_size != expected["bytes"] or _sha256(path) != expected["sha256"]:
                return f"{name} is damaged"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its manifest cannot be followed ({type(error).__name__}: {error})"
    return None


def restore(
    checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, average: Average | None = None
) -> None:
    """Put weights, optimizer, average and random states back as they were when the checkpoint was written.

    Raises CannotRestore, and leaves model and optimizer half changed, where the files do not give them back.
    """
    try:
        _restore(checkpoint, model, optimizer)
        if average is not None:
            average.load(load_file(checkpoint.folder / AVERAGE))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        raise CannotRestore(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}") from error


def _restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    model.load_state_dict(load_file(checkpoint.folder / "model.safetensors"))
    tensors = load_file(checkpoint.folder / "optimizer.safetensors")
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    # torch's own way in: it knows which of them belong on the device
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    put_plain_state(json.loads((checkpoint.folder / "random.json").read_text("utf-8")))
    put_torch_state(load_file(checkpoint.folder / "random.safetensors"), next(model.parameters()).device)


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous and on the processor; what shares memory is copied, which safetensors would refuse."""
    seen: set[int] = set()
    moved = {}
    for name, value in tensors.items():
        tensor = value.detach().cpu().contiguous()
        start = tensor.untyped_storage().data_ptr()
        moved[name] = tensor.clone() if start in seen else tensor
        seen.add(start)
    return moved


def _numbered(optimizer: torch.optim.Optimizer) -> Iterator[tuple[int, nn.Parameter]]:
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    return enumerate(parameters)


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{number}.{name}": value
        for number, parameter in _numbered(optimizer)
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _is_best(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "manifest.json").read_text("utf-8"))["best"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _folders(folder: Path) -> list[Path]:
    found = [p for p in folder.glob("step-*") if p.name.removeprefix("step-").isdigit()] if folder.is_dir() else []
    return sorted(found, key=_step, reverse=True)


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
