"""What every rank of a training but the first does: the same steps, and nothing on disk but its own `rank-N.log`."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime

from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError
from trainer.learn.company import together
from trainer.learn.loop import learn
from trainer.learn.ranks import device_of, joined
from trainer.learn.work import prepare
from trainer.runs.queue import claim_beside
from trainer.runs.run import Run
from trainer.runs.torchrun import Place

TOLD = ("started", "resumed", "warning", "validation", "finished", "failed", "stopped")
"""The events that this rank's log names; all of them are in the run's own."""


def follow(run: Run, stop: Callable[[], bool], place: Place) -> str:
    """Train beside the first rank to the end; the kind of the last event: finished, stopped or failed.

    Raises what nobody foresaw, such as the loss of another rank: the first one's log tells of it.
    """
    _say(f"rank {place.rank} of {place.size} on {socket.gethostname()}, pid {os.getpid()}")
    held, warning = claim_beside(run, place.local)
    try:
        with joined(place, run.config.device) as ranks:
            task, _ = together(ranks, lambda: prepare(run, stop, first=False), warnings=(warning,) if warning else ())
            device, last = device_of(task.config.device, place), ""
            for last, fields in learn(task, stop, ranks, device):
                if last in TOLD:
                    _say(f"{last} on {device}: step {fields.get('step', 0)}{_text(fields)}")
            return last
    except Cancelled:
        _say("stopped while it was loaded")
        return "stopped"
    except GoemoError as error:
        _say(f"failed: {error}")
        return "failed"
    finally:
        if held is not None:
            held.release()


def _text(fields: dict[str, object]) -> str:
    said = fields.get("text") or fields.get("error")
    return f", {said}" if said else ""


def _say(text: str) -> None:
    print(datetime.now().astimezone().isoformat(" ", "seconds"), text, flush=True)
