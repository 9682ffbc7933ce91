"""`goemo-tui runs prune`: what can be freed, run by run, and after a yes its removal.

Decides nothing by itself: what may go is for trainer.runs.prune to say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.runs.prune import Freed, Prunable
    from trainer.runs.run import Run


def prune(args: argparse.Namespace) -> int:
    """0 freed or nothing to free, 1 not as asked (declined, or not all could be removed), 3 no such run. Raises GoemoError."""
    from goemo_tui import wording
    from goemo_tui.commands.progress import say
    from trainer.runs.prune import Freed, candidates, free, require_prunable, strays
    from trainer.runs.run import Run, list_runs

    if args.id is not None:
        one = Run.open(args.id)
        require_prunable(one, args.anyway)
        found = candidates([one], args.all, args.anyway)
    else:
        one = None
        beside = strays()
        found = [*candidates(list_runs(), args.all), *([beside] if beside else [])]
    total = sum(item.bytes for item in found)
    if not found:
        if args.json:
            print(json.dumps(_document(Freed(), args.dry_run)))
        say(_nothing(one, args.all))
        return 0
    _list(found, to_stderr=args.json)
    size = wording.size(total)
    again = sum(item.starts_over for item in found)
    if again:
        say(f"{_runs(again)} not finished: without checkpoints, a resume starts over from step 0")
    if args.dry_run:
        if args.json:
            print(json.dumps(_document(Freed(tuple((item, item.bytes) for item in found)), True)))
        say(f"{size} would be free; nothing was removed")
        return 0
    if not args.yes and sys.stdin.isatty():
        print(f"Free {size}? The models stay. [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            if args.json:
                print(json.dumps(_document(Freed(), False)))
            say("nothing was removed")
            return 1
    freed = free(found)
    if args.json:
        print(json.dumps(_document(freed, False)))
    for trouble in freed.troubles:
        say(trouble)
    say(f"{wording.size(freed.bytes)} are free again")
    return 1 if freed.troubles else 0


def _document(freed: Freed, dry_run: bool) -> dict[str, Any]:
    """`freed` is what is free now; with `dry_run`, what would be. `run` is null for leftovers that belong to none."""
    runs = [{"run": item.run.id if item.run else None, "state": item.state, "bytes": n} for item, n in freed.items]
    return {"freed": freed.bytes, "runs": runs, "dry_run": dry_run}


def _list(found: Sequence[Prunable], to_stderr: bool) -> None:
    """Run, state, size and what it is of; tab-separated where no terminal is."""
    from goemo_tui import wording
    from goemo_tui.safe_text import clean

    out = sys.stderr if to_stderr else sys.stdout
    rows = [(_name(item), item.state, wording.size(item.bytes), _what(item)) for item in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [clean(cell) for cell in row]
        if out.isatty():
            text = f"{cells[0]:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]:>{widths[2]}}  {cells[3]}"
        else:
            text = "\t".join(cells)
        print(text, file=out, flush=True)


def _name(item: Prunable) -> str:
    return item.run.id if item.run is not None else "no run"


def _what(item: Prunable) -> str:
    if item.run is None:
        return "runs half made or half removed"
    parts = ["checkpoints"] if item.checkpoints_bytes else []
    return " and ".join([*parts, "what a crash left"] if item.leftovers_bytes or not parts else parts)


def _nothing(one: Run | None, every: bool) -> str:
    if one is None:
        more = "" if every else ". Checkpoints of runs that did not finish are kept: --all frees them too"
        return f"there is nothing to free{more}"
    from trainer.runs.disk import checkpoints

    if checkpoints(one.folder):
        return f"the checkpoints of run {one.id} are kept, for it may still need them; --all frees them too"
    return f"there is nothing to free of run {one.id}"


def _runs(count: int) -> str:
    return "1 of these runs has" if count == 1 else f"{count} of these runs have"
