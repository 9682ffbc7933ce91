"""`goemo-tui runs list`: a table on a terminal, lines divided by tabs elsewhere, or one JSON document."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.errors import GoemoError

if TYPE_CHECKING:
    from trainer.runs.run import Run

COLUMNS = ("run", "state", "epoch", "macro-F1", "age", "encoder", "data", "name", "note")


@dataclass(frozen=True)
class Line:
    """One run in the list. `trouble` says why a run cannot be read."""

    cells: tuple[str, ...]
    document: dict[str, Any]
    trouble: str | None = None


def print_list(as_json: bool) -> int:
    """All runs, newest first."""
    from goemo_tui.commands.progress import say
    from goemo_tui.safe_text import clean
    from trainer.runs.run import list_runs

    lines = [_line(one) for one in list_runs()]
    if as_json:
        print(json.dumps([line.document for line in lines]))
        return 0
    if not lines:
        say("there is no run yet. Start one: goemo-tui train")
    elif sys.stdout.isatty():
        _table([line.cells for line in lines])
    else:
        for line in lines:
            print("\t".join(clean(cell) for cell in line.cells))
    for line in lines:
        if line.trouble:
            say(line.trouble)
    return 0


def _line(one: Run) -> Line:
    from goemo_tui import wording
    from trainer.runs.snapshot import number

    seconds = max(0.0, time.time() - one.created)
    age, about = wording.duration(seconds), one.about
    more = {"age_s": round(seconds, 1), "folder": str(one.folder), "name": about.name, "note": about.note}
    try:
        document = one.summary()
        seen = one.snapshot()
    except GoemoError as error:
        trouble = {"run": one.id, "state": "unreadable", "error": str(error), **more}
        cells = (one.id, "unreadable", "–", "–", age, "–", "–", about.name, about.note)
        return Line(cells, trouble, str(error))
    config = document["config"]
    score = wording.score(number((document["validation"] or {}).get("macro_f1")))
    epoch = f"{document['epoch']:g}/{config['epochs']}"
    eta = seen.eta_s if document["pid"] is not None and document["state"] == "running" else None
    cells = (one.id, document["state"], epoch, score, age, config["encoder"], config["data"], about.name, about.note)
    return Line(cells, {**document, "eta_s": eta, **more})


def _table(rows: Sequence[Sequence[str]]) -> None:
    """As wide as the terminal. Names and notes only where there are some; the end of a path tells it from others."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from goemo_tui.safe_text import clean

    console = Console()
    rows = [(*row[:5], _end(row[5], console.width), _end(row[6], console.width), *row[7:]) for row in rows]
    used = [i for i, name in enumerate(COLUMNS) if name not in ("name", "note") or any(row[i] for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for i in used:
        name = COLUMNS[i]
        whole = name in ("run", "state", "epoch", "macro-F1", "age")
        right = name in ("epoch", "macro-F1", "age")
        table.add_column(
            name, justify="right" if right else "left", no_wrap=True, overflow="fold" if whole else "ellipsis"
        )
    for row in rows:
        table.add_row(*(Text(clean(row[i])) for i in used))
    console.print(table)


def _end(path: str, width: int) -> str:
    """The last part of a path, where there is no room for the whole."""
    return path if width >= 140 or "/" not in path.strip("/") else "…/" + path.rstrip("/").rpartition("/")[2]
