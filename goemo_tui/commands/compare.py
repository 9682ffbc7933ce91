"""`goemo-tui runs compare A B [C …]`: the Train screen's comparison, headless."""

from __future__ import annotations

import argparse
import json
import shutil
import sys

from trainer.errors import ConfigError

WIDTH = 100
"""Cells of the page where no terminal says how many there are."""


def compare_runs(args: argparse.Namespace) -> int:
    """Print the comparison of two to six runs, held against the first. Raises GoemoError."""
    from goemo_tui.services.compare import MOST, compare, document, paired_with, side_of
    from goemo_tui.services.compare_page import page, text
    from trainer.runs.run import Run

    ids = [args.id, *args.more] if args.id is not None else []
    if len(ids) < 2:
        raise ConfigError("say which runs are to be compared: goemo-tui runs compare A B [C …]")
    folders = list(dict.fromkeys(Run.open(name).folder for name in ids))
    if len(folders) < 2:
        raise ConfigError(f"{' and '.join(repr(name) for name in ids)} are the same run: two are needed")
    if len(folders) > MOST:
        raise ConfigError(f"{len(folders)} runs do not fit side by side: {MOST} at most")
    found = compare([side_of(folder) for folder in folders])
    paired = paired_with(found, folders)
    if args.json:
        print(json.dumps(document(found, paired)))
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    print(text(page(found, width, args.all, str, paired)))
    return 0
