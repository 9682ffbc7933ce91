"""`goemo-tui train`: checks everything, starts the detached worker, and looks on until it has ended.

The training is never in this process: ctrl-c leaves it running. torch is not imported here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, GoemoError

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.devices import Device
    from trainer.runs.plan import Plan
    from trainer.runs.queue import Queue
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
    parser.add_argument("--recipe", metavar="NAME", help="goemo (default) or notebook")
    parser.add_argument(
        "--like", metavar="RUN",
        help="the settings of this run, as far as nothing else is asked: an id, its two words or a start of either",
    )  # fmt: skip
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="settings", action="append", default=[],
        help="a setting that wins over the recipe's, such as epochs=2; may be given often",
    )  # fmt: skip
    parser.add_argument(
        "--after", metavar="RUN", help="start when this run has ended: an id, its two words or a start of either"
    )
    parser.add_argument("--when-free", action="store_true", help="start when a GPU is free, and train on that one")
    parser.add_argument(
        "--retries", metavar="N", help="take the run up again N times if its process dies; short for --set retries=N"
    )
    parser.add_argument(
        "--track", metavar="TRACKER[,…]",
        help="mirror the run while it trains to tensorboard, trackio, wandb or mlflow; none: nowhere, whatever is set",
    )  # fmt: skip
    parser.add_argument("--detach", action="store_true", help="do not wait: print the run's id and leave")
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="start nothing: time a few steps and say what time and disk it would take",
    )
    parser.add_argument(
        "--slurm",
        action="store_true",
        help="write a file for sbatch and submit it, where sbatch is there; print the run's id",
    )
    parser.add_argument("--nodes", metavar="N", help="with --slurm: machines, each with as many devices as set (1)")
    parser.add_argument(
        "--sbatch", metavar="OPTION=VALUE", action="append", default=[],
        help="with --slurm: an option for sbatch, such as partition=gpu or time=04:00:00; may be given often",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 finished (or started, with --detach), 1 not finished, 130 left by ctrl-c. Raises GoemoError."""
    from goemo_tui.commands.progress import fetching, say
    from goemo_tui.services import trackers
    from trainer.runs import process, queue
    from trainer.runs.plan import plan
    from trainer.runs.run import Run
    from trainer.track import start

    asked = asked_for(args)
    if args.slurm or args.nodes is not None or args.sbatch:
        from goemo_tui.commands import slurm

        if args.track is not None:
            raise ConfigError(
                "--track mirrors trainings that begin here, and this one begins in a job: goemo-tui runs export ID --to TRACKER "
                "afterwards, or with --follow beside it"
            )
        return slurm.run(args, asked)
    track, complaints = trackers.asked(args.track)
    after = Run.open(args.after).id if args.after is not None else None  # before anything is downloaded
    if args.estimate:
        from goemo_tui.commands import estimate

        return estimate.run(args, asked)
    with fetching() as progress:
        ready = plan(asked.data, asked.encoder, asked.recipe, asked.settings, progress)
    turn = queue.checked(after, args.when_free, ready.config)
    for warning in (*ready.warnings, *complaints):
        say(f"warning: {warning}")
    for line in queue_notes(turn) if turn.waits else [*device_notes(ready.config), *beside_notes(ready.config)]:
        say(line)
    made = Run.create(ready.config, {**ready.record(), **turn.record(), **start.record(track)})
    try:
        process.start(made)
        for trouble in start.begin(made):
            say(f"warning: {trouble}")
        if args.detach:
            print(json.dumps(document(made, made.look())) if args.json else made.id)
            return 0
        what = f"{ready.config.encoder} on {rows_learned(ready):,} comments of {ready.config.data}"
        say(f"{made.id}: {what}. Ctrl-c leaves it {'in the queue' if turn.waits else 'running'}.")
        return watch(made, args.json)
    except KeyboardInterrupt:
        say_left(made)
        return INTERRUPTED


def rows_learned(ready: Plan) -> int:
    """Comments of one epoch."""
    rows = len(ready.corpus.splits["train"].text)
    return min(rows, ready.config.limit) if ready.config.limit else rows


@dataclass(frozen=True)
class Asked:
    """What the options come to, as `trainer.runs.plan` takes it."""

    data: str | None
    encoder: str | None
    recipe: str
    settings: Mapping[str, Any]


def asked_for(args: argparse.Namespace) -> Asked:
    """The options put together: `--like` first, the recipe under it, everything else on top.

    Raises ConfigError where two options do not agree, NotFoundError or RunError for a run that cannot be taken as model.
    """
    from trainer.config import parse_settings
    from trainer.runs.like import like_run

    settings = parse_settings(with_retries(args.settings, args.retries))
    given = {"data": args.data, "encoder": args.encoder, "recipe": args.recipe}
    for key, value in given.items():
        if value is not None and settings.setdefault(key, value) != value:
            raise ConfigError(
                f"--{key} {value} and --set {key}={settings[key]} do not agree: give one of them", key=key
            )
    data, encoder, recipe = (settings.pop(key, None) for key in given)
    data = data or getattr(args, "app_data", None)  # `goemo-tui --data PATH train` means the same
    if args.like is None:
        return Asked(data, encoder, recipe or "goemo", settings)
    like = like_run(args.like)
    its = like.config
    if recipe not in (None, its.recipe):
        raise ConfigError(
            f"--like {args.like} and recipe {recipe} do not agree: that run has recipe {its.recipe}. Give one of them",
            key="recipe",
        )
    return Asked(data or its.data, encoder or its.encoder, its.recipe, {**like.chosen, **settings})


def watch(made: Run, as_json: bool) -> int:
    """Follow a run to its end and say how it went: 0 if it finished, else 1. Raises KeyboardInterrupt on ctrl-c."""
    from goemo_tui.commands.progress import follow, say

    look = follow(made)
    if as_json:
        print(json.dumps(document(made, look)))
    say(outcome(made, look))
    return 0 if look.state == "finished" else 1


def with_retries(settings: list[str], retries: str | None) -> list[str]:
    """`--set` and `--retries` together. Raises ConfigError where they do not agree."""
    from trainer.config import parse_settings

    if retries is None:
        return settings
    short = parse_settings([f"retries={retries}"])["retries"]
    long = parse_settings(settings).get("retries", short)
    if short != long:
        raise ConfigError(f"--retries {short} and --set retries={long} do not agree: give one of them", key="retries")
    return [*settings, f"retries={short}"]


def queue_notes(queue: Queue) -> list[str]:
    """What to know about the queue before the run is put in it: that what it waits for is over already."""
    from trainer.runs.queue import has_ended
    from trainer.runs.run import short_name

    if queue.after is None or not has_ended(queue.after):
        return []
    return [f"run {short_name(queue.after)} has ended already: this one does not wait for it"]


def say_left(made: Run) -> None:
    """After ctrl-c: the run goes on or stays in the queue, and how to see and stop it."""
    from goemo_tui.commands.progress import say, waits_for

    look = made.look()
    if look.state == "waiting":
        text, stop = f"stays in the queue: it {waits_for(look.snapshot)}", "take it out:"
    else:
        text, stop = "goes on in the background.", "stop it:"
    say(
        f"\n{made.id} {text}\n"
        f"  {'watch it:':<{len(stop)}}  goemo-tui runs attach {made.id}\n"
        f"  {stop}  goemo-tui runs stop {made.id}"
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
    from goemo_tui.services.run_log import at_most
    from trainer.runs.snapshot import number

    seen, end = look.snapshot, look.snapshot.end or {}
    if look.state == "finished":
        best = seen.best or {}
        took = wording.duration(number(end.get("seconds")))
        early = f" ({end['reason']})" if end.get("reason") else ""
        epoch = number(best.get("epoch"))
        text = f"{made.id} finished in {took}{early}{at_most(end)}"
        if epoch is not None:
            text += f": macro-F1 {wording.score(number(best.get('macro_f1')))} on dev, best in epoch {epoch:g}"
        text += f"\n  the model: {made.model or 'none was kept'}"
        if made.model:
            text += f'\n  try it:    goemo-tui predict --model {made.id} "…"'
        return text + _spent(made)
    if look.state == "stopped" and seen.started is None:
        return f"{made.id} was stopped before it began\n  start it again: goemo-tui runs resume {made.id}"
    if look.state == "stopped":
        return f"{made.id} was stopped after step {seen.step:,}\n  go on with it: goemo-tui runs resume {made.id}"
    if look.state == "unknown":
        host = look.holder.host if look.holder else None
        return f"{made.id} runs where it cannot be seen from here (host {host}); its log ends at step {seen.step:,}"
    reason = str(end.get("error") or "no reason was given") if look.state == "failed" else made.why_died()
    more = "" if end.get("reason") == "input" else f"\n  go on with it: goemo-tui runs resume {made.id}"
    log = log_of(made)
    where = f"\n  its log: {log}" if log else ""
    return f"{made.id} {look.state} at step {seen.step:,}: {reason}{where}{more}"


def log_of(made: Run) -> Path | None:
    """Where the last worker's stdout and stderr went, as far as it is known: one that was started by hand keeps no log."""
    from trainer.runs.slurm import OUTPUT

    logs = [path for path in (made.worker_log, made.folder / OUTPUT) if path.is_file()]
    return max(logs, key=lambda path: path.stat().st_mtime, default=None)


def _spent(made: Run) -> str:
    """A line on what a finished run's checkpoints take, if there is anything to free."""
    from goemo_tui import wording
    from trainer.runs.prune import candidates

    taken = sum(item.checkpoints_bytes for item in candidates([made]))
    return f"\n  {wording.size(taken)} of checkpoints: goemo-tui runs prune frees them" if taken else ""


def device_notes(config: TrainConfig) -> list[str]:
    """What to know about the device before it is taken: that it is busy, or that the driver does not list it."""
    from trainer.devices import list_devices

    devices = list_devices()
    if config.device == "auto":
        return [f"{d} - choose another with --set device=cpu" for d in devices[:1] if d.busy]
    name = _named(config.device, devices)
    chosen = [d for d in devices if d.name == name]
    if not chosen:
        return [f"device {name} is not among those that this machine names: {', '.join(d.name for d in devices)}"]
    return [str(d) for d in chosen if d.busy]


def beside_notes(config: TrainConfig) -> list[str]:
    """That other runs of this home are being trained on the device that this one takes, and how to wait for them."""
    beside = runs_beside(config)
    if not beside:
        return []
    more = len(beside) - 1
    who = f"{beside[0]} and {more} more are" if more else f"{beside[0]} is"
    return [
        f"{who} being trained here too and {'all' if more else 'both'} will be slow; "
        f"--after {beside[0]} would wait for {'the first of these' if more else 'it'}"
    ]


def runs_beside(config: TrainConfig) -> list[str]:
    """The short names of the runs of this home that are being trained now on the device that this one takes."""
    from trainer.devices import list_devices
    from trainer.runs.run import list_runs

    devices = list_devices()
    name = _named(config.device, devices)
    return [one.short for one in list_runs() if _trained_on(one, devices) == name]


def _trained_on(one: Run, devices: list[Device]) -> str | None:
    """The device of a run that is being trained here; None for any other, and for one that cannot be read."""
    try:
        look = one.look()
        if look.state not in ("starting", "running", "stalled"):
            return None
        said = (look.snapshot.started or {}).get("device")
        return _named(said if isinstance(said, str) else one.config.device, devices)
    except GoemoError:
        return None


def _named(device: str, devices: list[Device]) -> str:
    """`auto` and `cuda` as the device that they stand for."""
    if device == "auto" and devices:
        return devices[0].name
    return "cuda:0" if device == "cuda" else device
