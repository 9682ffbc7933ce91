"""`goemo-tui runs`: what the Train screen does, headless: list, show, attach, stop, resume, remove
and prune runs; the rest is in files of its own.

Knows a run only by its folder. Everything printed for people passes `clean`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from trainer.runs.run import Run
    from trainer.runs.snapshot import Snapshot

ACTIONS = ("list", "show", "attach", "stop", "resume", "rm", "prune", "compare", "rename", "note", "errors", "export")
WITH_MORE = ("compare", "rename", "note", "errors")
"""Actions that take more words behind the ID."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "runs",
        help="list, show, attach, stop, resume, remove, prune, compare, rename, note, export runs, and list their errors",
        description="The runs of this machine. ID is an id, its two words (calm-otter), the name it was given or a start "
        "that fits one run; left out, it is the newest running run, else the newest, and for resume the newest that can be "
        "resumed. prune frees disk: the checkpoints of "
        "finished runs (of ID, or of all), whose models stay, and what crashes left. compare A B [C …] puts runs side by "
        'side. rename ID NAME and note ID TEXT say what people call a run and what they know of it; "" takes it away. '
        "errors ID EMOTION lists the comments of dev that it got wrong for an emotion; ID may be any model there, such as starter, "
        "and --data and --split name other comments. export ID --to TRACKER writes the run's "
        "curves and settings where TensorBoard, trackio, W&B or MLflow show them.",
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="what to do (default: list)")
    parser.add_argument("id", nargs="?", metavar="ID", help="which run")
    parser.add_argument(
        "more",
        nargs="*",
        metavar="MORE",
        help="compare: the other runs; rename: the name; note: the text; errors: the emotion",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--yes", action="store_true", help="rm, prune: do not ask")
    parser.add_argument(
        "--all", action="store_true", help="prune: also of runs that could still be resumed; compare: all settings"
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="errors: of these comments (default: the run's own corpus; of another model the settings')",
    )
    parser.add_argument(
        "--split", metavar="S", help="errors: of this split (default: test where there is one, else dev)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="errors: print so many at most (default 50)")
    parser.add_argument(
        "--to", metavar="TRACKER[,…]", help="export: to which trackers: tensorboard, trackio, wandb, mlflow"
    )
    parser.add_argument("--out", metavar="DIR", help="export: the tracker's folder (default: below GOEMO_HOME/track)")
    parser.add_argument("--follow", action="store_true", help="export: go on until the run has ended")
    parser.add_argument("--dry-run", action="store_true", help="prune: show what would be freed, remove nothing")
    parser.add_argument(
        "--anyway", action="store_true", help="resume, rm, prune: ID was started on another host and runs no more there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 ok, 1 not as asked (attach: not finished; stop: died or failed), 2 usage, 3 no such run, 130 by ctrl-c. Raises GoemoError."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list, "show": _show, "attach": _attach, "stop": _stop, "resume": _resume, "rm": _remove,
        "prune": _prune, "compare": _compare, "rename": _rename, "note": _note, "errors": _errors,
        "export": _export,
    }  # fmt: skip
    for flag in ("all", "dry_run"):  # `rm --dry-run` must not remove
        if getattr(args, flag) and args.action != "prune" and (flag, args.action) != ("all", "compare"):
            raise ConfigError(f"--{flag.replace('_', '-')} belongs to runs prune, not to runs {args.action}")
    for flag in ("limit", "data", "split"):
        if getattr(args, flag) is not None and args.action != "errors":
            raise ConfigError(f"--{flag} belongs to runs errors, not to runs {args.action}")
    for flag in ("to", "out", "follow"):
        if getattr(args, flag) and args.action != "export":
            raise ConfigError(f"--{flag} belongs to runs export, not to runs {args.action}")
    if args.more and args.action not in WITH_MORE:
        raise ConfigError(f"runs {args.action} takes one run at most, not {args.more[0]!r} too")
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


def to_resume() -> Run:
    """The newest run that can be taken up again. Raises NotFoundError."""
    from trainer.runs.run import list_runs

    runs = list_runs()
    if not runs:
        raise NotFoundError("there is no run yet. Start one: goemo-tui train")
    found = next((one for one in runs if _can_go_on(one)), None)
    if found is None:
        newest = runs[0]
        raise NotFoundError(
            f"no run can be resumed: none was stopped, died or failed in a way that may be mended (the newest, {newest.id}, "
            f"is {_state(newest)}). Start one: goemo-tui train"
        )
    return found


def _can_go_on(one: Run) -> bool:
    from goemo_tui.services.resume import can_go_on

    try:
        return one.writable and can_go_on(one.look()) and one.foreign_format is None
    except GoemoError:
        return False


def _state(one: Run) -> str:
    try:
        return one.state
    except GoemoError:
        return "unreadable"


def _list(args: argparse.Namespace) -> int:
    from goemo_tui.commands.run_table import print_list

    if args.id is not None:
        raise ConfigError(f"runs list takes no id and lists all; goemo-tui runs show {args.id} shows one")
    return print_list(args.json)


def _show(args: argparse.Namespace) -> int:
    from goemo_tui.commands import trackers
    from goemo_tui.commands.lines import wrapped
    from goemo_tui.safe_text import clean

    one = chosen(args.id)
    if args.json:
        called = {"name": one.about.name, "note": one.about.note}
        mirrors = trackers.documents(one)
        more = {**{what: text for what, text in called.items() if text}, **({"trackers": mirrors} if mirrors else {})}
        print(json.dumps({**one.summary(), **more}))
        return 0
    for name, value in _facts(one):
        print(wrapped(f"{name:<12}{clean(value)}", indent=12))
    return 0


def _facts(one: Run) -> list[tuple[str, str]]:
    from goemo_tui import wording
    from goemo_tui.commands import trackers
    from goemo_tui.commands.progress import collapsed, epoch_of, figures
    from goemo_tui.commands.train import log_of
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
    facts += [told for told in (("name", one.about.name), ("note", one.about.note)) if told[1]]
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
    facts += [("tracker", line) for line in trackers.lines(one)]
    facts.append(("model", str(one.model) if one.model else "none yet"))
    log = log_of(one)
    return [*facts, ("disk", _disk(one)), ("folder", str(one.folder)), *([("log", str(log))] if log else [])]


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
    from trainer.track import start

    one = chosen(args.id) if args.id is not None else to_resume()
    look = one.look()
    where = resume.where(one, look)  # asked before the worker begins, which may write another checkpoint
    if resume.can_go_on(look) or (look.state == "unknown" and args.anyway):
        for warning in resume.warnings(one):
            say(f"warning: {warning}")
        if resume.starts_over(one, look):
            say(f"{one.id} has no checkpoint: it starts over from step 0")
    process.resume(one, anyway=args.anyway)
    for trouble in start.begin(one):
        say(f"warning: {trouble}")
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
            if args.json:
                print(json.dumps({"run": one.id, "removed": False}))
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


def _compare(args: argparse.Namespace) -> int:
    from goemo_tui.commands.compare import compare_runs

    return compare_runs(args)


def _rename(args: argparse.Namespace) -> int:
    from goemo_tui.commands.about import rename

    return rename(args)


def _note(args: argparse.Namespace) -> int:
    from goemo_tui.commands.about import note

    return note(args)


def _errors(args: argparse.Namespace) -> int:
    from goemo_tui.commands.errors import errors_of

    return errors_of(args)


def _export(args: argparse.Namespace) -> int:
    from goemo_tui.commands.trackers import export

    return export(args)


def _clean(text: str) -> str:
    from goemo_tui.safe_text import clean

    return clean(text)
