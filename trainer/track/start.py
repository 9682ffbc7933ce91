"""Starts mirrors: detached beside a training, or as children that are waited for.

A detached one is nobody's child and outlives login and terminal, as a worker does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.errors import GoemoError
from trainer.runs.launch import environment
from trainer.runs.run import Run
from trainer.shared import without_password
from trainer.track import detach, state
from trainer.track.state import Mirror
from trainer.track.tracker import chosen, missing


def record(names: Sequence[str]) -> dict[str, Any]:
    """The table of `config.toml` that says where a run is mirrored to while it is trained; nothing for nowhere."""
    return {"track": {"to": list(names)}} if names else {}


def asked_of(run: Run) -> tuple[str, ...]:
    """The trackers that a run was to be mirrored to when it was made."""
    table = run.record.get("track")
    names = table.get("to") if isinstance(table, Mapping) else None
    try:
        return chosen(",".join(map(str, names))) if isinstance(names, list) else ()
    except GoemoError:
        return ()


def begin(run: Run) -> list[str]:
    """Start the mirrors that the run was made with, detached. What cannot be started is returned as sentences.

    Never raises for a mirror: the training has begun and goes on.
    """
    said = []
    for name in asked_of(run):
        trouble = missing([name]) or _detached(run, name)
        if trouble:
            said.append(f"the run is not mirrored to {name}: {trouble}")
            state.write(run.folder, Mirror(name, state.FAILED, error=trouble))
    return said


def command(run: Run, name: str, out: Path | None, follow: bool) -> list[str]:
    """What mirrors a run: `python -m trainer.track FOLDER NAME`."""
    words = [sys.executable, "-m", "trainer.track", str(run.folder), name]
    return [*words, *(["--out", str(out)] if out else []), *(["--follow"] if follow else [])]


def export(run: Run, names: Iterable[str], out: Path | None = None, follow: bool = False) -> list[Mirror]:
    """Mirror a run to each of `names`, beside each other, and wait. Those that failed say why. Raises GoemoError.

    Whatever ends the waiting ends the mirrors too.
    """
    several = list(names)
    children: list[subprocess.Popen[str]] = []
    try:
        for name in several:
            child = subprocess.Popen(
                command(run, name, _own(out, name, several), follow), env=_environment(), text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            children.append(child)
        return [_answer(name, child) for name, child in zip(several, children, strict=True)]
    except OSError as error:
        raise GoemoError(f"run {run.id} cannot be exported: {error.strerror or error}") from None
    finally:
        for child in children:
            if child.poll() is None:
                child.terminate()


def _own(out: Path | None, name: str, several: Sequence[str]) -> Path | None:
    return None if out is None else (out / name if len(several) > 1 else out).absolute()


def _answer(name: str, child: subprocess.Popen[str]) -> Mirror:
    said, talk = child.communicate()
    try:
        return Mirror(**json.loads(said))
    except (ValueError, TypeError):
        last = (talk.strip().splitlines() or [f"its process ended with {child.returncode}"])[-1]
        return Mirror(name, state.FAILED, error=without_password(last))


def _detached(run: Run, name: str) -> str | None:
    """Start one mirror; why it could not be, or None."""
    log = state.log_of(run.folder, name)
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-P", str(Path(detach.__file__)), str(log), *command(run, name, None, True)],
            env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=60, start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason was given"])[-1]


def _environment() -> dict[str, str]:
    """As a worker's; what trackers read their folders from is absolute too, for a mirror runs elsewhere."""
    values = environment()
    for name in ("TRACKIO_DIR", "WANDB_DIR"):
        if values.get(name):
            values[name] = os.path.abspath(os.path.expanduser(values[name]))  # noqa: PTH100, PTH111
    return values
