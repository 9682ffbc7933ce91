"""What a person decided about suspect rows: the labels are fine, they are wrong, or the model's are the right ones.

A small JSON file beside the scores that they are about. Whatever else stands in it counts as nothing decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trainer.errors import GoemoError

NAME = "decisions.json"
FORMAT = 1

Verdict = Literal["fine", "wrong", "model"]
VERDICTS: tuple[Verdict, ...] = ("fine", "wrong", "model")


@dataclass(frozen=True)
class Decision:
    """`fine`: never left out. `wrong`: always. `model`: wrong, and `labels` (ids) are right."""

    verdict: Verdict
    labels: tuple[int, ...] = ()


def read_decisions(folder: Path, labels: int) -> dict[int, Decision]:
    """Row of train -> decision; empty where nothing is kept. `labels`: how many there are, for what is in range."""
    try:
        found = json.loads((folder / NAME).read_text("utf-8"))["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    read = {}
    for key, value in found.items() if isinstance(found, dict) else ():
        decision = _decision(value, labels)
        if decision is not None and str(key).isdecimal():
            read[int(key)] = decision
    return read


def keep_decisions(folder: Path, decisions: Mapping[int, Decision]) -> None:
    """Write them, whole or not at all. Raises GoemoError where the disk refuses."""
    rows: dict[str, Any] = {
        str(row): {"verdict": d.verdict, **({"labels": list(d.labels)} if d.verdict == "model" else {})}
        for row, d in sorted(decisions.items())
    }
    fresh = folder / f".{NAME}.new"
    try:
        fresh.write_text(json.dumps({"format": FORMAT, "rows": rows}, indent=0) + "\n", "utf-8")
        fresh.chmod(0o600)
        fresh.replace(folder / NAME)
    except OSError as error:
        raise GoemoError(f"{folder / NAME} cannot be written: {error.strerror or error}") from None


def _decision(value: Any, labels: int) -> Decision | None:
    if not isinstance(value, dict) or value.get("verdict") not in VERDICTS:
        return None
    own = value.get("labels", [])
    usable = isinstance(own, list) and all(type(k) is int and 0 <= k < labels for k in own)
    if value["verdict"] == "model" and not (usable and own):
        return None
    return Decision(value["verdict"], tuple(sorted(set(own))) if value["verdict"] == "model" else ())
