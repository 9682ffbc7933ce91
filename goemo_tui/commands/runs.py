"""`goemo-tui runs`: what the Train screen does, headless: list, show, attach, stop, resume, remove and prune runs.

Knows a run only by its folder. Everything printed for people passes `clean`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from trainer.runs.run import Run
    from trainer.runs.snapshot import Snapshot

ACTIONS = ("list", "show", "attach", "stop", "resume", "rm", "prune")
COLUMNS = ("run", "state", "epoch", "macro-F1", "age", "encoder", "data")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "runs",
        help="list, show, attach, stop, resume, remove or prune runs",
        description="The runs of this machine. ID is an id, its two words (calm-otter) or a start that fits one run; "
        "left out, it is the newest running run, else the newest. prune frees disk: the checkpoints of finished runs "
        "(of ID, or of all), whose models stay, and what crashes left.",
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="what to do (default: list)")
    parser.add_argument("id", nargs="?", metavar="ID", help="which run")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--yes", action="store_true", help="rm, prune: do not ask")
    parser.add_argument("--all", action="store_true", help="prune: also of runs that could still be resumed")
    parser.add_argument("--dry-run", action="store_true", help="prune: show what would be freed, remove nothing")
    parser.add_argument(
        "--anyway", action="store_true", help="resume, rm, prune: ID was started on another host and runs no more there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 ok, 1 not as asked (attach: not finished; stop: died or failed), 2 usage, 3 no such run, 130 by ctrl-c. Raises GoemoError."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list, "show": _show, "attach": _attach, "stop": _stop, "resume": _resume, "rm": _remove,
        "prune": _prune,
    }  # fmt: skip
    for flag in ("all", "dry_run"):  # `rm --dry-run` must not remove
        if getattr(args, flag) and args.action != "prune":
            raise ConfigError(f"--{flag.replace('_', '-')} belongs to runs prune, not to runs {args.action}")
    if args.anyway and (args.action not in ("resume", "rm", "prune") or args.id is None):
        raise ConfigError("--anyway belongs to runs resume, rm and prune, with the ID of the run that is meant")
    return actions[args.action](args)


def chosen(run_id: str | None) -> Run:
    """The run that is meant. Raises NotFoundError."""
    from trainer.runs.run import LIVING, Run, list_runs

    if run_id is not None:
        return Run.open(run_id)
    runs = list_runs()
    if not runs:
        raise NotFoundError("there is no run yet. Start one: goemo-tui train")
    living = [(one, state) for one in runs if (state := _state(one)) in LIVING]
    at_work = [one for one, state in living if state != "waiting"]
    return next(iter([*at_work, *(one for one, _ in living), *runs]))


def _state(one: Run) -> str:
    try:
        return one.state
    except GoemoError:
        return "unreadable"


@dataclass(frozen=True)
class _Line:
    """One run in the list. `trouble` says why a run cannot be read."""

    cells: tuple[str, ...]
    document: dict[str, Any]
    trouble: str | None = None


def _list(args: argparse.Namespace) -> int:
    if args.id is not None:
        raise ConfigError(f"runs list takes no id and lists all; goemo-tui runs show {args.id} shows one")
    from goemo_tui.commands.progress import say
    from goemo_tui.safe_text import clean
    from trainer.runs.run import list_runs

    lines = [_line(one) for one in list_runs()]
    if args.json:
        print(json.dumps([line.document for line in lines]))
        return 0
    if not lines:
        say("there is no run yet. Start one: goemo-tui train")
    elif sys.stdout.isatty():
        _table([line.cells for line in lines])
    else:
        for line in lines:
            print("\t".join(clean(cell) for cell in line.cells))
    for line in lines:
        if line.trouble:
            say(line.trouble)
    return 0


def _line(one: Run) -> _Line:
    from goemo_tui import wording
    from trainer.runs.snapshot import number

    age = wording.duration(max(0.0, time.time() - one.created))
    try:
        document = one.summary()
    except GoemoError as error:
        trouble = {"run": one.id, "state": "unreadable", "error": str(error)}
        return _Line((one.id, "unreadable", "–", "–", age, "–", "–"), trouble, str(error))
    config = document["config"]
    score = wording.score(number((document["validation"] or {}).get("macro_f1")))
    epoch = f"{document['epoch']:g}/{config['epochs']}"
    return _Line((one.id, document["state"], epoch, score, age, config["encoder"], config["data"]), document)


def _table(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from goemo_tui.safe_text import clean

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        right = name in ("epoch", "macro-F1", "age")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "data", overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    Console().print(table)


def _show(args: argparse.Namespace) -> int:
    from goemo_tui.safe_text import clean

    one = chosen(args.id)
    if args.json:
        print(json.dumps(one.summary()))
        return 0
    for name, value in _facts(one):
        print(f"{name:<12}{clean(value)}")
    return 0


def _facts(one: Run) -> list[tuple[str, str]]:
    from goemo_tui import wording
    from goemo_tui.commands.progress import collapsed, epoch_of, figures
    from goemo_tui.services.resume import can_go_on
    from trainer.config import recipe

    look, config = one.look(), one.config
    seen, end = look.snapshot, look.snapshot.end or {}
    state = f"{look.state}: {wording.STATES[look.state]}"
    if look.state == "died":
        state = f"died: {one.why_died()}"
    if look.pid is not None:
        state += f" (pid {look.pid})"
    facts = [("run", one.id), ("state", state)]
    if look.state == "waiting":
        facts.append(("waits for", str((seen.waiting or {}).get("on") or "its turn")))
    if end.get("error"):
        facts.append(("error", str(end["error"])))
    if one.writable and can_go_on(look):
        facts.append(("go on", f"goemo-tui runs resume {one.id}"))
    facts += [("encoder", config.encoder), ("data", config.data), ("recipe", config.recipe)]
    usual = recipe(config.recipe, config.encoder).to_dict()
    own = [f"{k}={v}" for k, v in config.to_dict().items() if usual[k] != v and k not in ("data", "encoder", "recipe")]
    if own:
        facts.append(("settings", " ".join(own)))
    at = f"{epoch_of(seen)}  {figures(seen)}".strip()
    if at:
        facts.append(("progress", at))
    facts += _validations(seen)
    facts += [("warning", text) for text in collapsed(seen.warnings)]
    if seen.bad:
        facts.append(("warning", f"{seen.bad} lines of the log are damaged and were skipped"))
    facts.append(("model", str(one.model) if one.model else "none yet"))
    return [*facts, ("disk", _disk(one)), ("folder", str(one.folder)), ("log", str(one.worker_log))]


def _validations(seen: Snapshot) -> list[tuple[str, str]]:
    """The last few and the best: a long run has more of them than a screen has rows."""
    from goemo_tui.commands.progress import LAST_VALIDATIONS, earlier, validation_line

    best = seen.best if len(seen.validations) > 1 else None
    last = seen.validations[-LAST_VALIDATIONS:]
    shown = last if best is None or best in last else (best, *last)
    hidden = len(seen.validations) - len(shown)
    lines = [("best" if v is best else "validation", validation_line(v)) for v in shown]
    return [("validation", earlier(hidden)), *lines] if hidden else lines


def _disk(one: Run) -> str:
    """`412 MB, of which 2 checkpoints 273 MB`."""
    from goemo_tui import wording
    from trainer.runs import disk

    text, kept = wording.size(disk.size(one.folder)), disk.checkpoints(one.folder)
    if not kept:
        return text
    many = "a checkpoint" if len(kept) == 1 else f"{len(kept)} checkpoints"
    return f"{text}, of which {many} {wording.size(sum(disk.size(folder) for folder in kept))}"


def _attach(args: argparse.Namespace) -> int:
    from goemo_tui.commands.train import INTERRUPTED, say_left, watch

    one = chosen(args.id)
    try:
        return watch(one, args.json)
    except KeyboardInterrupt:
        say_left(one)
        return INTERRUPTED


def _stop(args: argparse.Namespace) -> int:
    from goemo_tui.commands.progress import say
    from goemo_tui.commands.train import outcome
    from trainer.runs import process
    from trainer.runs.run import LIVING

    one = chosen(args.id)
    if one.state in LIVING:
        say(f"stopping {one.id} …")
    process.stop(one)
    if args.json:
        print(json.dumps(one.summary()))
    look = one.look()
    say(outcome(one, look))
    return 0 if look.state in ("stopped", "finished") else 1  # finished: it was at its end when it was asked


def _resume(args: argparse.Namespace) -> int:
    from goemo_tui.commands.progress import say
    from goemo_tui.services import resume
    from trainer.runs import process

    one = chosen(args.id)
    look = one.look()
    where = resume.where(one, look)  # asked before the worker begins, which may write another checkpoint
    if resume.can_go_on(look) or (look.state == "unknown" and args.anyway):
        for warning in resume.warnings(one):
            say(f"warning: {warning}")
        if resume.starts_over(one, look):
            say(f"{one.id} has no checkpoint: it starts over from step 0")
    process.resume(one, anyway=args.anyway)
    print(json.dumps(one.summary()) if args.json else one.id, flush=True)
    say(f"{one.id} {where}\n  watch it: goemo-tui runs attach {one.id}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from goemo_tui import wording
    from goemo_tui.commands.progress import say
    from trainer.runs import disk

    if args.id is None:
        raise ConfigError("say which run is to be removed: goemo-tui runs rm ID")
    one = chosen(args.id)
    one.require_removable(args.anyway)  # who is asked first is not refused afterwards
    size = wording.size(disk.size(one.folder))
    if not args.yes and sys.stdin.isatty():
        print(f"Remove {_clean(one.id)} ({size}, its model included)? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing was removed")
            return 1
    one.delete(args.anyway)
    if args.json:
        print(json.dumps({"run": one.id, "removed": True}))
    say(f"removed {one.id}, {size} are free again")
    return 0


def _prune(args: argparse.Namespace) -> int:
    from goemo_tui.commands.prune import prune

    return prune(args)


def _clean(text: str) -> str:
    from goemo_tui.safe_text import clean

    return clean(text)
