"""How far scoring is, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from goemo_tui import wording
from goemo_tui.commands.progress import say

if TYPE_CHECKING:
    from trainer.infer.score import Progress

PLAIN_SECONDS = 10.0


@contextmanager
def shown() -> Iterator[Callable[[Progress], None]]:
    """What shows the progress on stderr."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_SECONDS:
                last = time.monotonic()
                say(_figures(progress))

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("scoring"), BarColumn(bar_width=None), TextColumn("{task.fields[figures]}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True, auto_refresh=False) as bars:
        task, last = bars.add_task("", total=None, figures=""), 0.0

        def bar(progress: Any) -> None:
            nonlocal last
            if time.monotonic() - last >= 0.2 or progress.share == 1.0:
                last = time.monotonic()
                total = None if progress.share is None else 1.0
                bars.update(task, total=total, completed=progress.share or 0.0, figures=_figures(progress))
                bars.refresh()

        yield bar


def _figures(progress: Progress) -> str:
    parts = [f"{progress.rows:,} rows", f"{wording.rate(progress.rows_per_s)}/s"]
    if progress.share:
        parts.insert(0, wording.percent(progress.share))
        if progress.share < 1 and progress.left is not None:
            parts.append(f"eta {wording.duration(progress.left)}")
    if progress.errors:
        parts.append(f"{progress.errors:,} not judged")
    return " · ".join(parts)
