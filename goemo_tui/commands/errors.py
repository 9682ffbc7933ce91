"""`goemo-tui runs errors ID EMOTION`: the dev comments that a run got wrong for one emotion, headless."""

from __future__ import annotations

import argparse
import json
import sys

from trainer.errors import ConfigError

LIMIT = 50
"""Mistakes that are printed where no --limit says otherwise."""


def errors_of(args: argparse.Namespace) -> int:
    """Print them, the most confident first. Raises GoemoError."""
    from goemo_tui.commands.lines import table, wrapped
    from goemo_tui.commands.progress import say
    from goemo_tui.services.errors import FALSE_NEGATIVE, FALSE_POSITIVE, SIGNS, document, mistakes, scored_dev
    from goemo_tui.wording import percent, score
    from trainer.runs.run import Run

    if args.id is None or len(args.more) != 1:
        raise ConfigError("say which run and which emotion: goemo-tui runs errors ID EMOTION [--limit N]")
    limit = LIMIT if args.limit is None else args.limit
    if limit < 1:
        raise ConfigError(f"--limit {limit}: at least 1")
    found = mistakes(scored_dev(Run.open(args.id).folder), args.more[0])
    shown = found.mistakes[:limit]
    if args.json:
        print(json.dumps(document(found, shown)))
        return 0
    wrong, missed = len(found.of(FALSE_POSITIVE)), len(found.of(FALSE_NEGATIVE))
    say(
        f"{found.label} in {found.run}, epoch {found.epoch}, threshold {score(found.threshold)}: {wrong} said wrongly, "
        f"{missed} missed, {found.support} of {found.rows} comments carry it"
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
