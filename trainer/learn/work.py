"""One training from a run's folder to its end event: what the detached worker does, and `trainer.train` in-process.

The only writer of the run's event log, its checkpoints and its model while it lasts.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

import trainer
from trainer import paths
from trainer.corpus import Corpus, Split, load_corpus
from trainer.corpus.augment import Made, Translate
from trainer.corpus.augmented import asked_for, augmented, counted, shortfall
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.language import language_warning
from trainer.corpus.own_tokens import add_own_tokens, find_own_tokens, words_behind
from trainer.corpus.raters import NONE, Shares, read_shares, soften
from trainer.corpus.raters import fingerprint as raters_fingerprint
from trainer.corpus.row_hashes import RowHashes
from trainer.corpus.suspects import command, require_scores
from trainer.corpus.token_cache import tokenized
from trainer.corpus.tokens import TokenArrays, load_tokenizer
from trainer.encoders import find_encoder, read_json
from trainer.errors import ConfigError, CorpusError, GoemoError, ModelError, NotFoundError
from trainer.learn import checkpoint, teachers
from trainer.learn.company import together
from trainer.learn.device import choose_device
from trainer.learn.loop import learn
from trainer.learn.memory import out_of_memory
from trainer.learn.ranks import device_of, joined, peer_lost
from trainer.learn.row_choice import choose
from trainer.learn.task import Array, Rows, Setback, Task
from trainer.model import classifier, metrics
from trainer.model.card import card
from trainer.runs import request
from trainer.runs.dev_scores import DevScores, write_dev_scores
from trainer.runs.events import END_KINDS, LOG, EventLog
from trainer.runs.queue import Turn
from trainer.runs.run import Run
from trainer.runs.snapshot import number
from trainer.runs.supervise import Exit, read_exit, unforeseen
from trainer.runs.tail import read_events
from trainer.runs.torchrun import ALONE, Place

Observer = Callable[[dict[str, Any]], None]


def work(
    run: Run,
    stop: Callable[[], bool],
    observer: Observer | None = None,
    turn: Turn | None = None,
    place: Place = ALONE,
) -> dict[str, Any]:
    """Train `run` to its end and return its last event. The caller holds the run's lock, and the `turn` it was given.

    Whatever goes wrong ends as a `failed` event with a message for people; a traceback goes to stderr (worker.log).
    Under torchrun this is the first rank's work; the others `follow`.
    """
    with EventLog(run.folder / LOG) as log:
        last = _work(run, log, stop, observer, turn or Turn(), place)
    request.drop_obeyed(run)
    return last


def _work(
    run: Run, log: EventLog, stop: Callable[[], bool], observer: Observer | None, turn: Turn, place: Place
) -> dict[str, Any]:
    def tell(kind: str, **fields: Any) -> dict[str, Any]:
        event = log.append(kind, **fields)
        if observer:
            observer(event)
        return event

    def say(text: str) -> None:
        tell("preparing", text=text)

    last: dict[str, Any] = {}
    try:
        before, death = left_behind(run)
        with joined(place, turn.device or run.config.device) as ranks:
            task, warnings = together(ranks, lambda: prepare(run, stop, say, turn.device), before)
            if turn.device:
                task = replace(task, config=replace(task.config, device=turn.device))
            for text in (*turn.warnings, *warnings):
                tell("warning", text=text)
            for kind, fields in learn(task, stop, ranks, device_of(task.config.device, place)):
                if kind in ("started", "resumed"):
                    fields = {**fields, "pid": os.getpid(), **({"after": str(death)} if death else {})}
                    death = None
                if kind == "finished":
                    fields = {**fields, "model": str(run.model) if run.model else None}
                last = tell(kind, **fields)
    except Cancelled:
        # while loading: the training stands where it stood
        seen = run.snapshot()
        last = tell("stopped", step=seen.step or 0, epoch=seen.epoch or 0)
    except GoemoError as error:
        # what is not there today may be there tomorrow; what is wrong stays wrong
        reason = "missing" if isinstance(error, NotFoundError) else "input"
        last = tell("failed", step=run.snapshot().step, error=str(error), reason=reason)
    except Exception as error:
        with suppress(OSError):  # worker.log may lie on the very disk that is the trouble
            traceback.print_exc(file=sys.stderr)
        story = f"The whole story is {_where_stderr_goes(run)}"
        if peer_lost(error):
            text, reason = (
                f"another rank of this training ended: {_first_sentence(error)}. Its rank-N.log may tell why. {story}",
                "error",
            )
        elif out_of_memory(error):
            text, reason = (
                f"the memory ran out: {error}. A smaller encoder or another device may help. {story}",
                "memory",
            )
        else:
            text, reason = f"{type(error).__name__}: {error}. {story}", "error"
        last = tell("failed", step=run.snapshot().step, error=text, reason=reason)
    return last


def _where_stderr_goes(run: Run) -> str:
    """`in …/worker.log` for a detached worker; one that was started by hand, or a caller of `train`, has another place."""
    with suppress(OSError, ValueError, AttributeError):
        if os.path.samestat(os.fstat(2), run.worker_log.stat()):
            return f"in {run.worker_log}"
    return "on this worker's stderr"


def _first_sentence(error: BaseException) -> str:
    """What a library of C++ says first, without the place in its source and the advice behind it."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return re.split(r"\.\s", re.sub(r"^\[[^\]]*:\d+\]\s*", "", line), maxsplit=1)[0].rstrip(".")


def left_behind(run: Run) -> tuple[Setback, Exit | None]:
    """What earlier workers on this run left beside its checkpoints, and how the last one died, if it is known to have.

    The model that is kept gives way only to a better one. A rate that was halved and batches that were cut stay so, also
    where no checkpoint tells of it; and where the system's out-of-memory killer struck, they are cut once more.
    """
    kept: dict[str, Any] = {}
    with suppress(ModelError, AttributeError):  # without its score the model counts as none, and the next is better
        kept = dict(read_json(run.model / "thresholds.json").get("fitted_on", {})) if run.model else {}
    score, epoch = number(kept.get("macro_f1")), number(kept.get("epoch"))
    events = read_events(run.folder / LOG)
    begun: dict[str, Any] = next((e for e in reversed(events) if e["kind"] in ("started", "resumed")), {})
    since = [e for e in events if e["seq"] >= begun.get("seq", 0)]
    halvings = int(number(begun.get("halvings")) or 0)
    split = max([1, *(int(number(e.get("split")) or 1) for e in since)])
    end = read_exit(run.folder)
    told = bool(events) and events[-1]["kind"] in END_KINDS and not unforeseen(events[-1])
    died = end is not None and end.died and not told and begun.get("pid") == end.process.pid
    why = ""
    if died and end is not None and end.oom and split < run.config.batch_size:
        split = min(2 * split, run.config.batch_size)
        why = f"{end}; on with smaller micro-batches"
    best = (score, int(epoch)) if score is not None and epoch is not None else (-1.0, 0)
    return Setback(why, halvings, split, *best), end if died else None


def prepare(
    run: Run,
    stop: Callable[[], bool],
    say: Callable[[str], None] = lambda text: None,
    device: str | None = None,
    first: bool = True,
) -> tuple[Task, list[str]]:
    """Load, check and tokenise what the run asks for. Raises GoemoError, or Cancelled when stopped meanwhile.

    `say` is told how far it is where that takes minutes. `device` is the one that the run was given in place of its own.
    All ranks but the `first` leave the run's folder as they find it.
    """
    config = run.config
    corpus = load_corpus(config.data)
    corpus.require_trainable()
    _same_corpus(run, corpus)
    _, group_of = corpus.labels.grouped(config.taxonomy)
    raters = read_raters(run, corpus.labels.names, group_of)
    corpus = corpus.under(config.taxonomy)
    if first:
        checkpoint.tidy(run.folder / "checkpoints")
        recover_model(run.folder / "model")
    train, dev = corpus.splits["train"], corpus.splits["dev"]
    chosen = choose(run, corpus)
    if len(chosen.rows) < len(train):  # all rows are the split itself: a copy of 43,000 takes a tenth of a second
        train = train.take("train", chosen.rows)
    encoder = find_encoder(config.encoder)
    tokenizer = load_tokenizer(encoder.folder)
    own = find_own_tokens(train.text, config.own_tokens, tokenizer)
    add_own_tokens(tokenizer, own)
    warnings = list(corpus.warnings)
    language = language_warning(train.text, config.encoder)
    if language:
        warnings.append(language)
    if chosen.said:
        warnings.append(chosen.said)
    made = new_comments(run, train, stop, say, device or config.device)
    short = shortfall(made, len(train), asked_for(config, len(train)))
    if short:
        warnings.append(f"augment: {short}")
    texts = [*train.text, *(m.text for m in made)]
    origin = np.array(
        [*range(len(train.text)), *(m.origin for m in made)], dtype=np.int64
    )  # which row each was made of

    def tokens(some: Sequence[str]) -> TokenArrays:
        return tokenized(some, tokenizer, config.max_length, cancelled=stop)

    truth = metrics.multi_hot(train.labels, len(corpus.labels))
    targets = None
    if raters is not None:
        targets, known = soften(truth, train.ids, raters)
        if not known:
            raise ConfigError(f"rater_labels: no comment of {corpus.path} is in {config.rater_labels}", "rater_labels")
        warnings.append(f"soft labels: the raters' shares stand for {known:,} of {len(train):,} rows of train")
        targets = targets[origin]
    if config.teacher != "none":
        on = choose_device(device or config.device)

        def beside() -> Array:
            return out_of_fold(run, corpus)[chosen.rows][origin]

        taught = teachers.taught(run.folder, config.teacher, texts, corpus.labels, on, stop, beside, say)
        said = truth[origin] if targets is None else targets
        targets = ((1 - config.distill) * said + config.distill * taught).astype(np.float32)
    weights = None if chosen.weights is None else chosen.weights[origin]
    learned = Rows(tokens(texts), truth[origin], targets, weights)

    # a model tells on which rows its thresholds were fitted, so that it is never scored by them there
    fitted_rows = {} if config.threshold else RowHashes.of(dev.text).told()

    def keep(model: nn.Module, thresholds: dict[str, float], validation: dict[str, Any]) -> Path:
        about = {
            "split": "dev",
            "metric": "f1" if not config.threshold else "fixed",
            "fitted_on": {
                "corpus": corpus.name,
                "sha256": corpus.fingerprint.get("dev", ""),
                "rows": len(dev.text),
                "epoch": validation["epoch"],
                "macro_f1": validation["macro_f1"],
                "way": config.threshold_fit if not config.threshold else "fixed",
                **fitted_rows,
            },
            "thresholds": thresholds,
        }
        text = card(config, encoder.source, corpus.fingerprint, validation, trainer.__version__)
        if not first:
            return run.folder / "model"
        return keep_model(run.folder / "model", model, encoder.folder, config.max_length, about, text, own)

    def keep_scores(probabilities: Array, thresholds: dict[str, float], epoch: int) -> None:
        if not first:
            return
        names = corpus.labels.names
        limits = np.array([thresholds[name] for name in names], np.float32)
        sha256 = corpus.fingerprint.get("dev", "")
        write_dev_scores(
            run.folder, DevScores(probabilities.astype(np.float32), names, limits, epoch, sha256, config.threshold_fit)
        )

    task = Task(
        config=config, labels=corpus.labels, encoder_folder=encoder.folder, train=learned,
        dev=Rows(tokens(dev.text), metrics.multi_hot(dev.labels, len(corpus.labels))),
        checkpoints=run.folder / "checkpoints", keep=keep, keep_scores=keep_scores,
        augmented=counted(made), own_tokens=words_behind(tokenizer, own),
    )  # fmt: skip
    return task, warnings


def new_comments(
    run: Run, train: Split, stop: Callable[[], bool], say: Callable[[str], None], device: str
) -> list[Made]:
    """What augmentation adds to the rows of train; never to dev. The same on each start of a run."""
    config = run.config

    def translation() -> Translate:
        from trainer.learn.translate import translator

        return translator(config.translation, device, say, stop)

    return augmented(train.text, train.labels, config, translation, run.folder, stop)


def out_of_fold(run: Run, corpus: Corpus) -> Array:
    """(rows of train, labels): what models that had not learned from a row say of it. Raises ConfigError."""
    config = run.config
    scores = require_scores(corpus, config.data, config.taxonomy, "teacher")
    rows = min(len(scores.judged), config.limit or len(scores.judged))
    if not scores.judged[:rows].all():
        raise ConfigError(
            f"teacher: only {int(scores.judged.sum()):,} of {len(scores.judged):,} rows were judged out of fold: "
            f"{command(config.data, config.taxonomy)} judges the others",
            key="teacher",
        )
    return scores.probabilities


def read_raters(run: Run, names: tuple[str, ...], group_of: tuple[int, ...]) -> Shares | None:
    """The raters' shares where the run asks for soft labels. Raises ConfigError, also if the files are other ones now."""
    folder = run.config.rater_labels
    if folder == NONE:
        return None
    expected = run.record.get("raters", {}).get("sha256")
    if expected and raters_fingerprint(folder) != expected:
        raise ConfigError(
            f"the files in {folder} have changed since run {run.id} was made: bring the old ones back, or start a new run",
            key="rater_labels",
        )
    return read_shares(folder, names, group_of)


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
        with suppress(OSError):  # a disk that refuses: readers find it under this name too
            old.rename(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(folder.with_name(".model-new"), ignore_errors=True)


def keep_model(
    folder: Path,
    model: nn.Module,
    encoder_folder: Path,
    max_length: int,
    thresholds: dict[str, Any],
    text: str,
    own_tokens: Sequence[str] = (),
) -> Path:
    """Save the classifier beside `folder` and put it in its place; a crash leaves the old or the new one, never half."""
    fresh, old = folder.with_name(".model-new"), folder.with_name(".model-old")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        classifier.save(model, encoder_folder, fresh, max_length, thresholds, text, own_tokens)
        for path in fresh.rglob("*"):
            path.chmod(0o600)
            paths.sync(path)
        fresh.chmod(0o700)
        paths.sync(fresh)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        fresh.rename(folder)
        with suppress(OSError):  # it is there for every reader; only a power cut could still cost it
            paths.sync(folder.parent)
    finally:
        recover_model(folder)
    return folder
