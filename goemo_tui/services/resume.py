"""What is to be known when a run is taken up again: what could end it, and from where it goes on.

The same words for the command line and the Train screen. Knows no widget and imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainer import surroundings
from trainer.runs import disk, process
from trainer.runs.queue import Queue
from trainer.runs.run import Look, Run
from trainer.track import start

RESUMABLE = ("stopped", "died", "failed")


@dataclass(frozen=True)
class Resumed:
    """A run was taken up again; `warnings` are of what could end it before its time."""

    warnings: tuple[str, ...]


def can_go_on(look: Look) -> bool:
    """Whether a resume may help: the run has ended, and not because of what it was given."""
    refused = (look.snapshot.end or {}).get("reason") == "input"
    return look.state in RESUMABLE and not refused


def warnings(run: Run) -> tuple[str, ...]:
    """As before a start, but for the disk, on which the run has its place already. Asks logind: takes a moment."""
    logout = surroundings.logout()
    told = (
        surroundings.network_warning(run.folder),
        surroundings.slurm_warning(),
        logout.text if logout.ends else None,
    )
    return tuple(text for text in told if text)


def take_up(run: Run) -> Resumed:
    """Start a worker on the run again, and the mirrors that it was made with. Blocks. Raises GoemoError."""
    told = warnings(run)
    process.resume(run)
    return Resumed((*told, *start.begin(run)))


def starts_over(run: Run, look: Look) -> bool:
    """Whether it would do all steps again, for no checkpoint is left."""
    return bool(look.snapshot.step) and not disk.resumes_at(run.folder)


def where(run: Run, look: Look) -> str:
    """How the run as it was at `look` will go on: `goes on from step 140`, from the queue, or from its beginning."""
    if look.snapshot.started is None:
        return "waits for its turn again" if Queue.of(run).waits else "begins at step 0"
    step = disk.resumes_at(run.folder)
    return f"goes on from step {step:,}" if step or not look.snapshot.step else "starts over from step 0"
