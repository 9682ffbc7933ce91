"""How the ranks of a training get ready together: the first prepares, and the others find what it left in the caches.

What goes wrong on one of them ends the training on all, with the message that one process would have given.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError, NotFoundError, RunError
from trainer.hub_client import HubError
from trainer.learn.ranks import Ranks
from trainer.learn.task import Setback, Task
from trainer.learn.terms import tokens_digest

Prepared = tuple[Task, list[str]]


def together(
    ranks: Ranks, prepare: Callable[[], Prepared], before: Setback | None = None, warnings: tuple[str, ...] = ()
) -> Prepared:
    """The task of this rank, and on the first one the `warnings` of all.

    `before` is what the first rank knows of earlier workers; the others take it over. Raises Cancelled if any was
    stopped meanwhile, and a GoemoError for what any of them cannot use, also other comments than the first has.
    """
    if ranks.size == 1:
        task, more = prepare()
        return replace(task, before=before or task.before), more
    found, said = _tried(prepare) if ranks.first else (None, {})
    if ranks.first:
        said["before"] = asdict(before or Setback())
    told = ranks.told_by_all(said)[0]
    _raise(told, "")
    if not ranks.first:
        found, said = _tried(prepare)
    if found is not None:
        said["comments"] = tokens_digest(found[0])
    said |= {"host": socket.gethostname(), "warnings": warnings}
    answers = ranks.told_by_all(said)
    for rank, answer in enumerate(answers):
        _raise(answer, f"rank {rank} on {answer['host']}: ")
    for rank, answer in enumerate(answers):
        if answer["comments"] != answers[0]["comments"]:
            raise RunError(
                f"rank {rank} on {answer['host']} has other comments, or other tokens of them, than the first: GOEMO_HOME, "
                f"corpus and encoder have to be the same on all machines"
            )
    if found is None:  # its own answer was raised
        raise RunError("this rank is not ready")
    own = list(found[1]) if ranks.first else []
    others = [text for answer in answers[1:] for text in answer["warnings"]]
    return replace(found[0], before=Setback(**told["before"])), own + others


def _tried(prepare: Callable[[], Prepared]) -> tuple[Prepared | None, dict[str, Any]]:
    """What `prepare` gives, and the words on how that went."""
    try:
        return prepare(), {}
    except Cancelled:
        return None, {"stopped": True}
    except GoemoError as error:
        return None, {"error": str(error), "missing": isinstance(error, NotFoundError | HubError)}


def _raise(said: dict[str, Any], who: str) -> None:
    if said.get("stopped"):
        raise Cancelled("stopped while it was loaded")
    if "error" in said:
        raise (NotFoundError if said["missing"] else RunError)(who + said["error"])
