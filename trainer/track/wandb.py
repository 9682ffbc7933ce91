"""A run in Weights & Biases: an offline run on this disk unless the user's environment asks for their server."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.track.facts import PROJECT, Facts
from trainer.track.points import Point
from trainer.track.tracker import default_folder


class WeightsAndBiases:
    """One W&B run by the run's id, below `folder` (default: WANDB_DIR, else ours).

    Offline unless WANDB_MODE says otherwise or WANDB_API_KEY is set. Of a run that a server knows only the steps beyond
    its last one are sent: what a server has been told cannot be taken back.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or Path(os.environ.get("WANDB_DIR") or default_folder("wandb"))
        self.where = str(self._folder)
        self.mode: Any = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        self._run: Any = None
        self._known = 0

    def begin(self, facts: Facts, story: Sequence[Point]) -> None:
        """Offline: a new folder in place of the one before. Online: the run with this id is gone on with."""
        import wandb

        if self._run is not None:
            self._run.finish()
        paths.private_folder(self._folder)
        run_id = re.sub(r"[^\w.-]", "-", facts.run)
        if self.mode == "offline":
            for old in (self._folder / "wandb").glob(f"offline-run-*-{run_id}"):
                shutil.rmtree(old)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT, id=run_id, name=facts.name, notes=facts.note or None,
            config=dict(facts.settings), mode=self.mode, resume="allow" if self.mode == "online" else None,
            dir=str(self._folder), settings=_silent(wandb),
        )  # fmt: skip
        self._known = int(self._run.step or 0) if self.mode == "online" else 0
        # offline: the run's folder; online: its page
        self.where = str(getattr(self._run, "url", None) or Path(self._run.dir).parent)

    def write(self, points: Sequence[Point]) -> None:
        """One row of history a step."""
        for point in points:
            if point.step >= self._known:
                self._run.log({**point.values, "_timestamp": point.wall}, step=point.step)

    def end(self, state: str, wall: float | None) -> None:
        """The state stands in the summary; W&B's own becomes finished, or failed for a run that failed or died."""
        self._run.summary["state"] = state
        self._run.finish(exit_code=int(state in ("failed", "died")))
        self._run = None


def _silent(wandb: Any) -> Any:
    """No console, code, git, host, packages or statistics of this machine: they are not the run's story."""
    return wandb.Settings(
        silent=True, console="off", save_code=False, disable_code=True, disable_git=True, disable_job_creation=True,
        x_disable_meta=True, x_disable_stats=True, x_disable_machine_info=True, x_save_requirements=False,
    )  # fmt: skip
