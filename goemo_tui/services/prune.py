"""What can be freed on disk, looked up and put into words for the Train screen. Both may take a while: call beside it.

No widget is known here; what may go is for trainer.runs.prune to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from goemo_tui.wording import size
from trainer.runs.prune import Freed, Prunable, candidates, free, strays
from trainer.runs.run import list_runs

LOOKING = "look for what can be freed"
FREEING = "free disk"
MOST_LINES = 8
"""Runs that are named one by one; a question must fit on a screen of 24 rows."""

NOTHING = "Nothing to free: no finished run has a checkpoint left."


def look() -> tuple[Prunable, ...]:
    """The checkpoints of finished runs and what crashes left, the largest first."""
    beside = strays()
    found = [*candidates(list_runs()), *([beside] if beside else [])]
    return tuple(sorted(found, key=lambda item: -item.bytes))


def remove(found: Sequence[Prunable]) -> Freed:
    """Free them."""
    return free(found)


def question(found: Sequence[Prunable]) -> str:
    """What would go, run by run with its size, and what stays."""
    shown = found if len(found) <= MOST_LINES + 1 else found[:MOST_LINES]
    lines = [(_name(item), size(item.bytes)) for item in shown]
    rest = found[len(shown) :]
    if rest:
        lines.append((f"{len(rest)} more", size(total(rest))))
    names, sizes = (max(len(line[column]) for line in lines) for column in (0, 1))
    listed = "\n".join(f"  {name:<{names}}  {bytes:>{sizes}}" for name, bytes in lines)
    return (
        f"Free {size(total(found))}? Checkpoints of finished runs, and what crashes left:\n\n{listed}\n\n"
        "Their models and what the runs tell stay."
    )


def total(found: Sequence[Prunable]) -> int:
    """Bytes of all of them."""
    return sum(item.bytes for item in found)


def _name(item: Prunable) -> str:
    if item.run is None:
        return "runs half made or half removed"
    return item.run.short if item.state == "finished" else f"{item.run.short} ({item.state})"
