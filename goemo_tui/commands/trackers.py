"""`goemo-tui runs export ID --to TRACKER`, and what `runs show` says of mirrors.

The trackers' libraries are imported by processes of their own, never here.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.runs.run import Run
    from trainer.track.state import Mirror

INTERRUPTED = 130

LOOK = {
    "tensorboard": "tensorboard --logdir {where}",
    "trackio": "TRACKIO_DIR={where} trackio show --project goemo-tui",
    "wandb": "wandb sync {where}   (offline; sends it to their server)",
    "mlflow": "MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {where}   (mlflow, not mlflow-skinny)",
}
"""How a tracker's folder is looked at, by the tracker's own program; TensorBoard shows the runs below the one it is given."""


def export(args: argparse.Namespace) -> int:
    """0 mirrored, 1 where a tracker failed, 130 by ctrl-c. Raises GoemoError."""
    from goemo_tui.commands.progress import say
    from goemo_tui.commands.runs import chosen
    from goemo_tui.safe_text import clean, json_line
    from trainer.paths import expanded
    from trainer.track import start, tracker

    names = tracker.chosen(args.to or "")
    if not names:
        raise ConfigError(f"say where to: goemo-tui runs export ID --to {'|'.join(tracker.NAMES)}")
    if args.id is None:
        raise ConfigError(f"say which run: goemo-tui runs export ID --to {args.to}")
    tracker.require(names)
    one = chosen(args.id)
    out = expanded(args.out).absolute() if args.out else None
    if args.follow:
        say(f"mirroring {one.id} to {', '.join(names)} until it has ended; ctrl-c ends the mirror alone")
    try:
        found = start.export(one, names, out, args.follow)
    except KeyboardInterrupt:
        return INTERRUPTED
    if args.json:
        print(json_line({"run": one.id, "trackers": [asdict(mirror) for mirror in found]}))
    for mirror in found:
        if mirror.error:
            say(f"{mirror.tracker}: {clean(mirror.error)}")
            continue
        if not args.json:
            print("\t".join((mirror.tracker, clean(mirror.where))))
        if "://" not in mirror.where:
            say(f"{mirror.points:,} points; look at it: {clean(LOOK[mirror.tracker].format(where=_quoted(mirror)))}")
    return int(any(mirror.error for mirror in found))


def documents(one: Run) -> list[dict[str, Any]]:
    """The run's mirrors for `runs show --json`."""
    from trainer.track import state

    return [asdict(mirror) for mirror in state.read(one.folder)]


def lines(one: Run) -> list[str]:
    """The run's mirrors for people, one a line."""
    from trainer.track import state

    return [_line(one, mirror) for mirror in state.read(one.folder)]


def _line(one: Run, mirror: Mirror) -> str:
    from trainer.track import state

    again = f"goemo-tui runs export {one.id} --to {mirror.tracker}"
    told = {
        state.FOLLOWING: f"written up to step {mirror.step}: {mirror.where}",
        state.DONE: f"holds it up to step {mirror.step}: {mirror.where}",
        state.FAILED: f"failed: {mirror.error} (the training is not touched; again: {again})",
        state.GONE: f"its mirror ended without a word at step {mirror.step}; again: {again}",
    }
    return f"{mirror.tracker} {told.get(mirror.state, mirror.state)}"


def _quoted(mirror: Mirror) -> str:
    import shlex

    place = Path(mirror.where)
    return shlex.quote(str(place.parent if mirror.tracker == "tensorboard" else place))
