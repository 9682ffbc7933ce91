"""What a run that was killed again and again must have in common with one that was left alone, and what its log must be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.torture.footprint import Event
from trainer.runs.events import LOG, parse_line
from trainer.runs.run import Run
from trainer.runs.snapshot import own_fields
from trainer.runs.tail import read_events

CLOCKS = ("seconds", "model", "pid")
"""Fields of an event that no two runs share."""


@dataclass(frozen=True)
class Outcome:
    """What came of a finished run. Two of the same settings must be equal in every field."""

    model: dict[str, str]
    """The files of the model that is kept -> their sha256."""
    checkpoints: dict[str, dict[str, str]]
    """The checkpoints that are left, with the sha256 of their tensors: where training stood, whatever was best."""
    validations: tuple[dict[str, Any], ...]
    finished: dict[str, Any]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, run: Run) -> Outcome:
        """Read from the folder of a run that has ended."""
        events = read_events(run.folder / LOG)
        checkpoints = sorted((run.folder / "checkpoints").glob("step-*"))
        return cls(
            model=_hashes(run.folder / "model", "model.safetensors", "config.json", "thresholds.json"),
            checkpoints={c.name: _hashes(c, *(p.name for p in c.glob("*.safetensors"))) for c in checkpoints},
            validations=tuple(_plain(e) for e in events if e["kind"] == "validation"),
            finished=_plain(events[-1]) if events else {},
            warnings=tuple(str(e["text"]) for e in events if e["kind"] == "warning"),
        )

    @property
    def weights(self) -> str:
        """sha256 of the weights that are kept."""
        return self.model.get("model.safetensors", "none")

    def differences(self, other: Outcome) -> list[str]:
        """One sentence for each field in which the two differ.

        Which checkpoints are left depends a little on the clock: those that both have must be equal, and there must be one.
        """
        found = []
        both = self.checkpoints.keys() & other.checkpoints.keys()
        if not both:
            found.append(f"no checkpoint is common to {[*self.checkpoints]} and {[*other.checkpoints]}")
        for name in (field.name for field in fields(self)):
            mine, others = getattr(self, name), getattr(other, name)
            if name == "checkpoints":
                mine, others = ({step: held[step] for step in sorted(both)} for held in (mine, others))
            if mine != others:
                found.append(f"{name}: {_excerpt(mine, others)}")
        return found


def story_faults(log: Path, whole: bool) -> list[str]:
    """What is wrong with an event log; `whole` for one of a run that has ended, whose last line must be complete."""
    data = log.read_bytes() if log.exists() else b""
    *lines, rest = data.split(b"\n")
    found = [f"line {n} is no event: {line[:80]!r}" for n, line in enumerate(lines, 1) if parse_line(line) is None]
    if rest and (whole or len(rest) > 1 << 16):
        found.append(f"the last line is torn: {rest[:80]!r}")
    events = [event for event in map(parse_line, lines) if event is not None]
    numbers = [event["seq"] for event in events]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong = next(n for n, seq in enumerate(numbers, 1) if n != seq)
        found.append(f"event {wrong} has the number {numbers[wrong - 1]}")
    if not _rises([event["step"] for event in read_events(log) if event["kind"] == "step"]):
        found.append("the steps that count do not rise strictly")
    return found


def restart_faults(before: Sequence[Event], new: Sequence[Event]) -> list[str]:
    """What is wrong with the start of a worker on a run with the events `before`: no checkpoint may be lost."""
    promised = max((int(e["step"]) for e in before if e["kind"] == "checkpoint"), default=0)
    start = next((e for e in new if e["kind"] in ("started", "resumed")), None)
    if start is not None and int(start.get("step", 0)) < promised:
        return [f"it goes on at step {start.get('step', 0)}, after a checkpoint at step {promised} was told"]
    return []


def leftovers(folder: Path) -> list[str]:
    """Half-written and put-aside things in the folder of a finished run, and checkpoints beyond two and the best."""
    found = [f"{path.relative_to(folder)} is left" for path in sorted(folder.rglob(".*"))]
    kept = len(list((folder / "checkpoints").glob("step-*")))
    return [*found, f"{kept} checkpoints are left"] if kept > 3 else found


def _plain(event: Event) -> dict[str, Any]:
    own = own_fields(event) or {}
    return {key: value for key, value in own.items() if key not in CLOCKS}


def _hashes(folder: Path, *names: str) -> dict[str, str]:
    paths = {name: folder / name for name in sorted(names)}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "none" for n, p in paths.items()}


def _rises(steps: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(steps))


def _excerpt(mine: Any, others: Any) -> str:
    """The two where they begin to differ, short enough for a line."""
    if isinstance(mine, tuple) and isinstance(others, tuple):
        if len(mine) != len(others):
            return f"{len(mine)} and {len(others)} of them: {[*mine, *others][-1]}"[:300]
        return next(
            f"number {n}: {_excerpt(a, b)}" for n, (a, b) in enumerate(zip(mine, others, strict=True)) if a != b
        )
    if isinstance(mine, dict) and isinstance(others, dict):
        keys = [key for key in {**mine, **others} if mine.get(key) != others.get(key)]
        return "; ".join(f"{key} {str(mine.get(key))[:60]} and {str(others.get(key))[:60]}" for key in keys[:3])
    return f"{str(mine)[:100]} and {str(others)[:100]}"
