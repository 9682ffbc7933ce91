"""Where the ranks of a training find each other: a store of keys that all of them see, fresh for each start of them.

torchrun's own store outlives its workers, and what it numbers its starts by differs between nodes once one of them was
joined anew. A rank that believes an old key waits for a port that nobody serves any more.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable

from torch.distributed import FileStore, PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from trainer.runs.torchrun import Place, meeting_file

POLL_SECONDS = 0.05
AGENT_STORE = "TORCHELASTIC_USE_AGENT_STORE"
"""In the environment of a worker, `True` where its torchrun serves the store at MASTER_ADDR and MASTER_PORT."""


def meet(place: Place) -> Store | None:
    """The store, or None where torch finds one by itself."""
    file = meeting_file()
    if file is not None:
        return FileStore(file, place.size)
    if os.environ.get(AGENT_STORE) != "True":
        return None
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    served = TCPStore(host, port, is_master=False, wait_for_workers=False)
    return agreed(PrefixStore("goemo", served), place)


def agreed(store: Store, place: Place) -> Store:
    """A part of `store` that no earlier start of the same ranks has written to.

    The first rank names it; it counts once that very process has answered the others, who look again until then.
    """
    own = uuid.uuid4().hex
    others = range(1, place.size)
    if place.rank == 0:
        store.set("start", own)
        _until(lambda: store.check([f"{own}/joins/{rank}" for rank in others]))
        for rank in others:
            joined = store.get(f"{own}/joins/{rank}").decode()
            store.set(f"{own}/welcome/{joined}", "1")
        return PrefixStore(own, store)
    seen = ""

    def welcome() -> bool:
        nonlocal seen
        now = store.get("start").decode() if store.check(["start"]) else ""
        if now != seen:
            seen = now
            store.set(f"{seen}/joins/{place.rank}", own)
        return bool(seen) and store.check([f"{seen}/welcome/{own}"])

    _until(welcome)
    return PrefixStore(seen, store)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(POLL_SECONDS)
