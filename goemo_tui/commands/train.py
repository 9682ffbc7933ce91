"""`goemo-tui train`: checks everything, starts the detached worker, and looks on until it has ended.

The training is never in this process: ctrl-c leaves it running. torch is not imported here.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.runs.run import Look, Run

INTERRUPTED = 130


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a model in the background and watch it",
        description="Train an emotion model. The work is done by a detached worker: ctrl-c leaves it running.",
    )
    parser.add_argument("--data", metavar="PATH", help="sample (default), goemotions, a folder or a file")
    parser.add_argument("--encoder", metavar="NAME", help="minilm, distilbert, a local folder or a Hub name")
    parser.add_argument("--recipe", metavar="NAME", default="goemo", help="goemo (default) or notebook")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="settings", action="append", default=[],
        help="a setting that wins over the recipe's, such as epochs=2; may be given often",
    )  # fmt: skip
    parser.add_argument("--detach", action="store_true", help="do not wait: print the run's id and leave")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 finished (or started, with --detach), 1 not finished, 130 left by ctrl-c. Raises GoemoError."""
    from goemo_tui.commands.progress import fetching, say
    from trainer.runs import process
    from trainer.runs.plan import plan
    from trainer.runs.run import Run

    data = args.data or getattr(args, "app_data", None)  # `goemo-tui --data PATH train` means the same
    with fetching() as progress:
        ready = plan(data, args.encoder, args.recipe, args.settings, progress)
    for warning in ready.warnings:
        say(f"warning: {warning}")
    for line in device_notes(ready.config):
        say(line)
    made = Run.create(ready.config, ready.record())
    try:
        process.start(made)
        if args.detach:
            print(json.dumps(document(made, made.look())) if args.json else made.id)
            return 0
        rows = len(ready.corpus.splits["train"].text)
        rows = min(rows, ready.config.limit) if ready.config.limit else rows
        say(f"{made.id}: {ready.config.encoder} on {rows:,} comments of {ready.config.data}. Ctrl-c leaves it running.")
        return watch(made, args.json)
    except KeyboardInterrupt:
        say_left(made)
        return INTERRUPTED


def watch(made: Run, as_json: bool) -> int:
    """Follow a run to its end and say how it went: 0 if it finished, else 1. Raises KeyboardInterrupt on ctrl-c."""
    from goemo_tui.commands.progress import follow, say

    look = follow(made)
    if as_json:
        print(json.dumps(document(made, look)))
    say(outcome(made, look))
    return 0 if look.state == "finished" else 1


def say_left(made: Run) -> None:
    """After ctrl-c: the run goes on, and how to see and stop it."""
    from goemo_tui.commands.progress import say

    say(
        f"\n{made.id} goes on in the background.\n"
        f"  watch it:  goemo-tui runs attach {made.id}\n"
        f"  stop it:   goemo-tui runs stop {made.id}"
    )


def document(made: Run, look: Look) -> dict[str, Any]:
    """The document of `train --json`. `validation` is the best epoch's; what is not known yet is null."""
    from trainer.runs.snapshot import number, own_fields

    seen, end = look.snapshot, look.snapshot.end or {}
    last = seen.validations[-1] if seen.validations else {}
    seconds = number(end.get("seconds"))
    began = number((seen.started or {}).get("wall"))
    if seconds is None and began is not None and seen.wall is not None:
        seconds = round(max(0.0, seen.wall - began), 3)
    train_loss = number(last.get("train_loss"))
    return {
        "run": made.id,
        "state": look.state,
        "model": str(made.model) if made.model else None,
        "epochs": len(seen.validations),
        "steps": seen.step,
        "train_loss": seen.loss if train_loss is None else train_loss,
        "validation": own_fields(seen.best),
        "examples_per_s": seen.examples_per_s,
        "seconds": seconds,
    }


def outcome(made: Run, look: Look) -> str:
    """How a run ended, for people: scores and model, or the reason and where to look."""
    from goemo_tui import wording
    from trainer.runs.snapshot import number

    seen, end = look.snapshot, look.snapshot.end or {}
    if look.state == "finished":
        best = seen.best or {}
        took = wording.duration(number(end.get("seconds")))
        early = f" ({end['reason']})" if end.get("reason") else ""
        epoch = number(best.get("epoch"))
        text = f"{made.id} finished in {took}{early}"
        if epoch is not None:
            text += f": macro-F1 {wording.score(number(best.get('macro_f1')))} on dev, best in epoch {epoch:g}"
        text += f"\n  the model: {made.model or 'none was kept'}"
        return f'{text}\n  try it:    goemo-tui predict --model {made.id} "…"' if made.model else text
    if look.state == "stopped":
        return f"{made.id} was stopped after step {seen.step:,}\n  go on with it: goemo-tui runs resume {made.id}"
    if look.state == "unknown":
        host = look.holder.host if look.holder else None
        return f"{made.id} runs where it cannot be seen from here (host {host}); its log ends at step {seen.step:,}"
    reason = str(end.get("error") or "no reason was given") if look.state == "failed" else made.why_died()
    more = "" if end.get("reason") == "input" else f"\n  go on with it: goemo-tui runs resume {made.id}"
    return f"{made.id} {look.state} at step {seen.step:,}: {reason}\n  its log: {made.worker_log}{more}"


def device_notes(config: TrainConfig) -> list[str]:
    """What to know about the device before it is taken: that it is busy, or that the driver does not list it."""
    from trainer.devices import list_devices

    devices = list_devices()
    if config.device == "auto":
        return [f"{d} - choose another with --set device=cpu" for d in devices[:1] if d.busy]
    name = "cuda:0" if config.device == "cuda" else config.device
    chosen = [d for d in devices if d.name == name]
    if not chosen:
        return [f"device {name} is not among those that this machine names: {', '.join(d.name for d in devices)}"]
    return [str(d) for d in chosen if d.busy]
