"""`goemo-tui data show` and `data export`: the rows that a filter finds, on stdout or in a file, without a screen.

stdout is data, stderr is talk. Whatever a comment says passes through safe_text before it reaches a terminal.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from trainer.errors import ConfigError

if TYPE_CHECKING:
    from goemo_tui.services.found_rows import FoundRows

ACTIONS = ("show", "export")


def run(options: argparse.Namespace) -> int:
    """Do what `options.action` says. Raises GoemoError with the exit code of the command line."""
    path = options.path or getattr(options, "app_data", None) or "sample"
    return _show(path, options) if options.action == "show" else _export(path, options)


def _found(path: str, options: argparse.Namespace) -> FoundRows:
    from goemo_tui.services.found_rows import found_rows
    from goemo_tui.settings import read_settings

    found = found_rows(path, options.split, options.filter or "", read_settings()[0].encoder)
    if found.note:
        _talk(f"note: {found.note}")
    return found


def _show(path: str, options: argparse.Namespace) -> int:
    """The rows on stdout: cleaned for a terminal, as they stand in JSON."""
    from goemo_tui.safe_text import clean

    if options.limit is not None and options.limit < 1:
        raise ConfigError("--limit wants a number of rows, 1 or more", key="limit")
    found = _found(path, options)
    columns, split = found.columns, found.columns.split
    rows = [int(row) for row in found.rows[: options.limit]]
    if options.json:
        results = [
            {
                "line": split.lines[row],
                "id": split.ids[row],
                "text": split.text[row],
                "labels": [columns.labels.names[i] for i in split.labels[row]],
            }
            for row in rows
        ]
        told = {"split": split.name, "filter": options.filter or "", "rows": len(found.rows), "of": len(columns)}
        print(json.dumps({**told, "results": results}))
        return 0
    digits = len(str(max((split.lines[row] for row in rows), default=0)))
    for row in rows:
        print(f"{split.lines[row]:>{digits}}  {clean(columns.emotions(row)):<24}  {clean(split.text[row])}")
    shown = "" if len(rows) == len(found.rows) else f", the first {len(rows):,} shown"
    _talk(f"{len(found.rows):,} of {len(columns):,} rows of {split.name}{shown}")
    return 0


def _export(path: str, options: argparse.Namespace) -> int:
    """The rows into a file."""
    from goemo_tui.safe_text import clean
    from goemo_tui.services.export import AlreadyThere, ExportError, export, target

    if not options.out:
        raise ConfigError("name the file to write: --out rows.tsv (.csv, .jsonl, .parquet)", key="out")
    target(options.out)  # before a corpus is read for nothing
    found = _found(path, options)
    if not len(found.rows):
        raise ExportError(f"no row of {found.columns.split.name} fits this filter: nothing was written")
    try:
        done = export(found.columns, found.rows, options.out, options.overwrite)
    except AlreadyThere as error:
        raise AlreadyThere(f"{error}: --overwrite writes over it") from None
    if done.note:
        _talk(f"note: {done.note}")
    if options.json:
        told = {"path": str(done.path), "split": found.columns.split.name, "rows": done.rows, "bytes": done.size}
        print(json.dumps({**told, "of": len(found.columns), "note": done.note}))
    else:
        print(clean(str(done.path)))
        _talk(f"{done.rows:,} of {len(found.columns):,} rows of {found.columns.split.name}, {done.size:,} bytes")
    return 0


def _talk(text: str) -> None:
    """A line for people, beside the data."""
    from goemo_tui.safe_text import clean

    print(clean(text), file=sys.stderr)
