"""`goemo-tui runs errors ID EMOTION`: the comments that a run, or any other model, got wrong for one emotion, headless.

Of a run its stored scores of dev are read; of another model, or of rows that are named, they are computed in this process.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from trainer.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from goemo_tui.services.errors import ScoredDev

LIMIT = 50
"""Mistakes that are printed where no --limit says otherwise."""


def errors_of(args: argparse.Namespace) -> int:
    """Print them, the most confident first. Raises GoemoError."""
    from goemo_tui.commands.lines import table, wrapped
    from goemo_tui.commands.progress import say
    from goemo_tui.services.errors import FALSE_NEGATIVE, FALSE_POSITIVE, SIGNS, document, mistakes
    from goemo_tui.wording import percent, score

    if args.id is None or len(args.more) != 1:
        raise ConfigError(
            "say which run or model and which emotion: goemo-tui runs errors ID EMOTION [--data PATH] [--split S] [--limit N]"
        )
    limit = LIMIT if args.limit is None else args.limit
    if limit < 1:
        raise ConfigError(f"--limit {limit}: at least 1")
    found = mistakes(_scored(args), args.more[0])
    shown = found.mistakes[:limit]
    if args.json:
        print(json.dumps(document(found, shown)))
        return 0
    wrong, missed = len(found.of(FALSE_POSITIVE)), len(found.of(FALSE_NEGATIVE))
    judged = f"threshold {score(found.judged_by[0])}" if found.judged_by else "no comment"
    if len(found.judged_by) > 1:
        cuts = " and ".join(score(cut) for cut in found.judged_by)
        judged = f"thresholds {cuts}, each fitted on the half that it does not judge"
    say(
        f"{found.label} in {found.run}, {f'epoch {found.epoch}, ' if found.epoch else ''}{judged}: {wrong} said wrongly, "
        f"{missed} missed, {found.support} of {found.rows} comments of {found.split} carry it"
    )
    if sys.stdout.isatty():
        for m in shown:
            print(wrapped(f"{SIGNS[m.kind]} {percent(m.probability):>4}  {m.text}  [{' '.join(m.labels)}]", indent=8))
    else:
        rows = [
            (
                m.kind,
                f"{m.probability:.4f}",
                " ".join(m.labels),
                " ".join(name for name, _ in m.predicted),
                m.id,
                m.text,
            )
            for m in shown
        ]
        print(table(("kind", "probability", "labels", "predicted", "id", "text"), rows))
    if len(shown) < len(found.mistakes):
        say(f"the first {len(shown)} of {len(found.mistakes)}; --limit {len(found.mistakes)} prints all")
    return 0


def _scored(args: argparse.Namespace) -> ScoredDev:
    """The stored scores of a run, or what a model says of the rows that are named. Raises GoemoError."""
    from goemo_tui.services.errors import scored_dev
    from trainer.runs.run import Run

    if args.data is None and args.split is None:
        try:
            return scored_dev(Run.open(args.id).folder)
        except NotFoundError:
            if _is_run(args.id):
                raise
    return _asked(args)


def _is_run(name: str) -> bool:
    from trainer.runs.run import Run

    try:
        Run.open(name)
    except NotFoundError:
        return False
    return True


def _asked(args: argparse.Namespace) -> ScoredDev:
    """What the model says of a split now."""
    from dataclasses import replace

    import numpy as np

    from goemo_tui.commands.progress import say
    from goemo_tui.services.errors import ScoredDev
    from goemo_tui.settings import read_settings
    from trainer.corpus import load_corpus
    from trainer.infer.evaluate import score
    from trainer.infer.like import trained_on
    from trainer.infer.predictor import Predictor
    from trainer.modelfolder import find_model
    from trainer.runs.dev_scores import DevScores

    predictor = Predictor(find_model(args.id))
    for warning in predictor.warnings:
        say(f"warning: {warning}")
    data = args.data or getattr(args, "app_data", None) or trained_on(predictor.folder.path) or read_settings()[0].data
    corpus = load_corpus(data)
    scored = score(predictor, corpus, args.split)
    say(f"{scored.split} of {corpus.path}:")
    for note in scored.notes:
        say(f"note: {note}")
    rows = scored.left_out.corpus.splits[scored.split]
    ids = [tuple(int(k) for k in np.flatnonzero(row)) for row in scored.truth]
    said = DevScores(scored.probability, scored.labels, scored.cuts, 0, rows.sha256)
    return ScoredDev(scored.model, replace(rows, labels=ids), said, scored.row_cuts)
