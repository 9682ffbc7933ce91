"""What a model says of each row of train without having learned from it: as many trainings as folds, one after the other.

Each is a training like any other, with checkpoints, in a run folder of its own beside the scores, and goes on where it
was when its process ended. What a fold came to is kept; the model is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from trainer import paths
from trainer.config import TrainConfig
from trainer.corpus import Corpus
from trainer.corpus.folds import folds_of
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.split import chosen_of
from trainer.corpus.suspects import (
    BEGUN,
    OutOfFold,
    begun,
    fold_file,
    folder_of,
    given_labels,
    keep_scores,
    read_scores,
)
from trainer.errors import ConfigError, GoemoError, NotFoundError, RunError
from trainer.infer.predictor import Predictor
from trainer.learn.row_choice import FOLD
from trainer.learn.task import Array
from trainer.learn.work import work
from trainer.model import metrics
from trainer.modelfolder import ModelFolder
from trainer.paths import write_private
from trainer.runs.lock import RunLock, stop_requested
from trainer.runs.plan import Plan
from trainer.runs.run import CONFIG, FORMAT, Run

ASIDE = ("data", "device", "retries", "checkpoint_steps", "checkpoint_minutes", "suspect_share", "suspect_weight")
"""Settings that may differ when the work is gone on with: they do not change what is learned."""

Observer = Callable[[int, Mapping[str, Any]], None]
"""Told of each event of a fold's training: the fold (from 0) and the event; `kind` predicted comes last."""


@dataclass(frozen=True)
class Work:
    """Out-of-fold scores to be made. `corpus` has its labels grouped already; `record` is the plan's."""

    folder: Path
    corpus: Corpus
    config: TrainConfig
    folds: int
    record: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Rows of train that are judged."""
        rows = len(self.corpus.splits["train"])
        return min(rows, self.config.limit or rows)

    def fold_of(self) -> Array:
        """(rows,): the fold of each row that is judged."""
        split = self.corpus.splits["train"]
        return folds_of(split.text[: self.rows], split.labels[: self.rows], self.folds, self.config.seed)

    @cached_property
    def dealt(self) -> str:
        """A fingerprint of which row is in which fold: a version that deals otherwise must not go on with these."""
        return hashlib.sha256(self.fold_of().astype(np.int8).tobytes()).hexdigest()[:16]

    def done(self, fold: int) -> Array | None:
        """(rows of the fold, labels): what was said of the fold's rows; None while it is not known."""
        try:
            found: Array = np.load(fold_file(self.folder, fold), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return found

    @property
    def told(self) -> dict[str, Any]:
        """What `begun.json` and `about.json` say of it."""
        settings = {k: v for k, v in self.config.to_dict().items() if k not in ASIDE}
        return {
            "labels": list(self.corpus.labels.names), "sha256": self.corpus.fingerprint.get("train", ""),
            "taxonomy": self.config.taxonomy, "folds": self.folds, "seed": self.config.seed, "dealt": self.dealt,
            "settings": settings,
        }  # fmt: skip

    def same_as(self, told: Mapping[str, Any]) -> bool:
        """Whether this is the work that `told` tells of. A setting that an older version did not know had its default."""
        mine = self.told
        if any(told.get(key) != value for key, value in mine.items() if key != "settings"):
            return False
        try:
            return TrainConfig.from_dict(told["settings"]) == TrainConfig.from_dict(mine["settings"])
        except (ConfigError, KeyError, AttributeError):
            return False


def require_unbiased(settings: Mapping[str, Any]) -> None:
    """Raise ConfigError for settings by which a model would have an opinion beforehand of the rows that it judges.

    To be asked before a plan is made: that would look for the very scores which are to be found.
    """
    if settings.get("suspects", "keep") != "keep":
        raise ConfigError("suspects: the models that look for suspects learn from all rows, set it to keep", "suspects")
    if settings.get("teacher", "none") != "none":
        raise ConfigError("teacher: a teacher may have seen the rows that are to be judged, set it to none", "teacher")


def planned(plan: Plan, folds: int) -> Work:
    """The work that a plan comes to. Raises ConfigError for a number of folds that cannot be."""
    config = plan.config
    require_unbiased(config.to_dict())
    if config.devices > 1:
        raise ConfigError("devices: the folds are trained in this process one after the other, set it to 1", "devices")
    made = Work(folder_of(plan.corpus, config.taxonomy), plan.corpus, config, folds, plan.record())
    if not 2 <= folds <= 20:
        raise ConfigError(f"--folds {folds}: 2 to 20", key="folds")
    if made.rows < 10 * folds:
        raise ConfigError(
            f"--folds {folds}: {made.rows} row{' is' if made.rows == 1 else 's are'} too few, each fold wants ten",
            key="folds",
        )
    return made


def forget(folder: Path) -> None:
    """Take away scores, ranking and what was begun. What a person decided stays. Raises RunError if it is worked on."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_dir() and path.name.startswith("fold-"):
                with RunLock(path, busy="removed"):
                    shutil.rmtree(path, ignore_errors=True)
            elif path.suffix in (".npy", ".new") or path.name in (BEGUN, "about.json", "ranking.json"):
                path.unlink(missing_ok=True)


def make(asked: Work, stop: Callable[[], bool], observer: Observer) -> OutOfFold:
    """Train and predict what is still to be done, keep the scores and return them.

    Raises Cancelled when asked to stop: what is done by then is kept. Raises ConfigError where work with other settings
    was begun here, and RunError when a training fails.
    """
    before = begun(asked.folder)
    if before is not None and not asked.same_as(before):
        raise ConfigError(
            f"this was begun with {_differing(before, asked.told)}: ask for the same to go on, or --again to begin anew"
        )
    try:
        paths.private_folder(asked.folder)
        write_private(asked.folder / BEGUN, json.dumps(asked.told, indent=1).encode())
    except OSError as error:
        raise GoemoError(f"{asked.folder} cannot be written: {error.strerror or error}") from None
    fold_of = asked.fold_of()
    split = asked.corpus.splits["train"]
    scores = np.full((len(split), len(asked.corpus.labels)), np.nan, dtype=np.float32)
    for fold in range(asked.folds):
        rows = np.flatnonzero(fold_of == fold)
        said = asked.done(fold)
        if said is None or said.shape != (len(rows), scores.shape[1]):
            said = _fold(asked, fold, chosen_of(split.text, rows.tolist()), stop, observer)
        scores[rows] = said
    given, judged = given_labels(asked.corpus), ~np.isnan(scores).any(1)
    said = metrics.cross_fitted(given[judged], scores[judged])
    macro_f1 = metrics.scores(given[judged], said).macro_f1
    about = {**asked.told, "rows": len(split), "judged": int(judged.sum()), "macro_f1": round(macro_f1, 6),
             "made": datetime.now().astimezone().isoformat(timespec="seconds")}  # fmt: skip
    keep_scores(asked.folder, scores, about)
    _tidy(asked)
    found = read_scores(asked.corpus, asked.config.taxonomy)
    if found is None:
        raise GoemoError(f"{asked.folder}: the scores were written and cannot be read again")
    return found


def _fold(asked: Work, fold: int, texts: Sequence[str], stop: Callable[[], bool], observer: Observer) -> Array:
    """(rows of the fold, labels): train on the other folds, predict this one, keep what it says, drop the model."""
    run = _run_of(asked, fold)

    def wanted() -> bool:
        return stop() or stop_requested(run.folder)

    with RunLock(run.folder):
        end = run.snapshot().end or {}
        if end.get("kind") != "finished" or run.model is None:
            end = work(run, wanted, lambda event: observer(fold, event))
        if end["kind"] == "stopped":
            raise Cancelled(f"stopped in fold {fold + 1} of {asked.folds}")
        if end["kind"] == "failed" or run.model is None:
            raise RunError(f"the training of fold {fold + 1} failed: {end.get('error', 'it left no model')}")
        predictor = Predictor(ModelFolder(run.id, run.model, "run"), device=asked.config.device)
        said = predictor.probabilities(texts, wanted).astype(np.float32)
        fresh = asked.folder / f".fold-{fold}.new"
        try:
            with fresh.open("wb") as file:
                np.save(file, said, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(fold_file(asked.folder, fold))
        except OSError as error:
            raise GoemoError(f"{asked.folder} cannot be written: {error.strerror or error}") from None
        observer(fold, {"kind": "predicted", "rows": len(texts)})
        shutil.rmtree(run.folder, ignore_errors=True)
    return said


def _run_of(asked: Work, fold: int) -> Run:
    """The fold's run folder, made where there is none. Its device is what is asked for now."""
    folder = asked.folder / f"fold-{fold}"
    with suppress(NotFoundError):
        run = Run.open(folder)
        if run.config == asked.config:
            return run
    table = {"left_out": fold, "of": asked.folds, "seed": asked.config.seed}
    record = {"format": FORMAT, "created": datetime.now().astimezone(), "settings": asked.config.to_dict(),
              **asked.record, FOLD: table}  # fmt: skip
    try:
        paths.private_folder(folder)
        write_private(folder / CONFIG, tomli_w.dumps(record).encode())
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from None
    return Run.open(folder)


def _tidy(asked: Work) -> None:
    """The scores are there: the pieces that they were made of go."""
    for fold in range(asked.folds):
        fold_file(asked.folder, fold).unlink(missing_ok=True)
        shutil.rmtree(asked.folder / f"fold-{fold}", ignore_errors=True)
    (asked.folder / BEGUN).unlink(missing_ok=True)


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """`4 folds, lr 0.001 (not 5 folds, lr 0.0002)`, as far as it is known."""
    usual = TrainConfig().to_dict()
    old, new = ({**usual, **dict(one.get("settings") or {}), "folds": one.get("folds")} for one in (before, now))
    keys = [key for key in new if old.get(key) != new[key]][:4]
    if not keys:
        return "another corpus or version"
    return ", ".join(f"{key} {old.get(key)} (not {new[key]})" for key in keys)
