"""`goemo-tui train --slurm`: checks everything here, makes the run, and leaves its start to SLURM."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from trainer.errors import ConfigError, RunError

if TYPE_CHECKING:
    from goemo_tui.commands.train import Asked

MOST_NODES = 1024


def run(args: argparse.Namespace, asked: Asked) -> int:
    """0 once the file is written, and submitted where sbatch is there. Raises GoemoError.

    stdout gets the run's id; with --json `{"run", "script", "job"}`, job null where nothing was submitted, and with
    `error` beside them where sbatch did not take it.
    """
    from goemo_tui.commands.progress import fetching, say
    from goemo_tui.safe_text import clean
    from goemo_tui.services import trackers
    from trainer.runs import slurm
    from trainer.runs.plan import plan
    from trainer.runs.run import Run

    nodes = _nodes(args)
    with fetching() as progress:
        ready = plan(asked.data, asked.encoder, asked.recipe, asked.settings, progress, here=False)
    for warning in ready.warnings:
        say(f"warning: {warning}")
    slurm.check_options(args.sbatch)
    for warning in slurm.unknown_options(args.sbatch):
        say(f"warning: {warning}")
    made = Run.create(ready.config, ready.record())
    try:
        job = slurm.submit(made, nodes, args.sbatch)
    except RunError as error:
        if args.json:
            script = str(made.folder / slurm.NAME)
            print(json.dumps({"run": made.id, "script": script, "job": None, "error": clean(str(error))}))
        raise
    print(json.dumps({"run": made.id, "script": str(job.script), "job": job.number}) if args.json else made.id)
    if job.number is None:
        say(f"there is no sbatch here. Where there is one: sbatch {clean(str(job.script))}")
    else:
        say(
            f"{made.id} is SLURM job {job.number}. Look at it: goemo-tui runs show {made.id}; take it out: scancel {job.number}"
        )
    names, complaints = trackers.asked(None)
    if names:
        complaints = [
            f"it trains in a job and is not mirrored to {', '.join(names)}, as the settings would have it: "
            f"goemo-tui runs export {made.id} --to {','.join(names)} afterwards, or with --follow beside it"
        ]
    for warning in complaints:
        say(f"warning: {warning}")
    return 0


def _nodes(args: argparse.Namespace) -> int:
    """How many machines. Raises ConfigError for options that do not go together."""
    if not args.slurm:
        raise ConfigError("--nodes and --sbatch are for --slurm: give that too")
    if args.estimate:
        raise ConfigError("--estimate times this machine, and --slurm trains on another: give one of them")
    if args.after is not None or args.when_free:
        raise ConfigError("SLURM has its own queue: in place of --after, --sbatch dependency=afterok:JOB")
    text = args.nodes or "1"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_NODES:
        raise ConfigError(f"--nodes {text}: a number from 1 to {MOST_NODES}")
    return int(text)
