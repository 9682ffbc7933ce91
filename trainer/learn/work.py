"""One training from a run's folder to its end event: what the detached worker does, and `trainer.train` in-process.

The only writer of the run's event log, its checkpoints and its model while it lasts.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

import trainer
from trainer.corpus import Corpus, Split, load_corpus
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.language import language_warning
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.encoders import find_encoder
from trainer.errors import CorpusError, GoemoError, NotFoundError
from trainer.learn import checkpoint
from trainer.learn.loop import learn
from trainer.learn.memory import out_of_memory
from trainer.learn.task import Rows, Task
from trainer.model import classifier, metrics
from trainer.model.card import card
from trainer.runs.events import END_KINDS, LOG, EventLog, read_events
from trainer.runs.queue import Turn
from trainer.runs.run import Run
from trainer.runs.supervise import read_exit, unforeseen

Observer = Callable[[dict[str, Any]], None]


def work(
    run: Run, stop: Callable[[], bool], observer: Observer | None = None, turn: Turn | None = None
) -> dict[str, Any]:
    """Train `run` to its end and return its last event. The caller holds the run's lock, and the `turn` it was given.

    Whatever goes wrong ends as a `failed` event with a message for people; a traceback goes to stderr (worker.log).
    """
    with EventLog(run.folder / LOG) as log:
        return _work(run, log, stop, observer, turn or Turn())


def _work(run: Run, log: EventLog, stop: Callable[[], bool], observer: Observer | None, turn: Turn) -> dict[str, Any]:
    def tell(kind: str, **fields: Any) -> dict[str, Any]:
        event = log.append(kind, **fields)
        if observer:
            observer(event)
        return event

    last: dict[str, Any] = {}
    death = _death_before(run)
    try:
        task, warnings = prepare(run, stop)
        if turn.device:
            task = replace(task, config=replace(task.config, device=turn.device))
        for text in (*turn.warnings, *warnings):
            tell("warning", text=text)
        for kind, fields in learn(task, stop):
            if kind in ("started", "resumed"):
                fields = {**fields, "pid": os.getpid(), **({"after": death} if death else {})}
                death = None
            if kind == "finished":
                fields = {**fields, "model": str(run.folder / "model")}
            last = tell(kind, **fields)
    except Cancelled:
        # while loading: the training stands where it stood
        before = run.snapshot()
        last = tell("stopped", step=before.step or 0, epoch=before.epoch or 0)
    except GoemoError as error:
        # what is not there today may be there tomorrow; what is wrong stays wrong
        reason = "missing" if isinstance(error, NotFoundError) else "input"
        last = tell("failed", step=run.snapshot().step, error=str(error), reason=reason)
    except Exception as error:
        with suppress(OSError):  # worker.log may lie on the very disk that is the trouble
            traceback.print_exc(file=sys.stderr)
        story = f"The whole story is in {run.worker_log}"
        if out_of_memory(error):
            text, reason = (
                f"the memory ran out: {error}. A smaller encoder or another device may help. {story}",
                "memory",
            )
        else:
            text, reason = f"{type(error).__name__}: {error}. {story}", "error"
        last = tell("failed", step=run.snapshot().step, error=text, reason=reason)
    return last


def _death_before(run: Run) -> str | None:
    """How the worker before this one died, where that was written down; None if it ended as it meant to, or was the first."""
    events = read_events(run.folder / LOG)
    begun = [e for e in events if e["kind"] in ("started", "resumed")]
    end = read_exit(run.folder)
    told = bool(events) and events[-1]["kind"] in END_KINDS and not unforeseen(events[-1])
    return str(end) if begun and end and end.died and not told and begun[-1].get("pid") == end.process.pid else None


def prepare(run: Run, stop: Callable[[], bool]) -> tuple[Task, list[str]]:
    """Load, check and tokenise what the run asks for. Raises GoemoError, or Cancelled when stopped meanwhile."""
    config = run.config
    corpus = load_corpus(config.data)
    corpus.require_trainable()
    _same_corpus(run, corpus)
    corpus = corpus.under(config.taxonomy)
    checkpoint.tidy(run.folder / "checkpoints")
    recover_model(run.folder / "model")
    train, dev = corpus.splits["train"], corpus.splits["dev"]
    if config.limit:
        train = replace(train, text=train.text[: config.limit], labels=train.labels[: config.limit])
    encoder = find_encoder(config.encoder)
    tokenizer = load_tokenizer(encoder.folder)
    warnings = list(corpus.warnings)
    language = language_warning(train.text, config.encoder)
    if language:
        warnings.append(language)

    def rows(split: Split) -> Rows:
        tokens = tokenize(split.text, tokenizer, config.max_length, cancelled=stop)
        return Rows(tokens, metrics.multi_hot(split.labels, len(corpus.labels)))

    def keep(model: nn.Module, thresholds: dict[str, float], validation: dict[str, Any]) -> Path:
        about = {
            "split": "dev",
            "metric": "f1" if not config.threshold else "fixed",
            "fitted_on": {"corpus": corpus.name, "sha256": corpus.fingerprint.get("dev", ""), "rows": len(dev.text)},
            "thresholds": thresholds,
        }
        text = card(config, encoder.source, corpus.fingerprint, validation, trainer.__version__)
        return keep_model(run.folder / "model", model, encoder.folder, config.max_length, about, text)

    task = Task(
        config=config, labels=corpus.labels, encoder_folder=encoder.folder, train=rows(train), dev=rows(dev),
        checkpoints=run.folder / "checkpoints", keep=keep,
    )  # fmt: skip
    return task, warnings


def _same_corpus(run: Run, corpus: Corpus) -> None:
    """Raise CorpusError if train or dev are not what they were when the run was made: nothing would fit together."""
    expected = run.record.get("corpus", {}).get("sha256", {})
    changed = [s for s in ("train", "dev") if s in expected and expected[s] != corpus.fingerprint.get(s)]
    if changed:
        raise CorpusError(
            f"{corpus.path} has changed since run {run.id} was made ({' and '.join(changed)}): bring the old files back, "
            f"or start a new run"
        )


def recover_model(folder: Path) -> None:
    """Bring back the model that was put aside, if the new one never got to its place; remove what else was left."""
    old = folder.with_name(".model-old")
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    for left in (old, folder.with_name(".model-new")):
        shutil.rmtree(left, ignore_errors=True)


def keep_model(
    folder: Path, model: nn.Module, encoder_folder: Path, max_length: int, thresholds: dict[str, Any], text: str
) -> Path:
    """Save the classifier beside `folder` and put it in its place; a crash leaves the old or the new one, never half."""
    fresh, old = folder.with_name(".model-new"), folder.with_name(".model-old")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        classifier.save(model, encoder_folder, fresh, max_length, thresholds, text)
        for path in fresh.rglob("*"):
            path.chmod(0o600)
            checkpoint.sync(path)
        fresh.chmod(0o700)
        checkpoint.sync(fresh)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        fresh.rename(folder)
        checkpoint.sync(folder.parent)
    finally:
        recover_model(folder)
    return folder
